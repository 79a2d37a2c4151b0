package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

// kept serves h without applying anything.
func kept(h *Hooks) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/hooks/{source}", h)
	return mux
}

func kindsOf(names ...string) map[string]Source {
	out := map[string]Source{}
	for _, n := range names {
		k, _ := FindKind(n)
		out[n] = Source{Name: n, Kind: k}
	}
	return out
}

// What was acknowledged waits on the disk: each captured sequence is kept whole,
// and applied by another process, with a restart after each delivery.
func TestQueueOutlivesTheProcess(t *testing.T) {
	all := sequences(t)
	for name, want := range expectations(t) {
		source, _, _ := strings.Cut(name, "/")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := storetest.SQLite(t)
			open := func(do func(s *store.Store, h *Hooks)) {
				s, err := store.Open(context.Background(), store.Options{URL: url, Key: storetest.Key})
				if err != nil {
					t.Fatal(err)
				}
				do(s, NewHooks(NewDesk(s, testRules(), slog.New(slog.DiscardHandler)), kindsOf(source), testToken, slog.New(slog.DiscardHandler)))
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			open(func(s *store.Store, h *Hooks) {
				for i, c := range all[name] {
					if w := post(t, kept(h), source, c.Body, nil); w.Code != 200 {
						t.Fatalf("delivery %d: %d %s", i+1, w.Code, w.Body)
					}
				}
				checkCounts(t, s, source, store.AlertTally{})
			})
			for more, rounds := true, 0; more; rounds++ {
				open(func(s *store.Store, h *Hooks) {
					var err error
					if more, err = h.Work(context.Background()); err != nil {
						t.Fatal(err)
					}
					if d, err := s.AlertDepth(context.Background()); err != nil || d.Dead != 0 || !more && d.Waiting != 0 {
						t.Fatalf("%+v, %v", d, err)
					}
				})
				if rounds > len(all[name]) {
					t.Fatal("it does not end")
				}
			}
			checkCounts(t, storetest.Open(t, url, store.Options{}), source, want.AlertTally)
		})
	}
}

func firing(name string) []byte {
	return fmt.Appendf(nil, `{"receiver":"x","alerts":[{"status":"firing","labels":{"alertname":%q}}]}`, name)
}

// A delivery that cannot be applied is tried a few times, then it is a dead
// letter that its owner hears of, and those behind it come through.
func TestQueuePoison(t *testing.T) {
	url := storetest.SQLite(t)
	s := storetest.Open(t, url, store.Options{})
	db, err := sql.Open("sqlite", strings.TrimPrefix(url, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TRIGGER poison BEFORE INSERT ON alert WHEN NEW.name='毒' BEGIN SELECT RAISE(ABORT,'poison'); END"); err != nil {
		t.Fatal(err)
	}
	sources := kindsOf("alertmanager")
	src := sources["alertmanager"]
	src.Owners = []string{"owner"}
	sources["alertmanager"] = src
	h := NewHooks(NewDesk(s, testRules(), slog.New(slog.DiscardHandler)), sources, testToken, slog.New(slog.DiscardHandler))
	for _, name := range []string{"前", "毒", "后"} {
		if w := post(t, kept(h), "alertmanager", firing(name), nil); w.Code != 200 {
			t.Fatal(w.Code, w.Body)
		}
	}
	ctx := context.Background()
	faults := 0
	for range 20 {
		more, err := h.Work(ctx)
		if err != nil {
			faults++
		} else if !more {
			break
		}
	}
	if faults != buriedAfter-1 {
		t.Errorf("tried in vain %d times", faults)
	}
	checkCounts(t, s, "alertmanager", store.AlertTally{Opened: 2, OpenAtEnd: 2})
	dead, err := s.ListAlertDeliveries(ctx, store.DeliveryDead, 10)
	if err != nil || len(dead) != 1 || string(dead[0].Body) != string(firing("毒")) || !strings.Contains(dead[0].Fault, "poison") {
		t.Errorf("%+v, %v", dead, err)
	}
	if d, err := s.AlertDepth(ctx); err != nil || d.Waiting != 0 || d.Dead != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	said, err := s.SaidTo(ctx, chat.Address{Kind: chat.Person, ID: "owner", Via: chat.App}, s.Now().AddDate(0, 0, -1), 10)
	if err != nil || len(said) != 1 {
		t.Errorf("the owner heard %v, %v", said, err)
	}
}

// A source that is gone, and a body that is read otherwise than when it came,
// are dead letters; a reader's panic is one too.
func TestQueueUnreadable(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	desk := NewDesk(s, testRules(), slog.New(slog.DiscardHandler))
	h := NewHooks(desk, kindsOf("alertmanager", "gatus"), testToken, slog.New(slog.DiscardHandler))
	if w := post(t, kept(h), "alertmanager", firing("甲"), nil); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	ctx := context.Background()
	if err := drain(NewHooks(desk, kindsOf("gatus"), testToken, slog.New(slog.DiscardHandler))); err != nil {
		t.Fatal(err)
	}
	if w := post(t, kept(h), "alertmanager", firing("乙"), nil); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	broken := map[string]Source{"alertmanager": {Name: "alertmanager", Kind: Kind{Name: "alertmanager", Parse: func(Input) (Delivery, error) { panic("no") }}}}
	if err := drain(NewHooks(desk, broken, testToken, slog.New(slog.DiscardHandler))); err != nil {
		t.Fatal(err)
	}
	dead, err := s.ListAlertDeliveries(ctx, store.DeliveryDead, 10)
	if err != nil || len(dead) != 2 || !strings.Contains(dead[0].Fault, "panics") || !strings.Contains(dead[1].Fault, "no source") {
		t.Errorf("%+v, %v", dead, err)
	}
}

// A mapping may read headers and the query: they are kept with the body, but
// for what opens doors.
func TestQueueKeepsTheRequest(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	m, err := NewMapping(MappingText{Name: `headers["x-rule"]`, Title: `query.title + (headers["authorization"] ?? "")`})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := FindKind("generic")
	h := NewHooks(NewDesk(s, testRules(), slog.New(slog.DiscardHandler)), map[string]Source{"own": {Name: "own", Kind: k, Mapping: m}}, testToken, slog.New(slog.DiscardHandler))
	r := httptest.NewRequest("POST", "/hooks/own?title=行情中断&token="+testToken, strings.NewReader(`{"a":1}`))
	r.Header.Set("X-Rule", "quote-down")
	w := httptest.NewRecorder()
	if kept(h).ServeHTTP(w, r); w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
	ctx := context.Background()
	list, err := s.WaitingAlertDeliveries(ctx, 10)
	if err != nil || len(list) != 1 || strings.Contains(string(list[0].Request), testToken) {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := drain(h); err != nil {
		t.Fatal(err)
	}
	alerts, err := s.ListAlerts(ctx, store.AlertQuery{N: 10})
	if err != nil || len(alerts) != 1 || alerts[0].Name != "quote-down" || alerts[0].Title != "行情中断" {
		t.Errorf("%+v, %v", alerts, err)
	}
}

// Two replicas that both believe it is their turn apply each delivery once, on
// both databases.
func TestQueueTwoHands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		s := open(store.Options{})
		const most = 40
		hands := make([]*Hooks, 2)
		for i := range hands {
			hands[i] = NewHooks(NewDesk(s, testRules(), slog.New(slog.DiscardHandler)), kindsOf("alertmanager"), testToken, slog.New(slog.DiscardHandler))
		}
		for i := range most {
			if w := post(t, kept(hands[i%2]), "alertmanager", firing(fmt.Sprint("规则", i)), nil); w.Code != 200 {
				t.Fatal(w.Code, w.Body)
			}
		}
		done := make(chan error, len(hands))
		for _, h := range hands {
			go func() { done <- drain(h) }()
		}
		for range hands {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		checkCounts(t, s, "alertmanager", store.AlertTally{Opened: most, OpenAtEnd: most})
		if d, err := s.AlertDepth(context.Background()); err != nil || d.Waiting != 0 || d.Dead != 0 {
			t.Errorf("%+v, %v", d, err)
		}
	})
}

// What was not understood is read again once its mapping is mended, and then it
// is no dead letter any more.
func TestQueueRetry(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	desk := NewDesk(s, testRules(), slog.New(slog.DiscardHandler))
	k, _ := FindKind("generic")
	hooks := func(name string) *Hooks {
		m, err := NewMapping(MappingText{Name: name, Title: `query.title`})
		if err != nil {
			t.Fatal(err)
		}
		return NewHooks(desk, map[string]Source{"own": {Name: "own", Kind: k, Mapping: m}}, testToken, slog.New(slog.DiscardHandler))
	}
	r := httptest.NewRequest("POST", "/hooks/own?title=行情中断&token="+testToken, strings.NewReader(`{"rule":"quote-down"}`))
	w := httptest.NewRecorder()
	if kept(hooks(`body.rules[0]`)).ServeHTTP(w, r); w.Code != 200 || !strings.Contains(w.Body.String(), "dead_letter") {
		t.Fatal(w.Code, w.Body)
	}
	ctx := context.Background()
	dead, err := s.ListAlertDeliveries(ctx, store.DeliveryDead, 10)
	if err != nil || len(dead) != 1 {
		t.Fatal(dead, err)
	}
	mended := hooks(`body.rule`)
	if err := desk.Retry(ctx, "gu", dead[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := desk.Retry(ctx, "gu", dead[0].ID); !errors.Is(err, store.ErrStale) {
		t.Errorf("twice: %v", err)
	}
	if err := drain(mended); err != nil {
		t.Fatal(err)
	}
	alerts, err := s.ListAlerts(ctx, store.AlertQuery{N: 10})
	if err != nil || len(alerts) != 1 || alerts[0].Name != "quote-down" || alerts[0].Title != "行情中断" {
		t.Errorf("%+v, %v", alerts, err)
	}
	if d, err := s.AlertDepth(ctx); err != nil || d != (store.Depth{}) {
		t.Errorf("%+v, %v", d, err)
	}
}
