package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"frontline/handlers/calendar"
	"frontline/store"
	"frontline/store/storetest"
)

// The days that are written with every check are what the checks themselves add
// up to: the highest count, what is left, failed checks, another status that
// counts from now on, and the next day.
func TestMonitorDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		begin := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
		c := &clock{t: begin}
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		r := runners(t, s, stateItem, &counter{}, 1)[0]
		item := r.Find("sample")
		seen := func(cells ...Cell) Table {
			t := Table{Cells: cells, Total: 1000}
			return t
		}
		checks := []struct {
			at      time.Duration
			table   Table
			fault   error
			objects []string // of an item with a detail
		}{
			{0, Table{}, errors.New("away"), nil}, {time.Minute, seen(Cell{Key: "异常", N: 33}), nil, nil}, {2 * time.Minute, seen(Cell{Key: "异常", N: 40}), nil, nil}, {3 * time.Minute, Table{}, errors.New("away"), nil}, {4 * time.Minute, seen(Cell{Key: "异常", N: 2}), nil, nil},
			{5 * time.Minute, seen(Cell{Key: "别的", N: 7}), nil, nil}, {6 * time.Minute, seen(Cell{Key: "异常", N: 3}), nil, nil}, {24 * time.Hour, seen(Cell{Key: "异常", N: 5}), nil, nil}, {24*time.Hour + time.Minute, seen(Cell{Key: "异常", N: 5}), nil, nil},
			{24*time.Hour + 2*time.Minute, seen(Cell{Key: "异常", N: 3}), nil, []string{"a", "b", "c"}}, {24*time.Hour + 3*time.Minute, seen(Cell{Key: "异常", N: 2}), nil, []string{"c", "d"}},
		}
		for n, x := range checks {
			c.set(begin.Add(x.at))
			item.Detail = nil
			if x.objects != nil {
				item.Detail = &Detail{}
			}
			table, err := json.Marshal(x.table)
			if err != nil {
				t.Fatal(err)
			}
			result := store.MonitorResult{Item: item.Name, At: c.now(), State: StateOK, Table: table, Verdicts: []byte("[]")}
			if x.fault != nil {
				result.State, result.Fault = StateError, x.fault.Error()
			}
			if err := s.InTx(ctx, func(tx *store.Tx) error {
				if err := tx.AddMonitorResult(&result); err != nil {
					return err
				}
				if x.objects != nil {
					if err := tx.SeeMonitorObjects(item.Name, c.now().In(calendar.Default().Location()), x.objects, c.now()); err != nil {
						return err
					}
				}
				return r.countDay(tx, item, result)
			}); err != nil {
				t.Fatal(n, err)
			}
			from := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
			if x.at >= 24*time.Hour {
				from = from.AddDate(0, 0, 1)
			}
			effects, err := r.Effects(ctx, from, from.AddDate(0, 0, 1))
			if err != nil || len(effects) != 1 {
				t.Fatal(effects, err)
			}
			days, err := s.MonitorDays(ctx, from, from.AddDate(0, 0, 1))
			if err != nil {
				t.Fatal(err)
			}
			e := effects[0]
			if got := days[s.DayKey(from)]; got != (store.MonitorSums{Items: 1, Abnormal: e.Abnormal, Handled: e.Handled(), Total: e.Total}) {
				t.Errorf("after check %d: %+v, the checks say %+v", n, got, e)
			}
			err = s.InTx(ctx, func(tx *store.Tx) error {
				d, err := tx.FindMonitorDay(item.Name, c.now())
				if d.Checks != int64(e.Checks) || d.Failed != int64(e.Failed) {
					t.Errorf("after check %d: %d checks, %d failed, want %d, %d", n, d.Checks, d.Failed, e.Checks, e.Failed)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A check that is kept is in its day.
func TestCheckCountsForItsDay(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	p := &counter{}
	p.n.Store(50)
	r := runners(t, s, stateItem, p, 1)[0]
	if err := r.Once(context.Background(), r.Find("sample")); err != nil {
		t.Fatal(err)
	}
	now := s.Now()
	days, err := s.MonitorDays(context.Background(), now, now.AddDate(0, 0, 1))
	if got := days[s.DayKey(now)]; err != nil || got.Items != 1 || got.Abnormal != 50 || got.Total != 1050 {
		t.Errorf("%+v, %v", days, err)
	}
}
