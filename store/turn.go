package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
)

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

// ThreadKey is the key of the conversation of chat.Message.Thread, for what the
// desk says by itself.
func ThreadKey(thread string) string { return hashKey(thread) }

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
