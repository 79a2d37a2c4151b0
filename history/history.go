// Package history makes up a past for a demonstration: tickets and questions of
// many branches over months, alerts and runs of data construction, the same for the same seed and day. Everything goes
// the way of a real desk through the store, under a clock that is turned back,
// so that all figures come from the same sums as real ones.
package history

import (
	"container/heap"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"frontline/handlers/calendar"
	"frontline/store"
)

// Clock is what the store takes the time from while history is made.
type Clock struct{ at atomic.Int64 }

// Now is where the clock stands.
func (c *Clock) Now() time.Time { return time.UnixMilli(c.at.Load()).In(zone) }

// Set turns the clock; the store wants it to go forward.
func (c *Clock) Set(t time.Time) { c.at.Store(t.UnixMilli()) }

var zone = calendar.Default().Location()

// Options say how much there is to make.
type Options struct {
	From, To time.Time // the first and the last instant
	Seed     uint64
	Daily    int      // tickets of a usual trading day; 0: 40
	Entries  []Entry  // the knowledge that answers, what is asked most first
	Handlers []string // who works on tickets
	Groups   [2]string
	Recipes  []Recipe // of which test data was made; none: nothing was
	Progress func(day time.Time, tickets, questions int)
}

// Entry is a piece of knowledge: its number and what it answers.
type Entry struct {
	Number   int64
	Question string
}

// Recipe is a recipe of data construction.
type Recipe struct{ Name, Title string }

// Made is how much was made.
type Made struct{ Tickets, Questions, Alerts, Runs, Events int }

// maker makes history, event after event in the order of time.
type maker struct {
	o      Options
	s      *store.Store
	clock  *Clock
	rnd    *rand.Rand
	aside  *rand.Rand // of what machines do
	queue  events
	serial int
	made   Made
	people []Person
	cal    *calendar.Calendar
	known  []int64 // numbers of the last tickets, for merging
}

// event is something that happens at a time.
type event struct {
	at   time.Time
	turn int // keeps events of one instant in their order
	do   func(tx *store.Tx) error
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, k int) bool {
	if e[i].at.Equal(e[k].at) {
		return e[i].turn < e[k].turn
	}
	return e[i].at.Before(e[k].at)
}
func (e events) Swap(i, k int) { e[i], e[k] = e[k], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// Make makes the history. The store must take its time from the clock, and must
// have nothing yet that is newer than Options.From.
func Make(ctx context.Context, s *store.Store, clock *Clock, o Options) (Made, error) {
	if o.Daily == 0 {
		o.Daily = 40
	}
	m := &maker{o: o, s: s, clock: clock, rnd: rand.New(rand.NewPCG(o.Seed, 20170605)), aside: rand.New(rand.NewPCG(o.Seed, 20171120)), cal: calendar.Default()}
	clock.Set(o.From)
	m.people = People()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		for _, p := range m.people {
			if err := tx.MeetMember(p.ID, p.Name, p.Branch); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return m.made, err
	}
	for day := midnight(o.From); day.Before(o.To); day = day.AddDate(0, 0, 1) {
		m.plan(day)
		if err := m.until(ctx, earlier(day.AddDate(0, 0, 1), o.To)); err != nil {
			return m.made, fmt.Errorf("history of %s: %w", day.Format(time.DateOnly), err)
		}
		if o.Progress != nil {
			o.Progress(day, m.made.Tickets, m.made.Questions)
		}
	}
	clock.Set(o.To)
	return m.made, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func midnight(t time.Time) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// at puts an event into the queue; one before the clock happens at once.
func (m *maker) at(t time.Time, do func(tx *store.Tx) error) {
	if now := m.clock.Now(); t.Before(now) {
		t = now
	}
	m.serial++
	heap.Push(&m.queue, event{t, m.serial, do})
}

// batch is how many events one transaction has: a past is not told to anybody
// who would have to wait for each.
const batch = 500

// until lets everything happen before an instant.
func (m *maker) until(ctx context.Context, end time.Time) error {
	for len(m.queue) > 0 && m.queue[0].at.Before(end) {
		err := m.s.InTx(ctx, func(tx *store.Tx) error {
			for range batch {
				if len(m.queue) == 0 || !m.queue[0].at.Before(end) {
					return nil
				}
				e := heap.Pop(&m.queue).(event)
				m.clock.Set(e.at)
				tx.At(e.at)
				if err := e.do(tx); err != nil {
					return err
				}
				m.made.Events++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// hourly is how much of a day comes in each hour: the opening of the exchange,
// the close, little at noon.
var hourly = [24]float64{8: 3, 9: 16, 10: 20, 11: 12, 12: 5, 13: 14, 14: 16, 15: 12, 16: 8, 17: 4, 18: 2, 19: 2, 20: 2, 21: 1}

// plan draws what people will report and ask on a day.
func (m *maker) plan(day time.Time) {
	if day.AddDate(0, 0, 1).Before(m.o.From) {
		return
	}
	load := 0.06 // a weekend
	if m.cal.Trading(day) {
		load = 1 + 0.25*math.Sin(float64(day.YearDay())/365*4*math.Pi)
		if day.Weekday() == time.Monday {
			load *= 1.15
		}
	}
	release := m.release(day)
	for range m.poisson(load * float64(m.o.Daily) * release) {
		at := m.within(day)
		m.at(at, func(tx *store.Tx) error { return m.report(tx, release > 1) })
	}
	for range m.poisson(load * float64(m.o.Daily) * 4) {
		m.at(m.within(day), m.ask)
	}
	m.machines(day, load)
}

// release is above 1 on the days after a new version of the app: every eighth
// week a new one comes out on a Wednesday.
func (m *maker) release(day time.Time) float64 {
	_, week := day.ISOWeek()
	if week%8 == 3 && day.Weekday() >= time.Wednesday && day.Weekday() <= time.Friday {
		return 1.7 - 0.2*float64(day.Weekday()-time.Wednesday)
	}
	return 1
}

// version is the app's version of a day, the newer for most people.
func (m *maker) version(day time.Time) string {
	weeks := int(day.Sub(time.Date(2025, 1, 1, 0, 0, 0, 0, zone)).Hours() / 24 / 56)
	if m.rnd.IntN(5) == 0 {
		weeks--
	}
	weeks = max(weeks, 0)
	return fmt.Sprintf("%d.%d.%d", 8+weeks/12, weeks/4%3, weeks%4)
}

// within is an instant of a day, by how the day goes.
func (m *maker) within(day time.Time) time.Time { return m.withinOf(m.rnd, day) }

func (*maker) withinOf(rnd *rand.Rand, day time.Time) time.Time {
	all := 0.0
	for _, h := range hourly {
		all += h
	}
	x := rnd.Float64() * all
	hour := 0
	for h, n := range hourly {
		if x -= n; x < 0 {
			hour = h
			break
		}
	}
	return time.Date(day.Year(), day.Month(), day.Day(), hour, 0, 0, 0, zone).Add(time.Duration(rnd.Int64N(int64(time.Hour))))
}

// poisson draws a number around a mean.
func (m *maker) poisson(mean float64) int { return m.poissonOf(m.rnd, mean) }

func (*maker) poissonOf(rnd *rand.Rand, mean float64) int {
	if mean > 60 { // close enough, and without a product that becomes nothing
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rnd.NormFloat64())))
	}
	limit, product, n := math.Exp(-mean), 1.0, 0
	for {
		if product *= rnd.Float64(); product < limit {
			return n
		}
		n++
	}
}

// spread is a time around a median: half are shorter, and a few are much longer.
func (m *maker) spread(median time.Duration, width float64) time.Duration {
	return m.spreadOf(m.rnd, median, width)
}

func (*maker) spreadOf(rnd *rand.Rand, median time.Duration, width float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(width*rnd.NormFloat64()))
}

func pick[T any](m *maker, of []T) T { return of[m.rnd.IntN(len(of))] }

func (m *maker) chance(percent float64) bool { return m.chanceOf(m.rnd, percent) }

func (*maker) chanceOf(rnd *rand.Rand, percent float64) bool { return rnd.Float64()*100 < percent }
