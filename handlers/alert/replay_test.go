package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

const testToken = "hook-token-for-tests"

func testRules() *Rules {
	return &Rules{Routes: []Route{DefaultRoute("desk")}, NextStep: 5 * time.Minute, LastStep: 10 * time.Minute, Zone: time.FixedZone("CST", 8*3600), URL: "https://desk.example.com"}
}

func testHooks(s *store.Store, rules *Rules) http.Handler {
	sources := map[string]Source{}
	for _, k := range Kinds {
		sources[k.Name] = Source{Name: k.Name, Kind: k}
	}
	return atOnce(NewHooks(NewDesk(s, rules, slog.New(slog.DiscardHandler)), sources, testToken, slog.New(slog.DiscardHandler)))
}

// atOnce serves h, and applies what came before it answers.
func atOnce(h *Hooks) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/hooks/{source}", h)
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r)
		mu.Lock()
		defer mu.Unlock()
		if err := drain(h); err != nil {
			panic(err)
		}
	})
}

// drain applies what waits.
func drain(h *Hooks) error {
	for {
		if more, err := h.Work(context.Background()); err != nil || !more {
			return err
		}
	}
}

func post(t testing.TB, h http.Handler, source string, body []byte, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", "/hooks/"+source, bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+testToken)
	r.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type captured struct {
	Headers map[string]string
	Body    json.RawMessage
	Offset  float64 `json:"offset_s"`
}

// sequences are the captured deliveries, by folder and sequence.
func sequences(t *testing.T) map[string][]captured {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(files)
	out := map[string][]captured{}
	for _, f := range files {
		if filepath.Base(f) == "index.json" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			captured
			Sequence string
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(f, err)
		}
		key := filepath.Base(filepath.Dir(f)) + "/" + c.Sequence
		out[key] = append(out[key], c.captured)
	}
	return out
}

type expected struct {
	store.AlertTally
	Distinct int `json:"distinct_alerts"`
}

func expectations(t *testing.T) map[string]expected {
	t.Helper()
	text, err := os.ReadFile("testdata/EXPECTED.json")
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]expected
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func checkCounts(t *testing.T, s *store.Store, source string, want store.AlertTally) {
	t.Helper()
	got, err := s.AlertCounts(context.Background(), source)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("counts are\n%+v, want\n%+v", got, want)
	}
}

// Every captured sequence gives what EXPECTED.json says, with the store opened
// anew between any two deliveries.
func TestReplayWithRestarts(t *testing.T) {
	all := sequences(t)
	for name, want := range expectations(t) {
		source, _, _ := strings.Cut(name, "/")
		if len(all[name]) == 0 {
			t.Fatalf("no deliveries of %s", name)
		}
		t.Run(name, func(t *testing.T) {
			url := storetest.SQLite(t)
			for i, c := range all[name] {
				s, err := store.Open(context.Background(), store.Options{URL: url, Key: storetest.Key})
				if err != nil {
					t.Fatal(err)
				}
				if w := post(t, testHooks(s, testRules()), source, c.Body, nil); w.Code != 200 {
					t.Fatalf("delivery %d: %d %s", i+1, w.Code, w.Body)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			s := storetest.Open(t, url, store.Options{})
			checkCounts(t, s, source, want.AlertTally)
			list, err := s.ListAlerts(context.Background(), store.AlertQuery{N: 1000})
			if err != nil || len(list) != want.Distinct {
				t.Errorf("%d alerts, want %d; %v", len(list), want.Distinct, err)
			}
		})
	}
}

// The same at the pace at which it was captured and twenty times faster, while
// the chats are told what is due: telling changes no count.
func TestReplayAtItsPace(t *testing.T) {
	all := sequences(t)
	for _, speed := range []float64{1, 20} {
		t.Run(fmt.Sprintf("%gx", speed), func(t *testing.T) {
			t.Parallel()
			url := storetest.SQLite(t)
			st := newStage(t, func(o store.Options) *store.Store { return storetest.Open(t, url, o) })
			st.now = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) // after the capture
			for name, want := range expectations(t) {
				kind, _, _ := strings.Cut(name, "/")
				source := strings.ReplaceAll(name, "/", "-")
				h := hooksOf(st.d, source, kind)
				begin := st.now
				for i, c := range all[name] {
					at := begin.Add(time.Duration(c.Offset / speed * float64(time.Second)))
					for st.now.Add(5 * time.Second).Before(at) {
						st.later(5 * time.Second)
					}
					st.later(at.Sub(st.now))
					if w := post(t, h, source, c.Body, nil); w.Code != 200 {
						t.Fatalf("%s, delivery %d: %d %s", name, i+1, w.Code, w.Body)
					}
				}
				for range 13 {
					st.later(time.Minute)
				}
				checkCounts(t, st.s, source, want.AlertTally)
				open, err := st.s.ListAlertGroups(context.Background(), store.AlertGroupQuery{State: store.GroupOpen, Source: source, N: 100})
				if err != nil || (len(open) > 0) != (want.OpenAtEnd > 0) {
					t.Errorf("%s: %d groups are open with %d alerts, %v", name, len(open), want.OpenAtEnd, err)
				}
			}
		})
	}
}

// hooksOf takes one source.
func hooksOf(d *Desk, source, kind string) http.Handler {
	k, _ := FindKind(kind)
	return atOnce(NewHooks(d, map[string]Source{source: {Name: source, Kind: k}}, testToken, slog.New(slog.DiscardHandler)))
}

// The same on each database, and with every delivery doubled: what is repeated
// is counted as repeated, and nothing opens or ends twice.
func TestReplayDoubled(t *testing.T) {
	all := sequences(t)
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		s := open(store.Options{})
		for name, want := range expectations(t) {
			kind, _, _ := strings.Cut(name, "/")
			for _, doubled := range []bool{false, true} {
				source := strings.ReplaceAll(name, "/", "-")
				if doubled {
					source += "-twice"
				}
				mux := hooksOf(NewDesk(s, testRules(), slog.New(slog.DiscardHandler)), source, kind)
				for _, c := range all[name] {
					for range 1 + map[bool]int{true: 1}[doubled] {
						if w := post(t, mux, source, c.Body, nil); w.Code != 200 {
							t.Fatalf("%s: %d %s", name, w.Code, w.Body)
						}
					}
				}
				if !doubled {
					checkCounts(t, s, source, want.AlertTally)
					continue
				}
				got, err := s.AlertCounts(context.Background(), source)
				if err != nil {
					t.Fatal(err)
				}
				if got.Opened != want.Opened || got.Resolved != want.Resolved || got.WithoutOpen != want.WithoutOpen || got.OpenAtEnd != want.OpenAtEnd {
					t.Errorf("%s doubled: %+v, want %+v", name, got, want.AlertTally)
				}
				if got.Repeated != 2*want.Repeated+want.Opened || got.Again != 2*want.Again+want.Resolved+want.WithoutOpen {
					t.Errorf("%s doubled: repeats are %+v, want each once more than %+v", name, got, want.AlertTally)
				}
			}
		}
	})
}

// Two replicas get the same alerts at the same moment: each opens once.
func TestTwoAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		s := open(store.Options{})
		h := testHooks(s, testRules())
		const hands, rounds = 8, 6
		done := make(chan error, hands)
		for range hands {
			go func() {
				for i := range rounds {
					status := []string{"firing", "resolved"}[i%2]
					body := fmt.Sprintf(`{"receiver":"x","alerts":[{"status":"%s","labels":{"alertname":"A","n":"1"}},{"status":"%s","labels":{"alertname":"A","n":"2"}}]}`, status, status)
					r := httptest.NewRequest("POST", "/hooks/alertmanager?token="+testToken, strings.NewReader(body))
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					if w.Code != 200 {
						done <- fmt.Errorf("%d %s", w.Code, w.Body)
						return
					}
				}
				done <- nil
			}()
		}
		for range hands {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.AlertCounts(context.Background(), "alertmanager")
		if err != nil {
			t.Fatal(err)
		}
		if got.Opened != got.Resolved+got.OpenAtEnd || got.Opened+got.Repeated != hands*rounds || got.Resolved+got.Again+got.WithoutOpen != hands*rounds {
			t.Errorf("the counts do not add up: %+v", got)
		}
		groups, err := s.ListAlertGroups(context.Background(), store.AlertGroupQuery{N: 100})
		if err != nil || len(groups) != 1 {
			t.Fatalf("%d groups, want 1; %v", len(groups), err)
		}
		if g := groups[0]; int64(g.Opens) != got.Opened || int64(g.Resolves) != got.Resolved || int64(g.Firing) != got.OpenAtEnd {
			t.Errorf("the group counts %+v, the tally %+v", g, got)
		}
	})
}
