package standin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// accepts says which passive replies a callback takes.
type accepts int

const (
	acceptNothing accepts = iota
	acceptMessage         // an app's text, image, voice, video, news; a bot's stream or card
	acceptWelcome         // a bot's text or card on entering
	acceptUpdate          // an update of the clicked card
	acceptBoth            // template_card_menu_event: a message or an update
)

// callback is one message or event on its way to an app or a bot.
type callback struct {
	id      string
	target  Place // app:… or bot:…
	place   Place // where the member said it
	user    string
	name    string // msgtype or event, for the trace
	msgID   string
	inner   []byte
	accepts accepts
	tries   int
	clicked *entry // of a card event
	entry   *entry // the member's message
	flight  *exchange

	replied bool
	outcome Outcome
	done    chan struct{}
}

// Outcome is how a callback ended.
type Outcome struct {
	Callback     string `json:"callback"`
	MsgID        string `json:"msgid,omitempty"`
	Done         bool   `json:"done"`         // false: still under way
	Acknowledged bool   `json:"acknowledged"` // HTTP 200 in time
	Tries        int    `json:"tries"`
	Status       int    `json:"status,omitempty"` // of the last try
	Reply        string `json:"reply,omitempty"`  // clear text of the passive reply
	Err          string `json:"error,omitempty"`  // why the last try failed, or the reply was refused
}

type callbackLog struct{ all bounded[*callback] }

func (l *callbackLog) init(max int) { l.all.init(max) }

// launch starts the delivery; s.mu is held. Without a callback URL, and for a
// bot without a long connection, nothing happens.
func (s *Server) launch(cb *callback) string {
	deliver := s.deliver
	if s.longOf(cb.target) {
		deliver = s.deliverLive
	} else if s.urlOf(cb.target) == "" {
		return ""
	}
	cb.id, cb.done = "cb-"+s.randomID(12), make(chan struct{})
	cb.outcome = Outcome{Callback: cb.id, MsgID: cb.msgID}
	if cb.tries == 0 {
		cb.tries = max(1, s.limits.CallbackTries)
	}
	s.calls.all.put(cb.id, cb)
	s.counters.Callbacks++
	if cb.flight != nil {
		s.fly(cb.flight)
	}
	if !s.goes(func() { deliver(cb) }) {
		s.settle(cb)
		close(cb.done)
	}
	return cb.id
}

// longOf tells whether the target is a bot with a long connection.
func (s *Server) longOf(target Place) bool {
	kind, id := target.split()
	return kind == "bot" && s.bots[id] != nil && s.bots[id].Secret != ""
}

func (s *Server) urlOf(target Place) string {
	kind, id := target.split()
	if kind == "app" && s.apps[atoi(id)] != nil {
		return s.apps[atoi(id)].CallbackURL
	}
	if kind == "bot" && s.bots[id] != nil {
		return s.bots[id].CallbackURL
	}
	return ""
}

// deliver makes up to three tries: anything but HTTP 200 within five seconds is
// a failure (doc 90238).
func (s *Server) deliver(cb *callback) {
	defer close(cb.done)
	fault := s.takeFault("callback/"+cb.target.kind(), cb.user+"\n"+string(cb.inner))
	if fault != nil {
		s.sleep(time.Duration(fault.DelayMS) * time.Millisecond)
		for range fault.Duplicate {
			s.goes(func() { s.attempt(s.ctx, cb, delivery{try: 1, note: "duplicate"}) })
		}
	}
	for try := 1; try <= cb.tries && s.ctx.Err() == nil; try++ {
		if try > 1 {
			s.sleep(s.limits.CallbackPause)
		}
		d := delivery{try: try}
		if fault != nil && try == 1 {
			d.drop = fault.Drop
		}
		got := s.attempt(s.ctx, cb, d)
		s.mu.Lock()
		s.counters.CallbackTries++
		o := &cb.outcome
		o.Tries, o.Status, o.Acknowledged, o.Err = try, got.Status, got.OK, got.Err
		if got.Reply != "" {
			o.Reply = got.Reply
		}
		s.mu.Unlock()
		if got.OK {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cb.outcome.Done = true
	if !cb.outcome.Acknowledged && s.ctx.Err() == nil {
		s.counters.CallbackLost++
	}
	s.settle(cb)
}

func (s *Server) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.ctx.Done():
	}
}

// delivery is one POST of a callback.
type delivery struct {
	try  int
	kind string // trace kind; "callback" when empty
	note string
	url  string // instead of the configured URL
	drop Drop
	// forge spoils the envelope of an injected callback.
	forge func(*envelope)
	apply func(cb *callback, reply []byte, t *Trace) error // instead of the usual handling
}

// Injected is the result of one POST.
type Injected struct {
	OK        bool    `json:"ok"` // HTTP 200 in time
	Status    int     `json:"status,omitempty"`
	Reply     string  `json:"reply,omitempty"` // clear text, or the raw body when it is no envelope
	Err       string  `json:"error,omitempty"`
	LatencyMS float64 `json:"latency_ms"`
}

// attempt sends the inner fields once, in a new envelope, and handles the reply.
func (s *Server) attempt(ctx context.Context, cb *callback, d delivery) Injected {
	s.mu.Lock()
	env := s.newEnvelope(cb.target, cb.inner)
	target := s.urlOf(cb.target)
	s.mu.Unlock()
	if d.url != "" {
		target = d.url
	}
	if d.forge != nil {
		d.forge(env)
	}
	t := Trace{At: s.now(), Kind: "callback", Name: "callback/" + cb.target.kind(), Callback: cb.id, Try: d.try, Place: string(cb.place), User: cb.user,
		MsgID: cb.msgID, Method: http.MethodPost, URL: env.address(target), Request: string(env.inner), RequestRaw: string(env.body())}
	if d.kind != "" {
		t.Kind = d.kind
	}
	if d.note != "" {
		t.Notes = append(t.Notes, d.note)
	}
	start := time.Now()
	var status int
	var body []byte
	var err error
	if d.drop == DropBefore {
		t.Fault, err = string(DropBefore), fmt.Errorf("lost on the way (fault)")
	} else {
		status, body, err = s.post(ctx, t.URL, env)
		if d.drop == DropAfter {
			t.Fault, status, err = string(DropAfter), 0, fmt.Errorf("the answer was lost (fault)")
		}
	}
	out := Injected{Status: status, OK: err == nil && status == http.StatusOK, LatencyMS: float64(time.Since(start).Microseconds()) / 1000}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("HTTP %d is not 200", status)
	}
	t.Status, t.LatencyMS, t.ResponseRaw = status, out.LatencyMS, string(clip(body, 32<<10))
	s.mu.Lock()
	defer s.mu.Unlock()
	if out.OK {
		var refused error
		out.Reply, refused = s.takeReply(cb, d, env, body, &t)
		t.Response = out.Reply
		err = refused
	}
	if err != nil {
		out.Err, t.Err = err.Error(), err.Error()
	}
	s.traces.add(s.nextSeq(), t)
	return out
}

// post is one HTTP exchange; the time-out covers the whole answer.
func (s *Server) post(ctx context.Context, address string, env *envelope) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.CallbackTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(env.body()))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", env.contentType())
	req.Header.Set("User-Agent", "Mozilla/4.0")
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, shortError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return resp.StatusCode, body, shortError(err)
	}
	return resp.StatusCode, body, nil
}

// shortError drops the address, which is signed and long.
func shortError(err error) error {
	if u, ok := err.(*url.Error); ok {
		err = u.Err
	}
	if strings.Contains(err.Error(), context.DeadlineExceeded.Error()) {
		return fmt.Errorf("no answer within the time-out: %w", context.DeadlineExceeded)
	}
	return err
}

// takeReply opens the passive reply and applies it; only the first one counts,
// however often the same callback was answered.
func (s *Server) takeReply(cb *callback, d delivery, env *envelope, body []byte, t *Trace) (string, error) {
	reply, err := env.openReply(body)
	if err != nil {
		s.counters.RepliesRefused++
		return string(clip(body, 4<<10)), fmt.Errorf("the passive reply is refused: %w", err)
	}
	if len(reply) == 0 {
		return "", nil
	}
	apply := d.apply
	if apply == nil {
		if cb.replied {
			t.Notes = append(t.Notes, "a reply to a repeated callback is not shown")
			return string(reply), nil
		}
		apply = s.applyReply
	}
	if err := apply(cb, reply, t); err != nil {
		s.counters.RepliesRefused++
		return string(reply), fmt.Errorf("the passive reply is refused: %w", err)
	}
	cb.replied = true
	return string(reply), nil
}

func (s *Server) applyReply(cb *callback, reply []byte, t *Trace) error {
	if cb.target.kind() == "bot" {
		return s.applyBotReply(cb, reply, t)
	}
	return s.applyAppReply(cb, reply, t)
}

// Outcome waits for the end of a callback, at most until ctx ends.
func (s *Server) Outcome(ctx context.Context, id string) (Outcome, error) {
	s.mu.Lock()
	cb, ok := s.calls.all.get(id)
	s.mu.Unlock()
	if !ok {
		return Outcome{}, fmt.Errorf("no callback %q", id)
	}
	select {
	case <-cb.done:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return cb.outcome, nil
}
