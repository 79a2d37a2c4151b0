package web

import (
	"fmt"
	"html/template"
	"io"
	"io/fs"
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
	CSRF        string
	Notice      string
	Version     string
	Page        any
	v           *visit
}

// T translates, inside templates: {{.T "工单"}}.
func (s shell) T(key string, args ...any) string { return s.v.t(key, args...) }

func (p *pageTemplate) shell(v *visit, data any) shell {
	return shell{Lang: v.lang, Theme: v.theme(), User: v.user, SignedIn: v.user.ID != "", Console: works(v.user), Demo: v.s.opt.Demo, Simulator: v.s.opt.Platform != nil, Nav: v.navigation(), CSRF: v.csrfToken(), Version: v.s.opt.Version, Page: data, v: v}
}

func (p *pageTemplate) execute(w io.Writer, v *visit, data any) error {
	s := p.shell(v, data)
	s.Notice = v.takeNotice()
	return p.t.ExecuteTemplate(w, "layout", s)
}

func (p *pageTemplate) block(w io.Writer, v *visit, name string, data any) error {
	return p.t.ExecuteTemplate(w, name, p.shell(v, data))
}

// navGroup is a titled part of the navigation.
type navGroup struct {
	Title string
	Items []navItem
}

type navItem struct {
	Key, Title, Icon, Path string
	Current                bool
}

// navList is the whole navigation; who may not open a page does not see it.
var navList = []navGroup{
	{"", []navItem{{Key: "home", Title: "工作台", Icon: "layout-dashboard", Path: "/"}}},
	{"管理", []navItem{
		{Key: "deliveries", Title: "收发记录", Icon: "send", Path: "/deliveries"},
		{Key: "groups", Title: "群与机器人", Icon: "message-square", Path: "/groups"},
		{Key: "users", Title: "用户与角色", Icon: "users", Path: "/users"},
		{Key: "audit", Title: "审计日志", Icon: "scroll-text", Path: "/audit"},
		{Key: "settings", Title: "设置与体检", Icon: "settings", Path: "/settings"},
	}},
	{"体验", []navItem{{Key: "simulator", Title: "企微模拟器", Icon: "smartphone", Path: "/simulator"}}},
}

func (v *visit) navigation() []navGroup {
	if v.user.ID == "" {
		return nil
	}
	may := map[string]bool{}
	for _, r := range v.s.routes {
		if r.method == "GET" && v.user.Roles.Has(r.roles...) {
			may[r.path] = true
		}
	}
	var out []navGroup
	for _, g := range navList {
		var items []navItem
		for _, i := range g.Items {
			path := i.Path
			if path == "/" {
				path = "/{$}"
			}
			if may[path] {
				i.Title, i.Current = v.t(i.Title), i.Key == v.route.nav
				items = append(items, i)
			}
		}
		if len(items) > 0 {
			title := ""
			if g.Title != "" {
				title = v.t(g.Title)
			}
			out = append(out, navGroup{title, items})
		}
	}
	return out
}
