package bot

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"frontline/bot/chat"
)

var (
	testRobot  = chat.Address{Kind: chat.Robot, ID: "g"}
	testMember = chat.Address{Kind: chat.Person, ID: "u", Via: chat.App}
)

// bench is a limiter with a hand-moved clock and the calls as the platform
// sees them: each at some moment between its begin and its end.
type bench struct {
	*limiter
	at    time.Time
	calls []time.Time
}

func newBench(recent ...time.Time) *bench {
	b := &bench{at: time.Date(2025, 3, 10, 9, 0, 0, 0, time.UTC)}
	b.limiter = &limiter{now: func() time.Time { return b.at }, places: map[chat.Address]*place{},
		recent: func(_ context.Context, to chat.Address, _ time.Time) ([]time.Time, error) {
			if to.Via == chat.Bot {
				return nil, nil
			}
			return recent, nil
		}}
	return b
}

// send makes calls of the given length for a time, as soon as each may.
func (b *bench) send(t *testing.T, to chat.Address, urgent bool, d time.Duration, took func() time.Duration) {
	t.Helper()
	for end := b.at.Add(d); b.at.Before(end); {
		wait, err := b.take(t.Context(), to, urgent)
		if err != nil {
			t.Fatal(err)
		}
		if wait > 0 {
			b.at = b.at.Add(wait)
			continue
		}
		whole := took()
		seen := time.Duration(0)
		if whole > 0 {
			seen = rand.N(whole)
		}
		b.calls = append(b.calls, b.at.Add(seen))
		b.at = b.at.Add(whole)
		b.landed(to, true)
	}
}

func most(at []time.Time, window time.Duration) (n int) {
	for i := range at {
		j := i
		for j < len(at) && at[j].Sub(at[i]) <= window { // a closed window: the hardest reading
			j++
		}
		n = max(n, j-i)
	}
	return n
}

func TestBudgetsHoldInAnyWindow(t *testing.T) {
	none := func() time.Duration { return 0 }
	slow := func() time.Duration { return rand.N(9 * time.Second) }
	quick := func() time.Duration { return rand.N(300 * time.Millisecond) }
	tests := []struct {
		name         string
		to           chat.Address
		urgent       bool
		took         func() time.Duration
		minute, hour int
		atLeast      int // in two hours
	}{
		{"robot, ordinary", testRobot, false, quick, 14, 840, 14 * 110},
		{"robot, urgent", testRobot, true, none, 18, 1080, 18 * 118},
		{"robot, slow", testRobot, true, slow, 18, 1080, 1000},
		{"member, ordinary", testMember, false, quick, 26, 900, 1700},
		{"member, urgent", testMember, true, none, 28, 960, 1900},
		{"member, slow", testMember, true, slow, 28, 960, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			b.send(t, tt.to, tt.urgent, 2*time.Hour, tt.took)
			if m, h := most(b.calls, time.Minute), most(b.calls, time.Hour); m > tt.minute || h > tt.hour || len(b.calls) < tt.atLeast {
				t.Errorf("%d a minute (most %d), %d an hour (most %d), %d in all (at least %d)", m, tt.minute, h, tt.hour, len(b.calls), tt.atLeast)
			}
			if n := len(b.places[tt.to].sent); n > 1100 {
				t.Errorf("%d are remembered", n)
			}
		})
	}
}

// Fourteen ordinary ones leave four places for urgent ones, at once.
func TestUrgentHasPlaces(t *testing.T) {
	b := newBench()
	for i := range 19 {
		wait, err := b.take(t.Context(), testRobot, i >= 14)
		if err != nil || (wait > 0) != (i == 18) {
			t.Fatalf("number %d waits %v, %v", i+1, wait, err)
		}
		if i == 13 {
			if wait, _ := b.take(t.Context(), testRobot, false); wait == 0 {
				t.Fatal("a fifteenth ordinary one is let through")
			}
		}
	}
}

// After a restart the limiter goes on from what the outbox knows.
func TestBudgetAfterARestart(t *testing.T) {
	b := newBench()
	var before []time.Time
	for i := range 18 {
		before = append(before, b.at.Add(-time.Duration(50-i)*time.Second))
	}
	b = newBench(append(before, b.at.Add(time.Hour))...) // and one by another machine's clock
	wait, err := b.take(t.Context(), testRobot, true)
	if err != nil || wait < 11*time.Second || wait > 13*time.Second {
		t.Errorf("waits %v, %v, want the time until two have left", wait, err)
	}
	b.recent = func(context.Context, chat.Address, time.Time) ([]time.Time, error) { return nil, errors.New("away") }
	if _, err := b.take(t.Context(), testMember, true); err == nil {
		t.Error("without the outbox nothing is known, yet it goes")
	}
}

func TestHold(t *testing.T) {
	b := newBench()
	for _, to := range []chat.Address{testRobot, testMember} {
		if wait, _ := b.take(t.Context(), to, false); wait != 0 {
			t.Fatal(wait)
		}
		b.landed(to, true)
	}
	b.hold(testRobot, b.at.Add(time.Minute))
	if wait, _ := b.take(t.Context(), testRobot, true); wait != time.Minute {
		t.Errorf("robot waits %v", wait)
	}
	if wait, _ := b.take(t.Context(), testMember, true); wait != 0 {
		t.Errorf("member waits %v for a robot", wait)
	}
	b.holdApp(b.at.Add(time.Minute))
	if wait, _ := b.take(t.Context(), testMember, true); wait != time.Minute {
		t.Errorf("member waits %v", wait)
	}
	b.at = b.at.Add(time.Minute)
	if wait, _ := b.take(t.Context(), testRobot, true); wait != 0 {
		t.Errorf("robot waits %v after its pause", wait)
	}
}

// What no budget looks at is forgotten, what is on its way is not.
func TestForget(t *testing.T) {
	b := newBench()
	b.take(t.Context(), testRobot, false)
	b.take(t.Context(), testMember, false)
	b.landed(testMember, true)
	b.at = b.at.Add(2 * time.Hour)
	b.take(t.Context(), chat.Address{Kind: chat.Person, ID: "other"}, false)
	if b.places[testMember] != nil || b.places[testRobot] == nil {
		t.Errorf("places are %v", b.places)
	}
	b.landed(testRobot, true)
}
