package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// sameTime is how long the same words of the same person are the same report.
const sameTime = 5 * time.Minute

// saidAgain answers a report that was made a moment ago: one ticket, not two.
func (d *Desk) saidAgain(tx *store.Tx, out *Result, r Request, g reportDraft, t store.Ticket) error {
	out.Say = append(out.Say, say(fmt.Sprintf("这条你刚报过了，就是 T%d，没有重复建单。补充直接接着发。", t.Number)).Say...)
	out.List = []string{}
	g.Ticket, g.Guessed = t.Number, false
	out.Next = &Step{Command: "report", Name: stepAfter, Draft: g, Life: joinLife}
	if len(g.Media) == 0 {
		return nil
	}
	return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "report", Author: r.Actor.ID, Text: g.Fields.Symptom, Media: g.Media, Message: r.Msg.ID})
}

// file makes the ticket; its number is known only inside the commit.
func (d *Desk) file(ctx context.Context, r Request, g reportDraft) (Result, error) {
	t := g.ticket(r)
	like, err := d.twinsOf(ctx, t.Title, r.Now)
	if err != nil {
		return Result{}, err
	}
	res := Result{List: choices["urgency"]}
	if g.Fields.Urgency != "" {
		res.List = []string{}
	}
	lines := g.Lines
	res.Write = func(tx *store.Tx, out *Result) error {
		t := t // a repeated transaction starts anew
		if same, err := tx.SameTicket(t.Reporter, t.Title, tx.Now().Add(-sameTime)); err == nil {
			return d.saidAgain(tx, out, r, g, same)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := d.Open(tx, r.Actor, &t); err != nil {
			return err
		}
		entry := store.TicketEntry{Kind: "report", Author: r.Actor.ID, Text: g.Fields.Symptom, Original: strings.Join(lines, "\n"), Media: g.Media, Message: r.Msg.ID}
		if err := tx.AddTicketEntry(t.ID, entry); err != nil {
			return err
		}
		g := g
		g.Ticket, g.Guessed = t.Number, false
		g.Mark = r.Msg.ID[:12]
		out.Say = append(out.Say, chat.Outgoing{Body: chat.Body{Card: d.filedCard(r, t, g, d.byWhen(tx, t))}})
		out.Say = append(out.Say, d.announce(fmt.Sprintf("T%d/new", t.Number), newTicketLine(t, r.Actor), t.Priority == "P1")...)
		out.Next = &Step{Command: "report", Name: stepAfter, Draft: g, Life: joinLife}
		return d.twins(tx, t, like)
	}
	return res, nil
}

func (g reportDraft) ticket(r Request) store.Ticket {
	f := g.Fields
	t := store.Ticket{State: store.TicketNew, Priority: f.priority(g.Class), Class: g.Class, Subclass: g.Subclass, Title: chat.Cut(oneLine(f.Symptom), titleRunes), Reporter: r.Actor.ID,
		Place: r.Msg.From, AppVersion: f.AppVersion, System: f.System, Urgency: f.Urgency, Source: r.Msg.ID}
	if t.Title == "" {
		t.Title = fmt.Sprintf("（%d 个附件，没有文字）", len(g.Media))
	}
	personal := func(k mask.Kind, v string) store.Personal {
		if v == "" || v == "无" {
			return store.Personal{}
		}
		return store.Personal{Value: v, Mask: mask.Of(k, v)}
	}
	t.Customer, t.Phone, t.Identity = personal(mask.Customer, f.Customer), personal(mask.Phone, f.Phone), personal(mask.Identity, f.Identity)
	return t
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// filedCard tells the number first: it is what people read in the push preview.
func (d *Desk) filedCard(r Request, t store.Ticket, g reportDraft, byWhen string) *chat.Card {
	no := fmt.Sprintf("T%d", t.Number)
	card := &chat.Card{TaskID: taskID(no, r.Msg), Source: "一线助手 · 工单", Title: "已建单 " + no, Desc: chat.Plain(chat.Cut(t.Title, 40))}
	card.Rows = []chat.Row{{Key: "优先级", Value: t.Priority + " " + priorityTitle[t.Priority]}, {Key: "类别", Value: d.classWords(g)}}
	if who := g.Fields.who(); who != "" && who != "无" {
		card.Rows = append(card.Rows, chat.Row{Key: "客户", Value: who})
	}
	if app := strings.TrimSpace(t.System + " " + t.AppVersion); app != "" {
		card.Rows = append(card.Rows, chat.Row{Key: "应用", Value: chat.Plain(app)})
	}
	lines := []string{fmt.Sprintf("已建单 %s · %s %s", no, t.Priority, priorityTitle[t.Priority]), "现象 " + chat.Plain(t.Title)}
	for _, row := range card.Rows[1:] {
		lines = append(lines, row.Key+" "+row.Value)
	}
	hint := ""
	if g.Fields.Customer+g.Fields.Phone+g.Fields.Identity+g.Fields.Card != "" {
		hint = "提醒：你发的客户信息我已加密保存，页面只显示尾号；建议把上一条撤回。"
		lines = append(lines, hint)
	}
	if slip := g.Fields.Slip; slip != "" {
		words := "你发的" + slip + "位数或校验位不对，没有登记，请核对后再发一次。"
		hint += words
		lines = append(lines, words)
	}
	lines = append(lines, byWhen, "补充（文字、截图）直接接着发；查进度回「查 "+no+"」。")
	if t.Urgency == "" {
		lines = append(lines, "还想知道：客户现在急着交易吗？")
		for i, c := range choices["urgency"] {
			card.Buttons = append(card.Buttons, chat.Button{Text: chat.Cut(c, 10), Key: ButtonKey(g.Mark, c)})
			lines = append(lines, fmt.Sprintf("%d  %s", i+1, c))
		}
		card.Text = hint + byWhen + "还想知道：客户现在急着交易吗？补充直接接着发。"
	} else {
		card.Text = hint + byWhen + "补充（文字、截图）直接接着发。"
		card.Buttons = []chat.Button{{Text: "查进度", Key: "查 " + no}, {Text: "撤回", Key: "撤 " + no}}
	}
	card.Twin = strings.Join(lines, "\n")
	return card
}

func newTicketLine(t store.Ticket, reporter chat.User) string {
	// Groups see at most the last four of a customer number.
	line := fmt.Sprintf("新工单 **T%d** · %s %s\n> %s\n> 报障人 %s", t.Number, t.Priority, priorityTitle[t.Priority], chat.PlainMarkdown(t.Title), chat.PlainMarkdown(reporter.Show()))
	if reporter.Department != "" {
		line += "（" + chat.PlainMarkdown(reporter.Department) + "）"
	}
	return line
}
