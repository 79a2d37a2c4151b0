package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/handlers/mask"
	"frontline/store"
)

// Alerts and tickets know of each other and live their own lives: the end of
// one does not end the other, and each says so in the other's thread.

// sameTicket is how long a thing that fires again goes on in its last ticket.
const sameTicket = 24 * time.Hour

// ticketAlert is 建单 A311, and 建单 A311 T1042 for a ticket that is there.
func (d *Desk) ticketAlert(ctx context.Context, r Request) (Result, error) {
	n, rest, err := d.alertOf(ctx, r, "建单 A311")
	if err != nil {
		return Result{}, err
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		t, fresh, err := d.TicketOf(tx, r.Actor, n, rest, r.Msg.From)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("A%d 已建单 T%d（%s），%s", n, t.Number, t.Priority, d.byWhen(tx, t))
		if !fresh {
			line = fmt.Sprintf("A%d 和 T%d 是同一件事，已挂在 T%d 上，没有另建。", n, t.Number, t.Number)
		}
		out.Say = append(out.Say, say(line).Say...)
		return nil
	}}, nil
}

// TicketOf makes the ticket of a group of alerts, or finds the open one of the
// same alerts; fresh tells which. Words that are a ticket's number name the
// ticket that the group belongs to.
func (d *Desk) TicketOf(tx *store.Tx, by chat.User, n int64, words string, from chat.Address) (t store.Ticket, fresh bool, err error) {
	g, err := tx.TakeAlertGroup(n)
	if errors.Is(err, store.ErrNotFound) {
		return t, false, refuse(fmt.Sprintf("没有找到 A%d。发「告警」看还在告警的。", n))
	}
	if err != nil {
		return t, false, err
	}
	if g.Ticket != 0 {
		return t, false, refuse(fmt.Sprintf("A%d 已经有工单 T%d。", n, g.Ticket))
	}
	if number, rest, ok := ticketAndRest(words); ok && rest == "" {
		return d.hangOn(tx, by, g, number, from)
	}
	last, _, err := tx.LastSolved(g, tx.Now().Add(-sameTicket))
	if err != nil {
		return t, false, err
	}
	if last.Ticket != 0 {
		if t, err = tx.FindTicket(last.Ticket); err == nil && t.State.Open() {
			if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Author: by.ID, Text: fmt.Sprintf("又告警了：A%d %s", n, g.Title)}); err != nil {
				return t, false, err
			}
			return t, false, d.Alerts.Ticketed(tx, by, &g, t.Number, from)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return t, false, err
		}
	}
	t = store.Ticket{Title: chat.Cut(g.Title, 80), Reporter: by.ID, Priority: alert.Priority(g.Severity), Class: "program", Assignee: g.ClaimedBy}
	if err := d.Open(tx, by, &t); err != nil {
		return t, false, err
	}
	text, err := d.alertWords(tx, g, words)
	if err != nil {
		return t, false, err
	}
	if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "report", Author: by.ID, Text: mask.Text(text), Original: text}); err != nil {
		return t, false, err
	}
	return t, true, d.Alerts.Ticketed(tx, by, &g, t.Number, from)
}

// hangOn makes a ticket that is there the alert's: people reported it before.
func (d *Desk) hangOn(tx *store.Tx, by chat.User, g store.AlertGroup, number int64, from chat.Address) (t store.Ticket, fresh bool, err error) {
	t, err = tx.FindTicket(number)
	if errors.Is(err, store.ErrNotFound) {
		return t, false, refuse(fmt.Sprintf("没有找到 T%d。", number))
	}
	if err != nil {
		return t, false, err
	}
	if !t.State.Open() {
		return t, false, refuse(fmt.Sprintf("T%d %s，挂不上。要另建一张就回「建单 A%d」。", number, t.State.Title(), g.Number))
	}
	if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Author: by.ID, Text: fmt.Sprintf("挂上了告警 A%d %s", g.Number, g.Title)}); err != nil {
		return t, false, err
	}
	return t, false, d.Alerts.Ticketed(tx, by, &g, t.Number, from)
}

// alertWords is what a ticket says of its alerts.
func (d *Desk) alertWords(tx *store.Tx, g store.AlertGroup, words string) (string, error) {
	lines := []string{fmt.Sprintf("来自告警 A%d：%s", g.Number, g.Title)}
	if words = strings.TrimSpace(words); words != "" {
		lines = append(lines, words)
	}
	sample, err := tx.AlertsOfGroup(g.ID, store.AlertFiring, 5)
	if err != nil {
		return "", err
	}
	for _, a := range sample {
		line := "· " + a.Title
		if a.Value != "" && !strings.Contains(a.Title, a.Value) {
			line += " 值 " + a.Value
		}
		lines = append(lines, line)
	}
	last, err := d.Alerts.LastTime(tx, g)
	if last != "" {
		lines = append(lines, last)
	}
	return strings.Join(lines, "\n"), err
}

// tellAlerts tells the alerts of a ticket what solved it.
func (d *Desk) tellAlerts(tx *store.Tx, by chat.User, t *store.Ticket) error {
	links, err := tx.TicketLinks(t.Number)
	if err != nil {
		return err
	}
	how := t.Method
	if how == "" {
		how = t.Reason
	}
	for _, l := range links {
		if l.Kind != store.NumberAlert || d.Alerts == nil {
			continue
		}
		if err := d.Alerts.TicketSolved(tx, by, t.Number, l.Number, how); err != nil {
			return err
		}
	}
	return nil
}
