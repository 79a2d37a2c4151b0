package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"frontline/bot/standin"
	"frontline/store/storetest"
)

// crashCalls are the system calls in which the process dies: of the database's
// file (pwrite64, fsync, fdatasync) and of its connections and logs (write).
var crashCalls = []string{"pwrite64", "fsync,fdatasync", "write"}

// strace tells whether system calls can be tampered with here.
func strace(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=1", "true").CombinedOutput(); err != nil {
		storetest.Skip(t, fmt.Sprintf("strace does not work here: %v %s", err, out))
	}
}

// TestCrashAtEachCall kills the process inside its N-th write, sync or send,
// for each N: whatever stands half written, nothing acknowledged is lost and
// nothing is there twice. N is a short list, or FRONTLINE_CRASH_CALLS = highest N.
func TestCrashAtEachCall(t *testing.T) {
	strace(t)
	points := []int{1, 3, 9, 27, 81}
	if v := os.Getenv("FRONTLINE_CRASH_CALLS"); v != "" {
		most, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("FRONTLINE_CRASH_CALLS: %v", err)
		}
		points = points[:0]
		for n := 1; n <= most; n++ {
			points = append(points, n)
		}
	}
	w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), 1)
	r := w.replicas[0]
	r.start()
	w.probe(r, 20*time.Second)
	w.drive()
	reached, at := 0, map[string]int{}
	for _, n := range points {
		for _, calls := range crashCalls {
			r.kill()
			r.under = []string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, n)}
			r.start()
			select {
			case err := <-r.dead:
				r.dead <- err // for the kill that follows
				reached++
				at[calls]++
			case <-time.After(6 * time.Second): // no thread came to its N-th call
			}
		}
	}
	r.kill()
	r.under = nil
	r.start()
	w.probe(r, 20*time.Second)
	w.settle()
	w.check()
	t.Logf("%d deaths in %d tries, by call %v", reached, len(points)*len(crashCalls), at)
	if reached < len(points) {
		t.Errorf("only %d of %d tries died in their call: does this test still reach them?", reached, len(points)*len(crashCalls))
	}
}

// On a disk whose every sync takes 200 ms callbacks share them: at twenty a
// second the 99th percentile of acknowledgements stays below a second.
func TestSlowDisk(t *testing.T) {
	strace(t)
	w := newWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), 1)
	r := w.replicas[0]
	r.start() // makes the tables
	w.probe(r, 20*time.Second)
	r.kill()
	r.under = []string{"strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:delay_exit=200000"}
	r.start()
	w.probe(r, 60*time.Second)
	var (
		mu   sync.Mutex
		took []time.Duration
		all  sync.WaitGroup
	)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range 200 {
		<-tick.C
		all.Go(func() {
			began := time.Now()
			user, text := fmt.Sprint("member", i%crashUsers), "怎么查 "+word(i)+" 的流水"
			got, err := w.platform.Say(context.Background(), standin.SayRequest{User: user, To: standin.AppPlace(crashAgent), Text: text, MsgID: fmt.Sprintf("8%09d", i), CreateTime: began.Unix(), Wait: true})
			if err != nil || !got.Outcome.Acknowledged || got.Outcome.Tries != 1 {
				t.Errorf("%s: acknowledged %v in %d tries, %v", text, got.Outcome.Acknowledged, got.Outcome.Tries, err)
			}
			mu.Lock()
			took = append(took, time.Since(began))
			mu.Unlock()
		})
	}
	all.Wait()
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	t.Logf("acknowledged with syncs of 200 ms: median %s, p99 %s, worst %s", took[len(took)/2].Round(time.Millisecond), p99.Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	if p99 > time.Second {
		t.Errorf("p99 is %s, want below 1s", p99)
	}
	if got := r.get("/healthz"); got == "" {
		t.Errorf("%s: the process does not answer any more", http.MethodGet)
	}
}
