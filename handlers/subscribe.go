package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"frontline/bot/chat"
	"frontline/store"
)

// regular is something that is sent regularly.
type regular struct {
	kind, title, when string
	role              chat.Role // who gets it without asking
	asks              []chat.Role
	group             bool // the support group gets it without asking
}

var regulars = []regular{
	{"daily", "日报", "交易日 17:35", "", leaders, false},
	{"weekly", "周报", "每周一 9:10", chat.Leader, leaders, true},
	{"monthly", "月报", "每月 1 日 9:15", chat.Leader, leaders, false},
	{"gaps", "缺口周报", "每周一 9:00", chat.Curator, curators, false},
}

func regularCalled(title string) (regular, bool) {
	i := slices.IndexFunc(regulars, func(r regular) bool { return r.title == title })
	if i < 0 {
		return regular{}, false
	}
	return regulars[i], true
}

// subscribe is 订阅 and 退订. In a group it is about the group.
func (d *Desk) subscribe(wanted bool) func(context.Context, Request) (Result, error) {
	return func(ctx context.Context, r Request) (Result, error) {
		what, ok := regularCalled(strings.TrimSpace(r.Args))
		if !ok {
			return d.regularList(ctx, r)
		}
		if !r.Actor.Roles.Has(what.asks...) {
			return Result{}, refuse("「" + what.title + "」只有组长或知识管理员能订。")
		}
		place, whom := r.Msg.From, "你"
		if place.Kind == chat.Person {
			place = person(r.Actor.ID)
		} else {
			whom = "本群"
		}
		text := fmt.Sprintf("好的，%s以后不再收「%s」。要恢复回「订阅 %s」。", whom, what.title, what.title)
		if wanted {
			text = fmt.Sprintf("好的，%s会收到「%s」（%s）。不要了回「退订 %s」。", whom, what.title, what.when, what.title)
		}
		res := say(text)
		res.Write = func(tx *store.Tx, _ *Result) error {
			if err := tx.Subscribe(place, what.kind, r.Actor.ID, wanted); err != nil {
				return err
			}
			return tx.Audit(r.Actor.ID, "subscription.change", what.kind, map[string]any{"place": place.String(), "wanted": wanted})
		}
		return res, nil
	}
}

// regularList says what there is, and what the asker gets.
func (d *Desk) regularList(ctx context.Context, r Request) (Result, error) {
	lines := []string{"可以订阅的："}
	place := r.Msg.From
	if place.Kind == chat.Person {
		place = person(r.Actor.ID)
	}
	for _, x := range regulars {
		if !r.Actor.Roles.Has(x.asks...) {
			continue
		}
		said, err := d.Store.Subscriptions(ctx, x.kind)
		if err != nil {
			return Result{}, err
		}
		has, known := said[place]
		if !known {
			has = place.Kind == chat.Person && x.role != "" && r.Actor.Roles.Has(x.role)
		}
		state := "未订，回「订阅 " + x.title + "」"
		if has {
			state = "已订，回「退订 " + x.title + "」取消"
		}
		lines = append(lines, fmt.Sprintf("· %s（%s）：%s", x.title, x.when, state))
	}
	return say(strings.Join(lines, "\n")), nil
}

// subscribers are the places that get something of a kind: who has the role and
// did not cancel it, who asked for it and may, and groups.
func (d *Desk) subscribers(ctx context.Context, kind string) ([]chat.Address, error) {
	i := slices.IndexFunc(regulars, func(r regular) bool { return r.kind == kind })
	what := regulars[i]
	said, err := d.Store.Subscriptions(ctx, kind)
	if err != nil {
		return nil, err
	}
	all, err := d.Store.ListMembers(ctx)
	if err != nil {
		return nil, err
	}
	var out []chat.Address
	for _, u := range all {
		wanted, known := said[person(u.ID)]
		if !known {
			wanted = what.role != "" && u.Roles.Has(what.role)
		}
		if wanted && !u.Disabled && u.Roles.Has(what.asks...) {
			out = append(out, person(u.ID))
		}
	}
	groups := map[chat.Address]bool{}
	if what.group && d.Announce != "" {
		groups[chat.Address{Kind: chat.Robot, ID: d.Announce}] = true
	}
	for place, wanted := range said {
		if place.Kind != chat.Person && wanted {
			groups[place] = true
		}
	}
	for place := range groups {
		out = append(out, place)
	}
	slices.SortFunc(out, func(a, b chat.Address) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
}

// ReportPeriod sends a digest to who gets it; nothing when nothing happened.
func (d *Desk) ReportPeriod(kind string) func(context.Context) error {
	return func(ctx context.Context) error {
		now := d.Store.Now().In(d.Store.FigureZone())
		var p Period
		switch kind {
		case "daily":
			if !d.Rules.Calendar.Trading(now) {
				return nil
			}
			p, _ = NewPeriod("today", now)
		case "weekly":
			p, _ = LastPeriod("week", now)
		case "monthly":
			p, _ = LastPeriod("month", now)
		}
		to, err := d.subscribers(ctx, kind)
		if err != nil || len(to) == 0 {
			return err
		}
		g, quiet, err := d.digest(ctx, p)
		if err != nil || quiet {
			return err
		}
		return d.Store.InTx(ctx, func(tx *store.Tx) error {
			for _, place := range to {
				key := fmt.Sprintf("digest/%s/%s/%s", kind, p.From.Format("20060102"), place)
				for _, out := range g.outgoing(key, place) {
					if err := tx.Enqueue(out); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
}
