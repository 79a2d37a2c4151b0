package store

import (
	"context"
	"time"
)

// Figures over groups of alerts are read from the groups themselves: there are
// few of them beside tickets, and their intake should not wait for sums. A group
// counts on the day on which it began.

// AlertFigures are the sums over groups of alerts.
type AlertFigures struct {
	Groups    int64
	Alerts    int64 // outages of single alerts in them
	Claimed   int64 // by somebody who has it, or had it when it ended
	False     int64 // called a false alarm
	Ticketed  int64
	Untouched int64 // none of these three
	Over      int64 // nothing of it fires any more
	Handled   int64 // over, or called a false alarm
	Open      int64 // fires still
	EndTime   int64 // milliseconds from begin to end of those that are over, all together
}

func (f *AlertFigures) all() []*int64 {
	return []*int64{&f.Groups, &f.Alerts, &f.Claimed, &f.False, &f.Ticketed, &f.Untouched, &f.Over, &f.Handled, &f.Open, &f.EndTime}
}

// Add adds other sums to f.
func (f *AlertFigures) Add(other AlertFigures) { addSums(f.all(), other.all(), 1) }

// What groups of alerts count as, as lists and figures choose them.
const (
	alertClaimed   = "claimed_at > 0"
	alertFalse     = "outcome = 'false'"
	alertTicketed  = "ticket > 0"
	alertUntouched = "claimed_at = 0 AND ticket = 0 AND outcome <> 'false'"
	alertOver      = "(state <> 'open' OR firing <= 0)"
	alertHandled   = "(state <> 'open' OR firing <= 0 OR outcome = 'false')"
	alertFires     = "state = 'open' AND firing > 0"
)

// AlertKinds are the figures whose groups can be listed.
var AlertKinds = []string{"claimed", "false", "ticketed", "untouched", "over", "handled", "firing"}

var alertKind = map[string]string{"claimed": alertClaimed, "false": alertFalse, "ticketed": alertTicketed, "untouched": alertUntouched, "over": alertOver, "handled": alertHandled, "firing": alertFires}

func countIf(condition string) string { return "SUM(CASE WHEN " + condition + " THEN 1 ELSE 0 END)" }

// AlertRow is what the figures need to know of a group of alerts.
type AlertRow struct {
	Day           int64 // on which it began: 20261120
	Title, Source string
	ClaimedBy     string
	AlertFigures  // what it counts for
}

// EachAlert calls fn with every group that began in [from, to), in no order. It
// reads them once for all figures: that is what costs.
func (s *Store) EachAlert(ctx context.Context, from, to time.Time, fn func(AlertRow)) error {
	rows, err := s.read.WithContext(ctx).Raw("SELECT title, source, claimed_by, opened_at, closed_at, changed_at, claimed_at, ticket, outcome, state, firing, opened FROM alert_group WHERE id >= ? AND id < ?", idAt(from), idAt(to)).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	day := days{s: s}
	for rows.Next() {
		var r alertGroupRow
		if err := rows.Scan(&r.Title, &r.Source, &r.ClaimedBy, &r.OpenedAt, &r.ClosedAt, &r.ChangedAt, &r.ClaimedAt, &r.Ticket, &r.Outcome, &r.State, &r.Firing, &r.Opened); err != nil {
			return err
		}
		fn(AlertRow{day.of(r.OpenedAt), r.Title, r.Source, r.ClaimedBy, r.figures()})
	}
	return rows.Err()
}

// figures is what one group counts for.
func (r *alertGroupRow) figures() (f AlertFigures) {
	one := func(when bool) int64 {
		if when {
			return 1
		}
		return 0
	}
	over, wrong := r.State != GroupOpen || r.Firing <= 0, r.Outcome == "false"
	f = AlertFigures{Groups: 1, Alerts: int64(r.Opened), Claimed: one(r.ClaimedAt > 0), False: one(wrong), Ticketed: one(r.Ticket > 0), Untouched: one(r.ClaimedAt == 0 && r.Ticket == 0 && !wrong), Over: one(over), Handled: one(over || wrong), Open: one(!over)}
	if over {
		end := r.ClosedAt
		if end == 0 {
			end = r.ChangedAt
		}
		f.EndTime = max(0, end-r.OpenedAt)
	}
	return f
}

// days turns instants into days, quickly when they come day after day.
type days struct {
	s        *Store
	from, to int64
	key      int64
}

func (d *days) of(ms int64) int64 {
	if ms < d.from || ms >= d.to {
		at := d.s.midnight(fromMillis(ms))
		d.from, d.to, d.key = millis(at), millis(at.AddDate(0, 0, 1)), dayKey(at)
	}
	return d.key
}

// DayKey is a day as AlertRow and MonitorDays name it: 20261120.
func (s *Store) DayKey(t time.Time) int64 { return dayKey(t.In(s.counting.zone)) }

// AlertedTicket is a ticket that alerts hang on, and the earliest of them.
type AlertedTicket struct {
	Created, Alerted time.Time
}

// PersonFirst tells that somebody reported it before a monitor saw it.
func (t AlertedTicket) PersonFirst() bool { return t.Created.Before(t.Alerted) }

// AlertedTickets are the tickets made in [from, to) that alerts hang on, without
// withdrawn ones.
func (s *Store) AlertedTickets(ctx context.Context, from, to time.Time) ([]AlertedTicket, error) {
	var rows []struct{ CreatedAt, AlertedAt int64 }
	// A link is not older than its ticket, so the links of that time are enough.
	err := s.read.WithContext(ctx).Raw(`SELECT t.created_at AS created_at, x.alerted_at AS alerted_at FROM (SELECT l.ticket AS ticket, MIN(g.opened_at) AS alerted_at FROM ticket_link l JOIN alert_group g ON g.number = l.number
		WHERE l.kind = ? AND l.created_at >= ? GROUP BY l.ticket) x JOIN ticket t ON t.number = x.ticket WHERE t.id >= ? AND t.id < ? AND t.state <> ?`,
		NumberAlert, millis(from), idAt(from), idAt(to), TicketVoid).Scan(&rows).Error
	out := make([]AlertedTicket, len(rows))
	for i, r := range rows {
		out[i] = AlertedTicket{fromMillis(r.CreatedAt), fromMillis(r.AlertedAt)}
	}
	return out, err
}

// Which tickets with alerts a list has.
const (
	AlertAny    = "any"
	AlertBefore = "before" // the alert was first
	AlertAfter  = "after"  // a person was first
)

// alerted narrows a query down to tickets with alerts.
func alerted(which string, since time.Time) (sql string, args []any) {
	having := map[string]string{AlertAny: "1=1", AlertBefore: "MIN(g.opened_at) <= MIN(t.created_at)", AlertAfter: "MIN(g.opened_at) > MIN(t.created_at)"}[which]
	return "number IN (SELECT l.ticket FROM ticket_link l JOIN alert_group g ON g.number = l.number JOIN ticket t ON t.number = l.ticket WHERE l.kind = ? AND l.created_at >= ? GROUP BY l.ticket HAVING " + having + ")",
		[]any{NumberAlert, max(0, millis(since))}
}
