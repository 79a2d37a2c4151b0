package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

type tokensPage struct {
	Tokens []store.APIToken
	All    bool   // everybody's, for administrators
	Value  string // of the token just made: shown once
	Name   string
	Scope  string
	Days   int
	Fault  string // what is wrong with the form
	Now    time.Time
}

// tokenDays are the lives a token may have; none lives for ever.
var tokenDays = []int{30, 90, 365}

func (tokensPage) Lives() []int { return tokenDays }

// tokensPage lists the visitor's tokens; administrators see everybody's.
func (s *Server) tokensPage(v *visit) (p tokensPage, err error) {
	p = tokensPage{Scope: "read", Days: 90, All: v.user.Roles.Has(chat.Admin), Now: s.opt.Now()}
	of := v.user.ID
	if p.All {
		of = ""
	}
	p.Tokens, err = s.opt.Store.ListAPITokens(v.r.Context(), of)
	return p, err
}

func (s *Server) tokens(v *visit) error {
	p, err := s.tokensPage(v)
	if err != nil {
		return err
	}
	return v.show("tokens", p)
}

// newToken makes a token and shows its value in the answer itself: it is in no
// address, no cookie and no log, and a reload does not bring it back.
func (s *Server) newToken(v *visit) error {
	name, scope := chat.Cut(strings.TrimSpace(v.r.PostFormValue("name")), 64), v.r.PostFormValue("scope")
	days, _ := strconv.Atoi(v.r.PostFormValue("days"))
	known := false
	for _, d := range tokenDays {
		known = known || d == days
	}
	fault := ""
	switch {
	case name == "":
		fault = "给令牌起个名字，好知道是谁在用"
	case scope != "read" && scope != "write" || !known:
		fault = "没有这种范围或有效期"
	}
	if fault != "" {
		p, err := s.tokensPage(v)
		if err != nil {
			return err
		}
		p.Name, p.Fault = name, v.t(fault)
		return v.render(http.StatusUnprocessableEntity, "tokens", p)
	}
	value, err := s.opt.Store.NewAPIToken(v.r.Context(), v.user.ID, name, scope, time.Duration(days)*24*time.Hour)
	if err != nil {
		return err
	}
	p, err := s.tokensPage(v)
	if err != nil {
		return err
	}
	p.Value = value
	return v.show("tokens", p)
}

// revokeToken takes away one's own token; administrators, anybody's.
func (s *Server) revokeToken(v *visit) error {
	of := v.user.ID
	if v.user.Roles.Has(chat.Admin) {
		of = ""
	}
	if err := s.opt.Store.DeleteAPIToken(v.r.Context(), v.user.ID, of, number(v.r.PathValue("id"))); err != nil {
		return err
	}
	v.notice(v.t("令牌已吊销"))
	return v.redirect("/tokens")
}
