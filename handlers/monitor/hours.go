package monitor

import (
	"context"
	"encoding/json"
	"time"

	"frontline/store"
)

// Results are kept for a quarter of a year, their hours for two: the most and
// the mean of each status.

// HourCell is one status in an hour.
type HourCell struct {
	Most float64 `json:"most"`
	Sum  float64 `json:"sum"`
	N    int     `json:"n"` // checks that had it
}

// Mean is the mean count.
func (c HourCell) Mean() float64 {
	if c.N == 0 {
		return 0
	}
	return c.Sum / float64(c.N)
}

// hoursAtOnce bounds one run of the job; after an update it has months to read.
const hoursAtOnce = 500

// KeepHours sums up the hours that are over since the last run.
func (r *Runner) KeepHours(ctx context.Context) error {
	last, err := r.Store.LastMonitorHour(ctx)
	if err != nil {
		return err
	}
	from := last
	if !from.IsZero() {
		from = from.Add(time.Hour)
	}
	// A check that was begun in an hour may be kept a little after it.
	end := r.Store.Now().Add(-longestCheck).Truncate(time.Hour)
	for range hoursAtOnce {
		at, err := r.Store.NextMonitorResult(ctx, from)
		if err != nil || at.IsZero() {
			return err
		}
		hour := at.Truncate(time.Hour)
		if !hour.Before(end) {
			return nil
		}
		list, err := r.Store.MonitorResultsKept(ctx, hour, hour.Add(time.Hour))
		if err != nil {
			return err
		}
		hours, err := sumHour(list)
		if err != nil {
			return err
		}
		if err := r.Store.InTx(ctx, func(tx *store.Tx) error { return tx.PutMonitorHours(hour, hours) }); err != nil {
			return err
		}
		from = hour.Add(time.Hour)
	}
	return nil
}

// sumHour sums up the results of an hour, by item.
func sumHour(list []store.MonitorResult) (out []store.MonitorHour, err error) {
	at := map[string]int{}
	cells := map[string]map[string]HourCell{}
	for _, r := range list {
		n, there := at[r.Item]
		if !there {
			n = len(out)
			at[r.Item], cells[r.Item] = n, map[string]HourCell{}
			out = append(out, store.MonitorHour{Item: r.Item})
		}
		out[n].Checks++
		if r.Alarming {
			out[n].Alarming++
		}
		if r.State != StateOK {
			out[n].Failed++
			continue
		}
		var t Table
		if json.Unmarshal(r.Table, &t) != nil {
			continue // of a version that wrote it otherwise
		}
		for _, c := range t.Cells {
			h := cells[r.Item][c.Key]
			if h.N == 0 || c.N > h.Most {
				h.Most = c.N
			}
			h.Sum, h.N = h.Sum+c.N, h.N+1
			cells[r.Item][c.Key] = h
		}
	}
	for n := range out {
		if out[n].Found, err = json.Marshal(cells[out[n].Item]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// DayPoint is a day of an item, from its hours.
type DayPoint struct {
	Day      time.Time // midnight on the readers' clock
	Cell     HourCell  // of the status that its rules look at first
	Alarming bool
}

// LongCurve are the days of an item since a time, the oldest first, as the hours
// have them: of the status that a rule looks at first, or the only one there is.
func (r *Runner) LongCurve(ctx context.Context, i *Item, from time.Time) ([]DayPoint, error) {
	hours, err := r.Store.MonitorHours(ctx, i.Name, from)
	if err != nil {
		return nil, err
	}
	zone := r.Checker.Calendar.Location()
	var out []DayPoint
	for _, h := range hours {
		var cells map[string]HourCell
		if json.Unmarshal(h.Found, &cells) != nil {
			continue
		}
		var t Table
		for k := range cells {
			t.Cells = append(t.Cells, Cell{Key: k})
		}
		at := h.Hour.In(zone)
		day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
		if len(out) == 0 || !out[len(out)-1].Day.Equal(day) {
			out = append(out, DayPoint{Day: day})
		}
		p := &out[len(out)-1]
		p.Alarming = p.Alarming || h.Alarming > 0
		key, ok := i.Watched(t)
		if !ok || len(i.Rules) == 0 && len(t.Cells) > 1 {
			continue
		}
		c := cells[key.Key]
		if p.Cell.N == 0 || c.Most > p.Cell.Most {
			p.Cell.Most = c.Most
		}
		p.Cell.Sum, p.Cell.N = p.Cell.Sum+c.Sum, p.Cell.N+c.N
	}
	return out, nil
}
