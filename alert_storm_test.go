//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"frontline/handlers/alert/alerttest"
)

// Ten thousand alerts in a minute, taken by the real program: make bench-storm.
func TestAlertStormOfTenThousand(t *testing.T) {
	if os.Getenv("FRONTLINE_BENCH") == "" {
		t.Skip("set FRONTLINE_BENCH=1, or run make bench-storm")
	}
	const most, each = 10_000, 50
	w, r := alertWorld(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), nil)
	r.start()
	w.up(r)
	var slowest time.Duration
	post := func(body []byte) {
		t.Helper()
		began := time.Now()
		if err := r.hook("spare", body); err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(began))
	}
	tick := time.NewTicker(time.Minute * each / most)
	defer tick.Stop()
	var critical time.Time
	began := time.Now()
	for n := 0; n < most; n += each {
		if n == most/6/each*each {
			critical = time.Now()
			post(alerttest.FirstCriticalBody)
		}
		post(alerttest.StormBody(n, each, !critical.IsZero()))
		<-tick.C
	}
	took := time.Since(began)
	time.Sleep(4 * time.Minute) // the storm ends two minutes after its last digest
	w.applied(r)
	c := w.tally(r, "spare")
	t.Logf("%d alerts in %s, the slowest POST of %d took %s: %+v", most+1, took.Round(time.Second), each, slowest.Round(time.Millisecond), c)
	if c.Opened != most+1 || c.OpenAtEnd != most+1 {
		t.Errorf("%+v", c)
	}
	alerttest.CheckStorm(t, w.pushed(), most+1, critical)
}
