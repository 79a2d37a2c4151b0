package history

import (
	"time"

	"frontline/store"
)

func (m *maker) matter(release bool) matter {
	all := 0
	weight := func(x matter) int {
		if release && x.class == "program" {
			return 2 * x.weight
		}
		return x.weight
	}
	for _, x := range matters {
		all += weight(x)
	}
	n := m.rnd.IntN(all)
	for _, x := range matters {
		if n -= weight(x); n < 0 {
			return x
		}
	}
	return matters[0]
}

// report opens a ticket and puts into the queue what becomes of it.
func (m *maker) report(tx *store.Tx, release bool) error {
	now, x, who := tx.Now(), m.matter(release), pick(m, m.people)
	priority, respond, resolve := "P3", 30*time.Minute, 8*time.Hour
	switch n := m.rnd.IntN(20); {
	case n == 0:
		priority, respond, resolve = "P1", 5*time.Minute, time.Hour
	case n < 5:
		priority, respond, resolve = "P2", 10*time.Minute, 2*time.Hour
	case x.class == "consult":
		priority, respond, resolve = "P4", 2*time.Hour, 2*m.cal.Day()
	}
	due := func(d time.Duration) time.Time {
		if priority == "P1" {
			return now.Add(d)
		}
		return m.cal.Add(now, d)
	}
	t := store.Ticket{Title: pick(m, x.titles), Priority: priority, Class: x.class, Subclass: x.subclass, Group: m.o.Groups[x.group], Reporter: who.ID, AppVersion: m.version(now), System: pick(m, []string{"安卓", "苹果", "鸿蒙", "电脑"}),
		RespondDue: due(respond), ResolveDue: due(resolve)}
	if err := tx.CreateTicket(&t); err != nil {
		return err
	}
	if err := tx.AddTicketEntry(t.ID, store.TicketEntry{At: now, Kind: "report", Author: who.ID, Text: t.Title}); err != nil {
		return err
	}
	m.made.Tickets++
	number := t.Number
	switch {
	case m.chance(3):
		m.change(now.Add(m.spread(20*time.Minute, 1)), number, func(tx *store.Tx, t *store.Ticket) store.TicketState { return store.TicketVoid })
		return nil
	case m.chance(4) && len(m.known) > 0:
		master := m.known[len(m.known)-1]
		m.change(now.Add(m.spread(15*time.Minute, 1)), number, func(tx *store.Tx, t *store.Ticket) store.TicketState {
			t.Master = master
			return store.TicketMerged
		})
		return nil
	}
	if m.known = append(m.known, number); len(m.known) > 20 {
		m.known = m.known[1:]
	}
	m.work(now, number, x, respond, resolve)
	return nil
}

// work is a cycle of a ticket: claimed, perhaps on hold, resolved.
func (m *maker) work(now time.Time, number int64, x matter, respond, resolve time.Duration) {
	handler := pick(m, m.o.Handlers)
	opens := now
	if !m.cal.Working(now) {
		opens = m.cal.Opens(now)
	}
	first := opens.Add(m.spread(respond/6, 0.9))
	m.change(first, number, func(tx *store.Tx, t *store.Ticket) store.TicketState {
		t.Responded, t.Assignee = tx.Now(), handler
		return store.TicketInProgress
	})
	done := m.cal.Add(first, m.spread(resolve/4, 0.9))
	m.change(done, number, func(tx *store.Tx, t *store.Ticket) store.TicketState {
		t.Resolved, t.Handler, t.Reason, t.Method, t.Outcome = tx.Now(), handler, x.reason, x.method, "one_off"
		return store.TicketResolved
	})
	m.at(done.Add(time.Second), func(tx *store.Tx) error {
		t, err := tx.FindTicket(number)
		if err != nil {
			return err
		}
		return tx.AddTicketEntry(t.ID, store.TicketEntry{At: tx.Now(), Kind: "reply", Author: handler, Text: x.method})
	})
	if m.chance(4) {
		again := done.Add(m.spread(20*time.Hour, 0.7))
		m.change(again, number, func(tx *store.Tx, t *store.Ticket) store.TicketState {
			t.Cycle, t.Rating, t.Responded, t.RespondDue, t.ResolveDue = t.Cycle+1, 0, time.Time{}, m.cal.Add(tx.Now(), respond), m.cal.Add(tx.Now(), resolve)
			return store.TicketReopened
		})
		m.at(again.Add(time.Second), func(tx *store.Tx) error {
			m.work(tx.Now(), number, x, respond, resolve)
			return nil
		})
		return
	}
	if m.chance(38) {
		stars := []int{5, 5, 5, 5, 5, 4, 4, 4, 3, 2, 1}[m.rnd.IntN(11)]
		m.change(done.Add(m.spread(2*time.Hour, 1)), number, func(tx *store.Tx, t *store.Ticket) store.TicketState {
			t.Rating = stars
			return t.State
		})
	}
	m.change(m.cal.Add(done, 2*m.cal.Day()), number, func(tx *store.Tx, t *store.Ticket) store.TicketState {
		t.Closed = tx.Now()
		return store.TicketClosed
	})
}

// change changes a ticket at a time, if its state still allows it then.
func (m *maker) change(at time.Time, number int64, to func(tx *store.Tx, t *store.Ticket) store.TicketState) {
	m.at(at, func(tx *store.Tx) error {
		t, err := tx.FindTicket(number)
		if err != nil {
			return err
		}
		if t.State == store.TicketVoid || t.State == store.TicketMerged || t.State == store.TicketClosed {
			return nil
		}
		next := to(tx, &t)
		if next == store.TicketClosed && t.State != store.TicketResolved || next == store.TicketReopened && t.State != store.TicketResolved || t.Rating > 0 && t.State != store.TicketResolved {
			return nil
		}
		return tx.ChangeTicket(&t, next)
	})
}
