package bot

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
	"unsafe"

	"frontline/bot/chat"
)

// Bounds of one callback. The platform closes the connection after five seconds
// and sends a message (not a click) again, three times in all:
// https://developer.work.weixin.qq.com/document/path/90238.
const (
	maxBody     = 64 << 10
	bodyTime    = 5 * time.Second
	wholeTime   = 4500 * time.Millisecond // from the first byte to our answer
	acceptTime  = 4 * time.Second
	replyAccept = 2500 * time.Millisecond // leaves time to wait for words
	clickAccept = time.Second             // then the spool takes it
)

// Options is what a Callback needs. Inbox is required; Replies for a smart bot.
type Options struct {
	Corp    string  // corp id
	AgentID string  // of the self-built app
	AppKeys []*Keys // newest first; older ones are accepted until their Until
	BotKeys []*Keys
	Inbox   Inbox
	Replies Replies
	Spool   Spool                // may be nil: then a click is lost while the database is away
	Log     *slog.Logger         // nil: nothing is logged
	Now     func() time.Time     // nil: time.Now
	Observe func(CallbackResult) // nil, or called once for every request; must be quick

	// InlineWait is how long the answer to a smart bot's message waits for the
	// words of its turn, ClickWait how long that to a click does.
	InlineWait, ClickWait time.Duration
	// DisableURLCheck switches the GET off once the address was saved in the
	// admin console.
	DisableURLCheck bool
}

// CallbackResult says how a request ended, for metrics.
type CallbackResult struct {
	Via    chat.Via
	Result Result
	Took   time.Duration
	Skew   time.Duration // our clock minus the platform's; 0 unless the signature was right
}

// Result is the end of a callback. The values are the labels of the metric.
type Result string

const (
	ResultAccepted  Result = "accepted"   // stored
	ResultRepeated  Result = "repeated"   // was stored before
	ResultReplayed  Result = "replayed"   // was stored before, and comes long after
	ResultPolled    Result = "polled"     // a stream's state was asked for
	ResultChecked   Result = "url_check"  // the address was checked
	ResultSpooled   Result = "spooled"    // a click that the database could not take
	ResultNotStored Result = "not_stored" // closed without an answer
	ResultSkewed    Result = "skewed"     // outside the window and unknown
	ResultForged    Result = "forged"     // signature or encryption is wrong
	ResultForeign   Result = "foreign"    // rightly signed, but for another corp or app
	ResultMalformed Result = "malformed"
	ResultBadForm   Result = "bad_form" // a query that the platform would not send
	ResultTooLarge  Result = "too_large"
	ResultLimited   Result = "limited" // too many checks of the address
	ResultMethod    Result = "method"
)

// refusal ends a request with a status and an empty body.
type refusal struct {
	status int
	result Result
}

var (
	badForm   = &refusal{http.StatusUnauthorized, ResultBadForm}
	forged    = &refusal{http.StatusUnauthorized, ResultForged}
	foreign   = &refusal{http.StatusUnauthorized, ResultForeign}
	malformed = &refusal{http.StatusBadRequest, ResultMalformed}
	tooLarge  = &refusal{http.StatusRequestEntityTooLarge, ResultTooLarge}
	skewed    = &refusal{http.StatusUnauthorized, ResultSkewed}
	// notStored has no status: the connection is closed without an answer, the
	// only thing that surely makes the platform send a message again.
	notStored = &refusal{0, ResultNotStored}
)

// Callback receives what the platform sends.
type Callback struct {
	opt    Options
	checks *bucket // of the address
}

// NewCallback makes a Callback.
func NewCallback(opt Options) *Callback {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	opt.Log = opt.Log.With("component", "callback")
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Observe == nil {
		opt.Observe = func(CallbackResult) {}
	}
	if opt.InlineWait == 0 {
		opt.InlineWait = 1200 * time.Millisecond
	}
	if opt.ClickWait == 0 {
		opt.ClickWait = 2 * time.Second
	}
	return &Callback{opt: opt, checks: newBucket(checksPerMinute)}
}

// AppHandler serves the callback address of the self-built app (XML).
func (c *Callback) AppHandler() http.Handler { return c.handler(chat.App, c.serveApp) }

// BotHandler serves the callback address of the smart bot (JSON).
func (c *Callback) BotHandler() http.Handler { return c.handler(chat.Bot, c.serveBot) }

// request is one callback on its way through.
type request struct {
	via  chat.Via
	now  time.Time
	q    signed
	body []byte
	keys *Keys         // the pair it was encrypted with
	skew time.Duration // set once the signature was right
}

// answer is what goes back with 200.
type answer struct {
	result Result
	kind   string // content type
	body   []byte
}

// handler does for both doors what does not depend on the format.
func (c *Callback) handler(via chat.Via, post func(context.Context, *request) (answer, *refusal)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now() // of the wall, not of Options.Now: it is about a socket
		req := &request{via: via, now: c.opt.Now()}
		var a answer
		var no *refusal
		switch r.Method {
		case http.MethodGet:
			a, no = c.checkURL(r, req)
		case http.MethodPost:
			if no = readRequest(w, r, req); no == nil {
				// A client that hangs up must not stop a row from being written.
				ctx, cancel := context.WithDeadline(context.WithoutCancel(r.Context()), began.Add(wholeTime))
				a, no = post(ctx, req)
				cancel()
			}
		default:
			w.Header().Set("Allow", "GET, POST")
			no = &refusal{http.StatusMethodNotAllowed, ResultMethod}
		}
		result := a.result
		if no != nil {
			result = no.result
		}
		c.opt.Observe(CallbackResult{Via: via, Result: result, Took: time.Since(began), Skew: req.skew})
		respond(w, a, no)
	})
}

func respond(w http.ResponseWriter, a answer, no *refusal) {
	switch {
	case no == nil && len(a.body) > 0:
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(a.body) // nothing can be done about a broken connection
	case no == nil:
		w.WriteHeader(http.StatusOK)
	case no.status == 0:
		panic(http.ErrAbortHandler)
	default:
		w.WriteHeader(no.status)
	}
}

// readRequest reads query and body of a POST.
func readRequest(w http.ResponseWriter, r *http.Request, req *request) *refusal {
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		w.Header().Set("Connection", "close")
		return &refusal{http.StatusUnsupportedMediaType, ResultMalformed}
	}
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close")
		return tooLarge
	}
	var no *refusal
	if req.q, no = parseSigned(r.URL.RawQuery, false); no != nil {
		return no
	}
	// Not every ResponseWriter has a deadline; the server's own then holds. It
	// stays set: we answer before it ends, and net/http sets its own after that.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	body, err := readBody(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge
	case err != nil:
		w.Header().Set("Connection", "close")
		return malformed
	case len(body) == 0:
		return malformed
	}
	req.body = body
	return nil
}

func readBody(r io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(r)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// open verifies and decrypts with the first pair of keys that fits.
func (req *request) open(keys []*Keys, ciphertext string) ([]byte, *refusal) {
	for _, k := range keys {
		if k.expired(req.now) || !k.verify(req.q.signature, req.q.timestamp, req.q.nonce, ciphertext) {
			continue
		}
		if plain, err := k.Decrypt(ciphertext); err == nil {
			req.keys, req.skew = k, req.now.Sub(req.q.at)
			return plain, nil
		}
	}
	return nil, forged
}

// shared is b as a string without a copy. Nobody may write to b afterwards:
// body and plaintext are read once and then only looked at.
func shared(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// decodeApp opens and reads a callback of the self-built app.
func (req *request) decodeApp(opt *Options) (chat.Message, *refusal) {
	e, err := scanAppEnvelope(shared(req.body))
	if err != nil {
		return chat.Message{}, malformed
	}
	plain, no := req.open(opt.AppKeys, e.cipher)
	if no != nil {
		return chat.Message{}, no
	}
	// Events that belong to no app, such as a changed address list, name none.
	if e.to != opt.Corp || e.agent != "" && e.agent != opt.AgentID {
		return chat.Message{}, foreign
	}
	m, err := decodeApp(shared(plain), door{corp: opt.Corp, agent: opt.AgentID, now: req.now})
	if err != nil {
		return chat.Message{}, malformed
	}
	return m, nil
}

func (c *Callback) serveApp(ctx context.Context, req *request) (answer, *refusal) {
	m, no := req.decodeApp(&c.opt)
	if no == foreign {
		c.opt.Log.Warn("a callback names another corp or app: compare corp id and agent id with the admin console")
	}
	if no != nil {
		return answer{}, no
	}
	result, no := c.accept(ctx, req, m)
	return answer{result: result}, no
}

// accept stores m, unless it comes outside the window: then it only finds out
// whether it is a late repeat of something that was stored.
func (c *Callback) accept(ctx context.Context, req *request, m chat.Message) (Result, *refusal) {
	if req.q.late(req.now) {
		known, err := c.opt.Inbox.Seen(ctx, m.ID)
		switch {
		case err != nil:
			c.opt.Log.Error("look for a message", "message_id", m.ID, "err", err)
			return "", notStored
		case !known:
			c.opt.Log.Warn("a callback is outside the time window: compare the clocks", "skew", req.skew)
			return "", skewed
		}
		return ResultReplayed, nil
	}
	click := m.Kind == chat.KindClick && m.Via == chat.Bot && c.opt.Spool != nil
	limit := acceptTime
	switch {
	case click:
		limit = clickAccept
	case m.Via == chat.Bot:
		limit = replyAccept
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	fresh, err := c.opt.Inbox.Accept(ctx, m)
	switch {
	case err == nil && fresh:
		return ResultAccepted, nil
	case err == nil:
		return ResultRepeated, nil
	case click: // sent only once, so it must not be left to a repeat
		if spoolErr := c.opt.Spool.Append(m); spoolErr == nil {
			c.opt.Log.Warn("a click went to the spool", "message_id", m.ID, "err", err)
			return ResultSpooled, nil
		} else {
			err = errors.Join(err, spoolErr)
		}
	}
	c.opt.Log.Error("store a message; the connection is closed unanswered", "message_id", m.ID, "err", err)
	return "", notStored
}
