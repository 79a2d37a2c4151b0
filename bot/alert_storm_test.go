package bot_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"frontline/handlers/alert"
	"frontline/handlers/alert/alerttest"
)

const stormToken = "token-of-the-storm"

// A storm of alerts, by a clock of the test's own: all of them are kept, the group
// is told within what its robot may say, soon of what is critical, and the numbers
// in its messages add up to what came.
func TestAlertStorm(t *testing.T) {
	w := newWorld(t)
	desk := alert.NewDesk(w.box, &alert.Rules{Routes: []alert.Route{alert.DefaultRoute(robot.ID)}, Zone: time.UTC}, slog.New(slog.DiscardHandler))
	kind, _ := alert.FindKind("alertmanager")
	mux := http.NewServeMux()
	hooks := alert.NewHooks(desk, map[string]alert.Source{"storm": {Name: "storm", Kind: kind}}, stormToken, slog.New(slog.DiscardHandler))
	mux.Handle("/hooks/{source}", hooks)
	take := func(body []byte) {
		t.Helper()
		rec := httptest.NewRecorder()
		if mux.ServeHTTP(rec, httptest.NewRequest("POST", "/hooks/storm?token="+stormToken, bytes.NewReader(body))); rec.Code != http.StatusOK {
			t.Fatal(rec.Code, rec.Body)
		}
		for more := true; more; {
			var err error
			if more, err = hooks.Work(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	second := func() {
		t.Helper()
		if err := desk.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.run(time.Second)
	}
	const most, each = 1200, 20
	var critical time.Time
	for n := 0; n < most; n += each {
		if n == most/6 {
			critical = w.clock.Now()
			take(alerttest.FirstCriticalBody)
		}
		take(alerttest.StormBody(n, each, !critical.IsZero()))
		second()
	}
	for range 240 {
		second()
	}
	c, err := w.box.AlertCounts(t.Context(), "storm")
	if err != nil || c.Opened != most+1 || c.OpenAtEnd != most+1 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, e := range w.calls("webhook/send") {
		if e.Errcode != 0 {
			t.Errorf("refused: %+v", e)
		}
	}
	alerttest.CheckStorm(t, alerttest.Pushes(w.plat, group), most+1, critical)
}
