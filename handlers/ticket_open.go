package handlers

import (
	"cmp"
	"fmt"
	"slices"

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
		who, err := d.choose(tx, t)
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
	if err := d.emit(tx, by, t, chat.TicketCreated, nil); err != nil {
		return err
	}
	if t.Assignee == "" || t.Assignee == by.ID {
		return nil
	}
	return d.tellOne(tx, t, t.Assignee, "new", fmt.Sprintf("新工单 %s（%s %s）派给你：%s\n最晚 %s 接手。回「接 %s」开始处理。", no(t), t.Priority, priorityTitle[t.Priority], chat.Plain(t.Title), when(t.RespondDue, tx.Now()), no(t)))
}

// choose is who gets a ticket: of those on duty for its group the ones who have
// its skill, of these the one with the fewest open tickets, and among equals the
// one who got one longest ago; "" when nobody is on duty.
func (d *Desk) choose(tx *store.Tx, t *store.Ticket) (string, error) {
	if t.Group == "" {
		return "", nil
	}
	shifts, err := tx.OnDuty(t.Group)
	if err != nil || len(shifts) == 0 {
		return "", err
	}
	members := make([]string, len(shifts))
	for i, s := range shifts {
		members[i] = s.Member
	}
	members = d.Rules.skilled(t, members)
	load, err := tx.CountOpenOf(members)
	if err != nil {
		return "", err
	}
	least := load[slices.MinFunc(members, func(a, b string) int { return load[a] - load[b] })]
	members = slices.DeleteFunc(members, func(m string) bool { return load[m] > least })
	if len(members) == 1 {
		return members[0], nil
	}
	last, err := tx.LastTicketsOf(members)
	return slices.MinFunc(members, func(a, b string) int { return cmp.Compare(last[a], last[b]) }), err
}

// skilled are those whose skills name the ticket's subclass, class or system;
// everybody, when none has the skill.
func (r Rules) skilled(t *store.Ticket, members []string) []string {
	for _, g := range r.Groups {
		if g.Name != t.Group {
			continue
		}
		for _, matter := range []string{t.Subclass, t.System, r.ClassTitle(t.Class)} {
			able := slices.DeleteFunc(slices.Clone(members), func(m string) bool { return !slices.Contains(g.Skills[m], matter) })
			if matter != "" && len(able) > 0 {
				return able
			}
		}
	}
	return members
}

// byWhen tells a reporter what to expect.
func (d *Desk) byWhen(tx *store.Tx, t store.Ticket) string {
	who := "有人"
	if t.Assignee != "" {
		who = " " + d.nameIn(tx, t.Assignee) + " "
	}
	return fmt.Sprintf("最晚 %s %s接手，%s 前给结果或办法。", when(t.RespondDue, tx.Now()), who, when(t.ResolveDue, tx.Now()))
}
