package alert

import (
	"fmt"
	"time"

	"github.com/netresearch/go-cron"
)

// Maintenance is a window that comes again: alerts in it are stored and not
// told.
type Maintenance struct {
	Name   string
	starts cron.Schedule
	length time.Duration
	match  []Matcher
}

// longestWindow bounds a maintenance window.
const longestWindow = 72 * time.Hour

// NewMaintenance reads a window: when it begins (cron with five fields, or one
// instant as 2006-01-02 15:04), how long it lasts, and what it applies to.
func NewMaintenance(name, when string, length time.Duration, match []string, zone *time.Location) (Maintenance, error) {
	m := Maintenance{Name: name, length: length}
	if length <= 0 || length > longestWindow {
		return m, fmt.Errorf("for: must be more than nothing and at most %s", longestWindow)
	}
	var err error
	if t, e := time.ParseInLocation("2006-01-02 15:04", when, zone); e == nil {
		m.starts = once(t)
	} else if m.starts, err = cron.ParseStandard(when); err != nil {
		return m, fmt.Errorf("cron: %w", err)
	}
	m.match, err = ParseMatchers(match)
	return m, err
}

// once is a schedule of one instant.
type once time.Time

func (o once) Next(t time.Time) time.Time {
	if t.Before(time.Time(o)) {
		return time.Time(o)
	}
	return time.Time{}
}

// until returns when the window that now lies in ends.
func (m Maintenance) until(now time.Time) (time.Time, bool) {
	start := m.starts.Next(now.Add(-m.length))
	for !start.IsZero() && !start.After(now) {
		next := m.starts.Next(start)
		if next.IsZero() || next.After(now) {
			return start.Add(m.length), start.Add(m.length).After(now)
		}
		start = next
	}
	return time.Time{}, false
}

// window is the maintenance that an alert is in, and its end.
func (r *Rules) window(l Labels, now time.Time) (name string, until time.Time, in bool) {
	for _, m := range r.Maintenance {
		if until, in := m.until(now.In(r.Zone)); in && matchAll(m.match, l) {
			return m.Name, until, true
		}
	}
	return "", time.Time{}, false
}
