package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

func TestMonitorResults(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		now := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		ctx := context.Background()
		for i := range 6 {
			now = now.Add(10 * time.Minute)
			r := store.MonitorResult{Item: []string{"a", "b"}[i%2], At: now, State: "ok", Took: 1500 * time.Millisecond, Table: []byte(`{"cells":[]}`), Verdicts: []byte("[]"), Alarming: i == 2}
			if i == 4 {
				r.State, r.Fault = "error", "连不上"
			}
			if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.AddMonitorResult(&r) }); err != nil {
				t.Fatal(err)
			}
			got, err := s.FindMonitorResult(ctx, r.ID)
			if err != nil || !got.At.Equal(now) || got.Took != r.Took || got.Fault != r.Fault || got.Alarming != r.Alarming || string(got.Table) != string(r.Table) {
				t.Errorf("%+v %v", got, err)
			}
		}
		for _, c := range []struct {
			q    store.MonitorQuery
			want int
		}{{store.MonitorQuery{Item: "a"}, 3}, {store.MonitorQuery{Item: "a", N: 2}, 2}, {store.MonitorQuery{Item: "a", State: "ok"}, 2}, {store.MonitorQuery{Item: "a", State: "ok", NotAlarming: true}, 1},
			{store.MonitorQuery{Item: "a", From: now.Add(-30 * time.Minute), To: now}, 2}, {store.MonitorQuery{Item: "c"}, 0}} {
			got, err := s.MonitorResults(ctx, c.q)
			if err != nil || len(got) != c.want {
				t.Errorf("%+v: %d results, %v", c.q, len(got), err)
			}
			for i := 1; i < len(got); i++ {
				if got[i].At.After(got[i-1].At) {
					t.Errorf("%+v: not the newest first", c.q)
				}
			}
		}
		last, err := s.LastMonitorResults(ctx)
		if err != nil || len(last) != 2 || !last["b"].At.Equal(now) || last["a"].State != "error" {
			t.Errorf("%+v %v", last, err)
		}
		now = now.Add(91 * 24 * time.Hour)
		if _, err := s.Sweep(ctx, 365*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if last, err = s.LastMonitorResults(ctx); err != nil || len(last) != 0 {
			t.Errorf("%d are left, %v", len(last), err)
		}
	})
}

func TestMonitorState(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		s := open(store.Options{})
		ctx := context.Background()
		save := func(text string, version int64) error {
			return s.InTx(ctx, func(tx *store.Tx) error { return tx.SaveMonitorState("a", []byte(text), version) })
		}
		if _, v, err := s.MonitorState(ctx, "a"); v != 0 || err != nil {
			t.Fatal(v, err)
		}
		if err := errors.Join(save("{}", 0), save(`{"x":1}`, 1)); err != nil {
			t.Fatal(err)
		}
		for _, v := range []int64{0, 1, 3} {
			if err := save("late", v); !errors.Is(err, store.ErrStale) {
				t.Errorf("version %d: %v", v, err)
			}
		}
		text, v, err := s.MonitorState(ctx, "a")
		if string(text) != `{"x":1}` || v != 2 || err != nil {
			t.Errorf("%s %d %v", text, v, err)
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.DropMonitorState("a") }); err != nil {
			t.Fatal(err)
		}
		if all, err := s.MonitorStates(ctx); len(all) != 0 || err != nil {
			t.Errorf("%v %v", all, err)
		}
	})
}

// A schedule that became shorter must not wait for the old next time; one that
// became longer is left alone.
func TestHastenJob(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		now := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		ctx := context.Background()
		next := func(after time.Duration) func(time.Time) time.Time {
			return func(now time.Time) time.Time { return now.Add(after) }
		}
		take := func() bool {
			won, err := s.TakeJob(ctx, "monitor/a", next(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			return won
		}
		if !take() || take() {
			t.Fatal("a new job is due once")
		}
		for _, at := range []time.Duration{2 * time.Hour, 10 * time.Minute} {
			if err := s.HastenJob(ctx, "monitor/a", now.Add(at)); err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(9 * time.Minute)
		if take() {
			t.Error("too early")
		}
		now = now.Add(time.Minute)
		if !take() {
			t.Error("it was not brought forward")
		}
	})
}
