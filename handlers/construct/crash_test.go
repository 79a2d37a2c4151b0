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
	e := testEngine(t, s, u)
	empty := sum(t, u.DB())
	ctx := context.Background()
	var runs []store.Run
	for i := range 4 {
		w, err := e.Check(Order{Recipe: e.Library().Find("open-full"), Params: map[string]any{"gem": true}, Count: 4, Requester: tester, Source: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error {
			r, _, err := e.Create(tx, w)
			runs = append(runs[:i], r)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	// Calls take a while, so that most kills fall into one.
	for _, op := range []string{"openCustomer", "OPEN_FUND_ACCOUNT", "POST /agreements", "POST /transfers", "DESIGNATE", "PERMIT", "closeCustomer", "CLOSE_FUND_ACCOUNT", "DELETE /agreements"} {
		u.Inject(uat.Fault{Op: op, Kind: "slow", Delay: 40 * time.Millisecond, Times: 1 << 20})
	}
	kills := crashKills(t)
	ended := func() bool {
		for _, r := range runs {
			r, err := s.FindRun(ctx, r.Number)
			if err != nil {
				t.Fatal(err)
			}
			if r.State == store.RunQueued || r.State == store.RunRunning || r.State == store.RunUndoing {
				return false
			}
		}
		return true
	}
	drive := func(kills int) {
		for until := time.Now().Add(2 * time.Minute); !ended(); {
			if time.Now().After(until) {
				t.Fatal("the runs do not end")
			}
			child := osexec.Command(os.Args[0], "-test.run=^TestCrashChild$")
			child.Env = append(os.Environ(), "CONSTRUCT_CRASH_DIR="+dir, "CONSTRUCT_CRASH_URL="+url)
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			if kills--; kills >= 0 {
				time.Sleep(400*time.Millisecond + rand.N(700*time.Millisecond)) // when to kill, not a wait for something
			} else {
				for !ended() && time.Now().Before(until) {
					time.Sleep(20 * time.Millisecond)
				}
			}
			child.Process.Kill()
			child.Wait()
		}
	}
	drive(kills)
	want := 0
	for _, r := range runs {
		r, items := e.look(t, r.Number)
		if r.State != store.RunDone {
			t.Errorf("R%d %s: %s %s", r.Number, r.State, items[0].FaultAt, items[0].Fault)
		}
		want += r.Good
	}
	for table, n := range map[string]int{"customer": want, "fund_account": want, "agreement": want, "transfer": want, "stock_hold": 2 * want} {
		if have := count(t, u.DB(), table); have != n {
			t.Errorf("%d rows in %s, %d were wanted", have, table, n)
		}
	}
	again := -5 * want
	for _, op := range []string{"OPEN_FUND_ACCOUNT", "POST /agreements", "POST /transfers", "DESIGNATE", "PERMIT"} {
		again += u.Calls(op)
	}
	if t.Logf("%d calls were sent again", again); again == 0 {
		t.Error("no kill fell into a call: this proves nothing")
	}
	for _, r := range runs {
		if err := s.InTx(ctx, func(tx *store.Tx) error { _, err := e.Undo(tx, tester, r.Number); return err }); err != nil {
			t.Fatal(err)
		}
	}
	drive(kills)
	for _, r := range runs {
		if r, items := e.look(t, r.Number); r.State != store.RunUndone {
			t.Errorf("R%d %s: %s", r.Number, r.State, items[0].Fault)
		}
	}
	if sum(t, u.DB()) != empty {
		t.Error("the systems are not as they were")
	}
}
