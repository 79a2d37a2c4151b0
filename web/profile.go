package web

import (
	"errors"
	"net/http"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// What is a person's own: what they are sent regularly, their quiet hours, and
// the calendar feed. The same is said in chat with 订阅 and 免打扰.

func (s *Server) profileRoutes() []route {
	return []route{
		{method: "GET", path: "/profile", roles: anybody, nav: "profile", do: s.profile},
		{method: "POST", path: "/profile/quiet", roles: anybody, nav: "profile", do: s.setQuiet},
		{method: "POST", path: "/profile/subscriptions", roles: anybody, nav: "profile", do: s.setSubscription},
		{method: "POST", path: "/groups/{name}/quiet", roles: admins, nav: "groups", do: s.setGroupQuiet},
	}
}

type profilePage struct {
	Quiet       store.QuietHours
	From, Until string // of the form
	Fault       string
	Regulars    []handlers.Regular
	Token       store.CalendarToken
	HasToken    bool
	Feed        string // the address just made: shown once
}

// Said is the quiet hours as they are said.
func (p profilePage) Said() string { return handlers.QuietWords(p.Quiet) }

func mine(u chat.User) chat.Address {
	return chat.Address{Kind: chat.Person, ID: u.ID, Via: chat.App}
}

func (s *Server) profile(v *visit) error { return s.showProfile(v, http.StatusOK, nil) }

func (s *Server) showProfile(v *visit, status int, change func(p *profilePage)) (err error) {
	ctx := v.r.Context()
	p := profilePage{From: "22:00", Until: "07:00"}
	if p.Quiet, err = s.opt.Store.QuietHours(ctx, mine(v.user)); err != nil {
		return err
	}
	if p.Quiet.Set() {
		p.From, p.Until = clockText(p.Quiet.From), clockText(p.Quiet.Until)
	}
	if p.Regulars, err = s.opt.Desk.Regulars(ctx, v.user, mine(v.user)); err != nil {
		return err
	}
	p.Token, err = s.opt.Store.CalendarTokenOf(ctx, v.user.ID)
	if p.HasToken = err == nil; err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if change != nil {
		change(&p)
	}
	return v.render(status, "profile", p)
}

// clockText is minutes since midnight as a form has them.
func clockText(minutes int) string {
	return time.Date(2000, 1, 1, 0, minutes, 0, 0, time.UTC).Format("15:04")
}

// readQuiet reads quiet hours of a form; none when they are to be off.
func readQuiet(v *visit) (q store.QuietHours, err error) {
	if v.r.PostFormValue("do") == "off" {
		return q, nil
	}
	from, err1 := time.Parse("15:04", v.r.PostFormValue("from"))
	until, err2 := time.Parse("15:04", v.r.PostFormValue("until"))
	if err1 != nil || err2 != nil {
		return q, chat.Refusal{Text: v.t("从几点到几点？两个时间都要填。")}
	}
	return handlers.NewQuietHours(from.Hour()*60+from.Minute(), until.Hour()*60+until.Minute())
}

func (s *Server) setQuiet(v *visit) error {
	q, err := readQuiet(v)
	if err == nil {
		err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { return s.opt.Desk.SetQuietHours(tx, v.user, mine(v.user), q) })
	}
	var no chat.Refusal
	switch {
	case errors.As(err, &no):
		return s.showProfile(v, http.StatusUnprocessableEntity, func(p *profilePage) {
			p.From, p.Until, p.Fault = chat.Cut(v.r.PostFormValue("from"), 8), chat.Cut(v.r.PostFormValue("until"), 8), no.Text
		})
	case err != nil:
		return err
	}
	v.notice(v.t("免打扰已更新"))
	return v.redirect("/profile")
}

// setGroupQuiet sets the quiet hours of a group, for its robot and its chat.
func (s *Server) setGroupQuiet(v *visit) error {
	name := v.r.PathValue("name")
	if s.configured(name) == nil {
		if _, err := s.opt.Store.FindGroup(v.r.Context(), name); err != nil {
			return err
		}
	}
	q, err := readQuiet(v)
	if err == nil {
		err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
			return s.opt.Desk.SetQuietHours(tx, v.user, chat.Address{Kind: chat.Robot, ID: name}, q)
		})
	}
	if err != nil {
		return err
	}
	v.notice(v.t("免打扰已更新"))
	return v.redirect("/groups")
}

func (s *Server) setSubscription(v *visit) error {
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		return s.opt.Desk.Subscribe(tx, v.user, mine(v.user), v.r.PostFormValue("kind"), v.r.PostFormValue("wanted") == "1")
	})
	if err != nil {
		return err
	}
	v.notice(v.t("订阅已更新"))
	return v.redirect("/profile")
}
