package handlers

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Period is a span of whole days, the days [From, To), and the span it is
// compared with. A period that is not over is compared with as many days.
type Period struct {
	Name                 string // today, week, month, quarter; "" for chosen days
	From, To             time.Time
	BeforeFrom, BeforeTo time.Time
}

// PeriodNames are the periods that have a name, as they are offered.
var PeriodNames = []string{"today", "week", "month", "quarter"}

// NewPeriod is a period with a name, up to and with today; weeks begin on Monday.
func NewPeriod(name string, now time.Time) (Period, bool) {
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	p := Period{Name: name, To: today.AddDate(0, 0, 1)}
	months := 1
	switch name {
	case "today":
		p.From = today
		p.BeforeFrom, p.BeforeTo = today.AddDate(0, 0, -1), today
		return p, true
	case "week":
		p.From = today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
		p.BeforeFrom, p.BeforeTo = p.From.AddDate(0, 0, -7), p.To.AddDate(0, 0, -7)
		return p, true
	case "month":
		p.From = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	case "quarter":
		p.From = time.Date(now.Year(), (now.Month()-1)/3*3+1, 1, 0, 0, 0, 0, now.Location())
		months = 3
	default:
		return Period{}, false
	}
	p.BeforeFrom = p.From.AddDate(0, -months, 0)
	p.BeforeTo = p.BeforeFrom.AddDate(0, 0, p.Days())
	if p.BeforeTo.After(p.From) {
		p.BeforeTo = p.From // the month before was shorter
	}
	return p, true
}

// LastPeriod is the whole week, month or quarter before the one of now.
func LastPeriod(name string, now time.Time) (Period, bool) {
	p, ok := NewPeriod(name, now)
	if !ok {
		return p, false
	}
	last, ok := NewPeriod(name, p.From.AddDate(0, 0, -1))
	if name == "month" || name == "quarter" {
		last.BeforeTo = last.From // a whole one is compared with a whole one
	}
	return last, ok
}

// mostDays bounds a chosen period.
const mostDays = 366

// DaysPeriod is the days from one to another, both with them, compared with as
// many days before; at most a year.
func DaysPeriod(from, last time.Time) Period {
	if last.Before(from) {
		from, last = last, from
	}
	if most := from.AddDate(0, 0, mostDays-1); last.After(most) {
		last = most
	}
	p := Period{From: from, To: last.AddDate(0, 0, 1), BeforeTo: from}
	p.BeforeFrom = from.AddDate(0, 0, -p.Days())
	return p
}

// Days is how many days there are. Noon to noon, so that a day of 23 hours is one.
func (p Period) Days() int {
	return int((p.To.Sub(p.From) + 12*time.Hour) / (24 * time.Hour))
}

// Last is the last day of the period.
func (p Period) Last() time.Time { return p.To.AddDate(0, 0, -1) }

// Title is what people call the period.
func (p Period) Title() string {
	switch p.Name {
	case "today":
		return p.From.Format("1月2日")
	case "week":
		_, week := p.From.ISOWeek()
		return fmt.Sprintf("第 %d 周", week)
	case "month":
		return p.From.Format("1月")
	case "quarter":
		return fmt.Sprintf("%d 季度", (int(p.From.Month())+2)/3)
	}
	return p.From.Format("1月2日") + "至" + p.Last().Format("1月2日")
}

// listQuery is the period in the words of a list's address.
func listQuery(p Period, more ...string) url.Values {
	q := url.Values{"state": {"counted"}, "from": {p.From.Format(time.DateOnly)}, "to": {p.Last().Format(time.DateOnly)}}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		q.Set(name, value)
	}
	return q
}
