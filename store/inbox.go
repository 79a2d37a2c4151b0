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

func (s *Store) message(r inboxRow) (m chat.Message, err error) {
	body, err := s.seal.open("inbox", r.Body)
	if err != nil {
		return m, err
	}
	err = json.Unmarshal(body, &m)
	return m, err
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
