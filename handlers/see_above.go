package handlers

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"frontline/bot/chat"
)

// aboveTime is how long an answer in a group is still to be seen there.
const aboveTime = 10 * time.Minute

// seeAbove answers the same question of somebody else in a group by pointing at
// the answer that is there already; nil when there is none.
func (d *Desk) seeAbove(ctx context.Context, r Request, a asked) (*Result, error) {
	if r.Msg.From.Kind != chat.Group || a.note != "" {
		return nil, nil
	}
	list, err := d.Store.AskedHere(ctx, r.Msg.From, a.found.Hits[0].Entry.Number, r.Now.Add(-aboveTime))
	if err != nil {
		return nil, err
	}
	for _, q := range list {
		if q.Asker == r.Actor.ID || !sameWords(q.Text, a.text) {
			continue
		}
		e := a.found.Hits[0].Entry
		res := say(fmt.Sprintf("见上：K%d %s（%s 刚有同事问过）。要再看一遍回「看 K%d」。", e.Number, chat.Plain(e.Question), q.At.In(r.Now.Location()).Format("15:04"), e.Number))
		res.Topic = &Topic{Message: r.Msg.ID, Question: a.text, Entry: e.Number, Title: e.Question, Others: numbersOf(a.found.Hits[1:])}
		res.Write = d.keepQuestion(r, a.text, "answer", e.Number, a.found.Hits[0].Score)
		return &res, nil
	}
	return nil, nil
}

// sameWords tells whether two texts differ in white space, marks and case only.
func sameWords(a, b string) bool {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) {
				return -1
			}
			return unicode.ToLower(r)
		}, s)
	}
	return bare(a) == bare(b)
}
