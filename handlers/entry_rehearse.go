package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// What publishing an entry would do to questions, before it is published.

const (
	// mustsRead bounds the questions that must find, ReplayQuestions and ReplayDays
	// those that were asked, which one rehearsal goes through.
	mustsRead       = 5000
	ReplayQuestions = 1000
	ReplayDays      = 30
	mustsPerEntry   = 50
)

// Reply is what chat would say to a question: the entry it answers with, those
// it offers, or none.
type Reply struct {
	Band    kb.Band
	Entries []kb.Entry
}

// ReplyOf is what chat would say to what a search found.
func ReplyOf(r kb.Result) Reply {
	shown := map[kb.Band]int{kb.Answer: 1, kb.Clarify: 3}[r.Band]
	out := Reply{Band: r.Band}
	for _, h := range r.Hits[:min(shown, len(r.Hits))] {
		out.Entries = append(out.Entries, h.Entry)
	}
	return out
}

// Finds says how well a reply leads to an entry: 2 it is the answer, 1 it is
// offered, 0 neither.
func (r Reply) Finds(number int64) int {
	if !slices.ContainsFunc(r.Entries, func(e kb.Entry) bool { return e.Number == number }) {
		return 0
	}
	if r.Band == kb.Answer {
		return 2
	}
	return 1
}

// same tells whether two replies lead to the same entries; in which order
// several are offered does not matter.
func (r Reply) same(o Reply) bool {
	return r.Band == o.Band && len(r.Entries) == len(o.Entries) && !slices.ContainsFunc(r.Entries, func(e kb.Entry) bool { return o.Finds(e.Number) == 0 })
}

// Worse is a question that must find an entry and would do so less well.
type Worse struct {
	store.Must
	Was, Then Reply
}

// Turned is a question that was asked, and that would get another reply.
type Turned struct {
	store.AskedText
	Was, Then Reply
}

// Rehearsal is what publishing an entry would do.
type Rehearsal struct {
	Musts    int // questions that must find, all of them
	Worse    []Worse
	Asked    int // different questions that were asked
	Turned   []Turned
	Reworded int // of those asked: answered by this entry as before, in other words
}

// player asks questions of the base as it is and as it would be.
type player struct {
	d     *Desk
	trial *kb.Trial
}

func (d *Desk) player(ctx context.Context, e kb.Entry) (player, error) {
	e.State = kb.Published
	trial, err := d.Knowledge.Trial(ctx, []kb.Entry{e})
	if err != nil {
		return player{}, fmt.Errorf("try K%d: %w", e.Number, err)
	}
	return player{d, trial}, nil
}

func (p player) ask(ctx context.Context, text string) (was, then Reply, err error) {
	q := kb.Query{Text: text, N: 3, Now: p.d.Store.Now()}
	now, err := p.d.Knowledge.Search(ctx, q)
	if err != nil {
		return was, then, fmt.Errorf("search the knowledge: %w", err)
	}
	would, err := p.trial.Search(ctx, q)
	return ReplyOf(now), ReplyOf(would), err
}

// CheckMusts asks every question that must find an entry, and returns how many
// there are and those that would find theirs less well with this entry
// published. One of the entry's own that would not find it at all is among
// them, however it was before.
func (d *Desk) CheckMusts(ctx context.Context, e kb.Entry) (all int, worse []Worse, err error) {
	list, err := d.mustsFor(ctx, e.Number)
	if err != nil || len(list) == 0 {
		return 0, nil, err
	}
	p, err := d.player(ctx, e)
	if err != nil {
		return 0, nil, err
	}
	worse, err = p.worse(ctx, list, e.Number)
	return len(list), worse, err
}

// mustsFor are the questions that must find a published entry, and those of an
// entry that is to be.
func (d *Desk) mustsFor(ctx context.Context, number int64) ([]store.Must, error) {
	list, err := d.Store.PublishedMusts(ctx, mustsRead)
	if err != nil || number == 0 || slices.ContainsFunc(list, func(m store.Must) bool { return m.Entry == number }) {
		return list, err
	}
	own, err := d.Store.ListMusts(ctx, number)
	return append(list, own...), err
}

func (p player) worse(ctx context.Context, list []store.Must, own int64) (out []Worse, err error) {
	for _, m := range list {
		was, then, err := p.ask(ctx, m.Question)
		if err != nil {
			return nil, err
		}
		if f := then.Finds(m.Entry); f < was.Finds(m.Entry) || m.Entry == own && f == 0 {
			out = append(out, Worse{m, was, then})
		}
	}
	return out, nil
}

// Rehearse is CheckMusts together with the last questions that were asked.
func (d *Desk) Rehearse(ctx context.Context, e kb.Entry) (r Rehearsal, err error) {
	p, err := d.player(ctx, e)
	if err != nil {
		return r, err
	}
	musts, err := d.mustsFor(ctx, e.Number)
	if err != nil {
		return r, err
	}
	r.Musts = len(musts)
	if r.Worse, err = p.worse(ctx, musts, e.Number); err != nil {
		return r, err
	}
	asked, err := d.Store.RecentTexts(ctx, d.Store.Now().AddDate(0, 0, -ReplayDays), ReplayQuestions)
	if err != nil {
		return r, err
	}
	r.Asked = len(asked)
	r.Turned, r.Reworded, err = p.replay(ctx, asked, e.Number)
	return r, err
}

// What a talk may take for trying a draft.
const (
	talkReplayTime      = 1500 * time.Millisecond
	talkReplayQuestions = 500
)

// replayLine says what a draft would do to the questions of late, for the talk that
// shows it; "" when there are none, or it takes too long for somebody who waits.
func (d *Desk) replayLine(ctx context.Context, e kb.Entry) string {
	ctx, stop := context.WithTimeout(ctx, talkReplayTime)
	defer stop()
	asked, err := d.Store.RecentTexts(ctx, d.Store.Now().AddDate(0, 0, -ReplayDays), talkReplayQuestions)
	if err != nil || len(asked) == 0 {
		return ""
	}
	p, err := d.player(ctx, e)
	if err != nil {
		return ""
	}
	turned, _, err := p.replay(ctx, asked, e.Number)
	if err != nil {
		return ""
	}
	fresh, other := 0, 0
	for _, t := range turned {
		if t.Was.Band == kb.Refuse && t.Then.Finds(e.Number) > 0 {
			fresh++
		} else {
			other++
		}
	}
	return fmt.Sprintf("重放最近 %d 天的 %d 种问法：%d 种由没答上变成能答，%d 种换了答案。", ReplayDays, len(asked), fresh, other)
}

// replay asks questions again: those with another reply, and how many an entry
// still answers, but in other words.
func (p player) replay(ctx context.Context, asked []store.AskedText, number int64) (turned []Turned, reworded int, err error) {
	for _, a := range asked {
		was, then, err := p.ask(ctx, a.Text)
		if err != nil {
			return nil, 0, err
		}
		switch {
		case !was.same(then):
			turned = append(turned, Turned{a, was, then})
		case then.Finds(number) == 2 && answerBody(was.Entries[0], "") != answerBody(then.Entries[0], ""):
			reworded++
		}
	}
	return turned, reworded, nil
}

// AddMust confirms that a question must find an entry.
func (d *Desk) AddMust(tx *store.Tx, actor chat.User, number int64, question string) error {
	if question = chat.Cut(strings.Join(strings.Fields(Hidden(question)), " "), 200); question == "" {
		return refuse("写上问法。")
	}
	if _, err := tx.FindEntry(number); err != nil {
		return err
	}
	n, err := tx.CountMusts(number)
	if err != nil {
		return err
	}
	if n >= mustsPerEntry {
		return refuse(fmt.Sprintf("每条最多 %d 个必中的问法。", mustsPerEntry))
	}
	fresh, err := tx.PutMust(store.Must{Entry: number, Question: question, Author: actor.ID})
	if err != nil || !fresh {
		return err
	}
	return tx.Audit(actor.ID, "entry.must.add", fmt.Sprintf("K%d", number), map[string]string{"question": question})
}

// DropMust takes the confirmation back.
func (d *Desk) DropMust(tx *store.Tx, actor chat.User, number int64, question string) error {
	done, err := tx.DropMust(number, question)
	if err != nil || !done {
		return err
	}
	return tx.Audit(actor.ID, "entry.must.drop", fmt.Sprintf("K%d", number), map[string]string{"question": question})
}

// ToPublish is an entry as publishing it would make it: with the change that
// waits for it.
func (d *Desk) ToPublish(ctx context.Context, number int64) (kb.Entry, error) {
	e, err := d.Store.FindEntry(ctx, number)
	if err != nil {
		return e, err
	}
	p, err := d.Store.FindProposal(ctx, number)
	if errors.Is(err, store.ErrNotFound) {
		return e, nil
	}
	p.Entry.Number = number
	return p.Entry, err
}

// Words is a reply in a few words.
func (r Reply) Words() string {
	var names []string
	for _, e := range r.Entries {
		names = append(names, fmt.Sprintf("K%d", e.Number))
	}
	switch {
	case len(names) == 0:
		return "答不上"
	case r.Band == kb.Answer:
		return "答 " + names[0]
	}
	return "让选 " + strings.Join(names, "、")
}
