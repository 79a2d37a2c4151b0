package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"frontline/handlers/alert"
	"frontline/handlers/calendar"
	"frontline/handlers/spec"
	"frontline/store"
	"frontline/store/storetest"
)

// counter is a probe that a test leads.
type counter struct {
	runs atomic.Int64
	n    atomic.Int64
	hold chan struct{} // nil: answers at once
}

func (c *counter) Kind() string { return "sql" }
func (c *counter) Rows(ctx context.Context, _ *Sources, _ Order) ([]Row, error) {
	c.runs.Add(1)
	if c.hold != nil {
		select {
		case <-c.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return []Row{{"k": "异常", "n": int(c.n.Load())}, {"k": "正常", "n": 1000}}, nil
}

// clock is a time that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

func runners(t *testing.T, s *store.Store, text string, probe Probe, n int) []*Runner {
	t.Helper()
	load := func() ([]*Item, []spec.Fault) {
		items, faults := Load(map[string][]byte{"x.yaml": []byte(text)}, nil)
		for _, i := range items {
			i.Probe = probe
		}
		return items, faults
	}
	if _, faults := load(); len(faults) > 0 {
		t.Fatal(faults)
	}
	desk := alert.NewDesk(s, &alert.Rules{Routes: []alert.Route{alert.DefaultRoute("g")}, Zone: time.UTC}, slog.New(slog.DiscardHandler))
	var out []*Runner
	for range n {
		r := &Runner{Store: s, Alerts: desk, Checker: &Checker{Sources: NewSources(nil, ""), Calendar: calendar.Default()}, Log: slog.New(slog.DiscardHandler), Load: load}
		r.ready(context.Background())
		out = append(out, r)
	}
	return out
}

// Of several runners one runs each item at each time, and what they say goes
// through the same tables as everybody's alerts.
func TestOneRunner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)} // 10:00 in Shanghai, a trading day
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		p := &counter{}
		list := runners(t, s, stateItem, p, 3)
		round := func(n int64) {
			p.n.Store(n)
			var all sync.WaitGroup
			for _, r := range list {
				all.Go(func() { r.lookAll(ctx) })
			}
			all.Wait()
			for _, r := range list {
				r.work.Wait()
			}
		}
		for i, n := range []int64{11, 12, 13, 3, 3} {
			round(n)
			if got := p.runs.Load(); got != int64(i+1) {
				t.Fatalf("round %d: %d runs", i+1, got)
			}
			round(n) // nothing is due
			c.set(c.now().Add(10 * time.Minute))
		}
		results, err := s.MonitorResults(ctx, store.MonitorQuery{Item: "sample"})
		if err != nil || len(results) != 5 || results[0].Alarming || !results[1].Alarming {
			t.Errorf("%d results, %v", len(results), err)
		}
		groups, err := s.ListAlertGroups(ctx, store.AlertGroupQuery{State: "", N: 10})
		if err != nil || len(groups) != 1 || groups[0].Title != "样例" || groups[0].Source != "monitor" || groups[0].Firing != 0 {
			t.Errorf("%+v %v", groups, err)
		}
		counts, err := s.AlertCounts(ctx, "monitor")
		if err != nil || counts.Opened != 1 || counts.Resolved != 1 || counts.Repeated != 2 {
			t.Errorf("%+v %v", counts, err)
		}
		// A new process says nothing because it is new.
		list = runners(t, s, stateItem, p, 1)
		if again, err := s.AlertCounts(ctx, "monitor"); err != nil || again != counts {
			t.Errorf("%+v %v", again, err)
		}
	})
}

// Outside of its hours an item does not run, even when it is overdue.
func TestOnlyInHours(t *testing.T) {
	c := &clock{t: time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)} // 16:00
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: c.now})
	p := &counter{}
	r := runners(t, s, strings.Replace(stateItem, "every: 10m", "every: 10m, only: trading_hours", 1), p, 1)[0]
	for _, x := range []struct {
		at   string
		runs int64
	}{{"2026-03-03T16:00:00+08:00", 0}, {"2026-03-04T09:29:59+08:00", 0}, {"2026-03-04T09:30:00+08:00", 1}, {"2026-03-04T11:31:00+08:00", 1}, {"2026-03-04T13:00:00+08:00", 2}, {"2026-03-07T10:00:00+08:00", 2},
		// A holiday, and a Saturday on which offices work and exchanges do not.
		{"2026-05-01T10:00:00+08:00", 2}, {"2026-05-09T10:00:00+08:00", 2}, {"2026-05-11T10:00:00+08:00", 3}} {
		at, err := time.Parse(time.RFC3339, x.at)
		if err != nil {
			t.Fatal(err)
		}
		c.set(at)
		r.lookAll(context.Background())
		r.work.Wait()
		if got := p.runs.Load(); got != x.runs {
			t.Errorf("%s: %d runs, want %d", x.at, got, x.runs)
		}
	}
}

// A check that still runs is not begun again, and the next one comes at its
// usual time.
func TestNoOverlap(t *testing.T) {
	c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: c.now})
	p := &counter{hold: make(chan struct{})}
	r := runners(t, s, stateItem, p, 1)[0]
	for range 3 {
		r.lookAll(context.Background())
		c.set(c.now().Add(10 * time.Minute))
	}
	close(p.hold)
	r.work.Wait()
	if got := p.runs.Load(); got != 1 {
		t.Errorf("%d runs at the same time", got)
	}
	r.lookAll(context.Background())
	r.work.Wait()
	if got := p.runs.Load(); got != 2 {
		t.Errorf("%d runs afterwards", got)
	}
}

// What another replica wrote meanwhile wins.
func TestLateCheckIsNotKept(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	p := &counter{}
	r := runners(t, s, stateItem, p, 1)[0]
	ctx := context.Background()
	i := r.Find("sample")
	out := r.Checker.Check(ctx, i, time.Now(), nil)
	for range 2 { // both read version 0
		if err := r.keep(ctx, i, out, State{Title: "样例"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.MonitorResults(ctx, store.MonitorQuery{Item: "sample"}); err != nil || len(list) != 1 {
		t.Errorf("%d results, %v", len(list), err)
	}
}

// The alert of an item whose file is gone ends; while a file is wrong nothing does.
func TestItemGone(t *testing.T) {
	c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: c.now})
	ctx := context.Background()
	p := &counter{}
	p.n.Store(50)
	r := runners(t, s, strings.Replace(stateItem, "for: 2\n", "for: 1\n", 1), p, 1)[0]
	if err := r.Once(ctx, r.Find("sample")); err != nil {
		t.Fatal(err)
	}
	open := func() int64 {
		counts, err := s.AlertCounts(ctx, "monitor")
		if err != nil {
			t.Fatal(err)
		}
		return counts.OpenAtEnd
	}
	version := "1"
	r.Changed = func() string { return version }
	r.Load = func() ([]*Item, []spec.Fault) {
		return nil, []spec.Fault{{File: "x.yaml", Line: 1, Col: 1, Text: "坏"}}
	}
	r.Read()
	r.begin(ctx)
	if items, faults := r.Items(); len(items) != 1 || len(faults) != 1 || open() != 1 {
		t.Fatalf("%d items, %d faults, %d open", len(items), len(faults), open())
	}
	version = "2"
	r.Load = func() ([]*Item, []spec.Fault) { return nil, nil }
	r.Read()
	r.begin(ctx)
	if items, _ := r.Items(); len(items) != 0 || open() != 0 {
		t.Errorf("%d items, %d open", len(items), open())
	}
}

// Earlier days count on the exchanges' calendar: what was yesterday before a
// holiday, and which points there are.
func TestPast(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		cal := calendar.Default()
		at := time.Date(2024, 2, 19, 10, 0, 0, 0, cal.Location()) // the first day after the Spring Festival
		c := &clock{t: at}
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		r := runners(t, s, stateItem, &counter{}, 1)[0]
		put := func(at time.Time, n float64, alarming bool) {
			c.set(at)
			table, err := json.Marshal(Table{Cells: []Cell{{Key: "异常", N: n}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.InTx(ctx, func(tx *store.Tx) error {
				return tx.AddMonitorResult(&store.MonitorResult{Item: "sample", At: at, State: StateOK, Table: table, Verdicts: []byte("[]"), Alarming: alarming})
			}); err != nil {
				t.Fatal(err)
			}
		}
		day := at
		for n := range 12 { // 12 trading days, the newest is 2024-02-08
			day = cal.Prev(day)
			put(day.Add(10*time.Hour+3*time.Minute), float64(100+n), n == 4)
			put(day.Add(10*time.Hour+13*time.Minute), 900, false)
			put(day.Add(14*time.Hour), float64(200+n), false)
		}
		put(at.Add(-10*time.Minute), 7, false)
		c.set(at)
		p := r.past(ctx, r.Find("sample"), at)
		// The Monday before was closed, and so was all of its week: last week is 2024-02-05.
		for which, want := range map[string]float64{"prev": 7, "yesterday": 200, "same_time_yesterday": 100, "same_time_last_week": 103, "median20": 106} {
			got, ok := p.Base("异常", which)
			if !ok || got != want {
				t.Errorf("%s: %v %v, want %v", which, got, ok, want)
			}
		}
		if got := fmt.Sprint(p.Points("异常", 20)); got != "[111 110 109 108 107 106 105 103 102 101 100]" {
			t.Errorf("points %s", got)
		}
		if _, ok := p.Base("没有", "prev"); ok || p.err != nil {
			t.Errorf("%v", p.err)
		}
	})
}

// Rules of today over results of before: what would have been said.
func TestReplay(t *testing.T) {
	c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: c.now})
	ctx := context.Background()
	p := &counter{}
	r := runners(t, s, stateItem, p, 1)[0]
	for _, n := range []int64{1, 15, 15, 2, 2, 15} {
		p.n.Store(n)
		if err := r.Once(ctx, r.Find("sample")); err != nil {
			t.Fatal(err)
		}
		c.set(c.now().Add(10 * time.Minute))
	}
	strict, _ := Load(map[string][]byte{"x.yaml": []byte(strings.Replace(strings.Replace(stateItem, "n > 10", "n > 1", 1), "n < 5", "n < 3", 1))}, nil)
	steps, err := r.Replay(ctx, strict[0], 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, st := range steps {
		for _, ch := range st.Changes {
			got = append(got, fmt.Sprint(st.At.UTC().Format("15:04"), " ", ch.Rule, " ", ch.Ends))
		}
	}
	if want := "[02:20 many false 02:40 many true]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
