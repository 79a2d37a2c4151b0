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

// Question is one question somebody asked, and how it went: what was not
// answered is what the knowledge base lacks.
type Question struct {
	ID       int64
	Message  string
	Asker    string
	Place    chat.Address
	Text     string // masked
	Band     string // answer, clarify, refuse
	Entry    int64  // the entry shown, 0 for none
	Score    float64
	Feedback string // useful, useless, person
	Ticket   int64  // the ticket it became, 0 for none
	Outcome  string // learned, ignored; "" while nothing has become of it
	Undone   string // why its answer solved nothing after all: again, ticket; in lists only
	At       time.Time
}

// KeepQuestion records a question once per message.
func (tx *Tx) KeepQuestion(q Question) error {
	place, err := json.Marshal(q.Place)
	if err != nil {
		return err
	}
	branch, err := tx.branchOf(q.Asker)
	if err != nil {
		return err
	}
	r := questionRow{ID: tx.s.ids.next(tx.now), MessageID: q.Message, Asker: clip(q.Asker, 64), Place: string(place), Body: q.Text, Band: q.Band, Entry: q.Entry, Score: q.Score,
		AskedAt: millis(tx.now), Branch: branch, Counted: tx.s.counting.no}
	if err := tx.db.Create(&r).Error; err != nil {
		if isDuplicate(err) {
			return nil
		}
		return err
	}
	if q.Entry > 0 {
		if err := tx.undo(r.Asker, undoneAgain, tx.now.Add(-AskedAgain), q.Entry, r.ID); err != nil {
			return err
		}
	}
	tx.countQuestion(&r, 1)
	return nil
}

// JudgeQuestion records what the asker thought of the answer; only the asker's
// own judgement counts.
func (tx *Tx) JudgeQuestion(message, asker, feedback string, ticket int64) error {
	var r questionRow
	err := tx.db.First(&r, "message_id = ? AND asker = ?", message, asker).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.changeQuestion(r, func(r *questionRow) {
		r.Feedback = feedback
		if ticket > 0 {
			r.Ticket = ticket
		}
	})
}

// Why an answer was no use.
const (
	ReasonOff        = "off"        // not what was asked
	ReasonIncomplete = "incomplete" // not all of it
	ReasonOutdated   = "outdated"
	ReasonUnclear    = "unclear"
)

// SayWhyUseless records why an answer was no use to its asker.
func (tx *Tx) SayWhyUseless(message, asker, reason string) error {
	return tx.db.Exec("UPDATE question SET reason=? WHERE message_id=? AND asker=? AND feedback='useless'", clip(reason, 16), message, asker).Error
}

type questionRow struct {
	ID, Entry, AskedAt, Ticket, Counted, Picked            int64
	MessageID, Asker, Place, Body, Band, Feedback, Outcome string
	Branch, Undone                                         string
	Score                                                  float64
}

func (questionRow) TableName() string { return "question" }

func (r questionRow) question() Question {
	q := Question{ID: r.ID, Message: r.MessageID, Asker: r.Asker, Text: r.Body, Band: r.Band, Entry: r.Entry, Score: r.Score, Feedback: r.Feedback, Ticket: r.Ticket, Outcome: r.Outcome, At: fromMillis(r.AskedAt)}
	json.Unmarshal([]byte(r.Place), &q.Place)
	return q
}

// ListUnanswered returns the newest questions since a time that got no sure
// answer, or one that did not help, and of which nothing has become yet.
func (s *Store) ListUnanswered(ctx context.Context, since time.Time, n int) ([]Question, error) {
	var rows []questionRow
	err := s.read.WithContext(ctx).Where("(band = 'refuse' OR feedback = 'useless') AND outcome = '' AND asked_at >= ?", since.UnixMilli()).Order("id DESC").Limit(n).Find(&rows).Error
	out := make([]Question, len(rows))
	for i, r := range rows {
		out[i] = r.question()
	}
	return out, err
}

// AskedSince returns up to n questions that were asked since a time, the newest first.
func (s *Store) AskedSince(ctx context.Context, since time.Time, n int) ([]Question, error) {
	var rows []questionRow
	err := s.read.WithContext(ctx).Where("id >= ?", idAt(since)).Order("id DESC").Limit(n).Find(&rows).Error
	out := make([]Question, len(rows))
	for i, r := range rows {
		out[i] = r.question()
	}
	return out, err
}

// FindQuestion returns the question a message asked, or ErrNotFound.
func (s *Store) FindQuestion(ctx context.Context, message string) (Question, error) {
	var r questionRow
	err := s.read.WithContext(ctx).First(&r, "message_id = ?", message).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Question{}, fmt.Errorf("question: %w", ErrNotFound)
	}
	return r.question(), err
}

// SettleQuestions says what became of questions without an answer: learned, or
// ignored. They are no gaps any more.
func (tx *Tx) SettleQuestions(messages []string, outcome string) error {
	for len(messages) > 0 {
		part := messages[:min(len(messages), 200)]
		if err := tx.db.Exec("UPDATE question SET outcome=? WHERE message_id IN ?", outcome, part).Error; err != nil {
			return err
		}
		messages = messages[len(part):]
	}
	return nil
}

// Watch is somebody who wants to be told when a question has an answer.
type Watch struct {
	ID      int64
	Member  string
	Message string
	Text    string
}

// WatchQuestion remembers to tell somebody once; asking twice is once.
func (tx *Tx) WatchQuestion(w Watch) error {
	err := tx.db.Exec("INSERT INTO question_watch (id, member, message_id, body, looked_at) VALUES (?,?,?,?,?)", tx.s.ids.next(tx.now), clip(w.Member, 64), w.Message, w.Text, millis(tx.now)).Error
	if isDuplicate(err) {
		return nil
	}
	return err
}

// ListWatches returns the watches that were not looked at for the longest.
func (s *Store) ListWatches(ctx context.Context, n int) ([]Watch, error) {
	var rows []struct {
		ID                      int64
		Member, MessageID, Body string
	}
	err := s.read.WithContext(ctx).Table("question_watch").Order("looked_at, id").Limit(n).Find(&rows).Error
	out := make([]Watch, len(rows))
	for i, r := range rows {
		out[i] = Watch{r.ID, r.Member, r.MessageID, r.Body}
	}
	return out, err
}

// LookedAtWatches puts watches behind the others.
func (tx *Tx) LookedAtWatches(ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.db.Exec("UPDATE question_watch SET looked_at=? WHERE id IN ?", millis(tx.now), ids).Error
}

// EndWatch takes a watch away; false when another replica did so before.
func (tx *Tx) EndWatch(id int64) (bool, error) {
	r := tx.db.Exec("DELETE FROM question_watch WHERE id=?", id)
	return r.RowsAffected == 1, r.Error
}
