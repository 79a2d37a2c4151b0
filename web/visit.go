package web

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// route is one page or action. The list of routes is the table of who may what.
type route struct {
	method, path string
	roles        chat.RoleSet // any of; none: everybody who is signed in
	public       bool         // also without signing in
	upload       bool         // takes a file, and so a larger form
	photos       bool         // takes several
	file         bool         // takes a whole file of knowledge
	nav          string       // which entry of the navigation is current
	do           func(v *visit) error
}

// visit is one request on its way through a route.
type visit struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	route   route
	user    chat.User
	session store.Session
	id      string // request id, shown with errors
	lang    string
}

// cookieName follows the __Host- rule over https; a browser refuses that prefix
// on plain http, which only the demo on this machine speaks.
func (s *Server) cookieName() string {
	if strings.HasPrefix(s.opt.PublicURL, "https://") {
		return "__Host-frontline"
	}
	return "frontline"
}

func (s *Server) secure() bool { return strings.HasPrefix(s.opt.PublicURL, "https://") }

// maxForm bounds a posted form; uploads have their own bound.
const maxForm = 1 << 20

// uploadTime is how long photos may take to arrive.
const uploadTime = 3 * time.Minute

// handle runs a route: who is it, may they, was it meant, then the page.
func (s *Server) handle(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{s: s, w: w, r: r, route: rt, id: requestID(), lang: s.langOf(r)}
		w.Header().Set("X-Request-Id", v.id)
		w.Header().Set("Cache-Control", "no-store")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				s.opt.Log.Error("panic in page", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
				v.fail(errors.New("panic"))
			}
		}()
		if err := v.run(); err != nil {
			v.fail(err)
		}
	})
}

func (v *visit) run() error {
	if err := v.whoIsIt(); err != nil {
		return err
	}
	if !v.route.public && v.user.ID == "" {
		return errSignIn
	}
	if !v.route.public && (v.user.Disabled || !v.user.Roles.Has(v.route.roles...)) {
		return errForbidden
	}
	if v.r.Method != http.MethodGet && v.r.Method != http.MethodHead {
		most := int64(maxForm)
		if v.route.upload {
			most += maxUpload
		}
		if v.route.photos {
			most += mostFiles * mostFile
			http.NewResponseController(v.w).SetReadDeadline(time.Now().Add(uploadTime)) // a phone is slow
		}
		if v.route.file {
			most += kb.MaxFile
			http.NewResponseController(v.w).SetReadDeadline(time.Now().Add(uploadTime))
		}
		v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
		if v.route.upload || v.route.photos || v.route.file {
			if err := v.parts(); err != nil {
				return err
			}
		}
		if err := v.meant(); err != nil {
			return err
		}
	}
	return v.route.do(v)
}

// parts reads a form with files. One that is too large, or that our disk does not
// take, is told as that; whatever else is wrong came from outside.
func (v *visit) parts() error {
	err := v.r.ParseMultipartForm(maxForm)
	var big *http.MaxBytesError
	var disk *fs.PathError
	switch {
	case err == nil || errors.Is(err, http.ErrNotMultipart):
		return nil
	case errors.As(err, &big) || errors.As(err, &disk):
		return err
	}
	return badForm(v.t("表单不完整"))
}

// whoIsIt reads the session's member anew at every request, so that a change of
// roles, or leaving the company, takes effect at once.
func (v *visit) whoIsIt() error {
	c, err := v.r.Cookie(v.s.cookieName())
	if err != nil || c.Value == "" {
		return nil
	}
	ctx := v.r.Context()
	session, err := v.s.opt.Store.FindSession(ctx, c.Value)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	session.ID = c.Value
	user, err := v.s.opt.Store.FindMember(ctx, session.Member)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && !user.Disabled {
		v.user, v.session = user, session
	}
	return nil
}

// meant refuses a change that another site made the browser send: by origin,
// and by a token that only our own pages know.
func (v *visit) meant() error {
	foreign := problem{http.StatusForbidden, v.t("这一页已过期或不是从这里打开的，请刷新后再试")}
	if err := v.s.csrf.Check(v.r); err != nil {
		return foreign
	}
	if v.user.ID == "" {
		return nil // signing in: there is no session to misuse yet
	}
	token := v.r.Header.Get("X-CSRF-Token")
	if token == "" {
		token = v.r.PostFormValue("csrf")
	}
	if subtle.ConstantTimeCompare([]byte(token), []byte(v.csrfToken())) != 1 {
		return foreign
	}
	return nil
}

// csrfToken is bound to the session and tells nothing about it.
func (v *visit) csrfToken() string {
	if v.session.ID == "" {
		return ""
	}
	return v.s.opt.Store.Blind("csrf", v.session.ID)
}

// htmx tells whether a part of a page is wanted rather than the whole.
func (v *visit) htmx() bool { return v.r.Header.Get("HX-Request") == "true" }

// redirect answers a post; only own paths are possible.
func (v *visit) redirect(path string) error {
	path = ownPath(path)
	if v.htmx() {
		v.w.Header().Set("HX-Redirect", path)
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// ownPath lets only a path of this site through: no //host, no /\host, no scheme.
func ownPath(p string) string {
	u, err := url.Parse(p)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	return p
}

// notice shows words once, on the next page: what a post did.
func (v *visit) notice(text string) {
	http.SetCookie(v.w, &http.Cookie{Name: "notice", Value: url.QueryEscape(text), Path: "/", MaxAge: 30, HttpOnly: true, Secure: v.s.secure(), SameSite: http.SameSiteLaxMode})
}

func (v *visit) takeNotice() string {
	c, err := v.r.Cookie("notice")
	if err != nil {
		return ""
	}
	http.SetCookie(v.w, &http.Cookie{Name: "notice", Path: "/", MaxAge: -1, HttpOnly: true, Secure: v.s.secure(), SameSite: http.SameSiteLaxMode})
	text, err := url.QueryUnescape(c.Value)
	if err != nil {
		return ""
	}
	return chat.Cut(text, 200)
}

func requestID() string {
	var b [4]byte
	rand.Read(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// problem is an error with words for the person: a bad form, a conflict.
type problem struct {
	status int
	text   string
}

func (p problem) Error() string { return p.text }

func badForm(text string) error { return problem{http.StatusUnprocessableEntity, text} }

func conflict(text string) error { return problem{http.StatusConflict, text} }

// fail shows what went wrong: never an inner text, always what to do.
func (v *visit) fail(err error) {
	var p problem
	var who needs
	var roles chat.RoleSet
	var tooBig *http.MaxBytesError
	var no chat.Refusal
	switch {
	case errors.Is(err, errSignIn):
		v.signIn()
		return
	case errors.As(err, &p):
	case errors.As(err, &no):
		p = problem{http.StatusUnprocessableEntity, no.Text}
	case errors.Is(err, errForbidden):
		p, roles = problem{http.StatusForbidden, v.t("没有权限")}, v.route.roles
		if errors.As(err, &who) {
			roles = chat.RoleSet(who)
		}
	case errors.Is(err, errNotFound), errors.Is(err, store.ErrNotFound):
		p = problem{http.StatusNotFound, v.t("没有这个页面")}
	case errors.As(err, &tooBig):
		p = problem{http.StatusRequestEntityTooLarge, v.t("提交的内容太大")}
	case errors.Is(err, store.ErrStale):
		p = problem{http.StatusConflict, v.t("刚被别人改过，请刷新后再试")}
	default:
		v.s.opt.Log.Error("page failed", "err", err, "api", v.route.path)
		p = problem{http.StatusInternalServerError, v.t("内部错误，请稍后再试")}
	}
	if v.htmx() { // a toast, in the script's hands
		v.w.Header().Set("HX-Reswap", "none")
		v.w.Header().Set("X-Problem", url.QueryEscape(p.text+v.t("（%s）", v.id)))
		v.w.WriteHeader(p.status)
		return
	}
	again := ""
	if v.r.Method == http.MethodGet {
		again = v.here()
	}
	if strings.HasPrefix(v.r.URL.Path, "/m/") {
		v.renderMobile(p.status, "error", errorPage{Status: p.status, Text: p.text, ID: v.id, Roles: roles, Again: again})
		return
	}
	v.render(p.status, "error", errorPage{Status: p.status, Text: p.text, ID: v.id, Roles: roles, Again: again})
}

type errorPage struct {
	Status int
	Text   string
	ID     string
	Roles  chat.RoleSet
	Again  string // address to try once more; "" for what was posted
}

// signIn sends the browser to the sign-in page and back afterwards.
func (v *visit) signIn() {
	to := "/login"
	if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(ownPath(v.r.URL.RequestURI()))
	}
	if v.htmx() {
		v.w.Header().Set("HX-Redirect", to)
		v.w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
}

// render executes a page into a buffer first: half a page is never sent.
func (v *visit) render(status int, name string, data any) error {
	return v.renderIn("layout", status, name, data)
}

// renderMobile is render in the frame for a phone.
func (v *visit) renderMobile(status int, name string, data any) error {
	return v.renderIn("mobile", status, name, data)
}

// showMobile is renderMobile with 200.
func (v *visit) showMobile(name string, data any) error {
	return v.renderMobile(http.StatusOK, name, data)
}

func (v *visit) renderIn(frame string, status int, name string, data any) error {
	t := v.s.pages[name]
	if t == nil {
		return fmt.Errorf("no template %s", name)
	}
	var b bytes.Buffer
	if err := t.execute(&b, v, frame, data); err != nil {
		v.s.opt.Log.Error("template failed", "err", err, "api", name)
		http.Error(v.w, v.t("内部错误，请稍后再试")+" "+v.id, http.StatusInternalServerError)
		return nil
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	b.WriteTo(v.w)
	return nil
}

// show is render with 200.
func (v *visit) show(name string, data any) error { return v.render(http.StatusOK, name, data) }

// part renders one block of a page, for htmx.
func (v *visit) part(name, block string, data any) error {
	t := v.s.pages[name]
	if t == nil {
		return fmt.Errorf("no template %s", name)
	}
	var b bytes.Buffer
	if err := t.block(&b, v, block, data); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	b.WriteTo(v.w)
	return nil
}
