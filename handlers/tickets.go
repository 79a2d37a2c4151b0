package handlers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

var thanks = regexp.MustCompile(`^(谢谢|多谢|感谢|好的|好|收到|ok|OK|嗯+|辛苦了|谢谢你|谢谢您)[!！。~～ ]*$`)

func query(text string, now time.Time) kb.Query {
	return kb.Query{Text: chat.Cut(text, 500), N: 5, Now: now}
}

func surely(found kb.Result) bool { return found.Band == kb.Answer && len(found.Hits) > 0 }

// numberOf reads a number as people say it: T12, t12, #12, ＃12, 12.
func numberOf(text, letter string) (int64, bool) {
	text = strings.TrimSpace(narrow(text))
	text = strings.TrimLeft(text, "#＃")
	if len(text) > 0 && strings.EqualFold(text[:1], letter) {
		text = text[1:]
	}
	text = strings.TrimSpace(text)
	if len(text) == 0 || len(text) > 15 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

// ticketFor finds a ticket that the actor may see. Somebody else's answers
// like an unknown one.
func (d *Desk) ticketFor(ctx context.Context, r Request, usage string) (store.Ticket, error) {
	n, ok := numberOf(r.Args, "T")
	if !ok {
		return store.Ticket{}, refuse("是哪张单？例：" + usage)
	}
	t, err := d.Store.FindTicket(ctx, n)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	if err != nil || (t.Reporter != r.Actor.ID && !works(r.Actor)) {
		return store.Ticket{}, refuse(fmt.Sprintf("没有找到 T%d。发「我的单」看看你的工单。", n))
	}
	return t, nil
}

// show is 查.
func (d *Desk) show(ctx context.Context, r Request) (Result, error) {
	t, err := d.ticketFor(ctx, r, "查 T12")
	if err != nil {
		return Result{}, err
	}
	entries, err := d.Store.ListTicketEntries(ctx, t.ID, 200)
	if err != nil {
		return Result{}, err
	}
	no := fmt.Sprintf("T%d", t.Number)
	card := &chat.Card{TaskID: taskID("show"+no, r.Msg), Source: "一线助手 · 工单", Title: no + " " + t.State.Title(), Desc: chat.Plain(chat.Cut(t.Title, 40))}
	rows := []chat.Row{{Key: "优先级", Value: t.Priority + " " + priorityTitle[t.Priority]}, {Key: "处理人", Value: d.person1(ctx, t.Assignee)}, {Key: "客户", Value: customerOf(t)},
		{Key: "应用", Value: chat.Plain(strings.TrimSpace(t.System + " " + t.AppVersion))}, {Key: "报障", Value: when(t.Created, r.Now)}}
	if t.Reporter != r.Actor.ID {
		rows = append(rows, chat.Row{Key: "报障人", Value: d.nameOf(ctx, t.Reporter)})
	}
	lines := []string{fmt.Sprintf("%s %s · %s %s", no, t.State.Title(), t.Priority, priorityTitle[t.Priority]), "现象 " + chat.Plain(t.Title)}
	for _, row := range rows {
		if row.Value == "" {
			continue
		}
		card.Rows = append(card.Rows, row)
		if row.Key != "优先级" {
			lines = append(lines, row.Key+" "+row.Value)
		}
	}
	lines = append(lines, d.lastWords(ctx, entries, r.Now)...)
	if t.State.Open() {
		card.Buttons = []chat.Button{{Text: "催一下", Key: "催 " + no}, {Text: "撤回", Key: "撤 " + no}}
		lines = append(lines, fmt.Sprintf("回「催 %s」提醒处理人，「撤 %s」撤回。", no, no))
	}
	card.Twin = strings.Join(lines, "\n")
	return Result{Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}}, nil
}

// lastWords is the end of a ticket's thread, at most three lines.
func (d *Desk) lastWords(ctx context.Context, entries []store.TicketEntry, now time.Time) []string {
	var lines []string
	for _, e := range entries {
		if e.Kind == "talk" {
			continue
		}
		text := chat.Cut(oneLine(e.Text), 60)
		if n := len(e.Media); n > 0 {
			text += fmt.Sprintf("（%d 个附件）", n)
		}
		who := d.nameOf(ctx, e.Author)
		lines = append(lines, strings.TrimSpace(when(e.At, now)+" "+who)+"："+chat.Plain(text))
	}
	if len(lines) > 3 {
		lines = lines[len(lines)-3:]
	}
	return lines
}

func (d *Desk) nameOf(ctx context.Context, id string) string {
	if id == "" {
		return ""
	}
	u, err := d.Store.FindMember(ctx, id)
	if err != nil {
		return chat.Plain(id)
	}
	return chat.Plain(u.Show())
}

func (d *Desk) person1(ctx context.Context, id string) string {
	if id == "" {
		return "还没有人接手"
	}
	return d.nameOf(ctx, id)
}

func customerOf(t store.Ticket) string {
	for _, p := range []store.Personal{t.Customer, t.Identity, t.Phone} {
		if p.Mask != "" {
			return p.Mask
		}
	}
	return ""
}

// when says a time as people do.
func when(t, now time.Time) string {
	t = t.In(now.Location())
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return "今天 " + t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("01-02 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

const mineShown = 5

// mine is 我的单.
func (d *Desk) mine(ctx context.Context, r Request) (Result, error) {
	tickets, err := d.Store.ListOpenTickets(ctx, r.Actor.ID, mineShown+1)
	if err != nil {
		return Result{}, err
	}
	if len(tickets) == 0 {
		return say("你没有在办的工单。要报障直接说问题，或发「报障 …」。"), nil
	}
	more := len(tickets) > mineShown
	tickets = tickets[:min(mineShown, len(tickets))]
	lines := []string{fmt.Sprintf("你有 %d 个在办：", len(tickets))}
	if more {
		lines[0] = fmt.Sprintf("你的在办工单（先列最早的 %d 个）：", mineShown)
	}
	res := Result{List: []string{}}
	for i, t := range tickets {
		lines = append(lines, fmt.Sprintf("%d  T%d %s · %s", i+1, t.Number, chat.Plain(chat.Cut(t.Title, 24)), t.State.Title()))
		res.List = append(res.List, fmt.Sprintf("查 T%d", t.Number))
	}
	lines = append(lines, "回数字看详情，「催 1」提醒处理人，「撤 1」撤回。")
	res.Say = say(strings.Join(lines, "\n")).Say
	return res, nil
}

// nudgePause is how often a ticket may be nudged.
const nudgePause = 30 * time.Minute

// nudge is 催.
func (d *Desk) nudge(ctx context.Context, r Request) (Result, error) {
	t, err := d.ticketFor(ctx, r, "催 T12")
	if err != nil {
		return Result{}, err
	}
	if !t.State.Open() {
		return Result{}, refuse(fmt.Sprintf("T%d %s，不用催了。", t.Number, t.State.Title()))
	}
	if wait := nudgePause - r.Now.Sub(t.Nudged); wait > 0 && !t.Nudged.IsZero() {
		return Result{}, refuse(fmt.Sprintf("T%d 刚催过，%d 分钟后可以再催。急的话回「转人工」。", t.Number, int(wait.Minutes())+1))
	}
	res := say(fmt.Sprintf("已提醒%s（第 %d 次催 T%d）。", d.handlerOf(ctx, t), t.Nudges+1, t.Number))
	res.Say = append(res.Say, d.announce(fmt.Sprintf("T%d/nudge/%d", t.Number, t.Nudges+1), fmt.Sprintf("**T%d** 报障人催办（第 %d 次）\n> %s", t.Number, t.Nudges+1, chat.PlainMarkdown(t.Title)), false)...)
	if t.Assignee != "" {
		res.Say = append(res.Say, chat.Outgoing{Key: fmt.Sprintf("T%d/nudge/%d/%s", t.Number, t.Nudges+1, t.Assignee), To: chat.Address{Kind: chat.Person, ID: t.Assignee, Via: chat.App},
			Body: chat.Body{Text: fmt.Sprintf("T%d 报障人催办（第 %d 次）：%s", t.Number, t.Nudges+1, chat.Plain(t.Title))}})
	}
	res.Write = func(tx *store.Tx, _ *Result) error {
		t := t
		t.Nudges, t.Nudged = t.Nudges+1, tx.Now()
		return d.change(tx, r.Actor, &t, t.State, "催办")
	}
	return res, nil
}

func (d *Desk) handlerOf(ctx context.Context, t store.Ticket) string {
	if t.Assignee == "" {
		return "支持组"
	}
	return " " + d.nameOf(ctx, t.Assignee)
}

// withdraw is 撤.
func (d *Desk) withdraw(ctx context.Context, r Request) (Result, error) {
	t, err := d.ticketFor(ctx, r, "撤 T12")
	if err != nil {
		return Result{}, err
	}
	if t.Reporter != r.Actor.ID {
		return Result{}, refuse(fmt.Sprintf("T%d 不是你报的，只有报障人能撤回。", t.Number))
	}
	if !t.State.Open() {
		return Result{}, refuse(fmt.Sprintf("T%d %s，不能撤回。", t.Number, t.State.Title()))
	}
	res := say(fmt.Sprintf("T%d 已撤回。", t.Number))
	res.Say = append(res.Say, d.announce(fmt.Sprintf("T%d/void", t.Number), fmt.Sprintf("**T%d** 已由报障人撤回", t.Number), false)...)
	res.Write = func(tx *store.Tx, _ *Result) error {
		t := t
		return d.Void(tx, r.Actor, &t, "报障人撤回")
	}
	return res, nil
}
