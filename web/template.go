package web

import (
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"strings"

	"frontline/bot/chat"
)

// pageTemplate is one page with the layout around it.
type pageTemplate struct{ t *template.Template }

// loadPages parses every file under templates/pages, each with the layout and
// the partials.
func loadPages(funcs template.FuncMap) (map[string]*pageTemplate, error) {
	base, err := template.New("").Funcs(funcs).Option("missingkey=error").ParseFS(embedded, "templates/*.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(embedded, "templates/pages/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*pageTemplate{}
	for _, f := range files {
		t, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if t, err = t.ParseFS(embedded, f); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(f[strings.LastIndexByte(f, '/')+1:], ".html")
		if t.Lookup("main") == nil || t.Lookup("title") == nil {
			return nil, fmt.Errorf("page %s defines no title or no main", name)
		}
		pages[name] = &pageTemplate{t}
	}
	return pages, nil
}

// shell is what the layout shows around a page; Page is the page's own data.
type shell struct {
	Lang, Theme string
	User        chat.User
	SignedIn    bool
	Console     bool // works in the console: has the navigation
	Demo        bool
	Simulator   bool
	Nav         []navGroup
	Strip       string // what does not work, for those who work here
	Duty        []onDuty
	CSRF        string
	Notice      string
	Here        string // the page's own address, to come back to after a choice
	Version     string
	Page        any
	v           *visit
}

// here is where a choice made on this page leads back to.
func (v *visit) here() string {
	if v.r.Method != http.MethodGet || v.htmx() {
		return "/"
	}
	return ownPath(v.r.URL.RequestURI())
}

// T translates, inside templates: {{.T "工单"}}.
func (s shell) T(key string, args ...any) string { return s.v.t(key, args...) }

// With is the shell around other data, for blocks that are also parts.
func (s shell) With(data any) shell { s.Page = data; return s }

func (p *pageTemplate) shell(v *visit, data any) shell {
	sh := shell{Lang: v.lang, Theme: v.theme(), User: v.user, SignedIn: v.user.ID != "", Console: works(v.user), Demo: v.s.opt.Demo, Simulator: v.s.opt.Platform != nil, Here: v.here(), CSRF: v.csrfToken(), Version: v.s.opt.Version, Page: data, v: v}
	if v.htmx() || v.user.ID == "" {
		return sh // only the frame shows the rest
	}
	now := v.s.pulse.get(v.r.Context(), v.s)
	sh.Nav = v.navigation(now)
	if sh.Console {
		sh.Strip, sh.Duty = v.degraded(now.Health), now.Duty
	}
	return sh
}

// execute renders a page inside a frame: layout, or mobile for a phone.
func (p *pageTemplate) execute(w io.Writer, v *visit, frame string, data any) error {
	s := p.shell(v, data)
	s.Notice = v.takeNotice()
	return p.t.ExecuteTemplate(w, frame, s)
}

func (p *pageTemplate) block(w io.Writer, v *visit, name string, data any) error {
	return p.t.ExecuteTemplate(w, name, p.shell(v, data))
}
