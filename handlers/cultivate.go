package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"frontline/kb"
	"frontline/store"
)

// No ticket ends without a word on whether it taught something.

// thinAnswer is the least that can be an answer to anybody else.
const thinAnswer = 8

// cultivate is 沉淀 1042: a draft entry made of the ticket, for a curator.
func (d *Desk) cultivate(ctx context.Context, r Request) (Result, error) {
	t, err := d.ticketFor(ctx, r, "沉淀 1042")
	if err != nil {
		return Result{}, err
	}
	if t.State != store.TicketResolved && t.State != store.TicketClosed {
		return Result{}, refuse(fmt.Sprintf("T%d %s，解决以后再沉淀。", t.Number, t.State.Title()))
	}
	answer := strings.TrimSpace(t.Method)
	if utf8.RuneCountInString(answer) < thinAnswer {
		return Result{}, refuse(fmt.Sprintf("T%d 的办法只有「%s」，太薄，别人看不懂，没有起草。补全办法再沉淀，或回「不必 T%d」。", t.Number, answer, t.Number))
	}
	e := kb.Entry{Question: t.Title, Answer: answer}
	lead := "草稿"
	if m, ok := d.machineDraft(ctx, r.Actor.ID, kb.Drafting{Asked: []string{t.Title}, Cause: t.Reason, Method: answer}); ok {
		e, lead = m, "草稿，大模型起草，逐字核对"
	}
	evidence, err := d.evidence(ctx, t.Title)
	if err != nil {
		return Result{}, err
	}
	e.State, e.Owner, e.Group, e.Category = kb.Draft, r.Actor.ID, t.Group, d.Rules.ClassTitle(t.Class)
	if t.Reason != "" {
		e.Steps = "原因：" + t.Reason
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		t, err := tx.FindTicket(t.Number)
		if err != nil {
			return err
		}
		number, err := tx.NewEntry(r.Actor.ID, e)
		if errors.Is(err, store.ErrExists) {
			return refuse(fmt.Sprintf("知识库里已有同样的问题 K%d，没有另起草稿。", number))
		}
		if err != nil {
			return err
		}
		if err := tx.LinkTicket(store.Link{Ticket: t.Number, Kind: store.NumberEntry, Number: number}); err != nil {
			return err
		}
		t.Outcome = "knowledge"
		if err := d.change(tx, r.Actor, &t, t.State, fmt.Sprintf("沉淀为知识草稿 K%d", number)); err != nil {
			return err
		}
		out.Say = append(out.Say, say(fmt.Sprintf("已起草 K%d（%s，知识管理员回「发布 K%d」后才会用来回答）。%s%s", number, lead, number, evidence, d.entryLine(number))).Say...)
		return nil
	}}, nil
}

// outcomes are the reasons for which a ticket teaches nothing.
var outcomes = []struct{ name, title string }{{"one_off", "一次性问题"}, {"data_repair", "数据修复"}, {"duplicate", "重复"}}

// needless is 不必 1042, which needs one of three reasons.
func (d *Desk) needless(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("不必 1042 一次性问题")
	}
	for _, o := range outcomes {
		if strings.TrimSpace(rest) != o.title {
			continue
		}
		res := d.act(n, func(tx *store.Tx, t *store.Ticket) error {
			if t.State != store.TicketResolved && t.State != store.TicketClosed {
				return refuse(fmt.Sprintf("%s %s，解决以后再说。", no(t), t.State.Title()))
			}
			t.Outcome = o.name
			return d.change(tx, r.Actor, t, t.State, "不沉淀："+o.title)
		}, func(_ *store.Tx, t store.Ticket) string { return fmt.Sprintf("好，%s 记为%s。", no(&t), o.title) })
		res.List = []string{}
		return res, nil
	}
	lines := []string{"是哪一种？"}
	res := Result{List: []string{}}
	for i, o := range outcomes {
		lines = append(lines, fmt.Sprintf("%d  %s", i+1, o.title))
		res.List = append(res.List, fmt.Sprintf("不必 T%d %s", n, o.title))
	}
	res.Say = say(strings.Join(lines, "\n")).Say
	return res, nil
}
