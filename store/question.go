package store

import (
	"context"
	"encoding/json"
	"time"

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
	At       time.Time
}

// KeepQuestion records a question once per message.
func (tx *Tx) KeepQuestion(q Question) error {
	place, err := json.Marshal(q.Place)
	if err != nil {
		return err
	}
	err = tx.db.Exec("INSERT INTO question (id, message_id, asker, place, body, band, entry, score, feedback, ticket, asked_at) VALUES (?,?,?,?,?,?,?,?,'',0,?)",
		tx.s.ids.next(tx.now), q.Message, clip(q.Asker, 64), string(place), q.Text, q.Band, q.Entry, q.Score, millis(tx.now)).Error
	if isDuplicate(err) {
		return nil
	}
	return err
}

// JudgeQuestion records what the asker thought of the answer; only the asker's
// own judgement counts.
func (tx *Tx) JudgeQuestion(message, asker, feedback string, ticket int64) error {
	return tx.db.Exec("UPDATE question SET feedback=?, ticket=CASE WHEN ?>0 THEN ? ELSE ticket END WHERE message_id=? AND asker=?", feedback, ticket, ticket, message, asker).Error
}

// ListUnanswered returns the newest questions that got no sure answer.
func (s *Store) ListUnanswered(ctx context.Context, n int) ([]Question, error) {
	var rows []struct {
		ID, Entry, AskedAt, Ticket                    int64
		MessageID, Asker, Place, Body, Band, Feedback string
		Score                                         float64
	}
	err := s.read.WithContext(ctx).Table("question").Where("band = 'refuse' OR feedback = 'useless'").Order("id DESC").Limit(n).Find(&rows).Error
	out := make([]Question, len(rows))
	for i, r := range rows {
		out[i] = Question{ID: r.ID, Message: r.MessageID, Asker: r.Asker, Text: r.Body, Band: r.Band, Entry: r.Entry, Score: r.Score, Feedback: r.Feedback, Ticket: r.Ticket, At: fromMillis(r.AskedAt)}
		json.Unmarshal([]byte(r.Place), &out[i].Place)
	}
	return out, err
}
