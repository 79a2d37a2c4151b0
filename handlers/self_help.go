package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// The self-service page asks the same base as the chat, and what is asked there
// counts as much.

// AskOnPage answers a question of the page as the chat would, with the model's
// help where there is one and what the asker was shown just before, keeps both,
// and returns the message that they stand under.
func (d *Desk) AskOnPage(ctx context.Context, actor chat.User, text string) (message string, err error) {
	question := chat.Cut(mask.Text(strings.TrimSpace(text)), 500)
	if question == "" {
		return "", refuse("写上你想问的，一句话就行。")
	}
	r := Request{Msg: chat.Message{Sender: actor.ID, From: person(actor.ID)}, Actor: actor, Text: text, Now: d.Store.Now(), Log: d.Log}
	if r.Topic, err = d.pageTopic(ctx, r); err != nil {
		return "", err
	}
	found, err := d.search(ctx, r, question)
	if err != nil {
		return "", err
	}
	a := asking(question, found)
	if words := notHere(text, a); words != "" {
		return "", refuse(words)
	}
	think, stop := context.WithTimeout(ctx, modelTurn)
	defer stop()
	if a, err = d.complete(ctx, think, r, a); err != nil {
		return "", err
	}
	if a.note == "" && (found.Reason == "chat" || found.Reason == "empty" || greetings.MatchString(question) || thanks.MatchString(question)) {
		return "", refuse("这句不像一个问题，换个说法试试。")
	}
	return d.keepOnPage(ctx, r, d.decide(think, r, a))
}

// onPage is what the page shows, as it is kept.
type onPage struct {
	Read    string    `json:"read,omitempty"` // the question as it was completed
	Still   bool      `json:"still,omitempty"`
	Numbers []int64   `json:"numbers"` // of the entries, best first
	One     bool      `json:"one,omitempty"`
	Picked  bool      `json:"picked,omitempty"` // by the model, among candidates
	Words   string    `json:"words,omitempty"`  // of the model
	From    []edition `json:"from,omitempty"`   // what these rest on
}

// edition is an entry in one version.
type edition struct {
	Number  int64 `json:"number"`
	Version int   `json:"version"`
}

func (d *Desk) keepOnPage(ctx context.Context, r Request, v decided) (string, error) {
	q := store.Question{Asker: r.Actor.ID, Place: r.Msg.From, Text: v.text, Band: v.band.String()}
	shown := onPage{Numbers: numbersOf(v.found.Hits), One: v.one, Words: v.w.text, Picked: v.w.by != "" && v.w.text == ""}
	if len(v.found.Hits) > 0 {
		q.Score = v.found.Hits[0].Score
		if v.band != kb.Refuse {
			q.Entry = v.found.Hits[0].Entry.Number
		} else if v.found.Band == kb.Refuse {
			shown.Numbers = nil // what the base would not offer
		}
	}
	if v.note != "" {
		shown.Read, shown.Still = v.text, strings.HasSuffix(v.note, noteStill)
		if v.note == readNote(v.found.Read) {
			shown.Read = v.found.Read
		}
	}
	for _, e := range v.w.from {
		shown.From = append(shown.From, edition{e.Number, e.Version})
	}
	body, err := json.Marshal(shown)
	if err != nil {
		return "", err
	}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		q.Message = chat.MessageID("", "", "", "", fmt.Sprintf("help/%s/%d", q.Asker, tx.Serial()))
		return errors.Join(tx.KeepQuestion(q), tx.KeepPageAnswer(store.PageAnswer{Message: q.Message, Asker: q.Asker, Body: body}))
	})
	return q.Message, err
}

// pageTopic is what somebody asked on the page just before: the next question
// may lean on it.
func (d *Desk) pageTopic(ctx context.Context, r Request) (t Topic, err error) {
	last, err := d.Store.LastPageAnswer(ctx, r.Actor.ID, r.Now.Add(-topicLife))
	if errors.Is(err, store.ErrNotFound) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	q, err := d.Store.FindQuestion(ctx, last.Message)
	if err != nil {
		return t, err
	}
	t = Topic{Message: q.Message, Question: q.Text}
	var shown onPage
	if err := json.Unmarshal(last.Body, &shown); err != nil {
		return t, err
	}
	if shown.One {
		t.Entry = q.Entry
	}
	return t, nil
}

// PageAnswer is what the page shows for a question.
type PageAnswer struct {
	Question store.Question
	Band     string     // answer, clarify, refuse
	Entries  []kb.Entry // best first, as they are now
	One      bool       // the first of them is shown whole
	Read     string     // how a question was completed, "" for as it was asked
	Still    bool       // it is the entry that was shown just before
	Picked   bool       // the first was chosen by the model
	Words    string     // the model's, in the place of the answer's
	From     []kb.Entry // what these rest on
}

// candidates are how many entries are offered where none is shown whole.
const candidates = 3

// AnswerOnPage is what somebody's question was answered with, by the entries as
// they are now; ErrNotFound when it is not theirs. What was asked elsewhere, and
// what nobody knew, is looked up again, in words alone.
func (d *Desk) AnswerOnPage(ctx context.Context, actor chat.User, message string) (p PageAnswer, err error) {
	if p.Question, err = d.Store.FindQuestion(ctx, message); err != nil {
		return p, err
	}
	if p.Question.Asker != actor.ID {
		return p, fmt.Errorf("somebody else's question: %w", store.ErrNotFound)
	}
	var shown onPage
	kept, err := d.Store.FindPageAnswer(ctx, message)
	switch {
	case err == nil:
		if err := json.Unmarshal(kept.Body, &shown); err != nil {
			return p, err
		}
		if err := d.shownAgain(ctx, &p, shown); err != nil {
			return p, err
		}
	case !errors.Is(err, store.ErrNotFound):
		return p, err
	}
	if len(p.Entries) > 0 && p.Band != kb.Refuse.String() {
		return p, nil
	}
	return p, d.lookUpAgain(ctx, &p, err == nil)
}

// shownAgain fills in what is still there of what was shown. Words of a model
// about another version than the present one are left out.
func (d *Desk) shownAgain(ctx context.Context, p *PageAnswer, shown onPage) error {
	p.Band, p.One, p.Read, p.Still, p.Picked, p.Words = p.Question.Band, shown.One, shown.Read, shown.Still, shown.Picked, shown.Words
	now := map[int64]kb.Entry{}
	for i, n := range shown.Numbers {
		e, err := d.Store.FindEntry(ctx, n)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil && e.State == kb.Published {
			now[n], p.Entries = e, append(p.Entries, e)
		} else if i == 0 { // the answer is gone: what is left are candidates
			p.One, p.Picked = false, false
		}
	}
	for _, x := range shown.From {
		if e := now[x.Number]; e.Version == x.Version {
			p.From = append(p.From, e)
		} else {
			p.Words, p.From = "", nil
			break
		}
	}
	if !p.One {
		p.Words, p.From, p.Entries = "", nil, p.Entries[:min(candidates, len(p.Entries))]
		if p.Band == kb.Answer.String() {
			p.Band = kb.Clarify.String()
		}
	}
	return nil
}

// lookUpAgain asks the base anew. Where the page said that nobody knows, only a
// sure answer changes that.
func (d *Desk) lookUpAgain(ctx context.Context, p *PageAnswer, refused bool) error {
	found, err := d.Knowledge.Search(ctx, kb.Query{Text: p.Question.Text, N: 5, Now: d.Store.Now()})
	if err != nil {
		return fmt.Errorf("search the knowledge: %w", err)
	}
	if found.Band == kb.Refuse || len(found.Hits) == 0 || refused && found.Band != kb.Answer {
		p.Band = kb.Refuse.String()
		return nil
	}
	p.Band, p.Entries, p.Read, p.One = found.Band.String(), nil, "", found.Band == kb.Answer
	for _, h := range found.Hits {
		p.Entries = append(p.Entries, h.Entry)
	}
	if !p.One {
		p.Entries = p.Entries[:min(candidates, len(p.Entries))]
	}
	return nil
}

// JudgeOnPage records what the asker thought of an answer of the page, and which entry
// it is about (0 for none), or that they want to be told when there is one.
func (d *Desk) JudgeOnPage(ctx context.Context, actor chat.User, message, judgement string, entry int64) error {
	q, err := d.Store.FindQuestion(ctx, message)
	if err != nil {
		return err
	}
	if q.Asker != actor.ID {
		return store.ErrNotFound
	}
	if e, err := d.Store.FindEntry(ctx, entry); err != nil || e.State != kb.Published {
		entry = 0
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		switch judgement {
		case "useful", "useless":
			return judge(tx, message, actor.ID, judgement, entry)
		case "await":
			return tx.WatchQuestion(store.Watch{Member: actor.ID, Message: message, Text: q.Text})
		}
		return refuse("没有这个选项。")
	})
}
