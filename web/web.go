// Package web is what people and machines see over HTTP besides the
// callbacks: the status page, health, metrics.
package web

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what the pages need.
type Options struct {
	Version string
	Demo    bool
	Log     *slog.Logger
	Now     func() time.Time
	Metrics *prometheus.Registry
	// Checks tell whether the program can serve; each has a short name. They
	// run at every request of /readyz and of the status page.
	Checks []Check
	// Figures are shown on the status page.
	Figures func(ctx context.Context) ([]Figure, error)
}

// Check is one condition of being able to serve.
type Check struct {
	Name string
	Test func(ctx context.Context) error
}

// Figure is one line of the status page.
type Figure struct{ Name, Value string }

//go:embed templates static
var assets embed.FS

type page struct {
	opt   Options
	tmpl  *template.Template
	css   []byte
	cssAt string
}

// checkTime bounds all checks of one request together.
const checkTime = 2 * time.Second

// Handler serves /, /healthz, /readyz and /metrics.
func Handler(opt Options) (http.Handler, error) {
	t, err := template.New("").Option("missingkey=error").ParseFS(assets, "templates/*.html")
	if err != nil {
		return nil, err
	}
	css, err := assets.ReadFile("static/status.css")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(css)
	p := &page{opt: opt, tmpl: t, css: css, cssAt: "/static/" + hex.EncodeToString(sum[:6]) + ".css"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.status)
	mux.HandleFunc("GET "+p.cssAt, p.style)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", p.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(opt.Metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return secure(mux), nil
}

// secure sets the headers that every answer carries.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

type checked struct {
	Name string
	OK   bool
}

// run makes all checks. What exactly failed goes to the log, not to whoever asks.
func (p *page) run(ctx context.Context) (out []checked, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	ok = true
	for _, c := range p.opt.Checks {
		err := c.Test(ctx)
		if err != nil {
			ok = false
			p.opt.Log.Warn("not ready", "check", c.Name, "err", err)
		}
		out = append(out, checked{c.Name, err == nil})
	}
	return out, ok
}

func (p *page) ready(w http.ResponseWriter, r *http.Request) {
	checks, ok := p.run(r.Context())
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	var b strings.Builder
	for _, c := range checks {
		state := "ok"
		if !c.OK {
			state = "failed"
		}
		b.WriteString(c.Name + " " + state + "\n")
	}
	w.Write([]byte(b.String()))
}

func (p *page) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Write(p.css)
}

type statusPage struct {
	Version, CSS, At string
	Demo, OK         bool
	Checks           []checked
	Figures          []Figure
	Unread           bool
}

func (p *page) status(w http.ResponseWriter, r *http.Request) {
	v := statusPage{Version: p.opt.Version, CSS: p.cssAt, Demo: p.opt.Demo, At: p.opt.Now().Format("2006-01-02 15:04:05")}
	v.Checks, v.OK = p.run(r.Context())
	if p.opt.Figures != nil {
		var err error
		if v.Figures, err = p.opt.Figures(r.Context()); err != nil {
			v.Unread = true
			p.opt.Log.Warn("status figures", "err", err)
		}
	}
	var b strings.Builder
	if err := p.tmpl.ExecuteTemplate(&b, "status.html", v); err != nil {
		p.opt.Log.Error("status page", "err", err)
		http.Error(w, "内部错误", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write([]byte(b.String()))
}
