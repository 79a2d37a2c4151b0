package standin

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// raw posts a message and returns status and error of the transport.
func (w *world) raw(path string, body any) (int, error) {
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Post(w.url+"/cgi-bin/"+path, "application/json", bytes.NewReader([]byte(asJSON(body))))
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}

func TestFaults(t *testing.T) {
	w := newWorld(t)
	tok := w.token("app-secret")
	path := "message/send?access_token=" + tok
	for _, code := range []int{-1, 45009, 45033, 42001, 40014, 60020, 81013, 93000} {
		w.s.AddFault(Fault{API: "message/send", Errcode: code, Count: 1})
		wantCode(t, w.post(path, textTo("zhaoyi", "x")), code)
	}
	if n := len(w.feed("zhaoyi")); n != 0 {
		t.Errorf("%d messages came through", n)
	}
	w.s.AddFault(Fault{API: "message/send", Status: 502, Count: 1})
	if status, err := w.raw(path, textTo("zhaoyi", "x")); status != 502 {
		t.Errorf("HTTP %d %v", status, err)
	}
	w.s.AddFault(Fault{API: "*", Drop: DropBefore, Count: 1})
	if _, err := w.raw(path, textTo("zhaoyi", "lost")); err == nil || len(w.feed("zhaoyi")) != 0 {
		t.Errorf("drop before: %v, %d messages", err, len(w.feed("zhaoyi")))
	}
	w.s.AddFault(Fault{API: "message/send", Drop: DropAfter, Count: 1})
	if _, err := w.raw(path, textTo("zhaoyi", "arrived")); err == nil || len(w.feed("zhaoyi")) != 1 {
		t.Errorf("drop after: %v, %d messages", err, len(w.feed("zhaoyi")))
	}
	w.s.AddFault(Fault{API: "message/send", Revoke: true, Count: 1})
	wantCode(t, w.post(path, textTo("zhaoyi", "x")), 40014)
	wantCode(t, w.post(path, textTo("zhaoyi", "x")), 40014) // stays invalid
	wantCode(t, w.send(textTo("zhaoyi", "x")), 0)

	id := w.s.AddFault(Fault{API: "webhook/send", Match: robotKey, Errcode: 45009, Skip: 1})
	robot := func() got {
		return w.post("webhook/send?key="+robotKey, map[string]any{"msgtype": "text", "text": map[string]any{"content": "x"}})
	}
	wantCode(t, robot(), 0)
	wantCode(t, robot(), 45009)
	wantCode(t, robot(), 45009)
	if f := w.s.Faults(); len(f) != 1 || f[0].Hits != 2 {
		t.Errorf("faults %+v", f)
	}
	w.s.ClearFaults(id)
	wantCode(t, robot(), 0)

	last := w.s.Ledger("message/send", 0).Entries
	faults := 0
	for _, e := range last {
		if e.Fault != "" {
			faults++
		}
	}
	if faults != 12 || w.s.Counters().Calls["message/send"] != int64(len(last)) {
		t.Errorf("%d faults in the ledger, %d calls", faults, len(last))
	}
}

func TestCallbackFaults(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	receiver := func(r *http.Request) (*http.Response, error) {
		in := receive(t, r)
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, in.inner)
		return respond(200, in.answer("<xml><ToUserName>zhaoyi</ToUserName><FromUserName>"+testCorp+"</FromUserName><MsgType>text</MsgType><Content>收到</Content></xml>")), nil
	}
	for _, c := range []struct {
		fault    Fault
		received int
		tries    int
		took     time.Duration
	}{
		{Fault{API: "callback/app", Drop: DropBefore, Count: 1}, 1, 2, time.Second},
		{Fault{API: "callback/app", Drop: DropAfter, Count: 1}, 2, 2, time.Second},
		{Fault{API: "callback/app", DelayMS: 3_600_000, Count: 1}, 1, 1, time.Hour},
		{Fault{API: "callback/app", Duplicate: 3, Count: 1}, 4, 1, 0},
		{Fault{API: "callback/bot", Duplicate: 3, Count: 1}, 1, 1, 0},
	} {
		seen = nil
		bubble(t, receiver, func(t *testing.T, s *Server) {
			start := time.Now()
			s.AddFault(c.fault)
			r, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "x", Wait: true})
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			time.Sleep(time.Minute)
			mu.Lock()
			defer mu.Unlock()
			if len(seen) != c.received || r.Outcome.Tries != c.tries || took != c.took || !r.Outcome.Acknowledged {
				t.Errorf("%+v: %d received, %+v, %v", c.fault, len(seen), r.Outcome, took)
			}
			if shown := len(s.Feed(t.Context(), FeedQuery{User: "zhaoyi"}).Entries); shown != 2 {
				t.Errorf("%+v: %d entries; the reply is shown once however often it is given", c.fault, shown)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Keep = Keep{Feed: 10, Entries: 15, Trace: 20, Ledger: 30, Cards: 5}
		o.Limits.MemberMinute, o.Limits.MemberHour = -1, -1
	})
	for i := range 50 {
		wantCode(t, w.send(cardTo("zhaoyi|qianer|sunsan", buttonCard(fmt.Sprintf("t%d", i)))), 0)
	}
	w.s.mu.Lock()
	kept := 0
	for _, f := range w.s.feeds {
		kept += len(f.entries)
		if len(f.entries) > 10 {
			t.Errorf("a feed keeps %d entries", len(f.entries))
		}
	}
	tasks, live := len(w.s.cards.tasks.m), len(w.s.live)
	w.s.mu.Unlock()
	if kept > 15 || tasks != 5 || live > 15 {
		t.Errorf("%d entries, %d cards, %d live", kept, tasks, live)
	}
	if n := len(w.s.Traces(t.Context(), 0, 0, 0).Traces); n != 20 {
		t.Errorf("%d traces", n)
	}
	if n := len(w.s.Ledger("", 0).Entries); n != 30 {
		t.Errorf("%d ledger rows", n)
	}
	if n := w.s.Counters().Calls["message/send"]; n != 50 {
		t.Errorf("%d calls counted; counters forget nothing", n)
	}
}

// TestTogether runs everything at once, for the race detector.
func TestTogether(t *testing.T) {
	w := newWorld(t, answering(t, func(in *incoming) string {
		if in.bot {
			return streamReply("s-"+in.nonce, true, "好")
		}
		return ""
	}), func(o *Options) { o.Limits.BotInFlight = -1 })
	tok := w.token("app-secret")
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for n := range 10 {
				user := []string{"zhaoyi", "qianer", "sunsan"}[n%3]
				w.post("message/send?access_token="+tok, textTo(user, fmt.Sprint(i, n)))
				for _, to := range []Place{AppPlace(testAgent), BotPlace("aib-1")} {
					if _, err := w.s.Say(t.Context(), SayRequest{User: user, To: to, Text: strings.Repeat("x", n+1), Wait: n%2 == 0}); err != nil {
						t.Error(err)
					}
				}
				w.s.Feed(t.Context(), FeedQuery{User: user, Wait: time.Millisecond})
				w.s.State(user)
				w.s.Ledger("", 0)
				w.s.Traces(t.Context(), 0, 10, 0)
			}
		})
	}
	wait.Wait()
	w.s.Close()
	if c := w.s.Counters(); c.Callbacks != 160 || c.CallbackLost != 0 {
		t.Errorf("callbacks %d, lost %d", c.Callbacks, c.CallbackLost)
	}
	if _, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "x", Wait: true}); err != nil {
		t.Error(err)
	}
}
