package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

func TestIDsAreUniqueAndGrow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		a, b := open(store.Options{}), open(store.Options{})
		var mu sync.Mutex
		seen := map[int64]bool{}
		now := time.Now()
		var wg sync.WaitGroup
		for i := range 8 {
			s := []*store.Store{a, b}[i%2]
			wg.Go(func() {
				last := int64(0)
				for j := range 5000 {
					at := now.Add(-time.Duration(j%7) * time.Minute) // a clock that jumps about
					id := s.NextID(at)
					mu.Lock()
					if seen[id] || id <= last {
						t.Errorf("id %d twice, or after %d", id, last)
					}
					seen[id], last = true, id
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	})
}

// Also a process that starts with a clock that went back makes its ids above
// all that are there, in whatever slot.
func TestIDsAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ahead := time.Now().Add(time.Hour)
		s := open(store.Options{Serve: true, Now: func() time.Time { return ahead }})
		accept(t, s, message("zhou", "1", "x"))
		last := s.NextID(ahead)
		s.LoseSlot() // as after a long sleep
		accept(t, s, message("zhou", "2", "x"))
		if id := s.NextID(ahead); id <= last {
			t.Errorf("in a new slot %d comes after %d", id, last)
		}
		s.Crash()
		for i := range 5 {
			s = open(store.Options{Serve: true})
			if fresh := accept(t, s, message("zhou", fmt.Sprint("after ", i), "x")); !fresh {
				t.Error("a new message was taken for an old one")
			}
			s.Crash()
		}
		if n := open(store.Options{}).Count("SELECT COUNT(*) FROM inbox"); n != 7 {
			t.Errorf("%d rows, want 7", n)
		}
	})
}

// A row that cannot be stored because its id is taken is not acknowledged.
func TestIDCollisionIsNoRepeat(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{Now: func() time.Time { return time.UnixMilli(1_800_000_000_000) }})
		accept(t, s, message("zhou", "1", "x"))
		if err := s.Exec("UPDATE inbox SET id=id+1"); err != nil { // the next id
			t.Fatal(err)
		}
		if _, err := s.Accept(context.Background(), message("zhou", "2", "x")); err == nil {
			t.Error("acknowledged what was not stored")
		}
		if fresh := accept(t, s, message("zhou", "2", "x")); !fresh {
			t.Error("the repeat should be fresh")
		}
	})
}

// Two hundred processes in a row die without a word; the next one still finds
// a slot, and the shards.
func TestManyDeaths(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		for range 200 {
			s := open(store.Options{Serve: true, Lease: long})
			if s.Kind() == "sqlite" { // where a server that starts proves that all others are dead
				lead(t, s)
			}
			s.Crash()
		}
		s := leadAll(t, open(store.Options{Serve: true, Lease: long}))
		if s.Held() != 64 {
			t.Errorf("holds %d shards", s.Held())
		}
		accept(t, s, message("zhou", "1", "x"))
	})
}

func TestSlotComesBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		n := 300
		if s := open(store.Options{}); s.Kind() == "mysql" {
			n = 20 // connecting takes its time
		}
		for range n {
			s := open(store.Options{})
			if s.NextID(time.Now()) == 0 {
				t.Fatal("no slot")
			}
			s.Close()
		}
		if left := open(store.Options{}).Count("SELECT COUNT(*) FROM replica WHERE owner<>''"); left != 2 {
			t.Errorf("%d slots are taken, want 2", left)
		}
	})
}

func TestOneServerOnSQLite(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	a := lead(t, storetest.Open(t, url, store.Options{Serve: true}))
	b := storetest.Open(t, url, store.Options{Serve: true})
	if err := b.Lead(context.Background()); !errors.Is(err, store.ErrServed) {
		t.Errorf("a second server: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := a.Run(ctx); err != nil { // a clean end
		t.Fatal(err)
	}
	if a.Held() != 0 {
		t.Error("holds shards after its end")
	}
	lead(t, b)
}

func run(t testing.TB, s *store.Store) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && s.Ping(context.Background()) == nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// Replicas share the shards, a newcomer gets its part, what a replica leaves
// is taken at once, and what a dead one held after its lease.
func TestBalance(t *testing.T) {
	t.Parallel()
	url := storetest.MySQL(t)
	const lease = 2 * time.Second
	start := func(name string) (*store.Store, func()) {
		s := lead(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-" + name, Lease: lease}))
		return s, run(t, s)
	}
	held := func(want ...int) func(...*store.Store) func() bool {
		return func(list ...*store.Store) func() bool {
			return func() bool {
				for i, s := range list {
					if s.Held() != want[i] {
						return false
					}
				}
				return true
			}
		}
	}
	a, _ := start("a")
	if a.Held() != 64 {
		t.Fatalf("the first holds %d", a.Held())
	}
	began := time.Now()
	b, stopB := start("b")
	later(t, "two share", held(32, 32)(a, b))
	t.Logf("a newcomer has its part after %s (lease %s)", time.Since(began).Round(time.Millisecond), lease)
	c, _ := start("c")
	later(t, "three share", func() bool {
		return a.Held()+b.Held()+c.Held() == 64 && a.Held() <= 22 && b.Held() <= 22 && c.Held() <= 22
	})
	began = time.Now()
	stopB()
	later(t, "two share what the third left", held(32, 32)(a, c))
	t.Logf("what a clean end leaves is taken after %s", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	c.Crash() // its Run goes on and fails
	later(t, "the last has all", held(64)(a))
	t.Logf("what a dead one held is taken after %s", time.Since(began).Round(time.Millisecond))
}

// A shard in which something is being worked on is not handed over.
func TestBalanceLeavesWorkAlone(t *testing.T) {
	t.Parallel()
	url := storetest.MySQL(t)
	ctx := context.Background()
	a := lead(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-a", Lease: long}))
	for i := range 40 {
		accept(t, a, message(fmt.Sprint("p", i), "1", "x"))
	}
	turns := claim(t, a, 40)
	b := lead(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-b", Lease: long}))
	for range 3 {
		if err := errors.Join(a.Renew(ctx), b.Renew(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	if got := claim(t, b, 40); len(got) != 0 {
		t.Errorf("%d turns were taken out of the other's hands", len(got))
	}
	for _, turn := range turns {
		finish(t, a, turn)
	}
	if err := errors.Join(a.Renew(ctx), b.Renew(ctx)); err != nil || a.Held() != 32 || b.Held() != 32 {
		t.Errorf("%d and %d, %v", a.Held(), b.Held(), err)
	}
}
