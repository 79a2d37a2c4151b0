package bot

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mrand "math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"frontline/bot/chat"
)

// LinkOptions say which smart bot connects where, and where what it hears goes.
type LinkOptions struct {
	URL    string // wss://openws.work.weixin.qq.com, a proxy, or a stand-in
	BotID  string
	Secret string
	Corp   string
	Inbox  Inbox
	// Spool takes messages that the database cannot: over this connection every
	// one comes once. nil: they are lost, and the sender is told.
	Spool Spool
	// Owner tells whether this replica is the one that connects: the platform
	// throws out the older of two connections. nil: it is the only one.
	Owner   func() bool
	Log     *slog.Logger
	Now     func() time.Time
	Arrived func(CallbackResult)                       // nil, or called for every callback
	Observe func(api, code string, took time.Duration) // nil, or called for every request, as ClientOptions.Observe
	Pace    LinkPace                                   // zero values: the platform's advice
}

// LinkPace are the times of a long connection.
type LinkPace struct {
	Beat    time.Duration // between heartbeats; 30 s
	Ack     time.Duration // for the answer to a request; 5 s
	First   time.Duration // before the first try to connect again; 1 s
	Most    time.Duration // between tries, at most; 30 s
	Refused time.Duration // first wait after a refused subscription, which is rate-protected; 10 s, at most 10 min
	Kicked  time.Duration // first wait after somebody else connected as this bot; 1 min, at most 15 min
	Look    time.Duration // how often it looks whether this replica is the one; 200 ms
}

func (p *LinkPace) fill() {
	for _, x := range []struct {
		field *time.Duration
		def   time.Duration
	}{{&p.Beat, 30 * time.Second}, {&p.Ack, 5 * time.Second}, {&p.First, time.Second}, {&p.Most, 30 * time.Second},
		{&p.Refused, 10 * time.Second}, {&p.Kicked, time.Minute}, {&p.Look, 200 * time.Millisecond}} {
		if *x.field == 0 {
			*x.field = x.def
		}
	}
}

const (
	dialTime     = 15 * time.Second
	refusedMost  = 10 * time.Minute
	kickedMost   = 15 * time.Minute
	settledAfter = time.Minute // a connection that held so long was a good one
	peaceAfter   = time.Hour   // and nobody fights over the bot any more
)

// LinkState is how the long connection is.
type LinkState struct {
	Mine     bool      // this replica is the one that connects
	Up       bool      // it is connected and subscribed
	Since    time.Time // when Up became what it is
	Problem  error     // why it is not up; nil when it is, or not Mine
	Kicked   bool      // the problem is that somebody else connected as this bot
	Connects int64     // subscriptions that succeeded
	Kicks    int64     // times that somebody else took over
}

// Link is the smart bot's long connection: messages and events come in by it,
// and what is said at the bot's places leaves by it. One replica holds it.
type Link struct {
	opt   LinkOptions
	http  *http.Client
	lanes []chan arrival
	mu    sync.Mutex
	conn  *linkConn
	state LinkState
	sick  bool // the inbox did not take the last message
}

// NewLink makes a link; Run holds it.
func NewLink(opt LinkOptions) *Link {
	opt.Pace.fill()
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Owner == nil {
		opt.Owner = func() bool { return true }
	}
	if opt.Arrived == nil {
		opt.Arrived = func(CallbackResult) {}
	}
	if opt.Observe == nil {
		opt.Observe = func(string, string, time.Duration) {}
	}
	l := &Link{opt: opt, http: linkHTTP(), state: LinkState{Since: opt.Now()}}
	for range lanes {
		l.lanes = append(l.lanes, make(chan arrival, laneRoom))
	}
	return l
}

// linkHTTP makes the handshake; a proxy of the environment is used. The
// platform redirects nobody, so nobody else gets the bot's secret.
func linkHTTP() *http.Client {
	return &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// State tells how the connection is.
func (l *Link) State() LinkState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Run holds the connection while this replica is the one, until ctx ends. What
// was received by then is stored before it returns.
func (l *Link) Run(ctx context.Context) error {
	var stored sync.WaitGroup
	for _, lane := range l.lanes {
		stored.Go(func() { l.store(lane) })
	}
	defer stored.Wait()
	defer func() {
		for _, lane := range l.lanes {
			close(lane)
		}
	}()
	tries := retries{pace: l.opt.Pace}
	for ctx.Err() == nil {
		if !l.opt.Owner() {
			l.become(LinkState{})
			tries = retries{pace: l.opt.Pace}
			l.rest(ctx, l.opt.Pace.Look, false)
			continue
		}
		began := time.Now()
		err := l.hold(ctx)
		if ctx.Err() != nil || errors.Is(err, errNotMine) {
			continue
		}
		wait := tries.after(err, time.Since(began))
		l.opt.Log.Warn("the smart bot's long connection ended", "err", err, "wait", wait)
		l.become(LinkState{Mine: true, Problem: err, Kicked: errors.Is(err, errKicked)})
		l.rest(ctx, wait, true)
	}
	l.become(LinkState{})
	return nil
}

// rest waits, but no longer than this replica is the one, when it matters.
func (l *Link) rest(ctx context.Context, wait time.Duration, mine bool) {
	for end := time.Now().Add(wait); ; {
		left := time.Until(end)
		if left <= 0 || mine && !l.opt.Owner() {
			return
		}
		t := time.NewTimer(min(left, l.opt.Pace.Look))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// become records a state; counts go on.
func (l *Link) become(s LinkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Connects, s.Kicks, s.Since = l.state.Connects, l.state.Kicks, l.state.Since
	if s.Up != l.state.Up {
		s.Since = l.opt.Now()
	}
	if s.Up {
		s.Connects++
	}
	if s.Kicked {
		s.Kicks++
	}
	l.state = s
}

// retries grows the waits between tries.
type retries struct {
	pace                  LinkPace
	lost, refused, kicked int
}

// after is how long to wait after a connection that ended like this.
func (r *retries) after(err error, held time.Duration) time.Duration {
	if held > settledAfter {
		r.lost, r.refused = 0, 0
	}
	if held > peaceAfter {
		r.kicked = 0
	}
	var api *APIError
	switch {
	case errors.Is(err, errKicked):
		r.kicked++
		return spread(r.pace.Kicked, kickedMost, r.kicked)
	case errors.As(err, &api) && api.API == cmdSubscribe && classOf(api.API, api.Code) != ClassRetry:
		r.refused++
		return spread(r.pace.Refused, refusedMost, r.refused)
	}
	r.lost++
	return spread(r.pace.First, r.pace.Most, r.lost)
}

// spread doubles a wait with each try, and spreads it, so that what was cut off
// together does not come back together.
func spread(first, most time.Duration, try int) time.Duration {
	wait := first << min(try-1, 20)
	if wait > most || wait <= 0 {
		wait = max(first, most)
	}
	return wait/2 + time.Duration(mrand.Int64N(int64(wait)/2+1))
}

// hold connects, subscribes and serves, until something ends it.
func (l *Link) hold(ctx context.Context) error {
	dctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	ws, resp, err := websocket.Dial(dctx, l.opt.URL, &websocket.DialOptions{HTTPClient: l.http})
	if err != nil {
		return dialFault(resp, err)
	}
	c := newLinkConn(ws, l.opt.Secret, l.opt.Pace.Ack, l.opt.Log)
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	defer parts.Wait()
	defer stop()
	defer c.end(errLinkDown)
	parts.Go(func() { c.read(life, l.received) })
	if err := l.subscribe(ctx, c); err != nil {
		return err
	}
	parts.Go(func() { c.beat(life, l.opt.Pace.Beat) })
	l.become(LinkState{Mine: true, Up: true})
	l.use(c)
	defer l.use(nil)
	l.opt.Log.Info("the smart bot's long connection stands")
	return l.watch(ctx, c)
}

// watch waits for the end of a connection.
func (l *Link) watch(ctx context.Context, c *linkConn) error {
	look := time.NewTicker(l.opt.Pace.Look)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.over:
			return c.why
		case <-look.C:
			if !l.opt.Owner() {
				return errNotMine
			}
		}
	}
}

func (l *Link) subscribe(ctx context.Context, c *linkConn) error {
	if !l.opt.Owner() { // connecting took its time
		return errNotMine
	}
	body, err := marshalJSON(map[string]string{"bot_id": l.opt.BotID, "secret": l.opt.Secret})
	if err != nil {
		return err
	}
	_, err = l.observed(ctx, c, cmdSubscribe, newReqID(cmdSubscribe), body)
	return err
}

// use makes a connection the one that words leave by.
func (l *Link) use(c *linkConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = c
}

func (l *Link) current() *linkConn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn
}

func (l *Link) observed(ctx context.Context, c *linkConn, cmd, reqID string, body json.RawMessage) (answer json.RawMessage, err error) {
	began := time.Now()
	answer, err = c.call(ctx, cmd, reqID, body)
	l.opt.Observe(cmd, codeOf(err), time.Since(began))
	return answer, err
}

// request sends a request of our own, under a new req_id.
func (l *Link) request(ctx context.Context, cmd string, body json.RawMessage) (json.RawMessage, error) {
	c := l.current()
	if c == nil {
		return nil, &CallError{API: cmd, Err: errLinkDown}
	}
	return l.observed(ctx, c, cmd, newReqID(cmd), body)
}

// answer sends an answer under the req_id of what it answers. Two answers to one
// message are never under way together: the outbox keeps the words of a place in order.
func (l *Link) answer(ctx context.Context, cmd, reqID string, body json.RawMessage) error {
	c := l.current()
	if c == nil {
		return &CallError{API: cmd, Err: errLinkDown}
	}
	_, err := l.observed(ctx, c, cmd, reqID, body)
	return err
}

// Send makes one frozen call; reply says what an answer answers.
func (l *Link) Send(ctx context.Context, p chat.Part, reply string) error {
	if p.API == cmdSend {
		_, err := l.request(ctx, cmdSend, p.Body)
		return err
	}
	r, ok := parseLiveReply(reply)
	if !ok || r.cmd != p.API {
		return fmt.Errorf("%w: nothing is there to be answered by %s", ErrRejected, p.API)
	}
	return l.answer(ctx, p.API, r.reqID, p.Body)
}

// newReqID names a request. The platform's own SDK begins it with the command.
func newReqID(cmd string) string { return cmd + "_" + rand.Text() }

// ProbeLink makes a connection and lets go of it without a word: whether the
// address can be reached at all.
func ProbeLink(ctx context.Context, address string) error {
	ws, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: linkHTTP()})
	if err != nil {
		return dialFault(resp, err)
	}
	return ws.CloseNow()
}

func dialFault(resp *http.Response, err error) error {
	if resp != nil {
		return fmt.Errorf("connect: HTTP %d", resp.StatusCode)
	}
	return fmt.Errorf("connect: %w", err)
}
