package handlers

import (
	"fmt"

	"frontline/bot/chat"
	"frontline/store"
)

// Open makes a ticket: every door uses it. It chooses the service group by
// class, the handler by the duty roster, and starts the clocks. by is who files
// it, which need not be the reporter.
func (d *Desk) Open(tx *store.Tx, by chat.User, t *store.Ticket) error {
	if t.Priority == "" {
		t.Priority = "P3"
	}
	if t.Class == "" {
		t.Class = "other"
	}
	for _, c := range d.Rules.Classes {
		if t.Group == "" && c.Name == t.Class {
			t.Group = c.Group
		}
	}
	t.State = store.TicketNew
	if t.Assignee == "" {
		who, err := d.choose(tx, t.Group)
		if err != nil {
			return err
		}
		t.Assignee = who
	}
	if t.Assignee != "" {
		t.State = store.TicketAssigned
	}
	d.Rules.startClocks(t, tx.Now())
	d.Rules.look(t, tx.Now())
	if err := tx.CreateTicket(t); err != nil {
		return err
	}
	if err := d.emit(tx, by, t, ticketCreated, nil); err != nil {
		return err
	}
	if t.Assignee == "" || t.Assignee == by.ID {
		return nil
	}
	return d.tellOne(tx, t, t.Assignee, "new", fmt.Sprintf("新工单 %s（%s %s）派给你：%s\n最晚 %s 接手。回「接 %s」开始处理。", no(t), t.Priority, priorityTitle[t.Priority], chat.Plain(t.Title), when(t.RespondDue, tx.Now()), no(t)))
}

// choose is the person on duty for a group who has the fewest open tickets;
// "" when nobody is on duty.
func (d *Desk) choose(tx *store.Tx, group string) (string, error) {
	if group == "" {
		return "", nil
	}
	shifts, err := tx.OnDuty(group)
	if err != nil || len(shifts) == 0 {
		return "", err
	}
	members := make([]string, len(shifts))
	for i, s := range shifts {
		members[i] = s.Member
	}
	load, err := tx.CountOpenOf(members)
	if err != nil {
		return "", err
	}
	best := members[0]
	for _, m := range members[1:] {
		if load[m] < load[best] {
			best = m
		}
	}
	return best, nil
}

// byWhen tells a reporter what to expect.
func (d *Desk) byWhen(tx *store.Tx, t store.Ticket) string {
	who := "有人"
	if t.Assignee != "" {
		who = " " + d.nameIn(tx, t.Assignee) + " "
	}
	return fmt.Sprintf("最晚 %s %s接手，%s 前给结果或办法。", when(t.RespondDue, tx.Now()), who, when(t.ResolveDue, tx.Now()))
}
