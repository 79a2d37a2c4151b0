package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/alert"
	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

// console is a running console with one member of each role.
type console struct {
	*httptest.Server
	t     *testing.T
	store *store.Store
	web   *Server
	url   string // of the database
}

func startConsole(t *testing.T, change func(o *Options)) *console {
	t.Helper()
	return startConsoleOn(t, storetest.SQLite(t), change)
}

// startConsoleOn starts a console on a database that has something already.
func startConsoleOn(t *testing.T, database string, change func(o *Options)) *console {
	t.Helper()
	s := storetest.Open(t, database, store.Options{})
	know := kb.NewEngine(kb.Options{})
	ctx := context.Background()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		for _, r := range chat.Roles {
			if err := tx.MeetMember(string(r), "某"+r.Title(), "示例部门"); err != nil {
				return err
			}
			roles, _ := chat.ParseRoles("reporter," + string(r))
			if err := tx.SetRoles("test", string(r), roles); err != nil {
				return err
			}
		}
		_, err := tx.PutEntries("test", []kb.Entry{{Question: "新股中签怎么缴款", Answer: "中签当日 16:00 前留足资金。"}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := know.Load(ctx, s); err != nil {
		t.Fatal(err)
	}
	alerts := alert.NewDesk(s, &alert.Rules{Routes: []alert.Route{alert.DefaultRoute("desk")}, Zone: time.UTC}, slog.New(slog.DiscardHandler))
	desk := &handlers.Desk{Alerts: alerts, Store: s, Knowledge: know, Log: slog.New(slog.DiscardHandler), Name: "一线助手"}
	handlers.NewCommands(desk)
	o := Options{Version: "test", Demo: true, Log: slog.New(slog.DiscardHandler), Now: time.Now, Store: s, Desk: desk, Preview: func(b chat.Body) ([]MessageView, error) {
		return []MessageView{{Place: "app", Parts: []MessagePart{{Kind: "text", Text: b.Text + b.Markdown, Meters: []SimMeter{{Field: "text.content", Used: len(b.Text + b.Markdown), Limit: 2048, Unit: "bytes"}}}}}}, nil
	}, Knowledge: know, Metrics: prometheus.NewRegistry()}
	if change != nil {
		change(&o)
	}
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(w)
	t.Cleanup(srv.Close)
	return &console{srv, t, s, w, database}
}

// browser is one visitor with cookies; it follows no redirects by itself.
type browser struct {
	c      *console
	client *http.Client
	csrf   string
}

func (c *console) visitor() *browser {
	jar := &jar{}
	return &browser{c: c, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// jar keeps every cookie for the one host there is.
type jar struct{ all []*http.Cookie }

func (j *jar) SetCookies(_ *url.URL, cs []*http.Cookie) {
	for _, c := range cs {
		for i := range j.all {
			if j.all[i].Name == c.Name {
				j.all = append(j.all[:i], j.all[i+1:]...)
				break
			}
		}
		if c.MaxAge >= 0 {
			j.all = append(j.all, c)
		}
	}
}
func (j *jar) Cookies(*url.URL) []*http.Cookie { return j.all }

var csrfMeta = regexp.MustCompile(`name="csrf" content="([^"]+)"`)

func (b *browser) get(path string) (int, string) {
	b.c.t.Helper()
	resp, err := b.client.Get(b.c.URL + path)
	if err != nil {
		b.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if m := csrfMeta.FindStringSubmatch(string(body)); m != nil {
		b.csrf = m[1]
	}
	return resp.StatusCode, string(body)
}

func (b *browser) post(path string, form url.Values) (int, string) {
	b.c.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	if !form.Has("csrf") {
		form.Set("csrf", b.csrf)
	}
	resp, err := b.client.PostForm(b.c.URL+path, form)
	if err != nil {
		b.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header.Get("Location") + string(body)
}

func (c *console) as(role chat.Role) *browser {
	c.t.Helper()
	b := c.visitor()
	if code, body := b.post("/login/demo", url.Values{"user": {string(role)}, "next": {"/"}}); code != http.StatusSeeOther {
		c.t.Fatalf("sign in as %s: %d %s", role, code, body)
	}
	b.get("/")
	return b
}

// fill makes a path of a pattern that nothing answers to but the route itself.
func fill(path string) string {
	path = strings.TrimSuffix(path, "{$}")
	return regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "999")
}

// Every route is walked by every role and by nobody: who may not is refused
// before anything happens, who may is not.
func TestEveryRouteByEveryRole(t *testing.T) {
	c := startConsole(t, nil)
	visitors := map[chat.Role]*browser{}
	for _, r := range chat.Roles {
		visitors[r] = c.as(r)
	}
	nobody := c.visitor()
	for _, rt := range c.web.routes {
		if rt.public || rt.path == "/logout" {
			continue
		}
		path := fill(rt.path)
		ask := func(b *browser) int {
			if rt.method == "GET" {
				code, _ := b.get(path)
				return code
			}
			code, _ := b.post(path, nil)
			return code
		}
		if code := ask(nobody); code != http.StatusSeeOther {
			t.Errorf("nobody %s %s: %d, want the sign-in page", rt.method, path, code)
		}
		for _, role := range chat.Roles {
			code := ask(visitors[role])
			may := chat.RoleSet{chat.Reporter, role}.Has(rt.roles...)
			if may && (code == http.StatusForbidden || code >= 500) {
				t.Errorf("%s may %s %s, but got %d", role, rt.method, path, code)
			}
			if !may && code != http.StatusForbidden {
				t.Errorf("%s may not %s %s, but got %d", role, rt.method, path, code)
			}
		}
	}
}

// Every address that a page names is a route, and so is every form's.
func TestLinksAreRoutes(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Admin)
	links := regexp.MustCompile(`(?:href|action|hx-get|hx-post|src)="(/[^"#]*)"`)
	seen, queue := map[string]bool{}, []string{"/"}
	for len(queue) > 0 && len(seen) < 200 {
		path := queue[0]
		queue = queue[1:]
		code, body := b.get(path)
		if code == http.StatusNotFound || code >= 500 {
			t.Errorf("%s: %d", path, code)
		}
		for _, m := range links.FindAllStringSubmatch(body, -1) {
			to := strings.ReplaceAll(m[1], "&amp;", "&")
			if seen[to] {
				continue
			}
			seen[to] = true
			if strings.Contains(m[0], "action=") || strings.Contains(m[0], "hx-post") {
				r := httptest.NewRequest("POST", to, nil)
				if _, pattern := c.web.mux.Handler(r); pattern == "/" || pattern == "" {
					if _, pattern = c.web.mux.Handler(httptest.NewRequest("GET", to, nil)); pattern == "/" {
						t.Errorf("%s has a form for %s, which no route takes", path, to)
					}
				}
				continue
			}
			queue = append(queue, to)
		}
	}
	if len(seen) < 8 {
		t.Errorf("only %d addresses were found", len(seen))
	}
}

func TestChangesNeedTheToken(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Admin)
	form := func() url.Values { return url.Values{"role": {"curator"}, "before": {"reporter,tester"}} }
	bad := form()
	bad.Set("csrf", "guess")
	if code, _ := b.post("/users/tester/roles", bad); code != http.StatusForbidden {
		t.Errorf("a wrong token: %d", code)
	}
	req, _ := http.NewRequest("POST", c.URL+"/users/tester/roles", strings.NewReader(url.Values{"csrf": {b.csrf}, "role": {"curator"}, "before": {"reporter,tester"}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://evil.example")
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another origin: %d", resp.StatusCode)
	}
	if code, to := b.post("/users/tester/roles", form()); code != http.StatusSeeOther {
		t.Errorf("the right token: %d %s", code, to)
	}
	if code, _ := b.post("/users/tester/roles", form()); code != http.StatusConflict {
		t.Errorf("a stale form: %d, want a conflict", code)
	}
}

// A change of roles, and leaving, take effect at the next click.
func TestRolesTakeEffectAtOnce(t *testing.T) {
	c := startConsole(t, nil)
	admin, leader := c.as(chat.Admin), c.as(chat.Leader)
	if code, _ := leader.get("/users"); code != http.StatusForbidden {
		t.Fatalf("a leader: %d", code)
	}
	if code, body := admin.post("/users/leader/roles", url.Values{"role": {"leader", "admin"}, "before": {"reporter,leader"}}); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	if code, _ := leader.get("/users"); code != http.StatusOK {
		t.Errorf("a new administrator: %d", code)
	}
	if code, _ := admin.post("/users/admin/roles", url.Values{"role": {"tester"}, "before": {"reporter,admin"}}); code != http.StatusConflict {
		t.Errorf("an administrator took away their own role: %d", code)
	}
	if code, _ := admin.post("/users/leader/disabled", url.Values{"disabled": {"1"}}); code != http.StatusSeeOther {
		t.Fatal(code)
	}
	if code, to := leader.get("/"); code != http.StatusSeeOther {
		t.Errorf("who was switched off is still in: %d %s", code, to)
	}
}

func TestSessions(t *testing.T) {
	now := time.Now()
	c := startConsole(t, nil)
	b := c.as(chat.Tester)
	old := b.client.Jar.(*jar).all
	if code, _ := b.get("/"); code != http.StatusOK {
		t.Fatal(code)
	}
	if code, _ := b.post("/logout", nil); code != http.StatusSeeOther {
		t.Fatal("signing out failed")
	}
	b.client.Jar.(*jar).all = old
	if code, _ := b.get("/"); code != http.StatusSeeOther {
		t.Errorf("a signed-out cookie still works: %d", code)
	}
	b.client.Jar.(*jar).all = []*http.Cookie{{Name: "frontline", Value: "guessed-session-value"}}
	if code, _ := b.get("/"); code != http.StatusSeeOther {
		t.Errorf("a fixed cookie works: %d", code)
	}
	_ = now
}

func TestRedirectsStayHere(t *testing.T) {
	for in, want := range map[string]string{"/users": "/users", "/users?q=a": "/users?q=a", "//evil.example": "/", "/\\evil": "/", "https://evil.example": "/", "https:evil": "/", "javascript:alert(1)": "/", "evil": "/", "": "/", "/a\r\nb": "/", "/\tb": "/"} {
		if got := ownPath(in); got != want {
			t.Errorf("ownPath(%q) = %q, want %q", in, got, want)
		}
	}
	c := startConsole(t, nil)
	b := c.visitor()
	if _, to := b.post("/login/demo", url.Values{"user": {"tester"}, "next": {"//evil.example/"}}); to != "/" {
		t.Errorf("sent to %q", to)
	}
}

func TestNoDemoSignInOutsideTheDemo(t *testing.T) {
	c := startConsole(t, func(o *Options) { o.Demo = false })
	b := c.visitor()
	if code, _ := b.post("/login/demo", url.Values{"user": {"admin"}}); code != http.StatusNotFound {
		t.Errorf("the demo's sign-in answers %d", code)
	}
}

// The script and the stylesheet stay small, and nothing comes from elsewhere.
func TestAssetBudget(t *testing.T) {
	c := startConsole(t, nil)
	scripts, styles := 0, 0
	for path, a := range c.web.assets.byPath {
		switch {
		case strings.HasSuffix(path, ".js"):
			scripts += len(a.small)
		case strings.HasSuffix(path, ".css"):
			styles += len(a.small)
			if strings.Contains(string(a.body), "http") || strings.Contains(string(a.body), "@import") {
				t.Errorf("%s fetches from elsewhere", path)
			}
		}
	}
	if scripts > 30<<10 || styles > 16<<10 {
		t.Errorf("scripts %d bytes, styles %d bytes gzipped", scripts, styles)
	}
	_, body := c.as(chat.Admin).get("/")
	if m := regexp.MustCompile(`(?:src|href)="https?://[^"]+"|style="|<script>|\son[a-z]+="`).FindString(body); m != "" {
		t.Errorf("the page has %q", m)
	}
}

// Foreign text is shown as text on every page that shows any.
func TestForeignTextIsText(t *testing.T) {
	c := startConsole(t, nil)
	evil := `<script>alert(1)</script><img src=x onerror=alert(2)>"'>`
	err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		if err := tx.MeetMember("evil", evil, evil); err != nil {
			return err
		}
		tk := store.Ticket{Title: evil, Reporter: "admin", Priority: "P3"}
		if err := tx.CreateTicket(&tk); err != nil {
			return err
		}
		return tx.KeepQuestion(store.Question{Message: "m", Asker: "evil", Text: evil, Band: "refuse"})
	})
	if err != nil {
		t.Fatal(err)
	}
	b := c.as(chat.Admin)
	for _, path := range []string{"/", "/users", "/search?q=" + url.QueryEscape(evil), "/search?q=alert"} {
		code, body := b.get(path)
		if code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img src=x") {
			t.Errorf("%s lets foreign text be markup", path)
		}
	}
}
