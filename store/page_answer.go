package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// PageAnswer is what the self-service page showed for a question, so that its
// page stays what it is and the next question may lean on it. It is kept as long
// as messages.
type PageAnswer struct {
	Message string // of the question
	Asker   string
	Body    json.RawMessage
	At      time.Time
}

type pageAnswerRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement:false"`
	MessageID string
	Asker     string
	Body      string
	At        int64
}

func (pageAnswerRow) TableName() string { return "page_answer" }

// KeepPageAnswer keeps what is shown for a question.
func (tx *Tx) KeepPageAnswer(a PageAnswer) error {
	return tx.db.Create(&pageAnswerRow{ID: tx.s.ids.next(tx.now), MessageID: a.Message, Asker: clip(a.Asker, 64), Body: string(a.Body), At: millis(tx.now)}).Error
}

// FindPageAnswer returns what was shown for a question, or ErrNotFound.
func (s *Store) FindPageAnswer(ctx context.Context, message string) (PageAnswer, error) {
	return onePageAnswer(s.read.WithContext(ctx).Where("message_id = ?", message))
}

// LastPageAnswer returns what somebody was shown last since a time, or ErrNotFound.
func (s *Store) LastPageAnswer(ctx context.Context, asker string, since time.Time) (PageAnswer, error) {
	return onePageAnswer(s.read.WithContext(ctx).Where("asker = ? AND id >= ?", asker, idAt(since)).Order("id DESC"))
}

func onePageAnswer(db *gorm.DB) (PageAnswer, error) {
	var r pageAnswerRow
	err := db.First(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fmt.Errorf("answer of the page: %w", ErrNotFound)
	}
	return PageAnswer{r.MessageID, r.Asker, json.RawMessage(r.Body), fromMillis(r.At)}, err
}
