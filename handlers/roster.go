package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// The roster: the weekly lines of the configuration laid out as shifts some
// days ahead, so that tickets, alerts and pages read one table, and what leaders
// add in chat.

// rosterDays is how far ahead the weekly roster is laid out.
const rosterDays = 8

// LayRoster lays the weekly roster out from yesterday on: at the start and
// every night.
func (d *Desk) LayRoster(ctx context.Context) error {
	return d.Store.InTx(ctx, func(tx *store.Tx) error { return tx.LayRoster(d.Rules.shifts(tx.Now())) })
}

// shifts are those of the weekly roster that may still run at now or begin in
// the days after.
func (r Rules) shifts(now time.Time) []store.Shift {
	today := now.In(r.Calendar.Location())
	return r.weekly(now, time.Date(today.Year(), today.Month(), today.Day()+rosterDays, 0, 0, 0, 0, today.Location()))
}

// weekly are the shifts of the weekly roster that touch [from, to).
func (r Rules) weekly(from, to time.Time) (out []store.Shift) {
	loc := r.Calendar.Location()
	first := from.In(loc)
	for day := -1; ; day++ {
		midnight := time.Date(first.Year(), first.Month(), first.Day()+day, 0, 0, 0, 0, loc)
		if !midnight.Before(to) {
			return out
		}
		for _, g := range r.Groups {
			for _, line := range g.Duty {
				if on := line.Days[midnight.Weekday()] || line.Trading && r.Calendar.Trading(midnight); !on {
					continue
				}
				// By the clock on the wall, not by adding hours to midnight.
				at := func(day int, t time.Duration) time.Time {
					return time.Date(midnight.Year(), midnight.Month(), midnight.Day()+day, 0, int(t.Minutes()), 0, 0, loc)
				}
				begin, end := at(0, line.From), at(0, line.To)
				if line.To <= line.From {
					end = at(1, line.To)
				}
				if !end.After(from) || !begin.Before(to) {
					continue
				}
				for _, m := range line.Members {
					out = append(out, store.Shift{Group: g.Name, Member: m, From: begin, Until: end, Weekly: true})
				}
			}
		}
	}
}

const dutyUsage = "值班 交易支持组 方逸辰 到 18:00"

// DutyExample is a stand-in as it is typed.
const DutyExample = "值班 交易支持组 方逸辰 替 顾远 今天13点 到 18:00"

// duty is 值班: who is on duty now and next. Leaders add: 值班 交易支持组 方逸辰 替 顾远
// 今天13点 到 18:00.
func (d *Desk) duty(ctx context.Context, r Request) (Result, error) {
	if strings.TrimSpace(r.Args) == "" {
		return d.whoIsOnDuty(ctx, r)
	}
	if !works(r.Actor) {
		return Result{}, refuse("只有组长和管理员能改值班。发「值班」看现在谁在班。")
	}
	sh, err := d.shiftOf(ctx, r)
	if err != nil {
		return Result{}, err
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		words, err := d.AddShift(tx, r.Actor, sh)
		if err == nil {
			out.Say = append(out.Say, say("已排上。"+words).Say...)
		}
		return err
	}}, nil
}

// AddShift puts a shift into the roster, tells whom it concerns and returns what
// was told. Leaders add any; a colleague may stand in for another.
func (d *Desk) AddShift(tx *store.Tx, by chat.User, sh store.Shift) (string, error) {
	switch {
	case !by.Roles.Has(chat.Leader, chat.Admin) && (sh.Member != by.ID || sh.Stands == "" || !works(by)):
		return "", refuse("只有组长和管理员能改值班；自己替同事的班可以。发「值班」看现在谁在班。")
	case sh.Stands == sh.Member:
		return "", refuse("自己不能替自己。")
	case !sh.Until.After(sh.From) || !sh.Until.After(tx.Now()):
		return "", refuse("结束时间要在开始之后，也要在现在之后。")
	case sh.Until.Sub(sh.From) > longestShift:
		return "", refuse("一次最多排 31 天。")
	case !slices.ContainsFunc(d.Rules.Groups, func(g ServiceGroup) bool { return g.Name == sh.Group }):
		return "", refuse("没有这个服务组。")
	}
	if err := tx.AddShift(&sh); err != nil {
		return "", err
	}
	if err := tx.Audit(by.ID, "duty.add", sh.Group+"/"+sh.Member, map[string]string{"from": sh.From.Format(time.RFC3339), "until": sh.Until.Format(time.RFC3339), "stands": sh.Stands}); err != nil {
		return "", err
	}
	words := d.shiftWords(tx, sh)
	for _, m := range []string{sh.Member, sh.Stands} {
		if m == "" || m == by.ID {
			continue
		}
		text := fmt.Sprintf("%s 给你排了班。%s", chat.Plain(by.Show()), words)
		if m == sh.Stands {
			text = fmt.Sprintf("%s 改了值班。%s", chat.Plain(by.Show()), words)
		}
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("duty/%d/%s", sh.ID, m), To: person(m), Body: chat.Body{Text: text}}); err != nil {
			return "", err
		}
	}
	return words, nil
}

// longestShift is the longest that is entered at once.
const longestShift = 31 * 24 * time.Hour

func (d *Desk) shiftWords(tx *store.Tx, sh store.Shift) string {
	who := d.nameIn(tx, sh.Member)
	if sh.Stands != "" {
		who += " 替 " + d.nameIn(tx, sh.Stands)
	}
	return fmt.Sprintf("%s %s 值班：%s 到 %s。", d.Rules.GroupTitle(sh.Group), who, when(sh.From, tx.Now()), when(sh.Until, tx.Now()))
}

// EndShift ends what somebody entered: leaders any, a colleague their own.
// What the weekly roster lays is changed in the configuration.
func (d *Desk) EndShift(tx *store.Tx, by chat.User, id int64) error {
	sh, err := tx.FindShift(id)
	if err != nil {
		return err
	}
	if !by.Roles.Has(chat.Leader, chat.Admin) && sh.Member != by.ID {
		return refuse("只有组长和管理员能撤别人的班。")
	}
	if err := tx.EndShift(id); err != nil {
		return err
	}
	if err := tx.Audit(by.ID, "duty.end", sh.Group+"/"+sh.Member, map[string]string{"from": sh.From.Format(time.RFC3339), "until": sh.Until.Format(time.RFC3339), "stands": sh.Stands}); err != nil {
		return err
	}
	words := d.shiftWords(tx, sh)
	for _, m := range []string{sh.Member, sh.Stands} {
		if m == "" || m == by.ID {
			continue
		}
		text := fmt.Sprintf("%s 撤了这个班：%s", chat.Plain(by.Show()), words)
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("duty/%d/end/%s", sh.ID, m), To: person(m), Body: chat.Body{Text: text}}); err != nil {
			return err
		}
	}
	return nil
}

// shiftOf reads 交易支持组 方逸辰 替 顾远 今天13点 到 18:00; without a beginning it
// begins now, and with one service group the group may be left out.
func (d *Desk) shiftOf(ctx context.Context, r Request) (sh store.Shift, err error) {
	words := strings.Fields(r.Args)
	if len(d.Rules.Groups) == 0 {
		return sh, refuse("还没有服务组。请管理员在配置 service_groups 里写上。")
	}
	i := slices.IndexFunc(d.Rules.Groups, func(g ServiceGroup) bool { return words[0] == g.Name || words[0] == g.Title })
	switch {
	case i >= 0:
		sh.Group, words = d.Rules.Groups[i].Name, words[1:]
	case len(d.Rules.Groups) == 1:
		sh.Group = d.Rules.Groups[0].Name
	default:
		var titles []string
		for _, g := range d.Rules.Groups {
			titles = append(titles, d.Rules.GroupTitle(g.Name))
		}
		return sh, refuse("是哪个组？有：" + strings.Join(titles, "、") + "。例：" + dutyUsage)
	}
	if len(words) == 0 {
		return sh, refuse("谁值班？例：" + dutyUsage)
	}
	if sh.Member, err = d.oneColleague(ctx, words[0]); err != nil {
		return sh, err
	}
	words = words[1:]
	if len(words) > 1 && words[0] == "替" {
		if sh.Stands, err = d.oneColleague(ctx, words[1]); err != nil {
			return sh, err
		}
		words = words[2:]
	}
	from, until, _ := strings.Cut(strings.Join(words, " "), "到")
	ok := false
	sh.From = r.Now
	if from = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(from), "从")); from != "" {
		if sh.From, ok = untilOf(from, r.Now); !ok {
			return sh, refuse("从什么时候？「" + chat.Plain(chat.Cut(from, 20)) + "」我没看懂。例：" + dutyUsage)
		}
	}
	if sh.Until, ok = untilOf(until, sh.From); !ok {
		return sh, refuse("到什么时候？例：" + dutyUsage)
	}
	return sh, nil
}

func (d *Desk) oneColleague(ctx context.Context, name string) (string, error) {
	found, err := d.colleagues(ctx, strings.TrimPrefix(name, "@"))
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", refuse(fmt.Sprintf("没有叫「%s」的处理人。请写全名或账号。", chat.Plain(chat.Cut(name, 20))))
	case len(found) > 1:
		return "", refuse(fmt.Sprintf("叫「%s」的有 %d 位，请写全名或账号。", chat.Plain(chat.Cut(name, 20)), len(found)))
	}
	return found[0].ID, nil
}

func (d *Desk) whoIsOnDuty(ctx context.Context, r Request) (Result, error) {
	now, err := d.Store.OnDuty(ctx)
	next, err2 := d.Store.Roster(ctx, r.Now, r.Now.Add(48*time.Hour))
	if err := errors.Join(err, err2); err != nil {
		return Result{}, err
	}
	next = slices.DeleteFunc(next, func(s store.Shift) bool { return !s.From.After(r.Now) })
	if len(now)+len(next) == 0 {
		return say("现在没有排班。组长可以发「" + dutyUsage + "」。"), nil
	}
	var lines []string
	line := func(group string, list []store.Shift, tail func(store.Shift) string) {
		var names []string
		for _, s := range list {
			name := d.nameOf(ctx, s.Member)
			if s.Stands != "" {
				name += "（替 " + d.nameOf(ctx, s.Stands) + "）"
			}
			names = append(names, name)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s", chat.Plain(d.Rules.GroupTitle(group)), strings.Join(names, "、"), tail(list[0]))))
	}
	groups := func(list []store.Shift) (out []string) {
		for _, s := range list {
			if !slices.Contains(out, s.Group) {
				out = append(out, s.Group)
			}
		}
		return out
	}
	of := func(list []store.Shift, group string) (out []store.Shift) {
		for _, s := range list {
			if s.Group == group && (len(out) == 0 || out[0].From.Equal(s.From) || !s.From.After(r.Now)) {
				out = append(out, s)
			}
		}
		return out
	}
	for _, g := range groups(now) {
		line(g, of(now, g), func(s store.Shift) string { return "到 " + when(s.Until, r.Now) })
	}
	if len(lines) == 0 {
		lines = append(lines, "现在没有人值班。")
	} else {
		lines = append([]string{"现在值班："}, lines...)
	}
	if len(next) > 0 {
		lines = append(lines, "接下来：")
		for _, g := range groups(next) {
			line(g, of(next, g), func(s store.Shift) string { return when(s.From, r.Now) + " 起" })
		}
	}
	return say(strings.Join(lines, "\n")), nil
}
