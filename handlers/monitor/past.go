package monitor

import (
	"context"
	"encoding/json"
	"time"

	"frontline/handlers/calendar"
	"frontline/store"
)

// past reads earlier checks of an item from the store, only those that a rule
// asks for, and each once. An error counts as missing, and is kept.
type past struct {
	ctx   context.Context
	store *store.Store
	cal   *calendar.Calendar
	item  *Item
	at    time.Time
	near  time.Duration // half of the time between two checks
	found map[string]*Table
	err   error
}

// past are the earlier checks of an item, seen from an instant.
func (r *Runner) past(ctx context.Context, i *Item, at time.Time) *past {
	return &past{ctx: ctx, store: r.Store, cal: r.Checker.Calendar, item: i, at: at, near: i.When.gap(at) / 2, found: map[string]*Table{}}
}

// read finds the newest good result of a query, as a table.
func (p *past) read(name string, q store.MonitorQuery, nearest time.Time) *Table {
	if t, ok := p.found[name]; ok {
		return t
	}
	q.Item, q.State = p.item.Name, StateOK
	list, err := p.store.MonitorResults(p.ctx, q)
	if err != nil {
		p.err = err
	}
	var best *store.MonitorResult
	for i, r := range list {
		if best == nil || !nearest.IsZero() && r.At.Sub(nearest).Abs() < best.At.Sub(nearest).Abs() {
			best = &list[i]
		}
	}
	var t *Table
	if best != nil {
		t = &Table{}
		if json.Unmarshal(best.Table, t) != nil {
			t = nil
		}
	}
	p.found[name] = t
	return t
}

func (p *past) Prev() (Table, bool) {
	t := p.read("prev", store.MonitorQuery{To: p.at, N: 1}, time.Time{})
	if t == nil {
		return Table{}, false
	}
	return *t, true
}

// longestGap is how many weeks back the same weekday is looked for when it was
// a holiday.
const longestGap = 4

func (p *past) Base(key, which string) (float64, bool) {
	day := p.at.In(p.cal.Location())
	var t *Table
	switch which {
	case "prev":
		t = p.read("prev", store.MonitorQuery{To: p.at, N: 1}, time.Time{})
	case "yesterday":
		from := p.cal.Prev(day)
		t = p.read("yesterday", store.MonitorQuery{From: from, To: from.AddDate(0, 0, 1), N: 1}, time.Time{})
	case "same_time_yesterday":
		t = p.sameTime(p.cal.Prev(day), false)
	case "same_time_last_week":
		for week := 1; week <= longestGap; week++ {
			if d := day.AddDate(0, 0, -7*week); p.cal.Trading(d) {
				t = p.sameTime(d, false)
				break
			}
		}
	case "median20":
		points := p.Points(key, 20)
		if len(points) < p.item.Baseline.Min {
			return 0, false
		}
		return median(points), true
	}
	if t == nil {
		return 0, false
	}
	c, ok := t.Cell(key)
	return c.N, ok
}

// sameTime is the check of a day nearest to this one's time of the day.
func (p *past) sameTime(day time.Time, calm bool) *Table {
	now := p.at.In(p.cal.Location())
	at := time.Date(day.Year(), day.Month(), day.Day(), now.Hour(), now.Minute(), now.Second(), 0, now.Location())
	name := at.Format(time.DateOnly)
	if calm {
		name += " calm"
	}
	return p.read(name, store.MonitorQuery{From: at.Add(-p.near), To: at.Add(p.near + time.Millisecond), NotAlarming: calm, N: 10}, at)
}

func (p *past) Points(key string, n int) []float64 {
	day := p.at.In(p.cal.Location())
	var out []float64
	for range n {
		day = p.cal.Prev(day)
		if t := p.sameTime(day, true); t != nil {
			if c, ok := t.Cell(key); ok {
				out = append([]float64{c.N}, out...)
			}
		}
	}
	return out
}
