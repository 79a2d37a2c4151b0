package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"time"

	"frontline/store"
)

// Effect is what a monitor saw on one day and what became of it: a line of the
// daily table. With a detail the objects are counted. Without one counts say how
// many, not which ones, so what was handled is what went away from the day's
// highest count.
type Effect struct {
	Name, Title, System string
	Key                 string  // the status that counts as abnormal: the first that a rule looks at
	Checks, Failed      int     // how often it was looked, and how often in vain
	Abnormal            float64 // the highest count of the day
	Left                float64 // the last count
	Total               float64 // of the last check
	ByObject            bool    // Abnormal and gone are objects
	Stay                time.Duration
	gone                float64
}

// Handled are those that left the abnormal status by the end of the day.
func (e Effect) Handled() float64 {
	if e.ByObject {
		return e.gone
	}
	return max(0, e.Abnormal-e.Left)
}

// AbnormalShare, HandledShare and Rate are percent as people read them; "–" of
// nothing.
func (e Effect) AbnormalShare() string { return Share(e.Abnormal, e.Total) }

// HandledShare is what was handled of everything.
func (e Effect) HandledShare() string { return Share(e.Handled(), e.Total) }

// Rate is what was handled of what was abnormal.
func (e Effect) Rate() string { return Share(e.Handled(), e.Abnormal) }

// Share is n of total in percent, rounded half up to two places.
func Share(n, total float64) string {
	a, b := new(big.Rat), new(big.Rat)
	if a.SetFloat64(n) == nil || b.SetFloat64(total) == nil || b.Sign() <= 0 {
		return "–"
	}
	return a.Mul(a, big.NewRat(100, 1)).Quo(a, b).FloatString(2) + "%"
}

// Effects are the lines of the time from, included, until to, not. Only items
// with a table of statuses have one.
func (r *Runner) Effects(ctx context.Context, from, to time.Time) ([]Effect, error) {
	items, _ := r.Items()
	var out []Effect
	for _, i := range items {
		if i.Breakdown == nil {
			continue
		}
		list, err := r.Store.MonitorResults(ctx, store.MonitorQuery{Item: i.Name, From: from, To: to})
		if err != nil {
			return nil, err
		}
		e, ok := i.effect(list)
		if !ok {
			continue
		}
		if i.Detail != nil {
			o, err := r.Store.MonitorObjectsOn(ctx, i.Name, from.In(r.Checker.Calendar.Location()))
			if err != nil {
				return nil, err
			}
			e.of(o)
		}
		out = append(out, e)
	}
	return out, nil
}

// of makes the line one of objects, where there were any or nothing was counted.
func (e *Effect) of(o store.MonitorObjects) {
	if o.Seen > 0 || e.Abnormal == 0 {
		e.ByObject, e.Abnormal, e.gone, e.Stay = true, float64(o.Seen), float64(o.Left), o.Stay
	}
}

// countDay adds a check to its day. Where the day has no row yet, or its abnormal
// status is another one now, the day is read again from its results.
func (r *Runner) countDay(tx *store.Tx, i *Item, result store.MonitorResult) error {
	if i.Breakdown == nil {
		return nil
	}
	d, err := tx.FindMonitorDay(i.Name, result.At)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	known := err == nil && d.Status != ""
	var t Table
	var c Cell
	seen := result.State == StateOK && json.Unmarshal(result.Table, &t) == nil
	if seen {
		c, seen = i.Watched(t)
	}
	switch {
	case known && seen && c.Key == d.Status:
		d.Checks, d.Highest, d.Left, d.Total = d.Checks+1, max(d.Highest, c.N), c.N, t.Total
	case known && result.State != StateOK:
		d.Checks, d.Failed = d.Checks+1, d.Failed+1
	default:
		list, err := tx.MonitorResultsOfDay(i.Name, result.At)
		if err != nil {
			return err
		}
		e, _ := i.effect(list)
		d = store.MonitorDay{Item: i.Name, Status: e.Key, Checks: int64(e.Checks), Failed: int64(e.Failed), Highest: e.Abnormal, Left: e.Left, Total: e.Total}
	}
	e := Effect{Abnormal: d.Highest, Left: d.Left}
	if i.Detail != nil {
		o, err := tx.MonitorObjectsOn(i.Name, result.At.In(r.Checker.Calendar.Location()))
		if err != nil {
			return err
		}
		e.of(o)
	}
	d.Abnormal, d.Handled = e.Abnormal, e.Handled()
	return tx.PutMonitorDay(result.At, d)
}

// effect reads a day's results, the newest first; false when there are none.
func (i *Item) effect(list []store.MonitorResult) (Effect, bool) {
	e := Effect{Name: i.Name, Title: i.Title, System: i.System, Checks: len(list)}
	for _, r := range list {
		if r.State != StateOK {
			e.Failed++
			continue
		}
		var t Table
		if json.Unmarshal(r.Table, &t) != nil {
			continue
		}
		if e.Key == "" {
			c, ok := i.Watched(t)
			if !ok {
				continue
			}
			e.Key, e.Left, e.Total = c.Key, c.N, t.Total
		}
		if c, ok := t.Cell(e.Key); ok {
			e.Abnormal = max(e.Abnormal, c.N)
		}
	}
	return e, len(list) > 0
}
