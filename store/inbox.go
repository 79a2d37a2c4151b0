package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	return inboxRow{
		ID: s.ids.next(now), MessageID: m.ID, Via: string(m.Via), Kind: string(m.Kind), Sender: clip(m.Sender, 64),
		ThreadKey: thread, Shard: shardOf(thread), ReceivedAt: millis(now), Body: s.seal.sealed("inbox", body),
	}, nil
}

// Accept stores m, or finds that it is stored already; it returns only after
// the commit. Several waiting calls share one commit.
func (s *Store) Accept(ctx context.Context, m chat.Message) (fresh bool, err error) {
	if len(m.ID) != 24 {
		return false, fmt.Errorf("message id %q is not one that chat.MessageID made", clip(m.ID, 32))
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
	heads, err := s.threadHeads(ctx)
	if err != nil {
		return nil, err
	}
	now := s.now().UnixMilli()
	var mine []inboxRow
	for _, h := range heads {
		epoch, ok := held[h.Shard]
		if !ok || h.DueAt > now || (h.State == inboxRunning && h.Epoch == epoch) {
			continue // another replica's, waiting for its next try, or in work here
		}
		if mine = append(mine, h); len(mine) == n {
			break
		}
	}
	if len(mine) == 0 {
		return nil, nil
	}
	return s.startTurns(ctx, mine, held)
}

// threadHeads returns the oldest unfinished message of each thread, oldest first.
func (s *Store) threadHeads(ctx context.Context) ([]inboxRow, error) {
	var rows []inboxRow
	err := s.read.WithContext(ctx).Raw(`SELECT i.* FROM inbox i JOIN
		(SELECT MIN(id) AS id FROM inbox WHERE state IN (0,1) GROUP BY thread_key) h ON h.id = i.id ORDER BY i.id LIMIT 2000`).Scan(&rows).Error
	return rows, err
}

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
			if u.RowsAffected == 1 {
				t, err := s.turn(r, held[r.Shard])
				if err != nil {
					if err := tx.bury(r.ID, err); err != nil {
						return err
					}
					continue
				}
				turns = append(turns, t)
			}
		}
		return nil
	})
	return turns, err
}

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
func (s *Store) FinishTurn(ctx context.Context, t Turn, o Outcome, fn func(tx *Tx) error) error {
	return s.InTx(ctx, func(tx *Tx) error {
		tx.turn = &t
		if fn != nil {
			if err := fn(tx); err != nil {
				return err
			}
		}
		state, cause := inboxDone, ""
		if o.Dead != nil {
			state, cause = inboxDead, clip(o.Dead.Error(), 1000)
		}
		u := tx.db.Exec("UPDATE inbox SET state=?, done_at=?, command=?, decision=?, err=? WHERE id=? AND state=? AND epoch=?",
			state, millis(tx.now), clip(o.Command, 32), clip(o.Decision, 500), cause, t.ID, inboxRunning, t.epoch)
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected != 1 {
			return ErrFenced
		}
		tx.bells = append(tx.bells, func() { s.ringTurn(t.Msg.ID) })
		return nil
	})
}

// RetryTurn puts a turn back until a later time.
func (s *Store) RetryTurn(ctx context.Context, t Turn, at time.Time, cause error) error {
	return s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("UPDATE inbox SET state=?, due_at=?, err=? WHERE id=? AND state=? AND epoch=?",
			inboxNew, millis(at), clip(cause.Error(), 1000), t.ID, inboxRunning, t.epoch)
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
