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

// The inbox and the outbox as people look at them: every message in and out,
// with its state and what was decided about it. Texts are sealed; whoever shows
// them masks them.

// Received is one row of the inbox.
type Received struct {
	ID       int64
	Message  chat.Message
	State    string // new, running, done, dead
	Attempt  int
	At       time.Time
	Done     time.Time
	Due      time.Time
	Command  string
	Decision string
	Err      string
}

// Delivered is one row of the outbox.
type Delivered struct {
	ID      int64
	State   string // due, sending, sent, dead, held (quiet hours), summed (said with others that were held)
	Attempt int
	At      time.Time
	Due     time.Time
	Sent    time.Time
	Road    string
	Reason  string
	Receipt chat.Receipt
	Unsure  bool
	Parts   []chat.Part
	Said    chat.Outgoing
}

var (
	inboxStates  = []string{"new", "running", "done", "dead"}
	outboxStates = []string{"due", "sending", "sent", "dead", "held", "summed"}
)

// LedgerQuery chooses rows; zero values choose everything.
type LedgerQuery struct {
	State   string
	Person  string // sender, or the person words go to
	Message string // message id: its row, and what answers it
	To      []chat.Address
	Before  int64 // id of the last row of the page before
	N       int
}

func stateIndex(states []string, name string) (int, bool) {
	for i, s := range states {
		if s == name {
			return i, true
		}
	}
	return 0, false
}

func page(db *gorm.DB, q LedgerQuery) *gorm.DB {
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	return db.Order("id DESC").Limit(min(max(q.N, 1), 200))
}

// ListReceived returns messages, newest first.
func (s *Store) ListReceived(ctx context.Context, q LedgerQuery) ([]Received, error) {
	db := page(s.read.WithContext(ctx), q)
	if i, ok := stateIndex(inboxStates, q.State); ok {
		db = db.Where("state = ?", i)
	}
	if q.Person != "" {
		db = db.Where("sender = ?", q.Person)
	}
	if q.Message != "" {
		db = db.Where("message_id = ?", q.Message)
	}
	var rows []inboxRow
	if err := db.Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]Received, len(rows))
	for i, r := range rows {
		out[i] = s.received(r)
	}
	return out, nil
}

// FindReceived returns one message by its row.
func (s *Store) FindReceived(ctx context.Context, id int64) (Received, error) {
	var r inboxRow
	err := s.read.WithContext(ctx).First(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Received{}, fmt.Errorf("message %d: %w", id, ErrNotFound)
	}
	return s.received(r), err
}

func (s *Store) received(r inboxRow) Received {
	m, err := s.message(r)
	if err != nil { // sealed with a key that is gone: the row is still worth showing
		m = chat.Message{ID: r.MessageID, Via: chat.Via(r.Via), Kind: chat.MessageKind(r.Kind), Sender: r.Sender}
	}
	return Received{ID: r.ID, Message: m, State: inboxStates[r.State], Attempt: r.Attempt, At: fromMillis(r.ReceivedAt), Done: fromMillis(r.DoneAt), Due: fromMillis(r.DueAt), Command: r.Command, Decision: r.Decision, Err: r.Err}
}

// ListDelivered returns words, newest first.
func (s *Store) ListDelivered(ctx context.Context, q LedgerQuery) ([]Delivered, error) {
	db := page(s.read.WithContext(ctx), q)
	if i, ok := stateIndex(outboxStates, q.State); ok {
		db = db.Where("state = ?", i)
	}
	if q.Person != "" {
		keys := []string{}
		for _, via := range []chat.Via{chat.App, chat.Bot, ""} {
			keys = append(keys, hashKey(chat.Address{Kind: chat.Person, ID: q.Person, Via: via}.String()))
		}
		db = db.Where("target_key IN ?", keys)
	}
	if len(q.To) > 0 {
		keys := make([]string, len(q.To))
		for i, a := range q.To {
			keys[i] = hashKey(a.String())
		}
		db = db.Where("target_key IN ?", keys)
	}
	if q.Message != "" {
		// Words made by a turn carry its message's id in their key.
		db = db.Where("reply_to = ? OR (send_key >= ? AND send_key < ?)", q.Message, q.Message+"/", q.Message+"0")
	}
	var rows []outboxRow
	if err := db.Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]Delivered, len(rows))
	for i, r := range rows {
		out[i] = s.delivered(r)
	}
	return out, nil
}

// FindDelivered returns one row of the outbox.
func (s *Store) FindDelivered(ctx context.Context, id int64) (Delivered, error) {
	var r outboxRow
	err := s.read.WithContext(ctx).First(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Delivered{}, fmt.Errorf("delivery %d: %w", id, ErrNotFound)
	}
	return s.delivered(r), err
}

func (s *Store) delivered(r outboxRow) Delivered {
	d, err := s.delivery(r)
	out := Delivered{ID: r.ID, State: outboxStates[r.State], Attempt: r.Attempt, At: idTime(r.ID), Due: fromMillis(r.DueAt), Sent: fromMillis(r.SentAt), Road: r.Road, Reason: r.Reason, Unsure: r.Unsure != 0, Parts: d.Parts, Said: d.Outgoing}
	if err != nil {
		out.Reason = "内容读不出来：" + err.Error()
	}
	json.Unmarshal([]byte(r.Receipt), &out.Receipt)
	return out
}

// retried makes dead words due again. Bytes that were refused would be refused
// again: they are made anew, unless a part of them arrived or may have. The
// parts come first: MySQL reads the columns as they are changed, from left to
// right.
const retried = "parts=CASE WHEN sent_parts=0 AND unsure=0 THEN NULL ELSE parts END, state=?, due_at=?, attempt=0, unsure=0, reason=''"

// RetryDelivery makes dead words due again, by a person's decision.
func (s *Store) RetryDelivery(ctx context.Context, actor string, id int64) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("UPDATE outbox SET "+retried+" WHERE id=? AND state=?", outboxDue, millis(tx.now), id, outboxDead)
		if u.Error == nil && u.RowsAffected == 0 {
			return fmt.Errorf("delivery %d is not dead: %w", id, ErrStale)
		}
		if u.Error != nil {
			return u.Error
		}
		return tx.Audit(actor, "delivery.retry", fmt.Sprint(id), map[string]string{})
	})
	if err == nil {
		s.ringOutbox()
	}
	return err
}

// PlaceState is how deliveries to one place stand.
type PlaceState struct {
	Waiting, Dead int64 // due or being sent, and given up
	SentLately    int64 // since the time that was asked for
	Last          *Delivered
}

// PlaceOf counts the deliveries to a place; those that arrived since a time.
func (s *Store) PlaceOf(ctx context.Context, to chat.Address, since time.Time) (p PlaceState, err error) {
	key := hashKey(to.String())
	for _, c := range []struct {
		n      *int64
		states []int
		after  int64
	}{{&p.Waiting, []int{outboxDue, outboxSending}, 0}, {&p.Dead, []int{outboxDead}, 0}, {&p.SentLately, []int{outboxSent}, idAt(since)}} {
		if err := s.read.WithContext(ctx).Model(&outboxRow{}).Where("state IN ? AND target_key = ? AND id > ?", c.states, key, c.after).Count(c.n).Error; err != nil {
			return p, err
		}
	}
	list, err := s.ListDelivered(ctx, LedgerQuery{To: []chat.Address{to}, N: 1})
	if len(list) > 0 {
		p.Last = &list[0]
	}
	return p, err
}

// RetryPlace makes all dead words for a place due again, by a person's decision,
// and returns how many.
func (s *Store) RetryPlace(ctx context.Context, actor string, to chat.Address) (n int64, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("UPDATE outbox SET "+retried+" WHERE state=? AND target_key=?", outboxDue, millis(tx.now), outboxDead, hashKey(to.String()))
		if u.Error != nil {
			return u.Error
		}
		n = u.RowsAffected
		return tx.Audit(actor, "delivery.retry", to.String(), map[string]int64{"deliveries": n})
	})
	if err == nil {
		s.ringOutbox()
	}
	return n, err
}

// RetryReceived puts a dead message back to be worked on once more.
func (s *Store) RetryReceived(ctx context.Context, actor string, id int64) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("UPDATE inbox SET state=?, due_at=0, attempt=0, err='' WHERE id=? AND state=?", inboxNew, id, inboxDead)
		if u.Error == nil && u.RowsAffected == 0 {
			return fmt.Errorf("message %d is not dead: %w", id, ErrStale)
		}
		if u.Error != nil {
			return u.Error
		}
		return tx.Audit(actor, "message.retry", fmt.Sprint(id), map[string]string{})
	})
	if err == nil {
		s.ringInbox()
	}
	return err
}
