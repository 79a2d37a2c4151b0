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
	{"sharing", "分享预告", "有新的直播分享时", "", nil, false},
}

// groupSubscribers may have something sent to a group regularly.
var groupSubscribers = []chat.Role{chat.Leader, chat.Curator, chat.Admin}

func regularCalled(title string) (regular, bool) {
	i := slices.IndexFunc(regulars, func(r regular) bool { return r.title == title })
	if i < 0 {
		return regular{}, false
	}
	return regulars[i], true
}

// Regular is something that is sent regularly, and whether a place gets it.
type Regular struct {
	Kind, Title, When string
	Has               bool
}

// Regulars are what somebody may have sent to a place.
func (d *Desk) Regulars(ctx context.Context, u chat.User, place chat.Address) ([]Regular, error) {
	var out []Regular
	for _, x := range regulars {
		if !mayAsk(u, x, place) {
			continue
		}
		said, err := d.Store.Subscriptions(ctx, x.kind)
		if err != nil {
			return nil, err
		}
		has, known := said[place]
		if !known {
			has = x.unasked(d, place, u.Roles)
		}
		out = append(out, Regular{x.kind, x.title, x.when, has})
	}
	return out, nil
}

func mayAsk(u chat.User, x regular, place chat.Address) bool {
	return u.Roles.Has(x.asks...) && (place.Kind == chat.Person || u.Roles.Has(groupSubscribers...))
}

// Subscribe has something sent to a place from now on, or no more.
func (d *Desk) Subscribe(tx *store.Tx, by chat.User, place chat.Address, kind string, wanted bool) error {
	i := slices.IndexFunc(regulars, func(r regular) bool { return r.kind == kind })
	if i < 0 {
		return refuse("没有这种订阅。")
	}
	if what := regulars[i]; !mayAsk(by, what, place) || place.Kind == chat.Person && place.ID != by.ID {
		return refuse("「" + what.title + "」只有组长或知识管理员能订。")
	}
	if err := tx.Subscribe(place, kind, by.ID, wanted); err != nil {
		return err
	}
	return tx.Audit(by.ID, "subscription.change", kind, map[string]any{"place": place.String(), "wanted": wanted})
}

// subscribe is 订阅 and 退订. In a group it is about the group.
func (d *Desk) subscribe(wanted bool) func(context.Context, Request) (Result, error) {
	return func(ctx context.Context, r Request) (Result, error) {
		what, ok := regularCalled(strings.TrimSpace(r.Args))
		if !ok {
			return d.regularList(ctx, r)
		}
		place, ok, err := d.regularPlace(ctx, r)
		if err != nil {
			return Result{}, err
		}
		if !mayAsk(r.Actor, what, place) {
			return Result{}, refuse("「" + what.title + "」只有组长或知识管理员能订。")
		}
		if !ok {
			return Result{}, refuse("本群没有能主动发言的群机器人，送不到这里。请管理员在「群与机器人」里把群机器人和本群对上，或者单聊订阅。")
		}
		whom := "你"
		if place.Kind != chat.Person {
			whom = "本群"
		}
		text := fmt.Sprintf("好的，%s以后不再收「%s」。要恢复回「订阅 %s」。", whom, what.title, what.title)
		if wanted {
			text = fmt.Sprintf("好的，%s会收到「%s」（%s）。不要了回「退订 %s」。", whom, what.title, what.when, what.title)
		}
		res := say(text)
		res.Write = func(tx *store.Tx, _ *Result) error { return d.Subscribe(tx, r.Actor, place, what.kind, wanted) }
		return res, nil
	}
}

// regularList says what there is, and what the place gets.
func (d *Desk) regularList(ctx context.Context, r Request) (Result, error) {
	place, _, err := d.regularPlace(ctx, r)
	if err != nil {
		return Result{}, err
	}
	list, err := d.Regulars(ctx, r.Actor, place)
	if err != nil {
		return Result{}, err
	}
	if len(list) == 0 {
		return Result{}, refuse("群的订阅由组长或知识管理员来定；你自己的，私聊我说「订阅」。")
	}
	lines := []string{"可以订阅的："}
	for _, x := range list {
		state := "未订，回「订阅 " + x.Title + "」"
		if x.Has {
			state = "已订，回「退订 " + x.Title + "」取消"
		}
		lines = append(lines, fmt.Sprintf("· %s（%s）：%s", x.Title, x.When, state))
	}
	return say(strings.Join(lines, "\n")), nil
}

// regularPlace is where what is sent regularly goes when it is asked for here:
// to the asker, or to the robot of the group, for only that can speak unasked.
func (d *Desk) regularPlace(ctx context.Context, r Request) (chat.Address, bool, error) {
	if r.Msg.From.Kind == chat.Person {
		return person(r.Actor.ID), true, nil
	}
	robots, err := d.robotsIn(ctx, r.Msg.From)
	if err != nil || len(robots) == 0 {
		return r.Msg.From, false, err
	}
	return robots[0], true, nil
}

// unasked tells whether a place gets x without having asked.
func (x regular) unasked(d *Desk, place chat.Address, roles chat.RoleSet) bool {
	if place.Kind == chat.Person {
		return x.role != "" && roles.Has(x.role)
	}
	return x.group && d.Announce != "" && place == chat.Address{Kind: chat.Robot, ID: d.Announce}
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
			wanted = what.unasked(d, person(u.ID), u.Roles)
		}
		if wanted && !u.Disabled && u.Roles.Has(what.asks...) {
			out = append(out, person(u.ID))
		}
	}
	if support := (chat.Address{Kind: chat.Robot, ID: d.Announce}); what.unasked(d, support, nil) {
		if _, known := said[support]; !known {
			out = append(out, support)
		}
	}
	for place, wanted := range said {
		if place.Kind != chat.Person && wanted {
			out = append(out, place)
		}
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
