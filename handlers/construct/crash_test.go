package construct

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
	"frontline/uat"
)

// The runner is a child process that is killed again and again, while it makes
// data and while it takes it back. Afterwards nothing is there twice, nothing
// is lost, and the systems are as they were.

const crashLease = 300 * time.Millisecond

// TestCrashChild is the child: the engine on the parent's database.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv("CONSTRUCT_CRASH_DIR")
	if dir == "" {
		t.Skip("only as a child of TestKilled")
	}
	s, err := store.Open(context.Background(), store.Options{URL: os.Getenv("CONSTRUCT_CRASH_URL"), Key: storetest.Key})
	if err != nil {
		t.Fatal(err)
	}
	envs, faults := LoadEnvironments(dir)
	lib, more := LoadFS(Examples, "recipes")
	if len(faults)+len(more) > 0 {
		t.Fatal(faults, more)
	}
	e, err := Open(Options{Recipes: lib, Envs: envs, Store: s, UndoPause: time.Millisecond, Lease: crashLease})
	if err != nil {
		t.Fatal(err)
	}
	e.Run(context.Background()) // until it is killed
}

func crashKills(t *testing.T) int {
	n := 10
	if v := os.Getenv("FRONTLINE_CRASH_KILLS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for name, url := range map[string]func(testing.TB) string{"sqlite": storetest.SQLite, "mysql": storetest.MySQL} {
		t.Run(name, func(t *testing.T) { killed(t, url(t)) })
	}
}

// killed makes data and takes it back, again and again until enough kills fell.
func killed(t *testing.T, url string) {
	s := storetest.Open(t, url, store.Options{})
	u, err := uat.Start(uat.Options{Dir: t.TempDir(), Slow: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "uat.yaml"), []byte(u.Environment()), 0o600); err != nil {
		t.Fatal(err)
	}
	// Calls take a while, so that most kills fall into one.
	for _, op := range []string{"openCustomer", "OPEN_FUND_ACCOUNT", "POST /agreements", "POST /transfers", "DESIGNATE", "PERMIT", "closeCustomer", "CLOSE_FUND_ACCOUNT", "DELETE /agreements"} {
		u.Inject(uat.Fault{Op: op, Kind: "slow", Delay: 40 * time.Millisecond, Times: 1 << 30})
	}
	k := &killing{t: t, s: s, u: u, e: testEngine(t, s, u), env: append(os.Environ(), "CONSTRUCT_CRASH_DIR="+dir, "CONSTRUCT_CRASH_URL="+url), want: crashKills(t)}
	empty := sum(t, u.DB())
	for round := 0; round == 0 || k.kills < k.want && !t.Failed(); round++ {
		k.round(round)
		if sum(t, u.DB()) != empty {
			t.Error("the systems are not as they were")
		}
	}
	if t.Logf("%d kills, %d calls were sent again", k.kills, k.again); k.again == 0 {
		t.Error("no kill fell into a call: this proves nothing")
	}
}

type killing struct {
	t     *testing.T
	s     *store.Store
	u     *uat.Server
	e     *Engine
	env   []string
	want  int // kills
	kills int
	again int // calls that were sent a second time
	made  int // pieces so far
}

// round makes four runs of four pieces, counts them, and takes them back.
func (k *killing) round(round int) {
	t, ctx := k.t, context.Background()
	var runs []store.Run
	for i := range 4 {
		w, err := k.e.Check(Order{Recipe: k.e.Library().Find("open-full"), Params: map[string]any{"gem": true}, Count: 4, Requester: tester, Source: fmt.Sprint(round, "/", i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.s.InTx(ctx, func(tx *store.Tx) error {
			r, _, err := k.e.Create(tx, w)
			runs = append(runs[:i], r)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	k.drive(runs)
	want := 0
	for _, r := range runs {
		r, items := k.e.look(t, r.Number)
		if r.State != store.RunDone {
			t.Errorf("R%d %s: %s %s", r.Number, r.State, items[0].FaultAt, items[0].Fault)
		}
		want += r.Good
	}
	for table, n := range map[string]int{"customer": want, "fund_account": want, "agreement": want, "transfer": want + 2*k.made /* in and out of the rounds before */, "stock_hold": 2 * want} {
		if have := count(t, k.u.DB(), table); have != n {
			t.Errorf("%d rows in %s, %d were wanted", have, table, n)
		}
	}
	k.made += want
	k.again = -5 * k.made
	for _, op := range []string{"OPEN_FUND_ACCOUNT", "POST /agreements", "DESIGNATE", "PERMIT", "openCustomer"} {
		k.again += k.u.Calls(op)
	}
	for _, r := range runs {
		if err := k.s.InTx(ctx, func(tx *store.Tx) error { _, err := k.e.Undo(tx, tester, r.Number); return err }); err != nil {
			t.Fatal(err)
		}
	}
	k.drive(runs)
	for _, r := range runs {
		if r, items := k.e.look(t, r.Number); r.State != store.RunUndone {
			t.Errorf("R%d %s: %s", r.Number, r.State, items[0].Fault)
		}
	}
}

// ended tells whether nothing is left to do.
func (k *killing) ended(runs []store.Run) bool {
	for _, r := range runs {
		r, err := k.s.FindRun(context.Background(), r.Number)
		if err != nil {
			k.t.Fatal(err)
		}
		if r.State == store.RunQueued || r.State == store.RunRunning || r.State == store.RunUndoing {
			return false
		}
	}
	return true
}

// drive lets children work on the runs, and kills them, until the runs ended.
func (k *killing) drive(runs []store.Run) {
	for until := time.Now().Add(2 * time.Minute); !k.ended(runs); {
		if time.Now().After(until) {
			k.t.Fatal("the runs do not end")
		}
		child := osexec.Command(os.Args[0], "-test.run=^TestCrashChild$")
		child.Env = k.env
		if err := child.Start(); err != nil {
			k.t.Fatal(err)
		}
		if k.kills < k.want {
			time.Sleep(400*time.Millisecond + rand.N(700*time.Millisecond)) // when to kill, not a wait for something
			if !k.ended(runs) {
				k.kills++
			}
		} else {
			for !k.ended(runs) && time.Now().Before(until) {
				time.Sleep(20 * time.Millisecond)
			}
		}
		child.Process.Kill()
		child.Wait()
	}
}
