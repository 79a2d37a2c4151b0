package web

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"

	"frontline/bot/chat"
	"frontline/store"
)

type loginPage struct {
	People  []chat.User // in the demo: anybody of the sample company
	Next    string
	CanScan bool
}

func (s *Server) loginPage(v *visit) error {
	p := loginPage{Next: ownPath(v.r.URL.Query().Get("next")), CanScan: s.opt.Login != nil}
	if s.opt.Demo {
		all, err := s.opt.Store.ListMembers(v.r.Context())
		if err != nil {
			return err
		}
		p.People = slices.DeleteFunc(all, func(u chat.User) bool {
			return u.Disabled || len(s.opt.DemoPeople) > 0 && !slices.Contains(s.opt.DemoPeople, u.ID)
		})
	}
	return v.show("login", p)
}

// loginDemo signs in as any sample person; it exists in the demo only.
func (s *Server) loginDemo(v *visit) error {
	if !s.opt.Demo {
		return errNotFound
	}
	u, err := s.opt.Store.FindMember(v.r.Context(), v.r.PostFormValue("user"))
	if err != nil {
		return err
	}
	return v.begin(u.ID, v.r.PostFormValue("next"))
}

// begin makes a new session; an old one of this browser ends.
func (v *visit) begin(member, next string) error {
	ctx := v.r.Context()
	if v.session.ID != "" {
		if err := v.s.opt.Store.EndSession(ctx, v.session.ID); err != nil {
			return err
		}
	}
	session, err := v.s.opt.Store.NewSession(ctx, member, v.r.UserAgent())
	if err != nil {
		return err
	}
	http.SetCookie(v.w, &http.Cookie{Name: v.s.cookieName(), Value: session.ID, Path: "/", HttpOnly: true, Secure: v.s.secure(), SameSite: http.SameSiteLaxMode, MaxAge: int(store.SessionMost.Seconds())})
	return v.redirect(next)
}

func (s *Server) logout(v *visit) error {
	if err := s.opt.Store.EndSession(v.r.Context(), v.session.ID); err != nil {
		return err
	}
	http.SetCookie(v.w, &http.Cookie{Name: s.cookieName(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode})
	return v.redirect("/login")
}

// The state of a sign-in is random, used once, and bound to the browser that
// asked by a cookie of its own.
func (s *Server) stateCookie() string { return s.cookieName() + "-state" }

func (s *Server) loginWeCom(v *visit) error {
	if s.opt.Login == nil || s.opt.PublicURL == "" {
		return errNotFound
	}
	state, err := s.opt.Store.NewLogin(v.r.Context(), ownPath(v.r.URL.Query().Get("next")))
	if err != nil {
		return err
	}
	http.SetCookie(v.w, &http.Cookie{Name: s.stateCookie(), Value: state, Path: "/", HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode, MaxAge: 600})
	inside := strings.Contains(v.r.UserAgent(), "wxwork")
	http.Redirect(v.w, v.r, s.opt.Login.LoginURL(s.opt.PublicURL+"/login/callback", state, inside), http.StatusSeeOther)
	return nil
}

func (s *Server) loginCallback(v *visit) error {
	if s.opt.Login == nil {
		return errNotFound
	}
	q := v.r.URL.Query()
	c, err := v.r.Cookie(s.stateCookie())
	if err != nil || subtle.ConstantTimeCompare([]byte(c.Value), []byte(q.Get("state"))) != 1 {
		return badForm(v.t("登录已过期，请重新登录"))
	}
	next, err := s.opt.Store.UseLogin(v.r.Context(), c.Value)
	if errors.Is(err, store.ErrNotFound) {
		return badForm(v.t("登录已过期，请重新登录"))
	}
	if err != nil {
		return err
	}
	http.SetCookie(v.w, &http.Cookie{Name: s.stateCookie(), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode})
	id, err := s.opt.Login.UserByCode(v.r.Context(), q.Get("code"))
	if err != nil || id == "" {
		s.opt.Log.Warn("sign-in refused", "err", err)
		return badForm(v.t("企业微信没有确认你的身份，请重新登录"))
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { return tx.MeetMember(id, "", "") })
	if err != nil {
		return err
	}
	return v.begin(id, next)
}

func (s *Server) setTheme(v *visit) error { return v.choose("theme", "dark", "light", "auto") }

func (s *Server) setLang(v *visit) error { return v.choose("lang", "zh", "en") }

// choose keeps one choice of the visitor in a cookie and goes back.
func (v *visit) choose(name string, allowed ...string) error {
	value := v.r.PostFormValue(name)
	for _, a := range allowed {
		if a == value {
			http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: v.s.secure(), SameSite: http.SameSiteLaxMode})
		}
	}
	return v.redirect(v.r.PostFormValue("back"))
}
