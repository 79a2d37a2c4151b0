package monitor

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/netresearch/go-cron"

	"frontline/handlers/calendar"
)

// Words for when an item may run at all.
const (
	Always       = "always"
	TradingDays  = "trading_days"
	TradingHours = "trading_hours"
)

// Schedule is when an item runs.
type Schedule struct {
	Text   string        // for people
	Every  time.Duration // 0 where it runs at times of the day or by cron
	At     []time.Duration
	Cron   cron.Schedule
	Only   string
	Jitter time.Duration // spreads the items of one minute
	Zone   *time.Location
}

// Sessions of the exchanges, as time of the day.
var sessions = [][2]time.Duration{{9*time.Hour + 30*time.Minute, 11*time.Hour + 30*time.Minute}, {13 * time.Hour, 15 * time.Hour}}

// Allowed tells whether an item may run at t.
func (s Schedule) Allowed(cal *calendar.Calendar, t time.Time) bool {
	switch s.Only {
	case TradingDays:
		return cal.Trading(t)
	case TradingHours:
		return cal.Trading(t) && sinceOpen(t.In(cal.Location())) >= 0
	}
	return true
}

// sinceOpen is the trading time of the day until t, and -1 outside of the
// sessions.
func sinceOpen(t time.Time) time.Duration {
	of := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
	var before time.Duration
	for _, s := range sessions {
		if of >= s[0] && of <= s[1] {
			return before + of - s[0]
		}
		before += s[1] - s[0]
	}
	return -1
}

// mostSkips bounds the search for the next allowed time: a fortnight's holiday
// of checks each minute is 20160.
const mostSkips = 40000

// Next is the first time after t at which the item runs, with its share of the
// jitter; zero when there is none.
func (s Schedule) Next(cal *calendar.Calendar, name string, t time.Time) time.Time {
	at := t.In(s.zone(cal))
	for range mostSkips {
		at = s.tick(at)
		if at.IsZero() {
			return at
		}
		if s.Allowed(cal, at) {
			return at.Add(spread(name, s.Jitter))
		}
		if s.Every > 0 && s.Only != Always && !cal.Trading(at) {
			at = cal.Next(at).Add(-time.Nanosecond) // the night before it opens
		}
	}
	return time.Time{}
}

func (s Schedule) zone(cal *calendar.Calendar) *time.Location {
	if s.Zone != nil {
		return s.Zone
	}
	return cal.Location()
}

// tick is the next time by the clock alone. Intervals lie on round times of the
// day, so that a restart does not shift them and days can be compared.
func (s Schedule) tick(t time.Time) time.Time {
	switch {
	case s.Cron != nil:
		return s.Cron.Next(t)
	case s.Every > 0:
		day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
		n := t.Sub(day)/s.Every + 1
		next := day.Add(n * s.Every)
		if tomorrow := day.AddDate(0, 0, 1); next.After(tomorrow) {
			return tomorrow
		}
		return next
	}
	for add := range 2 {
		for _, of := range s.At {
			day := t.AddDate(0, 0, add)
			at := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, int(of/time.Second), 0, t.Location())
			if at.After(t) {
				return at
			}
		}
	}
	return time.Time{}
}

// spread is an item's own share of the jitter, the same each time.
func spread(name string, jitter time.Duration) time.Duration {
	if jitter <= 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return time.Duration(h.Sum64() % uint64(jitter)).Truncate(time.Millisecond)
}

// gap is the shortest time between two runs in the days after t: a check must
// be over before the next one begins.
func (s Schedule) gap(t time.Time) time.Duration {
	if s.Every > 0 {
		return s.Every
	}
	least := 24 * time.Hour
	for range 300 {
		next := s.tick(t)
		if next.IsZero() {
			break
		}
		if after := s.tick(next); !after.IsZero() {
			least = min(least, after.Sub(next))
		}
		t = next
	}
	return least
}

// Gap is the usual time between two runs.
func (s Schedule) Gap(now time.Time) time.Duration { return s.gap(now) }

func dayTimes(texts []string) ([]time.Duration, error) {
	var out []time.Duration
	for _, text := range texts {
		t, err := time.Parse("15:04", text)
		if err != nil {
			return nil, fmt.Errorf("时刻写成 09:35 这样，不是「%s」", text)
		}
		out = append(out, time.Duration(t.Hour())*time.Hour+time.Duration(t.Minute())*time.Minute)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
