package store

import (
	"context"
	"fmt"
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

var alertSums = "COUNT(*), SUM(opened), " + countIf(alertClaimed) + ", " + countIf(alertFalse) + ", " + countIf(alertTicketed) + ", " + countIf(alertUntouched) + ", " + countIf(alertOver) + ", " + countIf(alertHandled) + ", " + countIf(alertFires) +
	", SUM(CASE WHEN " + alertOver + " THEN CASE WHEN closed_at > opened_at THEN closed_at - opened_at WHEN closed_at = 0 AND changed_at > opened_at THEN changed_at - opened_at ELSE 0 END ELSE 0 END)"

// slot is what instants are counted by before they are put into days: every
// zone's midnight is a border of one.
const slot = 15 * 60 * 1000

// AlertDays are the sums of each day of [from, to), the days in order, those
// without any left out; only of one source, where it is named.
func (s *Store) AlertDays(ctx context.Context, source string, from, to time.Time) (map[int64]AlertFigures, error) {
	sql, args := fmt.Sprintf("SELECT opened_at - opened_at %% %d AS slot, %s FROM alert_group WHERE id >= ? AND id < ?", slot, alertSums), []any{idAt(from), idAt(to)}
	if source != "" {
		sql, args = sql+" AND source = ?", append(args, source)
	}
	rows, err := s.read.WithContext(ctx).Raw(sql+" GROUP BY slot", args...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[int64]AlertFigures{}
	for rows.Next() {
		var at int64
		var f AlertFigures
		to := []any{&at}
		for _, p := range f.all() {
			to = append(to, p)
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		day := dayKey(s.counting.day(at))
		sum := out[day]
		sum.Add(f)
		out[day] = sum
	}
	return out, rows.Err()
}

// DayKey is a day as AlertDays and MonitorDays name it: 20261120.
func (s *Store) DayKey(t time.Time) int64 { return dayKey(t.In(s.counting.zone)) }

// AlertSums are the sums of the days [from, to) together.
func (s *Store) AlertSums(ctx context.Context, from, to time.Time) (f AlertFigures, err error) {
	days, err := s.AlertDays(ctx, "", from, to)
	for _, d := range days {
		f.Add(d)
	}
	return f, err
}

// AlertRule are the groups of one rule of a sender.
type AlertRule struct {
	Title, Source string
	AlertFigures
}

// AlertRules are the rules that rang most in [from, to), at most n.
func (s *Store) AlertRules(ctx context.Context, from, to time.Time, n int) (out []AlertRule, err error) {
	rows, err := s.read.WithContext(ctx).Raw("SELECT title, source, "+alertSums+" FROM alert_group WHERE id >= ? AND id < ? GROUP BY title, source ORDER BY COUNT(*) DESC, title, source LIMIT ?", idAt(from), idAt(to), n).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r AlertRule
		to := []any{&r.Title, &r.Source}
		for _, p := range r.all() {
			to = append(to, p)
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// ClaimsBy counts the groups of [from, to) by who has claimed them.
func (s *Store) ClaimsBy(ctx context.Context, from, to time.Time) (map[string]int64, error) {
	var rows []struct {
		ClaimedBy string
		N         int64
	}
	err := s.read.WithContext(ctx).Raw("SELECT claimed_by, COUNT(*) AS n FROM alert_group WHERE id >= ? AND id < ? AND claimed_by <> '' GROUP BY claimed_by", idAt(from), idAt(to)).Scan(&rows).Error
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.ClaimedBy] = r.N
	}
	return out, err
}

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
