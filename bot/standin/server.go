package standin

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	crand "crypto/rand"
)

// Server is the stand-in. All its methods may be called at the same time.
type Server struct {
	opt    Options
	limits Limits
	log    *slog.Logger
	client *http.Client
	routes map[string]route
	frames map[string]func(*Server, *liveCall) (answer, *apiError) // of the long connection

	ctx    context.Context // ends with Close; background work hangs on it
	cancel context.CancelFunc
	work   sync.WaitGroup
	gate   sync.Mutex // guards closed, and work.Add against work.Wait
	closed bool

	mu       sync.Mutex // guards everything below
	rnd      *rand.Rand
	baseURL  string
	seq      int64 // of feed entries, traces and ledger rows alike
	apps     map[int]*app
	bots     map[string]*bot
	people   map[string]*Person
	order    []string // userids, in the order of Options
	depts    []Department
	groups   map[string]*group
	robots   map[string]*robot
	tags     []Tag
	tokens   map[string]*token
	media    mediaStore
	codes    map[string]*oauthCode
	tickets  map[string]*jsTicket
	feeds    map[string]*feed
	live     []*entry // oldest first, over all feeds
	calls    callbackLog
	cards    cardBook
	replies  replyBook
	sent     sentBook
	lines    liveBook
	traces   traceLog
	ledger   ledgerLog
	faults   []*Fault
	counters Counters
	rates    rates
	msgID    uint64
}

// app is an App with its running state.
type app struct {
	App
	key        []byte
	visible    map[string]bool
	unfollowed map[string]bool
	duplicates map[string]duplicate
	members    map[string]*window
	day        meter
	chats      struct{ create, update, persons meter }
	chatMember map[string]*window
}

type bot struct {
	Bot
	key     []byte
	flights map[string]int // userid → exchanges in flight
	// Of the long connection.
	subscribes, uploads window
	entered             map[string]string
}

type group struct {
	Group
	agent   int // the app that made it with appchat/create; 0: an ordinary group
	owner   string
	visible bool
}

type robot struct {
	Robot
	window window
}

// rates are the windows that belong to no single app.
type rates struct {
	corpMinute, corpHour map[string]*meter
	ipMinute, ipHour     map[string]*meter
	inFlight             map[string]int // calls of an API at this moment
	failures             window         // wrong secrets
	tokensClosed         time.Time      // gettoken is closed until
}

// New makes a stand-in; it fails when the options contradict themselves.
func New(opt Options) (*Server, error) {
	if opt.CorpID == "" {
		return nil, fmt.Errorf("the stand-in needs a CorpID")
	}
	if err := opt.check(); err != nil {
		return nil, err
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Callbacks == nil {
		opt.Callbacks = &http.Transport{MaxIdleConnsPerHost: 512, IdleConnTimeout: 30 * time.Second}
	}
	if opt.Rand == nil {
		var seed [32]byte
		_, _ = crand.Read(seed[:])
		opt.Rand = rand.New(rand.NewChaCha8(seed))
	}
	if opt.AccountLimit <= 0 {
		opt.AccountLimit = max(len(opt.People), 1000)
	}
	opt.Keep.fill()
	s := &Server{opt: opt, limits: opt.Limits, log: opt.Log, rnd: opt.Rand, baseURL: strings.TrimRight(opt.BaseURL, "/")}
	s.limits.fill(opt.AccountLimit)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	// A redirect is not HTTP 200, so it is a failed callback and is not followed.
	s.client = &http.Client{Transport: opt.Callbacks, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.routes, s.frames = routeTable(), liveTable()
	s.fill()
	return s, nil
}

func (s *Server) fill() {
	s.tokens, s.codes, s.feeds = map[string]*token{}, map[string]*oauthCode{}, map[string]*feed{}
	s.tickets = map[string]*jsTicket{}
	s.media.init()
	s.calls.init(s.opt.Keep.Cards)
	s.cards.init(s.opt.Keep.Cards)
	s.replies.init(s.opt.Keep.Cards)
	s.sent.init(s.opt.Keep.Cards)
	s.lines.init(s.opt.Keep.Cards)
	s.traces.init(s.opt.Keep.Trace)
	s.ledger.init(s.opt.Keep.Ledger)
	s.counters = newCounters()
	s.rates = rates{corpMinute: map[string]*meter{}, corpHour: map[string]*meter{},
		ipMinute: map[string]*meter{}, ipHour: map[string]*meter{}, inFlight: map[string]int{}}
	s.msgID = 7_000_000_000_000_000_000 + s.rnd.Uint64N(1_000_000_000_000_000)
	s.apps, s.bots, s.people = map[int]*app{}, map[string]*bot{}, map[string]*Person{}
	s.groups, s.robots = map[string]*group{}, map[string]*robot{}
	for _, a := range s.opt.Apps {
		key, _ := parseAESKey(a.AESKey)
		one := &app{App: a, key: key, visible: map[string]bool{}, unfollowed: map[string]bool{},
			duplicates: map[string]duplicate{}, members: map[string]*window{}, chatMember: map[string]*window{}}
		for _, u := range a.Visible {
			one.visible[u] = true
		}
		s.apps[a.AgentID] = one
	}
	for _, b := range s.opt.Bots {
		key, _ := parseAESKey(b.AESKey)
		s.bots[b.ID] = &bot{Bot: b, key: key, flights: map[string]int{}, entered: map[string]string{}}
	}
	for _, p := range s.opt.People {
		s.people[p.UserID] = &p
		s.order = append(s.order, p.UserID)
	}
	for _, g := range s.opt.Groups {
		g.Members = slices.Clone(g.Members)
		s.groups[g.ChatID] = &group{Group: g, visible: true}
	}
	for _, r := range s.opt.Robots {
		s.robots[r.Key] = &robot{Robot: r}
	}
	s.depts, s.tags = slices.Clone(s.opt.Departments), slices.Clone(s.opt.Tags)
	if !slices.ContainsFunc(s.depts, func(d Department) bool { return d.ID == 1 }) {
		s.depts = append([]Department{{ID: 1, Name: s.opt.CorpName}}, s.depts...)
	}
}

// ServeHTTP serves the platform's API, the long connection, the files and the
// control API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.rememberHost(r)
	switch {
	case strings.HasPrefix(r.URL.Path, "/cgi-bin/"):
		s.servePlatform(w, r)
	case strings.HasPrefix(r.URL.Path, "/standin/files/"):
		s.serveFile(w, r)
	case strings.HasPrefix(r.URL.Path, "/standin/v1/"):
		s.serveControl(w, r)
	case r.URL.Path == "/standin/ws":
		s.serveLive(w, r)
	default:
		http.NotFound(w, r)
	}
}

// SetBaseURL names the public address once it is known (a listener on port 0).
func (s *Server) SetBaseURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.BaseURL = strings.TrimRight(u, "/")
	s.baseURL = s.opt.BaseURL
}

// SetCallbackURL moves the callbacks of "app:ID" or "bot:ID", as saving a new URL does.
func (s *Server) SetCallbackURL(target, url string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, id := Place(target).split()
	if kind == "app" {
		if a := s.apps[atoi(id)]; a != nil && (url == "" || a.key != nil) {
			a.CallbackURL = url
			return nil
		}
	}
	if b := s.bots[id]; kind == "bot" && b != nil && (url == "" || b.key != nil) {
		b.CallbackURL = url
		return nil
	}
	return fmt.Errorf("%q is no app or bot with a usable EncodingAESKey", target)
}

func (s *Server) rememberHost(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opt.BaseURL == "" && r.Host != "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		s.baseURL = scheme + "://" + r.Host
	}
}

// Run waits for the end of ctx, then closes the server.
func (s *Server) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	s.Close()
	return nil
}

// Close stops callbacks and polls that are under way and waits for them.
func (s *Server) Close() {
	s.gate.Lock()
	s.closed = true
	s.gate.Unlock()
	s.cancel()
	s.work.Wait()
	if t, ok := s.opt.Callbacks.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// goes runs background work that Close waits for; false after Close.
func (s *Server) goes(f func()) bool {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		f()
	}()
	return true
}

func (s *Server) now() time.Time { return s.opt.Now() }

// nextSeq, random and the like need s.mu.
func (s *Server) nextSeq() int64 {
	s.seq++
	return s.seq
}

const idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (s *Server) randomID(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = idLetters[s.rnd.IntN(len(idLetters))]
	}
	return string(b)
}

func (s *Server) randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rnd.Uint32())
	}
	return b
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}
