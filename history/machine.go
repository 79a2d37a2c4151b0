package history

import (
	"fmt"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// What machines report and what is made for tests: groups of alerts with who
// took them, tickets that hang on them, and runs of recipes. They draw from a
// stream of their own, so that tickets and questions are the same with and
// without them.

// rule is something that rings.
type rule struct {
	title, source, severity string
	weight                  int
	ignored                 float64 // percent that nobody does anything about
	ticketed                float64 // percent that a ticket is made of
}

var rules = []rule{
	{"三方存管签约失败率", "monitor", "major", 8, 5, 25},
	{"委托响应时间 P99", "prometheus", "major", 10, 10, 15},
	{"行情延迟", "prometheus", "warning", 12, 20, 10},
	{"磁盘使用率", "zabbix", "warning", 14, 85, 1},
	{"银证转账超时", "monitor", "critical", 4, 0, 45},
	{"开户视频排队人数", "monitor", "warning", 6, 15, 10},
	{"日终清算任务超时", "zabbix", "critical", 2, 0, 40},
	{"接口错误率", "prometheus", "warning", 9, 30, 8},
}

// machines draws what rings on a day, and what is made.
func (m *maker) machines(day time.Time, load float64) {
	for range m.poissonOf(m.aside, load*6) {
		m.at(m.withinOf(m.aside, day), m.ring)
	}
	if len(m.o.Recipes) == 0 || load < 0.5 {
		return
	}
	for range m.poissonOf(m.aside, 3) {
		m.at(m.withinOf(m.aside, day), m.makeData)
	}
}

// ring opens a group of alerts, and puts into the queue what becomes of it. Of
// the tickets that hang on alerts, people reported three in ten first when the
// history begins, and hardly any at its end.
func (m *maker) ring(tx *store.Tx) error {
	all := 0
	for _, r := range rules {
		all += r.weight
	}
	n, x := m.aside.IntN(all), rules[0]
	for _, r := range rules {
		if n -= r.weight; n < 0 {
			x = r
			break
		}
	}
	now := tx.Now()
	opens := 1 + m.aside.IntN(4)
	g := store.AlertGroup{Route: "default", Key: fmt.Sprintf("past%d", m.serial), Title: x.title, Source: x.source, Labels: map[string]string{"name": x.title}, Severity: x.severity, State: store.GroupOpen, Firing: opens, Opens: opens, Opened: now, Changed: now, Told: now}
	if err := tx.AddAlertGroup(&g); err != nil {
		return err
	}
	m.made.Alerts++
	if err := tx.AddAlertEvents(store.AlertEvent{Group: g.ID, Kind: "opened", Text: x.title}); err != nil {
		return err
	}
	ended := now.Add(m.spreadOf(m.aside, 18*time.Minute, 0.8))
	if m.chanceOf(m.aside, x.ignored) {
		m.end(ended, g.Number)
		return nil
	}
	handler := m.o.Handlers[m.aside.IntN(len(m.o.Handlers))]
	claimed := now.Add(m.spreadOf(m.aside, 3*time.Minute, 0.7))
	var ticket int64
	if m.chanceOf(m.aside, x.ticketed) {
		gone := float64(now.Sub(m.o.From)) / float64(max(m.o.To.Sub(m.o.From), time.Hour))
		if m.chanceOf(m.aside, 30*(1-gone)) && len(m.known) > 0 {
			ticket = m.known[len(m.known)-1] // the last thing that people reported
		}
		m.ticketOf(claimed.Add(time.Minute), g.Number, ticket, handler, x)
	}
	m.at(claimed, func(tx *store.Tx) error {
		return m.onGroup(tx, g.Number, func(g *store.AlertGroup) { g.ClaimedBy, g.Claimed = handler, tx.Now() }, store.AlertEvent{Kind: "claimed", Actor: handler})
	})
	if end := claimed.Add(5 * time.Minute); ended.Before(end) {
		ended = end
	}
	m.end(ended, g.Number)
	return nil
}

func (m *maker) onGroup(tx *store.Tx, number int64, change func(g *store.AlertGroup), e store.AlertEvent) error {
	g, err := tx.FindAlertGroup(number)
	if err != nil {
		return err
	}
	change(&g)
	if err := tx.ChangeAlertGroup(&g); err != nil {
		return err
	}
	e.Group = g.ID
	return tx.AddAlertEvents(e)
}

// end is the end of a group, one in thirty of which was a false alarm.
func (m *maker) end(at time.Time, number int64) {
	wrong := m.chanceOf(m.aside, 3)
	m.at(at, func(tx *store.Tx) error {
		return m.onGroup(tx, number, func(g *store.AlertGroup) {
			g.State, g.Firing, g.Resolves, g.Changed, g.Closed = store.GroupClosed, 0, g.Opens, tx.Now(), tx.Now()
			if wrong && g.ClaimedBy != "" {
				g.Outcome = "false"
			}
		}, store.AlertEvent{Kind: "closed"})
	})
}

// ticketOf hangs an alert on a ticket: on one that is there, or on a new one.
func (m *maker) ticketOf(at time.Time, number, ticket int64, handler string, x rule) {
	m.at(at, func(tx *store.Tx) error {
		if ticket == 0 {
			t := store.Ticket{Title: x.title, Priority: "P2", Class: "program", Subclass: "交易", Group: m.o.Groups[1], Reporter: handler, Assignee: handler, System: "柜台", RespondDue: m.cal.Add(tx.Now(), 10*time.Minute), ResolveDue: m.cal.Add(tx.Now(), 2*time.Hour)}
			if err := tx.CreateTicket(&t); err != nil {
				return err
			}
			if err := tx.AddTicketEntry(t.ID, store.TicketEntry{At: tx.Now(), Kind: "report", Author: handler, Text: fmt.Sprintf("来自告警 A%d：%s", number, x.title)}); err != nil {
				return err
			}
			m.made.Tickets++
			m.change(tx.Now().Add(m.spreadOf(m.aside, 40*time.Minute, 0.6)), t.Number, func(tx *store.Tx, t *store.Ticket) store.TicketState {
				t.Responded, t.Resolved, t.Method = tx.Now(), tx.Now(), "已恢复"
				return store.TicketResolved
			})
			ticket = t.Number
		}
		if err := tx.LinkTicket(store.Link{Ticket: ticket, Kind: store.NumberAlert, Number: number}); err != nil {
			return err
		}
		return m.onGroup(tx, number, func(g *store.AlertGroup) { g.Ticket = ticket }, store.AlertEvent{Kind: "ticket", Actor: handler, Text: fmt.Sprintf("T%d", ticket)})
	})
}

// makeData is a run of a recipe that was taken back long ago.
func (m *maker) makeData(tx *store.Tx) error {
	who := m.o.Handlers[m.aside.IntN(len(m.o.Handlers))]
	if m.chanceOf(m.aside, 60) {
		who = m.people[m.aside.IntN(len(m.people))].ID
	}
	recipe := m.o.Recipes[m.aside.IntN(len(m.o.Recipes))]
	wanted := 1 + m.aside.IntN(4)*m.aside.IntN(3)
	r := store.Run{Recipe: recipe.Name, Version: 1, Title: recipe.Title, Env: "uat", State: store.RunQueued, Requester: who, Place: chat.Address{Kind: chat.Person, ID: who, Via: chat.App}, Source: fmt.Sprintf("past/%d", m.serial), Seed: m.aside.Uint64N(1 << 53), Wanted: wanted}
	m.serial++
	if _, err := tx.CreateRun(&r); err != nil {
		return err
	}
	m.made.Runs++
	r.State, r.Good = store.RunUndone, wanted
	if m.chanceOf(m.aside, 4) {
		r.Good, r.Bad = wanted-1, 1
	}
	return tx.EndRun(r)
}
