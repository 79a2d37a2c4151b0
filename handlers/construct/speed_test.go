package construct

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
	"frontline/uat"
)

// A whole account set beside systems that take 200 ms for each call, and what
// the engine itself adds to a step. make bench-construct prints the figures.
func TestConstructSpeed(t *testing.T) {
	if os.Getenv("FRONTLINE_BENCH") == "" {
		t.Skip("set FRONTLINE_BENCH=1, or run make bench-construct")
	}
	const sets = 20
	u := startUAT(t)
	u.Inject(uat.Fault{Op: "*", Kind: "slow", Delay: 200 * time.Millisecond, Times: 1 << 20})
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	var took []time.Duration
	for i := range sets {
		began := time.Now()
		if r, items := e.seeded(t, "open-full", map[string]any{"gem": true}, 1, uint64(i+1)); r.State != store.RunDone {
			t.Fatalf("%s %s", r.State, items[0].Fault)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	p95 := percentile(took, 95)
	t.Logf("one account set, 200 ms for each call: median %v, p95 %v of %d", percentile(took, 50).Round(time.Millisecond), p95.Round(time.Millisecond), sets)
	if p95 > time.Minute {
		t.Errorf("p95 %v, want at most 60s", p95)
	}
	// Steps that call nobody: all their time is the engine's.
	text := "kind: recipe\nname: idle\nversion: 1\ntitle: 空转\nenvironments: [uat]\nroles: { run: [tester] }\nsteps:\n"
	const steps = 100
	for i := range steps {
		text += fmt.Sprintf("  - id: s%d\n    title: 第 %d 步\n    assert:\n      - { that: run.count == 1, say: 不对 }\n", i, i)
	}
	lib, faults := Load(map[string][]byte{"idle.yaml": []byte(text)})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	e.SetLibrary(lib)
	took = nil
	for range sets {
		began := time.Now()
		if r, items := e.test(t, "idle", nil, 1); r.State != store.RunDone {
			t.Fatalf("%s %s", r.State, items[0].Fault)
		}
		took = append(took, time.Since(began)/steps)
	}
	slices.Sort(took)
	p95 = percentile(took, 95)
	t.Logf("the engine's part of a step: median %v, p95 %v", percentile(took, 50).Round(time.Microsecond), p95.Round(time.Microsecond))
	if p95 > 5*time.Millisecond {
		t.Errorf("p95 %v, want at most 5ms", p95)
	}
}
