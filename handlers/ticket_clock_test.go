package handlers

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"frontline/store"
)

// Clocks pause and resume in any order: what is left only shrinks by working
// time that ran, and is never more than the whole.
func TestClocksPause(t *testing.T) {
	r := DefaultRules()
	base := time.Date(2026, 11, 25, 2, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		now := base.Add(time.Duration(rapid.IntRange(0, 14*24*60).Draw(t, "start")) * time.Minute)
		tk := store.Ticket{State: store.TicketInProgress, Priority: rapid.SampledFrom([]string{"P1", "P2", "P3", "P4"}).Draw(t, "priority")}
		r.startClocks(&tk, now)
		whole := r.Clocks[tk.Priority].Resolve
		left := r.Left(tk, now)
		if left != whole {
			t.Fatalf("begins with %s of %s", left, whole)
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			step := time.Duration(rapid.IntRange(0, 26*60).Draw(t, "minutes")) * time.Minute
			running, before := tk.Paused.IsZero(), now
			now = now.Add(step)
			want := left
			if running {
				want -= r.between(tk.Priority, before, now)
			}
			if got := r.Left(tk, now); got != want {
				t.Fatalf("after %s (running %v) %s is left, want %s", step, running, got, want)
			}
			left = want
			if running {
				r.pause(&tk, now)
			} else {
				r.resume(&tk, now)
				if over := left <= 0; over != (r.Left(tk, now) <= 0) {
					t.Fatal("a pause changed whether it is over")
				}
				left = r.Left(tk, now)
			}
			if left > whole {
				t.Fatalf("%s is left of %s", left, whole)
			}
		}
	})
}
