package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// What a reporter says to a ticket that is worked on, resolved or closed.

// surveyPause is how seldom one person is asked to rate something.
const surveyPause = 3 * 24 * time.Hour

// settledTicket is the ticket that an answer such as 客户已好 is about: the
// number said, or the reporter's last resolved one.
func (d *Desk) settledTicket(ctx context.Context, r Request, usage string) (store.Ticket, error) {
	if strings.TrimSpace(r.Args) != "" {
		return d.ticketFor(ctx, r, usage)
	}
	t, err := d.Store.LastTicketOf(ctx, r.Actor.ID, r.Now.Add(-reopenTime))
	if errors.Is(err, store.ErrNotFound) {
		return t, refuse("你最近 7 天没有解决的单。是哪张？例：" + usage)
	}
	return t, err
}

func mine(r Request, t store.Ticket) error {
	if t.Reporter != r.Actor.ID {
		return refuse(fmt.Sprintf("T%d 不是你报的，由报障人来说。", t.Number))
	}
	return nil
}

// settled is 客户已好: the ticket is closed and may be rated by one tap.
func (d *Desk) settled(ctx context.Context, r Request) (Result, error) {
	t, err := d.settledTicket(ctx, r, "客户已好 T12")
	if err != nil {
		return Result{}, err
	}
	if err := mine(r, t); err != nil {
		return Result{}, err
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		t, err := tx.FindTicket(t.Number)
		if err != nil {
			return err
		}
		survey, err := false, error(nil)
		if t.State == store.TicketResolved && t.Rating == 0 {
			if survey, err = tx.MaySurvey(r.Actor.ID, surveyPause); err != nil {
				return err
			}
		}
		if survey {
			t.Asked = tx.Now()
		}
		if err := d.Confirm(tx, r.Actor, &t); err != nil {
			return err
		}
		if !survey {
			out.Say = append(out.Say, say(fmt.Sprintf("好，%s 已关闭。7 天内若再出现，回「又出现了」我会直接重开。", no(&t))).Say...)
			return nil
		}
		card, list := ratingCard(&t, fmt.Sprintf("%s-%d", no(&t), t.Version))
		out.Say = append(out.Say, chat.Outgoing{Body: chat.Body{Card: card}})
		out.List = list
		return nil
	}}, nil
}

var ratingWords = []struct {
	word  string
	stars int
}{{"满意", 5}, {"一般", 3}, {"不满意", 1}}

func ratingCard(t *store.Ticket, mark string) (*chat.Card, []string) {
	card := &chat.Card{TaskID: "rate" + mark, Source: "一线助手 · 工单", Title: "这次处理满意吗？", Desc: chat.Plain(chat.Cut(no(t)+" "+t.Title, 40))}
	lines := []string{fmt.Sprintf("好，%s 已关闭。这次处理满意吗？", no(t))}
	var list []string
	for i, w := range ratingWords {
		key := w.word + " " + no(t)
		card.Buttons = append(card.Buttons, chat.Button{Text: w.word, Key: key})
		lines = append(lines, fmt.Sprintf("%d  %s", i+1, w.word))
		list = append(list, key)
	}
	card.Twin = strings.Join(lines, "\n")
	return card, list
}

type rateDraft struct{ Ticket int64 }

// rate is 满意, 一般 or 不满意; a bad one asks why, once.
func (d *Desk) rate(stars int) func(ctx context.Context, r Request) (Result, error) {
	return func(ctx context.Context, r Request) (Result, error) {
		if r.Step == "why" {
			return d.ratedWhy(r)
		}
		t, err := d.settledTicket(ctx, r, "满意 T12")
		if err != nil {
			return Result{}, err
		}
		res := d.act(t.Number, func(tx *store.Tx, t *store.Ticket) error { return d.Rate(tx, r.Actor, t, stars, "") },
			func(_ *store.Tx, t store.Ticket) string {
				if stars <= 2 {
					return "抱歉没处理好。哪里不满意？说一句就行（慢、没解决、态度…），组长会看到。不想说回「取消」。"
				}
				return fmt.Sprintf("谢谢！7 天内若再出现，回「又出现了」我会直接重开 %s。", no(&t))
			})
		res.List = []string{}
		if stars <= 2 {
			res.Next = &Step{Name: "why", Draft: rateDraft{t.Number}, Life: 30 * time.Minute}
		}
		return res, nil
	}
}

func (d *Desk) ratedWhy(r Request) (Result, error) {
	var g rateDraft
	if err := json.Unmarshal(r.Draft, &g); err != nil {
		return Result{}, fmt.Errorf("read the draft: %w", err)
	}
	if strings.TrimSpace(r.Args) == "" {
		return Result{}, refuse("说一句哪里不满意就行，不想说回「取消」。")
	}
	return d.act(g.Ticket, func(tx *store.Tx, t *store.Ticket) error {
		return d.Rate(tx, r.Actor, t, max(1, min(t.Rating, 2)), r.Args)
	}, func(_ *store.Tx, t store.Ticket) string {
		return fmt.Sprintf("记下了，组长会看。问题还在的话回「又出现了 %s」。", no(&t))
	}), nil
}

// again is 又出现了: a resolved ticket is taken up again within seven days.
func (d *Desk) again(ctx context.Context, r Request) (Result, error) {
	n, why, numbered := ticketAndRest(r.Args)
	if !numbered {
		why = r.Args
		r.Args = ""
	} else {
		r.Args = fmt.Sprintf("T%d", n)
	}
	t, err := d.settledTicket(ctx, r, "又出现了 T12")
	if err != nil {
		return Result{}, err
	}
	if t.Reporter != r.Actor.ID && !works(r.Actor) {
		return Result{}, mine(r, t)
	}
	res := d.act(t.Number, func(tx *store.Tx, t *store.Ticket) error { return d.Reopen(tx, r.Actor, t, why) },
		func(tx *store.Tx, t store.Ticket) string {
			return fmt.Sprintf("%s 已重开，原处理人会先看到。%s补充直接接着发。", no(&t), d.byWhen(tx, t))
		})
	res.List = []string{}
	return res, nil
}

// still is 还是不行: of a ticket it reopens it, of an answer it hands over.
func (d *Desk) still(ctx context.Context, r Request) (Result, error) {
	if n, _, ok := ticketAndRest(r.Args); ok {
		r.Args = fmt.Sprintf("T%d 报障人说还是不行", n)
		return d.again(ctx, r)
	}
	if r.Topic.Message == "" && !strings.HasPrefix(r.Args, "@") {
		t, err := d.Store.LastTicketOf(ctx, r.Actor.ID, r.Now.Add(-24*time.Hour))
		if err == nil && t.State == store.TicketResolved {
			r.Args = fmt.Sprintf("T%d 报障人说还是不行", t.Number)
			return d.again(ctx, r)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Result{}, err
		}
	}
	return d.unsolved(ctx, r)
}

// answerLife is how long what a reporter writes next answers a question put to
// them about a ticket.
const answerLife = 12 * time.Hour

type answerDraft struct{ Ticket int64 }

// expectAnswer makes what the reporter writes next the answer to a question.
func (d *Desk) expectAnswer(tx *store.Tx, t *store.Ticket, question string) error {
	if t.Reporter == APIUser {
		return nil
	}
	draft, err := json.Marshal(answerDraft{t.Number})
	if err != nil {
		return err
	}
	_, answers := splitChoices(question)
	return d.openFor(tx, person(t.Reporter), t.Reporter, func(c *store.Conversation) {
		c.Command, c.Step, c.Draft, c.Expires = "more", stepAfter, draft, tx.Now().Add(answerLife)
		c.List, c.ListEnd = answerKeys(t, answers), c.Expires
	})
}

// more is 补充 T12 …, and what answers a question about a ticket. What is
// surely a question to the desk is answered as one, and the ticket waits on.
func (d *Desk) more(ctx context.Context, r Request) (Result, error) {
	var n int64
	text := r.Args
	if r.Step == stepAfter {
		var g answerDraft
		if err := json.Unmarshal(r.Draft, &g); err != nil {
			return Result{}, fmt.Errorf("read the draft: %w", err)
		}
		n = g.Ticket
		if askingWords.MatchString(text) {
			found, err := d.Knowledge.Search(ctx, query(mask.Text(text), r.Now))
			if err != nil {
				return Result{}, err
			}
			if found.Band == kb.Answer && len(found.Hits) > 0 {
				res := d.answer(r, asking(mask.Text(text), found), wording{})
				res.Next = &Step{Name: stepAfter, Draft: g, Life: answerLife}
				return res, nil
			}
		}
	} else {
		var ok bool
		if n, text, ok = ticketAndRest(r.Args); !ok {
			return Result{}, which("补充 T12 客户说重启过了")
		}
		r.Args = fmt.Sprintf("T%d", n)
		if _, err := d.ticketFor(ctx, r, "补充 T12 …"); err != nil {
			return Result{}, err
		}
	}
	if strings.TrimSpace(text) == "" && len(r.Msg.Media) == 0 {
		return Result{}, refuse(fmt.Sprintf("补充什么？例：补充 T%d 客户说重启过了", n))
	}
	clean, _ := mask.Scrub(text)
	res := d.act(n, func(tx *store.Tx, t *store.Ticket) error {
		if !t.State.Open() {
			return refuse(fmt.Sprintf("%s %s，补充没有记。问题还在就回「又出现了 %s」。", no(t), t.State.Title(), no(t)))
		}
		return d.Said(tx, r.Actor, t, clean, clean, r.Msg.Media, r.Msg.ID)
	}, func(tx *store.Tx, t store.Ticket) string {
		if t.Assignee != "" {
			return fmt.Sprintf("已转给 %s（%s）。", d.nameIn(tx, t.Assignee), no(&t))
		}
		return fmt.Sprintf("已补充到 %s。", no(&t))
	})
	if r.Step == stepAfter {
		res.Next = &Step{Name: stepAfter, Draft: answerDraft{n}, Life: joinLife}
	}
	return res, nil
}
