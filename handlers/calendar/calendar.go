// Package calendar knows the trading days of the mainland exchanges and counts
// working time: the clocks of tickets, the runs of monitors and the trading
// days of made-up data all ask it.
package calendar

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:embed closed.txt
var embedded string

// Calendar is trading days and working hours in one time zone. It is not
// changed after New and may be used from many goroutines.
type Calendar struct {
	loc      *time.Location
	from, to time.Duration // of the day
	closed   map[string]bool
	years    map[int]bool
}

// New makes a calendar. from and to are the working hours as time since
// midnight, such as 9h and 17h30m. more is the text of a file that adds years
// or days in the form of closed.txt; "" for none.
func New(loc *time.Location, from, to time.Duration, more string) (*Calendar, error) {
	if from < 0 || to > 24*time.Hour || to <= from {
		return nil, fmt.Errorf("working hours from %s to %s", from, to)
	}
	c := &Calendar{loc: loc, from: from, to: to, closed: map[string]bool{}, years: map[int]bool{}}
	for _, text := range []string{embedded, more} {
		if err := c.read(text); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Default is Shanghai, 09:00 to 17:30.
func Default() *Calendar {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		loc = time.FixedZone("CST", 8*3600)
	}
	c, err := New(loc, 9*time.Hour, 17*time.Hour+30*time.Minute, "")
	if err != nil {
		panic(err) // the embedded list is tested
	}
	return c
}

func (c *Calendar) read(text string) error {
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == "years" {
			for _, f := range fields[1:] {
				y, err := time.Parse("2006", f)
				if err != nil {
					return fmt.Errorf("line %d: %q is no year", i+1, f)
				}
				c.years[y.Year()] = true
			}
			continue
		}
		for _, f := range fields {
			if _, err := time.Parse(time.DateOnly, f); err != nil {
				return fmt.Errorf("line %d: %q is no date like 2027-01-01", i+1, f)
			}
			c.closed[f] = true
		}
	}
	return nil
}

// Location is the time zone of days and hours.
func (c *Calendar) Location() *time.Location { return c.loc }

// Known tells whether the exchanges' notice for that year is in the calendar;
// in other years every weekday counts as a trading day.
func (c *Calendar) Known(year int) bool { return c.years[year] }

// Trading tells whether t falls on a trading day.
func (c *Calendar) Trading(t time.Time) bool {
	t = t.In(c.loc)
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		return false
	}
	return !c.closed[t.Format(time.DateOnly)]
}

// Next is midnight of the first trading day after t's day.
func (c *Calendar) Next(t time.Time) time.Time { return c.step(t, 1) }

// Prev is midnight of the last trading day before t's day.
func (c *Calendar) Prev(t time.Time) time.Time { return c.step(t, -1) }

// mostClosed is longer than any holiday.
const mostClosed = 60

func (c *Calendar) step(t time.Time, by int) time.Time {
	day := c.midnight(t)
	for range mostClosed {
		day = day.AddDate(0, 0, by)
		if c.Trading(day) {
			break
		}
	}
	return day
}

func (c *Calendar) midnight(t time.Time) time.Time {
	t = t.In(c.loc)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, c.loc)
}

// Working tells whether people work at t: working hours of a trading day.
func (c *Calendar) Working(t time.Time) bool {
	since := t.Sub(c.midnight(t))
	return c.Trading(t) && since >= c.from && since < c.to
}

// Opens is t, or the beginning of the next working hours when nobody works then.
func (c *Calendar) Opens(t time.Time) time.Time {
	if c.Working(t) {
		return t
	}
	day := c.midnight(t)
	if c.Trading(t) && t.Sub(day) < c.from {
		return day.Add(c.from)
	}
	return c.Next(t).Add(c.from)
}

// Add is the instant when d of working time has passed since t. It never goes
// back: d below zero counts as zero.
func (c *Calendar) Add(t time.Time, d time.Duration) time.Time {
	t = c.Opens(t)
	for d > 0 {
		left := c.midnight(t).Add(c.to).Sub(t)
		if d <= left {
			return t.Add(d)
		}
		d -= left
		t = c.Next(t).Add(c.from)
	}
	return t
}

// Between is the working time from a to b, negative when b is before a.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if b.Before(a) {
		return -c.Between(b, a)
	}
	var sum time.Duration
	for day := c.midnight(a); day.Before(b); day = day.AddDate(0, 0, 1) {
		if !c.Trading(day) {
			continue
		}
		from, to := day.Add(c.from), day.Add(c.to)
		if from.Before(a) {
			from = a
		}
		if to.After(b) {
			to = b
		}
		sum += max(0, to.Sub(from))
	}
	return sum
}

// Day is the length of a working day.
func (c *Calendar) Day() time.Duration { return c.to - c.from }

// Closed lists the known closed weekdays, sorted.
func (c *Calendar) Closed() []string {
	out := make([]string, 0, len(c.closed))
	for d := range c.closed {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}
