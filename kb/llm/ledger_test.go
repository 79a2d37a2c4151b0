package llm

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

const wellAnswered = `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":40,"completion_tokens":10}}`

// Every call is a row, with what it used, and the budget outlives the process.
func TestLedger(t *testing.T) {
	e := newEndpoint(t)
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	url := storetest.SQLite(t)
	clock := func() time.Time { return now }
	s := storetest.Open(t, url, store.Options{Now: clock})
	limits := kb.ModelLimits{Tokens: 1500, PersonTokens: 700}
	start := func(s *store.Store) *Client {
		return client(e, func(o *Options) {
			o.Ledger, o.Limits, o.Now = s, limits, clock
			o.Prices = Prices{Prompt: 2, Completion: 8, Embedding: 0.5}
		})
	}
	c := start(s)
	ask := func(person string) error {
		_, err := c.Complete(t.Context(), kb.Prompt{Name: "word/3", Person: person, System: "s", Data: "d", MaxTokens: 500})
		return err
	}
	answers := []string{wellAnswered, `{"choices":[]}`}
	e.does(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answers[min(1, e.calls()-1)]) })
	if err := ask("hejun"); err != nil {
		t.Fatal(err)
	}
	if err := ask("hejun"); err == nil {
		t.Fatal("no choices is an answer")
	}
	e.status(500)
	ask("")
	e.status(429)
	ask("")
	list, err := s.ListModelCalls(t.Context(), 9)
	if err != nil || len(list) != 4 {
		t.Fatalf("%d %v", len(list), err)
	}
	got := ""
	for _, k := range list {
		got += fmt.Sprintln(k.Purpose, k.Version, k.Model, k.Person != "", k.PromptTokens > 0, k.CompletionTokens, k.Cost > 0, k.Outcome)
	}
	const want = "word 3 m false false 0 false status_429\nword 3 m false false 0 false status_500\nword 3 m true true 0 true answer\nword 3 m true true 10 true ok\n"
	if got != want {
		t.Errorf("\n%s", got)
	}
	if first := list[3]; first.PromptTokens != 40 || first.Cost != 40*2+10*8 {
		t.Errorf("%+v", first)
	}

	// Somebody's budget is spent by what the next call may cost; another's is not.
	c.guard.failures = 0
	e.does(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":300,"completion_tokens":300}}`)
	})
	if err := ask("hejun"); err != nil {
		t.Fatal(err)
	}
	before := e.calls()
	s.Close()
	s = storetest.Open(t, url, store.Options{Now: clock})
	c = start(s) // the process is another
	if err := ask("hejun"); !errors.Is(err, kb.ErrBudget) || e.calls() != before {
		t.Errorf("after a restart: %v", err)
	}
	if err := ask("zhoumin"); err != nil {
		t.Error(err)
	}
	if err := ask("guyuan"); !errors.Is(err, kb.ErrBudget) {
		t.Errorf("the house's budget: %v", err)
	}
	now = now.AddDate(0, 0, 1)
	if err := ask("hejun"); err != nil {
		t.Error(err)
	}
}

// What the breaker leaves out is logged, and costs nothing.
func TestBreakerIsLogged(t *testing.T) {
	e := newEndpoint(t)
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	c := client(e, func(o *Options) { o.Ledger = s })
	e.status(500)
	for range breakAfter + 2 {
		c.Complete(t.Context(), kb.Prompt{Name: "x/1"})
	}
	use, err := s.ModelUse(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	if err != nil || len(use) != 2 || use[0].Outcome != "breaker" || use[0].Calls != 2 || use[0].PromptTokens != 0 || use[1].Calls != breakAfter {
		t.Errorf("%+v %v", use, err)
	}
	if c.State().RestsUntil.IsZero() || !c.State().EmbeddingRest.IsZero() {
		t.Errorf("%+v", c.State())
	}
}

func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		after, date string
		want        time.Duration
	}{
		{"7", "", 7 * time.Second}, {"Mon, 02 Mar 2026 01:30:20 GMT", "Mon, 02 Mar 2026 01:30:00 GMT", 20 * time.Second},
		{"86400", "", longestAsk}, {"99999999999999999999", "", 0}, {"-3", "", -3 * time.Second}, {"soon", "", 0}, {"", "", 0},
	} {
		if got := retryAfter(http.Header{"Retry-After": {c.after}, "Date": {c.date}}); got != c.want {
			t.Errorf("%q: %v", c.after, got)
		}
	}
	e := newEndpoint(t)
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	c := client(e, func(o *Options) { o.Now = func() time.Time { return now } })
	e.does(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "12")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ask := func() error {
		_, err := c.Complete(t.Context(), kb.Prompt{Name: "x/1"})
		return err
	}
	ask()
	e.says("well")
	now = now.Add(11 * time.Second)
	if err := ask(); !errors.Is(err, ErrBreaker) || e.calls() != 1 {
		t.Errorf("within the time it asked for: %v", err)
	}
	now = now.Add(time.Second)
	if err := ask(); err != nil {
		t.Error(err)
	}
}
