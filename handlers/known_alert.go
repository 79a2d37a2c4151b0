package handlers

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/store"
)

// A report may be what a monitor has seen already: it is compared with the
// alerts that fire, and who says yes becomes the reporter of the alert's ticket.

const (
	alertTime = 24 * time.Hour // how old an alert may be
	alertMost = 200
	alertSaid = 0.6 // how much of what the alert is about the report must say
)

// measureWords are how monitors put it, and numbers: 委托失败率 6.3%（门槛 5%）.
var measureWords = regexp.MustCompile(`[（(\[【][^）)\]】]*[）)\]】]|[0-9]+(?:\.[0-9]+)?%?|失败(?:率|笔数|次数)|(?:成功)?率|占比|笔数|次数|数量|升高|偏高|过高|增多|突增|下降|偏低|过低|超过|高于|低于|大于|小于|门槛|阈值|监控|告警`)

// alertGist is what an alert is about.
func alertGist(title string) map[string]bool {
	broken := strings.Contains(title, "失败")
	out := gist(measureWords.ReplaceAllString(title, " "))
	if broken {
		out[brokenMark] = true
	}
	return out
}

// coveredBy is how much of a gist another one has, 0 to 1.
func (r *rareness) coveredBy(of, by map[string]bool) float64 {
	all, both := 0.0, 0.0
	for t := range of {
		w := r.of(t)
		all += w * w
		if by[t] && t != brokenMark {
			both += w * w
		}
	}
	if both == 0 {
		return 0
	}
	return both / all
}

// knownAlert is the firing group of alerts that is most like a report; its
// number is 0 when none is.
func (d *Desk) knownAlert(ctx context.Context, f Fields, now time.Time) (best store.AlertGroup, err error) {
	mine := gist(f.Symptom)
	if d.Alerts == nil || len(mine) == 0 || len(mine) == 1 && mine[brokenMark] {
		return best, nil
	}
	groups, err := d.Store.ListAlertGroups(ctx, store.AlertGroupQuery{State: store.GroupOpen, Since: now.Add(-alertTime), N: alertMost})
	var rare rareness
	gists := make([]map[string]bool, len(groups))
	for i, g := range groups {
		gists[i] = alertGist(g.Title)
		rare.add(gists[i])
	}
	most := alertSaid
	for i, g := range groups {
		if g.Firing <= 0 || g.Outcome != "" || g.Severity == alert.None {
			continue
		}
		if a := rare.coveredBy(gists[i], mine); a >= most {
			best, most = g, a
		}
	}
	return best, err
}

// askAlert shows the alert that is likely the same; a ticket that it has is
// shown as a known problem instead.
func (d *Desk) askAlert(ctx context.Context, r Request, g reportDraft, a store.AlertGroup) (Result, error) {
	if a.Ticket != 0 {
		t, err := d.Store.FindTicket(ctx, a.Ticket)
		if err != nil {
			return Result{}, err
		}
		if t.State.Open() && t.Number != g.Known {
			return d.askKnown(ctx, r, g, t)
		}
	}
	g.Alert = a.Number
	who := "还没有人认领"
	if a.ClaimedBy != "" {
		who = d.nameOf(ctx, a.ClaimedBy) + " 处理中"
	}
	title := chat.Plain(chat.Cut(a.Title, 40))
	head := fmt.Sprintf("监控在 %s 发现了这个", when(a.Opened, r.Now))
	card := &chat.Card{TaskID: taskID(fmt.Sprintf("known-A%d", a.Number), r.Msg), Source: "一线助手 · 监控已发现", Title: head, Desc: "【告警中】" + title,
		Rows:    []chat.Row{{Key: "处理", Value: who}},
		Buttons: []chat.Button{{Text: joinWord, Key: ButtonKey(g.Mark, joinWord), Style: 1}, {Text: "不一样，单独报", Key: ButtonKey(g.Mark, apartWord)}}}
	card.Twin = strings.Join([]string{head + "：", fmt.Sprintf("【告警中】%s · %s", title, who), "1  就是它，算我一个", "2  不一样，单独报"}, "\n")
	return Result{Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: []string{joinWord, apartWord}, Next: &Step{Command: "report", Name: "known", Draft: g, Life: reportLife}}, nil
}

// joinAlert makes the report the ticket of the alert, or joins the ticket that
// the alert got meanwhile.
func (d *Desk) joinAlert(r Request, g reportDraft) Result {
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		g := g // a repeated transaction starts anew
		a, err := tx.TakeAlertGroup(g.Alert)
		if err != nil {
			return err
		}
		if a.Ticket != 0 {
			t, err := tx.FindTicket(a.Ticket)
			if err != nil {
				return err
			}
			if t.State.Open() {
				return d.countIn(tx, out, r, g, t)
			}
		}
		t := g.ticket(r)
		t.Class, t.Assignee = "program", a.ClaimedBy
		if p := alert.Priority(a.Severity); t.Priority == "" || p < t.Priority {
			t.Priority = p
		}
		if err := d.Open(tx, r.Actor, &t); err != nil {
			return err
		}
		text, err := d.alertWords(tx, a, "")
		if err != nil {
			return err
		}
		for _, e := range []store.TicketEntry{
			{Kind: "report", Author: r.Actor.ID, Text: g.Fields.Symptom, Original: strings.Join(g.Lines, "\n"), Media: g.Media, Message: r.Msg.ID},
			{Kind: "event", Author: r.Actor.ID, Text: text},
		} {
			if err := tx.AddTicketEntry(t.ID, e); err != nil {
				return err
			}
		}
		if a.Ticket == 0 {
			if err := d.Alerts.Ticketed(tx, r.Actor, &a, t.Number, r.Msg.From); err != nil {
				return err
			}
		}
		g.Ticket, g.Guessed = t.Number, false
		g.Mark = r.Msg.ID[:12]
		out.Say = append(out.Say, say(fmt.Sprintf("已建单 T%d，和告警 A%d 挂在一起。%s修好了我通知你，补充直接接着发。", t.Number, a.Number, d.byWhen(tx, t))).Say...)
		out.Say = append(out.Say, d.announce(fmt.Sprintf("T%d/new", t.Number), newTicketLine(t, r.Actor), t.Priority == "P1")...)
		out.Next = &Step{Command: "report", Name: stepAfter, Draft: g, Life: joinLife}
		return nil
	}}
}
