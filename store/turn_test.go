package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"frontline/store"
	"frontline/store/storetest"
)

// long is a lease that no slow machine loses.
const long = time.Minute

func later(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("did not happen in time: %s", what)
}

// leadAll leads with every shard, whoever had them before.
func leadAll(t testing.TB, s *store.Store) *store.Store {
	t.Helper()
	if err := s.TakeAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func finish(t testing.TB, s *store.Store, turn store.Turn) {
	t.Helper()
	if err := s.FinishTurn(context.Background(), turn, store.Outcome{Command: "ask"}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestTurnsFollowThePlatformsTime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := lead(t, open(store.Options{Serve: true}))
		base := time.Now().Add(-time.Minute)
		for _, x := range []struct {
			key  string
			said time.Duration
		}{{"3", 30 * time.Second}, {"1", 10 * time.Second}, {"2a", 20 * time.Second}, {"2b", 20 * time.Second}, {"0", -59 * time.Minute}} {
			m := message("zhou", x.key, x.key)
			m.At = base.Add(x.said)
			accept(t, s, m)
		}
		var got []string
		for range 5 {
			turn := claim(t, s, 9)[0]
			got = append(got, turn.Msg.Text)
			finish(t, s, turn)
		}
		if want := []string{"0", "1", "2a", "2b", "3"}; !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
	})
}

func TestTurnOrder(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 30, 0, int(500*time.Millisecond), time.UTC)
	for _, x := range []struct {
		name          string
		said1, said2  time.Time
		now1, now2    time.Time
		first, second int64
	}{
		{"same second, arrival decides", now, now, now, now.Add(time.Millisecond), 1, 0},
		{"same millisecond, the counter decides", now, now, now, now, 5, 6},
		{"late repeat", now.Add(-time.Hour), now, now.Add(time.Minute), now, 0, 0},
		{"replica a minute behind", now, now.Add(2 * time.Second), now.Add(time.Minute), now.Add(2 * time.Second), 0, 0},
		{"time from the future counts as arrival", now.Add(time.Hour), now, now, now.Add(time.Second), 0, 0},
		{"no time at all counts as old", time.Time{}, now, now, now, 0, 0},
		{"two without time, arrival decides", time.Time{}, time.Unix(1, 0), now, now.Add(3 * time.Millisecond), 0, 0},
	} {
		a, b := store.TurnOrder(x.said1, x.now1, x.first), store.TurnOrder(x.said2, x.now2, x.second)
		if a >= b || a < 0 {
			t.Errorf("%s: %d is not before %d", x.name, a, b)
		}
	}
}

// A row that is marked as being worked on, but is in nobody's hands because a
// write failed, does not silence its thread.
func TestTurnLeftBehindIsClaimedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := lead(t, open(store.Options{Serve: true}))
		accept(t, s, message("zhou", "1", "x"))
		first := claim(t, s, 1)[0]
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.FinishTurn(gone, first, store.Outcome{}, nil); err == nil {
			t.Fatal("a write without time succeeded")
		}
		if got := claim(t, s, 1); len(got) != 0 {
			t.Fatal("claimed a turn that its worker still has")
		}
		if err := s.RetryTurn(gone, first, time.Now(), errors.New("x")); err == nil {
			t.Fatal("a write without time succeeded")
		}
		again := claim(t, s, 1)
		if len(again) != 1 || again[0].Attempt != 2 {
			t.Fatalf("claimed %+v", again)
		}
		if err := s.FinishTurn(context.Background(), first, store.Outcome{}, nil); !errors.Is(err, store.ErrFenced) {
			t.Errorf("the first claim could still finish: %v", err)
		}
		finish(t, s, again[0])
	})
}

// A message that kills the process is tried alone after the second time and is
// dead after the fifth; those that were in work beside it live.
func TestPoisonIsAloneAndDies(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := leadAll(t, open(store.Options{Serve: true, Lease: long}))
		poison := message("bad", "1", "poison")
		accept(t, s, poison)
		for i := range 3 {
			accept(t, s, message(fmt.Sprint("good", i), "1", "good"))
		}
		done, deaths := 0, 0
		for range 20 {
			turns := claim(t, s, 16)
			killed := false
			for _, turn := range turns {
				killed = killed || turn.Msg.ID == poison.ID
			}
			if !killed {
				for _, turn := range turns {
					finish(t, s, turn)
					done++
				}
				continue
			}
			if turns[0].Attempt > 2 && len(turns) > 1 { // twice is a suspicion
				t.Errorf("the suspect was tried beside %d others", len(turns)-1)
			}
			deaths++
			s.Crash()
			s = leadAll(t, open(store.Options{Serve: true, Lease: long}))
			if deaths > 5 {
				t.Fatal("the poison still kills")
			}
		}
		d, err := s.InboxDepth(context.Background())
		if err != nil || d.Dead != 1 || d.Waiting != 0 || done != 3 {
			t.Errorf("depth %+v (%v), %d others done", d, err, done)
		}
	})
}

// A replica that slept through its lease commits nothing that another took,
// and begins nothing.
func TestSleeperIsFenced(t *testing.T) {
	t.Parallel()
	url := storetest.MySQL(t)
	ctx := context.Background()
	a := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-a", Lease: long}))
	accept(t, a, message("zhou", "1", "one"))
	accept(t, a, message("zhou", "2", "two"))
	turn := claim(t, a, 5)[0]
	a.Sleep()
	b := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-b", Lease: long}))
	if got := claim(t, a, 5); len(got) != 0 || a.Held() != 0 {
		t.Errorf("the sleeper claims %d turns and believes to hold %d shards", len(got), a.Held())
	}
	stolen := claim(t, b, 5)
	if len(stolen) != 1 || stolen[0].ID != turn.ID || stolen[0].Attempt != turn.Attempt+1 {
		t.Fatalf("b claimed %+v", stolen)
	}
	ran := false
	err := a.FinishTurn(ctx, turn, store.Outcome{}, func(tx *store.Tx) error { ran = true; return nil })
	if !errors.Is(err, store.ErrFenced) || ran {
		t.Errorf("the sleeper's turn: %v, its writes ran: %v", err, ran)
	}
	if err := a.RetryTurn(ctx, turn, time.Now(), errors.New("x")); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the sleeper puts the turn back: %v", err)
	}
	finish(t, b, stolen[0])
	if next := claim(t, b, 5); len(next) != 1 || next[0].Msg.Text != "two" {
		t.Errorf("after it comes %+v", next)
	}
}

// Random accepting, claiming, finishing, failing and dying: every message is
// finished once, and the messages of a thread in their order.
func TestTurnsProperty(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		round := 0
		ctx := context.Background()
		s := leadAll(t, open(store.Options{Serve: true, Lease: long}))
		rapid.Check(t, func(rt *rapid.T) {
			round++
			var said, finished [4][]string
			inHand := map[string]store.Turn{}
			n := 0
			take := func(n int) {
				turns, err := s.ClaimTurns(ctx, n)
				if err != nil {
					rt.Fatal(err)
				}
				for _, turn := range turns {
					if _, twice := inHand[turn.Thread()]; twice {
						rt.Fatalf("thread of %s is worked on twice", turn.Msg.Text)
					}
					inHand[turn.Thread()] = turn
				}
			}
			end := func(turn store.Turn) {
				if err := s.FinishTurn(ctx, turn, store.Outcome{}, nil); err != nil {
					rt.Fatal(err)
				}
				delete(inHand, turn.Thread())
				var who int
				fmt.Sscanf(turn.Msg.Text, "%d/", &who)
				finished[who] = append(finished[who], turn.Msg.Text)
			}
			any := func() (store.Turn, bool) {
				keys := make([]string, 0, len(inHand))
				for k := range inHand {
					keys = append(keys, k)
				}
				if len(keys) == 0 {
					return store.Turn{}, false
				}
				slices.Sort(keys)
				return inHand[keys[rapid.IntRange(0, len(keys)-1).Draw(rt, "which")]], true
			}
			crashes := 0
			for range rapid.IntRange(5, 40).Draw(rt, "steps") {
				switch op := rapid.IntRange(0, 9).Draw(rt, "op"); {
				case op < 4:
					who := rapid.IntRange(0, 3).Draw(rt, "who")
					n++
					m := message(fmt.Sprintf("p%d-%d", round, who), fmt.Sprint(n), fmt.Sprintf("%d/%d", who, n))
					m.At = time.Now()
					if _, err := s.Accept(ctx, m); err != nil {
						rt.Fatal(err)
					}
					said[who] = append(said[who], m.Text)
				case op < 6:
					take(rapid.IntRange(1, 4).Draw(rt, "n"))
				case op < 8:
					if turn, ok := any(); ok {
						end(turn)
					}
				case op == 8:
					if turn, ok := any(); ok {
						if err := s.RetryTurn(ctx, turn, time.Now().Add(-time.Millisecond), errors.New("again")); err != nil {
							rt.Fatal(err)
						}
						delete(inHand, turn.Thread())
					}
				case crashes < 2:
					crashes++
					s.Crash()
					clear(inHand)
					s = leadAll(t, open(store.Options{Serve: true, Lease: long}))
				}
			}
			for range 200 { // drain
				take(8)
				if d, err := s.InboxDepth(ctx); err != nil {
					rt.Fatal(err)
				} else if d.Waiting == 0 {
					break
				}
				for _, turn := range inHand {
					end(turn)
				}
			}
			for who := range said {
				if !slices.Equal(said[who], finished[who]) {
					rt.Fatalf("said %v, finished %v", said[who], finished[who])
				}
			}
		})
	})
}

func TestAcceptRefusesWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		m := message("zhou", "1", "x")
		m.ID = "short"
		if _, err := s.Accept(context.Background(), m); err == nil {
			t.Error("an id of the wrong length was taken")
		}
		m = message("zhou\xff\xfe", "2", "bytes that are no text \xff")
		if fresh, err := s.Accept(context.Background(), m); err != nil || !fresh {
			t.Errorf("a sender that is no text: %v, %v", fresh, err)
		}
		s.Close()
		began := time.Now()
		if _, err := s.Accept(context.Background(), message("zhou", "3", "x")); err == nil || time.Since(began) > time.Second {
			t.Errorf("after Close: %v in %s", err, time.Since(began))
		}
	})
}

func TestReplyURL(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now()
		s := lead(t, open(store.Options{Serve: true, Now: func() time.Time { return now }}))
		m := message("zhou", "1", "x")
		m.ReplyURL = "https://example.com/response?code=1"
		accept(t, s, m)
		accept(t, s, message("zhou", "2", "without"))
		check := func(id, want string) {
			t.Helper()
			if got, err := s.ReplyURL(ctx, id); err != nil || got != want {
				t.Errorf("ReplyURL = %q, %v; want %q", got, err, want)
			}
		}
		check(m.ID, m.ReplyURL)
		check(message("zhou", "2", "").ID, "")
		check(message("nobody", "9", "").ID, "")
		now = now.Add(time.Hour)
		check(m.ID, "")
		now = now.Add(-time.Hour)
		if err := s.SpendReplyURL(ctx, m.ID); err != nil {
			t.Fatal(err)
		}
		check(m.ID, "")
	})
}

func TestReplaceMessage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := lead(t, open(store.Options{Serve: true}))
		m := message("zhou", "1", "密码 hunter2")
		accept(t, s, m)
		turn := claim(t, s, 1)[0]
		err := s.FinishTurn(ctx, turn, store.Outcome{}, func(tx *store.Tx) error {
			m.Text = "密码 ******"
			return tx.ReplaceMessage(turn, m)
		})
		if err != nil {
			t.Fatal(err)
		}
		lines, err := s.Talk(ctx, m, time.Now().Add(-time.Hour), 10)
		if err != nil || len(lines) != 1 || lines[0].Text != "密码 ******" {
			t.Errorf("talk %+v, %v", lines, err)
		}
	})
}
