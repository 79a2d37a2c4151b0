//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/bot/standin"
	"frontline/store"
	"frontline/store/storetest"
)

// Five reports a second for ten minutes on SQLite, through signed callbacks and
// the real process: each becomes a ticket, and its reporter soon has the number.
// make steady prints the figures; FRONTLINE_STEADY_SECONDS makes it shorter.
func TestSteadyReports(t *testing.T) {
	if os.Getenv("FRONTLINE_BENCH") == "" {
		t.Skip("set FRONTLINE_BENCH=1, or run make steady")
	}
	const everySecond = 5
	seconds := 600
	if n, err := strconv.Atoi(os.Getenv("FRONTLINE_STEADY_SECONDS")); err == nil {
		seconds = n
	}
	w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), 1)
	r := w.replicas[0]
	r.start()
	w.probe(r, 20*time.Second)
	var mu sync.Mutex
	var first, second []time.Duration // time to the number, in each half
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / everySecond)
	defer tick.Stop()
	total := seconds * everySecond
	for n := range total {
		<-tick.C
		all.Go(func() {
			user := fmt.Sprint("member", n%crashUsers)
			took, err := w.number(user, n)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case n < total/2:
				first = append(first, took)
			default:
				second = append(second, took)
			}
		})
	}
	all.Wait()
	s := storetest.Open(t, w.dbURL, store.Options{})
	if n, err := s.CountTickets(t.Context(), store.TicketQuery{}); err != nil || n != int64(total) {
		t.Errorf("%d tickets of %d reports (%v)", n, total, err)
	}
	for i, half := range [][]time.Duration{first, second} {
		if len(half) == 0 {
			continue
		}
		slices.Sort(half)
		t.Logf("half %d: %d reports, time to the number median %v, p95 %v, worst %v", i+1, len(half), half[len(half)/2].Round(time.Millisecond), half[len(half)*95/100].Round(time.Millisecond), half[len(half)-1].Round(time.Millisecond))
		if p := half[len(half)*95/100]; p > 2*time.Second {
			t.Errorf("p95 %v, want at most 2s", p)
		}
	}
}

// number reports something and waits until the reporter reads the number.
func (w *world) number(user string, n int) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	q := word(n)
	after := w.platform.Feed(ctx, standin.FeedQuery{User: user}).Next
	began := time.Now()
	w.say(user, fmt.Sprintf("报障 登录时闪退 %s x%[1]s y%[1]s z%[1]s", q), fmt.Sprintf("6%09d", n))
	for ctx.Err() == nil {
		page := w.platform.Feed(ctx, standin.FeedQuery{User: user, After: after, Wait: 5 * time.Second})
		for _, e := range page.Entries {
			shown, err := json.Marshal(e)
			if err != nil {
				return 0, err
			}
			if e.From.Kind == "app" && strings.Contains(string(shown), "已建单 T") && strings.Contains(string(shown), q) {
				return time.Since(began), nil
			}
		}
		after = page.Next
	}
	return 0, fmt.Errorf("%s has no number for report %d", user, n)
}
