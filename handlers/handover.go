package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// The hand-over list at shift change: what is open, what is late, who is on
// duty. The support group gets it, and whoever is on duty their group's part.

var handoverTimes = []time.Duration{8*time.Hour + 45*time.Minute, 17*time.Hour + 30*time.Minute}

const (
	handoverLate  = 20 * time.Minute // a start later than this is too late for the list
	handoverShown = 5
)

// nextHandover is the next time of the list.
func nextHandover(now time.Time) time.Time {
	for day := 0; ; day++ {
		for _, t := range handoverTimes {
			if at := time.Date(now.Year(), now.Month(), now.Day()+day, 0, int(t.Minutes()), 0, 0, now.Location()); at.After(now) {
				return at
			}
		}
	}
}

// Handover tells what goes from one shift to the next. It does nothing on days
// without trading, and when it is not its time: a job that was never seen before
// is due at once.
func (d *Desk) Handover(ctx context.Context) error {
	now := d.Store.Now().In(d.Rules.Calendar.Location())
	mark := ""
	for _, t := range handoverTimes {
		at := time.Date(now.Year(), now.Month(), now.Day(), 0, int(t.Minutes()), 0, 0, now.Location())
		if late := now.Sub(at); late >= 0 && late < handoverLate {
			mark = at.Format("20060102-1504")
		}
	}
	if mark == "" || !d.Rules.Calendar.Trading(now) {
		return nil
	}
	open, err := d.Store.PageTickets(ctx, store.TicketQuery{States: store.OpenTicketStates(), ByDue: true, N: 500})
	duty, err2 := d.Store.OnDuty(ctx)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	byGroup := map[string][]store.Ticket{}
	groups := []string{}
	for _, t := range open {
		if byGroup[t.Group] == nil {
			groups = append(groups, t.Group)
		}
		byGroup[t.Group] = append(byGroup[t.Group], t)
	}
	onDuty := map[string][]string{}
	for _, s := range duty {
		onDuty[s.Group] = append(onDuty[s.Group], s.Member)
		if byGroup[s.Group] == nil {
			byGroup[s.Group] = []store.Ticket{}
			groups = append(groups, s.Group)
		}
	}
	if len(groups) == 0 {
		return nil
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		lines := []string{"**交接清单** " + now.Format("01-02 15:04")}
		for _, g := range groups {
			head := d.handoverHead(tx, g, byGroup[g], onDuty[g], now)
			lines = append(lines, "> "+chat.PlainMarkdown(head))
			part := append([]string{"交接清单 " + head}, d.handoverLines(tx, byGroup[g], now)...)
			for _, m := range onDuty[g] {
				if err := tx.Enqueue(chat.Outgoing{Key: "handover/" + mark + "/" + g + "/" + m, To: person(m), Body: chat.Body{Text: strings.Join(part, "\n")}}); err != nil {
					return err
				}
			}
		}
		for _, l := range d.handoverLines(tx, open, now) {
			lines = append(lines, chat.PlainMarkdown(l))
		}
		for _, out := range d.announce("handover/"+mark, strings.Join(lines, "\n"), false) {
			if err := tx.Enqueue(out); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *Desk) handoverHead(tx *store.Tx, group string, list []store.Ticket, duty []string, now time.Time) string {
	nobody, late, waiting := 0, 0, 0
	for _, t := range list {
		switch {
		case t.State == store.TicketWaiting:
			waiting++
		case d.Rules.Left(t, now) < 0:
			late++
		}
		if t.Assignee == "" {
			nobody++
		}
	}
	title := d.Rules.GroupTitle(group)
	if group == "" {
		title = "未分组"
	}
	words := fmt.Sprintf("%s：未关闭 %d", title, len(list))
	for _, x := range []struct {
		what string
		n    int
	}{{"没人接", nobody}, {"超时", late}, {"挂起", waiting}} {
		if x.n > 0 {
			words += fmt.Sprintf(" · %s %d", x.what, x.n)
		}
	}
	var names []string
	for _, m := range duty {
		names = append(names, d.nameIn(tx, m))
	}
	if len(names) > 0 {
		words += " · 值班 " + strings.Join(names, "、")
	}
	return words
}

// handoverLines are the most urgent ones.
func (d *Desk) handoverLines(tx *store.Tx, list []store.Ticket, now time.Time) (out []string) {
	for _, t := range list[:min(len(list), handoverShown)] {
		who := d.nameIn(tx, t.Assignee)
		if who == "" {
			who = "没人接"
		}
		out = append(out, fmt.Sprintf("T%d %s %s · %s · %s", t.Number, t.Priority, chat.Plain(chat.Cut(t.Title, 24)), who, d.leftWords(t, now)))
	}
	if more := len(list) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("还有 %d 单，发「待接」或看网页。", more))
	}
	return out
}
