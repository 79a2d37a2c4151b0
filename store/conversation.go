package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Conversation is what the desk remembers of one thread: an open command with
// its step and draft, the last numbered list, and the last question answered.
// The zero value is a thread with nothing open.
type Conversation struct {
	Command  string          // the command that waits for the next message, "" for none
	Step     string          // which step of it
	Draft    json.RawMessage // what it has gathered
	Expires  time.Time
	List     []string // what "1", "2" … stand for, as typed text
	ListEnd  time.Time
	Topic    json.RawMessage // what "没解决" or "转人工" refers to
	TopicEnd time.Time
}

type conversationRow struct {
	ThreadKey  string `gorm:"primaryKey"`
	Command    string
	Step       string
	Draft      []byte
	ExpiresAt  int64
	List       []byte
	ListUntil  int64
	Topic      []byte
	TopicUntil int64
	UpdatedAt  int64
}

func (conversationRow) TableName() string { return "conversation" }

// Conversation reads what is open in a thread; what has expired is left out.
func (s *Store) Conversation(ctx context.Context, thread string) (Conversation, error) {
	return s.conversation(s.read.WithContext(ctx), thread)
}

// Conversation sees the writes of this transaction.
func (tx *Tx) Conversation(thread string) (Conversation, error) {
	return tx.s.conversation(tx.db, thread)
}

func (s *Store) conversation(db *gorm.DB, thread string) (c Conversation, err error) {
	var r conversationRow
	err = db.First(&r, "thread_key = ?", thread).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	now := s.now()
	if now.Before(fromMillis(r.ExpiresAt)) {
		c.Command, c.Step, c.Expires = r.Command, r.Step, fromMillis(r.ExpiresAt)
		if c.Draft, err = s.seal.open("draft", r.Draft); err != nil {
			return c, err
		}
	}
	if now.Before(fromMillis(r.ListUntil)) {
		c.ListEnd = fromMillis(r.ListUntil)
		list, err := s.seal.open("list", r.List)
		if err != nil {
			return c, err
		}
		if err := json.Unmarshal(list, &c.List); err != nil {
			return c, err
		}
	}
	if now.Before(fromMillis(r.TopicUntil)) {
		c.TopicEnd = fromMillis(r.TopicUntil)
		c.Topic, err = s.seal.open("topic", r.Topic)
	}
	return c, err
}

// SaveConversation replaces what the desk remembers of a thread.
func (tx *Tx) SaveConversation(thread string, c Conversation) error {
	r := conversationRow{ThreadKey: thread, Command: c.Command, Step: c.Step, ExpiresAt: millis(c.Expires), ListUntil: millis(c.ListEnd), TopicUntil: millis(c.TopicEnd), UpdatedAt: millis(tx.now)}
	seal := tx.s.seal
	r.Draft = seal.sealed("draft", c.Draft)
	r.Topic = seal.sealed("topic", c.Topic)
	if c.List != nil {
		b, err := json.Marshal(c.List)
		if err != nil {
			return err
		}
		r.List = seal.sealed("list", b)
	}
	return tx.db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&r).Error
}
