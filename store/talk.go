package store

import (
	"context"
	"sort"
	"time"

	"frontline/bot/chat"
)

// Line is one line of a talk.
type Line struct {
	At    time.Time
	From  string // userid, or "" for the desk
	Text  string // as said: the caller masks it
	Body  chat.Body
	Media []chat.Media
}

// SaidTo returns what was said to a place since a time, newest first.
func (s *Store) SaidTo(ctx context.Context, to chat.Address, since time.Time, n int) ([]Line, error) {
	var rows []outboxRow
	err := s.read.WithContext(ctx).Where("target_key = ? AND id >= ? AND state IN (0,1,2)", hashKey(to.String()), idAt(since)).Order("id DESC").Limit(n).Find(&rows).Error
	var lines []Line
	for _, r := range rows {
		if d, err := s.delivery(r); err == nil {
			lines = append(lines, Line{At: idTime(r.ID), Body: d.Body})
		}
	}
	return lines, err
}

// Talk returns what was said in a thread since a time, both sides, oldest
// first: what a person sees when they take a talk over. It needs no table of
// its own: the inbox and the outbox are the talk.
func (s *Store) Talk(ctx context.Context, m chat.Message, since time.Time, n int) ([]Line, error) {
	var in []inboxRow
	db := s.read.WithContext(ctx)
	err := db.Where("id >= ? AND thread_key = ?", idAt(since), hashKey(m.Thread())).Order("id DESC").Limit(n).Find(&in).Error
	if err != nil {
		return nil, err
	}
	var lines []Line
	ids := make([]string, 0, len(in))
	for _, r := range in {
		msg, err := s.message(r)
		if err != nil {
			continue // sealed with a key that is gone: the rest of the talk is still worth having
		}
		ids = append(ids, msg.ID)
		if msg.Text != "" || len(msg.Media) > 0 {
			lines = append(lines, Line{At: fromMillis(r.ReceivedAt), From: msg.Sender, Text: msg.Text, Media: msg.Media})
		}
	}
	var out []outboxRow
	err = db.Where("target_key = ? AND id >= ? AND state IN (0,1,2)", hashKey(m.From.String()), idAt(since)).Order("id DESC").Limit(n).Find(&out).Error
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, id := range ids {
		mine[id] = true
	}
	for _, r := range out {
		d, err := s.delivery(r)
		if err != nil || (m.From.Kind == chat.Group && !mine[d.ReplyTo]) {
			continue // in a group only what answered this person
		}
		lines = append(lines, Line{At: idTime(r.ID), Body: d.Body})
	}
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].At.Before(lines[j].At) })
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return lines, nil
}
