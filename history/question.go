package history

import (
	"fmt"
	"math"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// ask is a question. The base grows over the time: at its end more is answered.
func (m *maker) ask(tx *store.Tx) error {
	m.made.Questions++
	who := pick(m, m.people)
	q := store.Question{Message: fmt.Sprintf("his%021d", m.made.Questions), Asker: who.ID, Place: chat.Address{Kind: chat.Person, ID: who.ID, Via: chat.App}, Score: 0.5 + m.rnd.Float64()/2}
	grown := float64(tx.Now().Sub(m.o.From)) / float64(m.o.To.Sub(m.o.From))
	switch x := m.rnd.Float64() * 100; {
	case x < 44+14*grown:
		q.Band = "answer"
	case x < 74+10*grown:
		q.Band = "clarify"
	default:
		q.Band = "refuse"
	}
	if n := len(m.o.Entries); q.Band != "refuse" && n > 0 {
		e := m.o.Entries[min(int(float64(n)*math.Pow(m.rnd.Float64(), 2.5)), n-1)] // the first ones more often
		q.Entry, q.Text = e.Number, e.Question
	} else {
		q.Text, q.Score = pick(m, unknown), 0
	}
	if err := tx.KeepQuestion(q); err != nil {
		return err
	}
	feedback := ""
	switch x := m.rnd.IntN(100); {
	case q.Band == "answer" && x < 30:
		feedback = "useful"
	case q.Band == "answer" && x < 37:
		feedback = "useless"
	case q.Band == "clarify" && x < 35:
		feedback = "useful"
	case q.Band == "clarify" && x < 43:
		feedback = "useless"
	case q.Band == "refuse" && x < 25:
		feedback = "person"
	}
	if feedback != "" {
		m.at(tx.Now().Add(time.Duration(20+m.rnd.IntN(200))*time.Second), func(tx *store.Tx) error { return tx.JudgeQuestion(q.Message, q.Asker, feedback, 0) })
	}
	return nil
}
