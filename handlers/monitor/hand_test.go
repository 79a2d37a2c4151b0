package monitor

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// A paused item is not checked; what fired ends with the pause, and a check by
// hand is refused. It goes on at once when it is let go.
func TestHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		p := &counter{}
		p.n.Store(50)
		r := runners(t, s, strings.Replace(stateItem, "for: 2\n", "for: 1\n", 1), p, 1)[0]
		round := func() { r.lookAll(ctx); r.work.Wait(); c.set(c.now().Add(10 * time.Minute)) }
		round()
		i := r.Find("sample")
		if err := r.Hold(ctx, i, "wang", "在升级"); err != nil {
			t.Fatal(err)
		}
		if err := r.Hold(ctx, i, "li", "也在升级"); !errors.Is(err, store.ErrStale) {
			t.Errorf("paused twice: %v", err)
		}
		round()
		round()
		if _, err := r.RunNow(ctx, i); !errors.Is(err, ErrHeld) {
			t.Errorf("checked while paused: %v", err)
		}
		counts, err := s.AlertCounts(ctx, SourceName)
		if n := p.runs.Load(); n != 1 || err != nil || counts.OpenAtEnd != 0 || counts.Resolved != 1 {
			t.Errorf("%d runs, %+v, %v", n, counts, err)
		}
		self := &Self{Store: s, Alerts: r.Alerts, Runner: r}
		if found, err := self.find(ctx, c.now().Add(-time.Hour)); err != nil || len(found) != 0 {
			t.Errorf("a paused monitor counts as late: %+v %v", found, err)
		}
		if err := r.Release(ctx, i, "li"); err != nil {
			t.Fatal(err)
		}
		round()
		if n := p.runs.Load(); n != 2 {
			t.Errorf("%d runs", n)
		}
		ended, err := r.RunNow(ctx, i)
		if err != nil {
			t.Fatal(err)
		}
		<-ended
		if n := p.runs.Load(); n != 3 {
			t.Errorf("%d runs", n)
		}
	})
}

// A paused heartbeat is taken and nobody hears of it; it is waited for from when
// it is let go.
func TestHoldBeat(t *testing.T) {
	c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: c.now})
	ctx := context.Background()
	r, call := beating(t, s, beatItem)
	i := r.Find("nightly")
	wait := func(d time.Duration, open int64) {
		t.Helper()
		c.set(c.now().Add(d))
		r.lookBeats(ctx)
		if n, err := s.AlertCounts(ctx, SourceName); err != nil || n.OpenAtEnd != open {
			t.Errorf("%+v %v", n, err)
		}
	}
	wait(0, 0)
	wait(time.Hour, 1)
	if err := r.Hold(ctx, i, "wang", "停跑一周"); err != nil {
		t.Fatal(err)
	}
	wait(time.Hour, 0)
	if code := call("POST", "/beat/a-token-of-this-test/fail", ""); code != http.StatusOK {
		t.Errorf("%d", code)
	}
	wait(time.Hour, 0)
	if err := r.Release(ctx, i, "wang"); err != nil {
		t.Fatal(err)
	}
	wait(14*time.Minute, 0)
	wait(2*time.Minute, 1)
}

// Another text is tried on what was found before; a wrong one is told with its place.
func TestTry(t *testing.T) {
	c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: c.now})
	ctx := context.Background()
	p := &counter{}
	r := runners(t, s, stateItem, p, 1)[0]
	i := r.Find("sample")
	for _, n := range []int64{1, 6, 7, 1} {
		p.n.Store(n)
		if err := r.Once(ctx, i); err != nil {
			t.Fatal(err)
		}
		c.set(c.now().Add(10 * time.Minute))
	}
	runs := p.runs.Load()
	steps, faults, err := r.Try(ctx, i, strings.Replace(i.Text, "n > 10", "n > 5", 1), 50)
	if err != nil || len(faults) > 0 || len(steps) != 4 || len(steps[2].Changes) != 1 {
		t.Errorf("%+v %v %v", steps, faults, err)
	}
	for text, want := range map[string]string{strings.Replace(i.Text, "n > 10", "n >", 1): "", strings.Replace(i.Text, "name: sample", "name: other", 1): "不要改名字", beatItem: "不要改名字"} {
		if _, faults, err := r.Try(ctx, i, text, 50); err != nil || len(faults) != 1 || !strings.Contains(faults[0].Text, want) {
			t.Errorf("%v %v", faults, err)
		}
	}
	if p.runs.Load() != runs {
		t.Error("a try asked the system")
	}
}
