// Package web is the console: what people see in a browser, and health and
// metrics for machines. Pages are rendered on the server; they read the store
// and write through it and through the desk.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/monitor"
	"frontline/kb"
	"frontline/store"
)

// Options are what the console needs.
type Options struct {
	Version string
	Demo    bool // anybody may sign in as any sample person; loopback only
	// DemoPeople are the userids that the demo offers; none: everybody.
	DemoPeople []string
	PublicURL  string
	Lang       string // default language: zh or en
	Log        *slog.Logger
	Now        func() time.Time // in the time zone of the readers
	Store      *store.Store
	Desk       *handlers.Desk
	Knowledge  Knowledge
	Monitors   *monitor.Runner // nil: no pages of monitors
	Metrics    *prometheus.Registry
	Files      *store.Files                                     // nil: no attachments
	Login      Login                                            // nil: no sign-in with WeChat Work
	Platform   Platform                                         // nil: no simulator
	Preview    func(b chat.Body) ([]MessageView, error)         // how each place would show words
	Doctor     func(ctx context.Context, lang string) []Finding // nil: no doctor
	Health     func(ctx context.Context) Health                 // nil: nothing known of the way to WeChat Work
	LastCheck  func() time.Time                                 // when this process last ended a check of a monitor; zero for never; nil: there are none
	APIToken   string                                           // of /api/v1 with an administrator's rights; "" for none
	Model      func() *ModelState                               // nil: there is no language model
	Settings   []Setting
	Groups     []GroupInfo
	Hooks      []HookInfo
	// Checks tell whether the program can serve; they run at /readyz.
	Checks []Check
}

// Knowledge is what pages ask of the search index.
type Knowledge interface {
	handlers.Knowledge
	Size() int
	Twins(ctx context.Context) (pairs []kb.Twin, all int, err error)
	Calibration() (kb.Calibration, error)
}

// Login is the platform's side of signing in.
type Login interface {
	// LoginURL is where the browser goes: the QR page, or inside WeChat Work the silent one.
	LoginURL(redirect, state string, inside bool) string
	// UserByCode turns the code that came back into a userid; outsiders are an error.
	UserByCode(ctx context.Context, code string) (userid string, err error)
}

// Check is one condition of being able to serve.
type Check struct {
	Name string
	Test func(ctx context.Context) error
}

// Server is the console.
type Server struct {
	opt    Options
	assets assets
	pages  map[string]*pageTemplate
	routes []route
	csrf   *http.CrossOriginProtection
	mux    *http.ServeMux
	pulse  pulseKeeper
}

// New parses every template and refuses to start when files and routes disagree.
func New(opt Options) (*Server, error) {
	if opt.Lang == "" {
		opt.Lang = "zh"
	}
	s := &Server{opt: opt, csrf: http.NewCrossOriginProtection(), mux: http.NewServeMux()}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	s.routes = s.routeList()
	if s.pages, err = loadPages(s.funcs()); err != nil {
		return nil, err
	}
	for _, r := range s.routes {
		s.mux.Handle(r.method+" "+r.path, s.handle(r))
	}
	s.mountAPI()
	s.mux.Handle("GET /static/", s.assets)
	s.mux.HandleFunc("GET /healthz", s.alive)
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.Handle("GET /metrics", promhttp.HandlerFor(opt.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	s.mux.Handle("/", s.handle(route{path: "/", public: true, do: func(v *visit) error { return errNotFound }}))
	return s, nil
}

// ServeHTTP sets the headers that every answer carries.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if strings.HasPrefix(s.opt.PublicURL, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	s.mux.ServeHTTP(w, r)
}

// checkTime bounds all checks of one request together.
const checkTime = 2 * time.Second

type checked struct {
	Name string
	OK   bool
}

// runChecks makes all checks. What exactly failed goes to the log, not to
// whoever asks.
func (s *Server) runChecks(ctx context.Context) (out []checked, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	ok = true
	for _, c := range s.opt.Checks {
		err := c.Test(ctx)
		if err != nil {
			ok = false
			s.opt.Log.Warn("not ready", "check", c.Name, "err", err)
		}
		out = append(out, checked{c.Name, err == nil})
	}
	return out, ok
}

// alive tells that the process answers, and how long ago it last ended a check
// of a monitor.
func (s *Server) alive(w http.ResponseWriter, _ *http.Request) {
	w.Write([]byte("ok\n"))
	if s.opt.LastCheck == nil {
		return
	}
	if at := s.opt.LastCheck(); !at.IsZero() {
		fmt.Fprintf(w, "last_check_seconds %d\n", int(s.opt.Now().Sub(at).Seconds()))
	}
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	checks, ok := s.runChecks(r.Context())
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	for _, c := range checks {
		state := " ok\n"
		if !c.OK {
			state = " failed\n"
		}
		w.Write([]byte(c.Name + state))
	}
}

// Errors that end a visit with a page of their own.
var (
	errNotFound  = errors.New("not found")
	errForbidden = errors.New("forbidden")
	errSignIn    = errors.New("not signed in")
)

// needs is a refusal that names the roles that may, where they are narrower
// than the route's.
type needs chat.RoleSet

func (needs) Error() string { return errForbidden.Error() }
func (needs) Unwrap() error { return errForbidden }

// works tells whether a member works in the console rather than only reports.
func works(u chat.User) bool {
	return u.Roles.Has(chat.Responder, chat.Curator, chat.Tester, chat.Leader, chat.Admin)
}
