package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// States of an inbox row.
const (
	inboxNew = iota
	inboxRunning
	inboxDone
	inboxDead
)

// maxAttempts bounds how often a message is tried; one that kills the process
// each time is dead after it.
const maxAttempts = 5

type inboxRow struct {
	ID           int64 `gorm:"primaryKey;autoIncrement:false"`
	MessageID    string
	Via          string
	Kind         string
	Sender       string
	ThreadKey    string
	Shard        int
	TurnOrder    int64
	State        int
	Epoch        int64
	Attempt      int
	DueAt        int64
	ReceivedAt   int64
	DoneAt       int64
	Body         []byte
	Command      string
	Decision     string
	Err          string
	ReplySpentAt int64
}

func (inboxRow) TableName() string { return "inbox" }

// hashKey shortens a key of any length to 24 characters for an index.
func hashKey(s string) string { return chat.MessageID("", "", "", "", s) }

func (s *Store) inboxRow(m chat.Message) (inboxRow, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return inboxRow{}, err
	}
	thread := hashKey(m.Thread())
	now := s.now()
	id := s.ids.next(now)
	return inboxRow{
		ID: id, MessageID: m.ID, Via: string(m.Via), Kind: string(m.Kind), Sender: clip(m.Sender, 64),
		ThreadKey: thread, Shard: shardOf(thread), TurnOrder: turnOrder(m.At, now, id), ReceivedAt: millis(now), Body: s.seal.sealed("inbox", body),
	}, nil
}

// turnOrder sorts the messages of a thread: by the second in which the
// platform says that they were said (29 bits), then by arrival (milliseconds
// since, 23 bits, and 11 of the id's counter). A repeat that comes late is
// worked on in its place if its followers still wait; replicas whose clocks
// differ agree. A time that cannot be true counts as the time of arrival.
func turnOrder(said, now time.Time, id int64) int64 {
	const oldest = 2 * time.Hour
	if said.After(now) {
		said = now
	} else if now.Sub(said) > oldest {
		said = now.Add(-oldest)
	}
	second := said.Unix() - idEpoch/1000
	delay := now.UnixMilli() - (second*1000 + idEpoch)
	return max(0, second)<<34 | min(max(0, delay), 1<<23-1)<<11 | id&(1<<11-1)
}

// Accept stores m, or finds that it is stored already; it returns only after
// the commit. Several waiting calls share one commit.
func (s *Store) Accept(ctx context.Context, m chat.Message) (fresh bool, err error) {
	if len(m.ID) != 24 {
		return false, fmt.Errorf("message id %q is not one that chat.MessageID made", clip(m.ID, 32))
	}
	if err := s.ensureSlot(ctx); err != nil {
		return false, err
	}
	row, err := s.inboxRow(m)
	if err != nil {
		return false, err
	}
	fresh, err = s.accept.put(ctx, row)
	if fresh {
		s.ringInbox()
	}
	return fresh, err
}

// Seen tells whether a message with this ID was ever accepted.
func (s *Store) Seen(ctx context.Context, id string) (bool, error) {
	var n int64
	err := s.read.WithContext(ctx).Model(&inboxRow{}).Where("message_id = ?", id).Limit(1).Count(&n).Error
	return n > 0, err
}

// Turn is a message claimed for work.
type Turn struct {
	ID      int64
	Attempt int // 1 for the first
	Last    bool
	Msg     chat.Message
	epoch   int64
	thread  string
}

// Thread is the key of the conversation that the turn belongs to.
func (t Turn) Thread() string { return t.thread }

// ClaimTurns takes up to n messages that are due: the oldest of each thread,
// of the shards this replica holds, and only of threads that are not in work.
func (s *Store) ClaimTurns(ctx context.Context, n int) ([]Turn, error) {
	held := s.holding()
	if len(held) == 0 || n <= 0 {
		return nil, nil
	}
	busy, alone := s.shards.count(&s.shards.turns)
	if alone {
		return nil, nil
	}
	heads, err := s.threadHeads(ctx, held, n+busy+8)
	if err != nil || len(heads) == 0 {
		return nil, err
	}
	mine := s.choose(heads, held, n, busy)
	if len(mine) == 0 {
		return nil, nil
	}
	var turns []Turn
	if err = s.readBodies(ctx, mine); err == nil {
		turns, err = s.startTurns(ctx, mine, held)
	}
	started := map[int64]bool{}
	if err == nil {
		for _, t := range turns {
			started[t.ID] = true
		}
	}
	for _, r := range mine {
		if !started[r.ID] {
			s.shards.letGo(&s.shards.turns, r.ThreadKey, r.claim(held[r.Shard]))
		}
	}
	if err != nil {
		return nil, err
	}
	return turns, nil
}

// headColumns is what choosing needs; the messages themselves are read after.
const headColumns = "SELECT id, message_id, thread_key, shard, turn_order, state, epoch, attempt, due_at FROM inbox i WHERE "

// headPage is how many waiting messages are looked at at once.
const headPage = 200

// threadHeads finds up to n messages that are due, ours, and the next of their
// thread. A message in work is the next one of its thread, even if an older
// one has come in since.
func (s *Store) threadHeads(ctx context.Context, held map[int]int64, n int) ([]inboxRow, error) {
	db, now, ours := s.read.WithContext(ctx), s.now().UnixMilli(), shardsIn("i", held)
	var heads []inboxRow
	if err := db.Raw(headColumns + "state=1" + ours + " ORDER BY turn_order, id LIMIT 5000").Scan(&heads).Error; err != nil {
		return nil, err
	}
	seen := make(map[string]bool, n)
	for _, r := range heads {
		seen[r.ThreadKey] = true
	}
	order, id := int64(-1), int64(0)
	for len(heads) < n {
		var page []inboxRow
		err := db.Raw(headColumns+"state=0 AND turn_order>=? AND (turn_order>? OR id>?)"+ours+" ORDER BY turn_order, id LIMIT ?", order, order, id, headPage).Scan(&page).Error
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			if !seen[r.ThreadKey] && r.DueAt <= now {
				heads = append(heads, r)
			}
			seen[r.ThreadKey] = true // one that is not due yet holds its thread
		}
		if len(page) < headPage {
			break
		}
		order, id = page[headPage-1].TurnOrder, page[headPage-1].ID
	}
	return heads, nil
}

// readBodies completes rows that were chosen.
func (s *Store) readBodies(ctx context.Context, rows []inboxRow) error {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	var got []struct {
		ID   int64
		Body []byte
	}
	if err := s.read.WithContext(ctx).Raw("SELECT id, body FROM inbox WHERE id IN ?", ids).Scan(&got).Error; err != nil {
		return err
	}
	bodies := make(map[int64][]byte, len(got))
	for _, g := range got {
		bodies[g.ID] = g.Body
	}
	for i := range rows {
		rows[i].Body = bodies[rows[i].ID]
	}
	return nil
}

// shardsIn limits a query to the shards held, unless that is all of them.
func shardsIn(alias string, held map[int]int64) string {
	if len(held) == shardCount {
		return ""
	}
	ids := make([]string, 0, len(held))
	for id := range held {
		ids = append(ids, strconv.Itoa(id))
	}
	return " AND " + alias + ".shard IN (" + strings.Join(ids, ",") + ")"
}

// choose takes up to n rows into the hands. A message that was in work when
// its process died, and not for the first time, may be what killed it: it is
// tried alone, so that it takes no others with it.
func (s *Store) choose(heads []inboxRow, held map[int]int64, n, busy int) []inboxRow {
	var mine []inboxRow
	for _, h := range heads {
		epoch := held[h.Shard]
		if h.State == inboxRunning && h.Epoch > epoch {
			continue // somebody has the shard after us
		}
		suspect := h.State == inboxRunning && h.Attempt >= 2
		if suspect && busy+len(mine) > 0 {
			break // after what is in the hands now
		}
		if !s.shards.grab(&s.shards.turns, h.ThreadKey, h.claim(epoch), h.Shard) {
			continue // in work here
		}
		mine = append(mine, h)
		if suspect {
			s.shards.mu.Lock()
			s.shards.turns.alone = true
			s.shards.mu.Unlock()
			break
		}
		if len(mine) == n {
			break
		}
	}
	return mine
}

var errKilled = errors.New("the process died each time it worked on this")

func (s *Store) startTurns(ctx context.Context, rows []inboxRow, held map[int]int64) ([]Turn, error) {
	var turns []Turn
	err := s.InTx(ctx, func(tx *Tx) error {
		turns = turns[:0]
		for _, r := range rows {
			u := tx.db.Exec("UPDATE inbox SET state=?, epoch=?, attempt=attempt+1 WHERE id=? AND state=? AND epoch=? AND attempt=?",
				inboxRunning, held[r.Shard], r.ID, r.State, r.Epoch, r.Attempt)
			if u.Error != nil {
				return u.Error
			}
			if u.RowsAffected != 1 {
				continue
			}
			t, err := s.turn(r, held[r.Shard])
			if r.State == inboxRunning && r.Attempt >= maxAttempts {
				err = errKilled
			}
			if err != nil {
				if err := tx.bury(r.ID, err); err != nil {
					return err
				}
				s.log.Error("message ends as a dead letter", "message_id", r.MessageID, "err", err)
				continue
			}
			turns = append(turns, t)
		}
		return nil
	})
	return turns, err
}

// claim names the claim that is about to be made of r.
func (r inboxRow) claim(epoch int64) claimed { return claimed{r.ID, epoch, int64(r.Attempt) + 1} }

func (s *Store) turn(r inboxRow, epoch int64) (Turn, error) {
	t := Turn{ID: r.ID, Attempt: r.Attempt + 1, Last: r.Attempt+1 >= maxAttempts, epoch: epoch, thread: r.ThreadKey}
	m, err := s.message(r)
	t.Msg = m
	return t, err
}

func (s *Store) message(r inboxRow) (m chat.Message, err error) {
	body, err := s.seal.open("inbox", r.Body)
	if err != nil {
		return m, err
	}
	err = json.Unmarshal(body, &m)
	return m, err
}

func (tx *Tx) bury(id int64, cause error) error {
	return tx.db.Exec("UPDATE inbox SET state=?, done_at=?, err=? WHERE id=?", inboxDead, millis(tx.now), clip(cause.Error(), 1000), id).Error
}

// Outcome is what became of a turn, kept with its row for the people who ask why.
type Outcome struct {
	Command  string // which command had it
	Decision string // why that one
	Dead     error  // not nil: the turn ends as a dead letter
}

// FinishTurn commits a turn: what fn writes and says, and the inbox row, in
// one transaction. It fails with ErrFenced when another replica has the turn.
// After any other error the turn is still the caller's, who ends it with
// RetryTurn, or with an Outcome that is Dead.
func (s *Store) FinishTurn(ctx context.Context, t Turn, o Outcome, fn func(tx *Tx) error) error {
	state, cause := inboxDone, ""
	if o.Dead != nil {
		state, cause = inboxDead, clip(o.Dead.Error(), 1000)
	}
	tries := 0
	err := s.InTx(ctx, func(tx *Tx) error {
		tries++
		tx.turn = &t
		// First of all: whoever has lost the turn writes nothing, and two who
		// believe to have it wait for each other here.
		u := tx.db.Exec("UPDATE inbox SET state=?, done_at=?, command=?, decision=?, err=? WHERE id=? AND state=? AND epoch=? AND attempt=?",
			state, millis(tx.now), clip(o.Command, 32), clip(o.Decision, 500), cause, t.ID, inboxRunning, t.epoch, t.Attempt)
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected != 1 {
			return ErrFenced
		}
		if fn != nil {
			if err := fn(tx); err != nil {
				return err
			}
		}
		tx.bells = append(tx.bells, func() { s.ringTurn(t.Msg) })
		return nil
	})
	if errors.Is(err, ErrFenced) && tries > 1 && s.finished(ctx, t) {
		err = nil // our own commit, whose answer was lost
	}
	if err == nil || o.Dead != nil || errors.Is(err, ErrFenced) {
		s.shards.letGo(&s.shards.turns, t.thread, claimed{t.ID, t.epoch, int64(t.Attempt)})
	}
	return err
}

// finished tells whether this very claim of the turn was committed.
func (s *Store) finished(ctx context.Context, t Turn) bool {
	var r inboxRow
	err := s.write.WithContext(ctx).Select("state", "epoch", "attempt").First(&r, "id = ?", t.ID).Error
	return err == nil && r.State >= inboxDone && r.Epoch == t.epoch && r.Attempt == t.Attempt
}

// RetryTurn puts a turn back until a later time. Whatever it returns, the turn
// is not the caller's any more: when it could not be put back, it is soon
// claimed again.
func (s *Store) RetryTurn(ctx context.Context, t Turn, at time.Time, cause error) error {
	defer s.shards.letGo(&s.shards.turns, t.thread, claimed{t.ID, t.epoch, int64(t.Attempt)})
	return s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("UPDATE inbox SET state=?, due_at=?, err=? WHERE id=? AND state=? AND epoch=? AND attempt=?",
			inboxNew, millis(at), clip(cause.Error(), 1000), t.ID, inboxRunning, t.epoch, t.Attempt)
		if u.Error == nil && u.RowsAffected != 1 {
			return ErrFenced
		}
		return u.Error
	})
}

// WaitTurns returns when there may be something to claim.
func (s *Store) WaitTurns(ctx context.Context) error {
	return s.inboxBell.wait(ctx, 500*time.Millisecond)
}

// WakeTurns makes WaitTurns return.
func (s *Store) WakeTurns() { s.inboxBell.ring() }

// ReplyURL returns the unused response_url of a message, or "" when it has
// none, was used, or is older than the hour the platform gives it.
func (s *Store) ReplyURL(ctx context.Context, id string) (string, error) {
	var r inboxRow
	err := s.read.WithContext(ctx).First(&r, "message_id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if r.ReplySpentAt != 0 || s.now().Sub(fromMillis(r.ReceivedAt)) > 59*time.Minute {
		return "", nil
	}
	m, err := s.message(r)
	return m.ReplyURL, err
}

// SpendReplyURL marks the response_url of a message as used.
func (s *Store) SpendReplyURL(ctx context.Context, id string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("UPDATE inbox SET reply_spent_at=? WHERE message_id=?", millis(tx.now), id).Error
	})
}

// ReplaceMessage rewrites the kept message of a turn, for what must not be kept.
func (tx *Tx) ReplaceMessage(t Turn, m chat.Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return tx.db.Exec("UPDATE inbox SET body=? WHERE id=?", tx.s.seal.sealed("inbox", body), t.ID).Error
}
