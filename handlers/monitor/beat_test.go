package monitor

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/handlers/alert"
	"frontline/handlers/calendar"
	"frontline/store"
	"frontline/store/storetest"
)

const beatItem = `kind: heartbeat
name: nightly
title: 夜间清算
system: 清算
expect: { every: 10m }
grace: 5m
token: a-token-of-this-test
`

// beating is a runner with one heartbeat behind an address.
func beating(t *testing.T, s *store.Store, text string) (*Runner, func(method, path, body string) int) {
	t.Helper()
	r := runners(t, s, text, waiting{}, 1)[0]
	mux := http.NewServeMux()
	b := &Beats{Runner: r, Log: slog.New(slog.DiscardHandler)}
	mux.Handle("/beat/{token}", b)
	mux.Handle("/beat/{token}/{what}", b)
	return r, func(method, path, body string) int {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Code
	}
}

// A beat that does not come is an alert like any other, and ends when one comes.
func TestBeat(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		r, call := beating(t, s, beatItem)
		wait := func(d time.Duration) { c.set(c.now().Add(d)); r.lookBeats(ctx) }
		beat := func(what string, want int) {
			t.Helper()
			if got := call("POST", "/beat/a-token-of-this-test"+what, "done 13812345678"); got != want {
				t.Fatalf("%s: %d", what, got)
			}
		}
		tally := func(opened, resolved int64) {
			t.Helper()
			n, err := s.AlertCounts(ctx, SourceName)
			if err != nil || n.Opened != opened || n.Resolved != resolved || n.Again+n.WithoutOpen+n.Repeated != 0 {
				t.Fatalf("%+v, want %d opened, %d resolved; %v", n, opened, resolved, err)
			}
		}
		r.lookBeats(ctx)
		wait(15 * time.Minute)
		tally(0, 0)
		wait(time.Second) // it never came
		tally(1, 0)
		wait(time.Hour) // told once
		tally(1, 0)
		beat("", http.StatusOK)
		tally(1, 1)
		wait(14 * time.Minute)
		beat("/0", http.StatusOK)
		wait(14 * time.Minute)
		tally(1, 1)
		beat("/3", http.StatusOK)
		tally(2, 1)
		beat("/start", http.StatusOK)
		wait(4 * time.Minute)
		beat("", http.StatusOK)
		tally(2, 2)
		beat("/start", http.StatusOK)
		wait(5*time.Minute + time.Second) // the end did not come within the grace
		tally(3, 2)
		beat("", http.StatusOK)
		tally(3, 3)
		list, err := s.MonitorResults(ctx, store.MonitorQuery{Item: "nightly"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range list {
			got = append([]string{x.State}, got...)
			if strings.Contains(string(x.Table), "13812345678") {
				t.Error("what came along is not masked")
			}
		}
		if want := "[missed ok ok failed ok missed ok]"; fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
		for path, want := range map[string]int{"/beat/another-token-of-this": 404, "/beat/a-token-of-this-test/stop": 404, "/beat/a-token-of-this-test/256": 404, "/beat/a-token-of-this-test/+1": 404} {
			if code := call("POST", path, ""); code != want {
				t.Errorf("%s: %d", path, code)
			}
		}
		before := c.now()
		for _, method := range []string{"GET", "HEAD", "PUT"} {
			if code := call(method, "/beat/a-token-of-this-test", ""); code != http.StatusMethodNotAllowed {
				t.Errorf("%s: %d", method, code)
			}
		}
		if list, err := s.MonitorResults(ctx, store.MonitorQuery{Item: "nightly", From: before.Add(time.Millisecond)}); err != nil || len(list) != 0 {
			t.Errorf("a look changed something: %v %v", list, err)
		}
	})
}

// Beats that come at once are all taken, and the end of an alert is said once.
func TestBeatsAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		r, call := beating(t, s, beatItem)
		r.lookBeats(ctx)
		c.set(c.now().Add(time.Hour))
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { r.lookBeats(ctx) })
			all.Go(func() {
				if code := call("POST", "/beat/a-token-of-this-test", ""); code != http.StatusOK {
					t.Errorf("%d", code)
				}
			})
		}
		all.Wait()
		n, err := s.AlertCounts(ctx, SourceName)
		if err != nil || n.Opened != n.Resolved || n.Opened > 1 || n.OpenAtEnd != 0 {
			t.Errorf("%+v %v", n, err)
		}
	})
}

// When a beat must have come, on the exchanges' calendar.
func TestBeatDue(t *testing.T) {
	cal := calendar.Default()
	for _, c := range []struct{ expect, from, want string }{
		{"{ every: 10m }", "2026-03-03 10:00", "2026-03-03 10:15"},
		{"{ every: 10m, only: trading_hours }", "2026-03-03 11:25", "2026-03-03 13:15"},
		{"{ every: 10m, only: trading_hours }", "2026-03-06 14:55", "2026-03-09 09:45"},
		{"{ every: 1h, calendar: sse }", "2026-03-06 23:30", "2026-03-09 01:05"},
		{`{ at: ["20:00"], only: trading_days }`, "2026-03-03 20:01", "2026-03-04 20:05"},
		{`{ at: ["20:00"], only: trading_days }`, "2026-03-06 21:00", "2026-03-09 20:05"},
		{`{ cron: "30 2 * * *" }`, "2026-03-03 02:30", "2026-03-04 02:35"},
	} {
		items, faults := Load(map[string][]byte{"x.yaml": []byte(strings.Replace(beatItem, "{ every: 10m }", c.expect, 1))}, nil)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		from, err := time.ParseInLocation("2006-01-02 15:04", c.from, cal.Location())
		if err != nil {
			t.Fatal(err)
		}
		if got := items[0].beatDue(cal, from).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%s after %s: %s, want %s", c.expect, c.from, got, c.want)
		}
	}
}

// A token that the file does not name is made from the name, the same each time.
func TestBeatTokens(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	r, call := beating(t, s, strings.Replace(beatItem, "token: a-token-of-this-test\n", "", 1))
	i := r.Find("nightly")
	path := r.Address(i)
	if len(path) < len("/beat/")+20 || call("POST", path, "") != http.StatusOK || call("POST", "/beat/nightly", "") != http.StatusNotFound {
		t.Errorf("%s", path)
	}
	for text, want := range map[string]string{
		"kind: heartbeat\nname: a1\n":                                                             "缺 expect",
		"kind: heartbeat\nname: a1\nexpect: { every: 10m }\ntoken: short\n":                       "16 到 128",
		"kind: heartbeat\nname: a1\nexpect: { every: 10m, jitter: 5s }\n":                         "没有 jitter",
		"kind: heartbeat\nname: a1\nschedule: { every: 10m }\n":                                   "写在 expect 里",
		"kind: heartbeat\nname: a1\nexpect: { every: 10m }\nrules: []\n":                          "没有「rules」",
		"kind: heartbeat\nname: a1\nexpect: { every: 10m }\nrouting: x\n":                         "没有「routing」",
		"kind: heartbeat\nname: a1\nexpect: { every: 10m, at: ['09:00'] }\n":                      "其中一种",
		"kind: heartbeat\nname: A\nexpect: { every: 10m }\nseverity: bad\n":                       "名字用小写字母",
		"kind: heartbeat\nname: a1\nexpect: { every: 10m }\ngrace: 20000h\n":                      "",
		"kind: heartbeat\nname: a1\nexpect: { every: 10m }\nroute: x\nescalate: { after: 10m }\n": "alerts.routes",
	} {
		_, faults := Load(map[string][]byte{"x.yaml": []byte(text)}, nil)
		if len(faults) == 0 || !strings.Contains(fmt.Sprint(faults), want) {
			t.Errorf("%q: %v, want %s", text, faults, want)
		}
	}
	_, faults := Load(map[string][]byte{"a.yaml": []byte(beatItem), "b.yaml": []byte(strings.Replace(beatItem, "name: nightly", "name: other", 1))}, nil)
	if len(faults) != 1 || !strings.Contains(faults[0].Text, "token") {
		t.Errorf("%v", faults)
	}
}

// Our own beat goes out while the database works, and how it went is on record.
func TestAlive(t *testing.T) {
	c := &clock{t: time.Date(2026, 3, 3, 2, 0, 0, 0, time.UTC)}
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: c.now})
	ctx := context.Background()
	status, got := http.StatusOK, 0
	far := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if got++; r.Method != http.MethodPost {
			t.Errorf("%s", r.Method)
		}
		w.WriteHeader(status)
	}))
	a := &Alive{Store: s, URL: far.URL + "/beat/secret-token", Every: time.Minute, Log: slog.New(slog.DiscardHandler)}
	for _, x := range []struct {
		wait   time.Duration
		status int
		calls  int
		fault  string
	}{{0, 200, 1, ""}, {30 * time.Second, 200, 1, ""}, {30 * time.Second, 503, 2, "answered 503"}, {time.Minute, 302, 3, "answered 302"}, {time.Minute, 204, 4, ""}} {
		c.set(c.now().Add(x.wait))
		status = x.status
		a.beat(ctx, far.Client())
		jobs, err := s.ListJobs(ctx)
		if err != nil || got != x.calls || !strings.Contains(jobs[AliveJob].Err, x.fault) || (x.fault == "") != (jobs[AliveJob].Err == "") {
			t.Errorf("%+v: %d calls, %q, %v", x, got, jobs[AliveJob].Err, err)
		}
	}
	far.Close()
	c.set(c.now().Add(time.Minute))
	if err := a.beat(ctx, http.DefaultClient); err == nil || strings.Contains(err.Error(), "secret-token") {
		t.Errorf("%v", err)
	}
}

// What of the program does not go on is an alert, and its end too.
func TestSelf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		cal := calendar.Default()
		c := &clock{t: time.Date(2026, 3, 3, 10, 0, 0, 0, cal.Location())}
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		r := runners(t, s, stateItem, &counter{}, 1)[0]
		began := c.now()
		r.lookAll(ctx)
		r.work.Wait()
		self := &Self{Store: s, Alerts: r.Alerts, Runner: r, Jobs: []string{"sweep"}, Log: slog.New(slog.DiscardHandler)}
		if _, err := s.TakeJob(ctx, "sweep", func(now time.Time) time.Time { return now.Add(time.Hour) }); err != nil {
			t.Fatal(err)
		}
		look := func(want ...string) {
			t.Helper()
			for range 2 { // nothing is reported twice
				if err := self.Look(ctx, began); err != nil {
					t.Fatal(err)
				}
			}
			list, err := s.ListAlerts(ctx, store.AlertQuery{Source: SelfSource, State: store.AlertFiring, N: 10})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range list {
				got = append([]string{a.UpstreamID}, got...)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v, want %v", got, want)
			}
		}
		look()
		c.set(c.now().Add(29 * time.Minute))
		look()
		c.set(c.now().Add(2 * time.Minute))
		look("monitors")
		r.lookAll(ctx)
		r.work.Wait()
		look()
		c.set(c.now().Add(time.Hour))
		began = c.now() // a restart gives all of it time
		look()
		c.set(c.now().Add(13 * time.Minute))
		look("jobs")
		if n, err := s.AlertCounts(ctx, SelfSource); err != nil || n.Opened != 2 || n.Resolved != 1 || n.Repeated != 0 {
			t.Errorf("%+v %v", n, err)
		}
		if g, err := s.ListAlertGroups(ctx, store.AlertGroupQuery{Source: SelfSource, N: 10}); err != nil || len(g) != 2 || g[0].Severity != alert.Major {
			t.Errorf("%+v %v", g, err)
		}
	})
}
