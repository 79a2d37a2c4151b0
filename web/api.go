package web

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

// apiRoute is one call of /api/v1.
type apiRoute struct {
	method, path string       // path without /api/v1
	roles        chat.RoleSet // any of, of the token's owner; none: everybody
	write        bool         // needs a token that may write
	do           func(c *apiCall) (any, error)
}

// apiCall is one request of a program on its way through a route. do returns
// what is answered as JSON, or an error: a problem has its status and words.
type apiCall struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	user   chat.User // whom the token acts for
	Status int       // of the answer; default 200
}

// apiList is the one list of calls.
func (s *Server) apiList() []apiRoute {
	return []apiRoute{
		{method: "GET", path: "/tickets", do: s.apiListTickets},
		{method: "POST", path: "/tickets", write: true, do: s.apiNewTicket},
		{method: "GET", path: "/tickets/{number}", do: s.apiShowTicket},
		{method: "POST", path: "/tickets/{number}/comments", write: true, do: s.apiComment},
		{method: "PATCH", path: "/tickets/{number}", roles: deskers, write: true, do: s.apiChangeTicket},
		{method: "GET", path: "/kb/entries", roles: workers, do: s.apiListEntries},
		{method: "POST", path: "/kb/entries", roles: keepers, write: true, do: s.apiNewEntry},
		{method: "GET", path: "/kb/entries/{number}", roles: workers, do: s.apiShowEntry},
		{method: "PUT", path: "/kb/entries/{number}", roles: keepers, write: true, do: s.apiPutEntry},
		{method: "DELETE", path: "/kb/entries/{number}", roles: curators, write: true, do: s.apiDeleteEntry},
		{method: "GET", path: "/kb/search", do: s.apiSearch},
		{method: "GET", path: "/runs", roles: makers, do: s.apiRuns},
		{method: "POST", path: "/runs", roles: makers, write: true, do: s.apiNewRun},
		{method: "GET", path: "/runs/{number}", roles: makers, do: s.apiShowRun},
		{method: "GET", path: "/alerts", roles: workers, do: s.apiAlerts},
		{method: "GET", path: "/alerts/counts", roles: workers, do: s.apiAlertCounts},
		{method: "GET", path: "/stats", roles: analysts, do: s.apiShowStats},
	}
}

const apiBase = "/api/v1"

func (s *Server) mountAPI() {
	for _, r := range s.apiList() {
		s.mux.Handle(r.method+" "+apiBase+r.path, s.api(r))
	}
	s.mux.Handle(apiBase+"/", s.api(apiRoute{do: func(c *apiCall) (any, error) { return nil, errNotFound }}))
}

// maxAPIBody bounds what a program may send.
const maxAPIBody = 1 << 20

func (s *Server) api(rt apiRoute) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &apiCall{s: s, w: w, r: r, Status: http.StatusOK}
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxAPIBody)
		answer, err := c.run(rt)
		if err != nil {
			c.fail(err)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(c.Status)
		json.NewEncoder(w).Encode(answer)
	})
}

func (c *apiCall) run(rt apiRoute) (any, error) {
	scope, err := c.whoIsIt()
	if err != nil {
		return nil, err
	}
	if c.user.Disabled || !c.user.Roles.Has(rt.roles...) || rt.write && scope != "write" {
		return nil, errForbidden
	}
	return rt.do(c)
}

// whoIsIt finds whom a bearer token acts for, and whether it may write. Member
// and roles are read at every call, as for a browser.
func (c *apiCall) whoIsIt() (scope string, err error) {
	scheme, value, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	value = strings.TrimSpace(value)
	if !strings.EqualFold(scheme, "bearer") || value == "" {
		return "", errSignIn
	}
	if t := c.s.opt.APIToken; t != "" && subtle.ConstantTimeCompare([]byte(t), []byte(value)) == 1 {
		c.user = chat.User{ID: handlers.APIUser, Name: "API", Roles: chat.RoleSet{chat.Reporter, chat.Admin}}
		return "write", nil
	}
	token, err := c.s.opt.Store.FindAPIToken(c.r.Context(), value)
	if errors.Is(err, store.ErrNotFound) {
		return "", errSignIn
	}
	if err != nil {
		return "", err
	}
	c.user, err = c.s.opt.Store.FindMember(c.r.Context(), token.Member)
	if errors.Is(err, store.ErrNotFound) {
		return "", errSignIn
	}
	return token.Scope, err
}

// fail answers with a problem (RFC 9457).
func (c *apiCall) fail(err error) {
	var p problem
	var no chat.Refusal
	var big *http.MaxBytesError
	var faults kb.Faults
	status, detail := http.StatusInternalServerError, "an inner error; the log has it"
	switch {
	case errors.As(err, &p):
		status, detail = p.status, p.text
	case errors.As(err, &faults):
		status, detail = http.StatusUnprocessableEntity, faults.Error()
	case errors.As(err, &no) && errors.Is(err, store.ErrExists):
		status, detail = http.StatusConflict, no.Text
	case errors.As(err, &no): // the rules of the desk, in its own words
		status, detail = http.StatusUnprocessableEntity, no.Text
	case errors.Is(err, store.ErrMove):
		status, detail = http.StatusConflict, "a ticket in this state cannot go there"
	case errors.Is(err, errSignIn):
		c.w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
		status, detail = http.StatusUnauthorized, "a bearer token is needed; the console makes one, or set api.token"
	case errors.Is(err, errForbidden):
		status, detail = http.StatusForbidden, "this token may not do that"
	case errors.Is(err, errNotFound), errors.Is(err, store.ErrNotFound):
		status, detail = http.StatusNotFound, "there is nothing here"
	case errors.Is(err, store.ErrStale):
		status, detail = http.StatusConflict, "changed by somebody else in the meantime; read it again"
	case errors.As(err, &big):
		status, detail = http.StatusRequestEntityTooLarge, "more than 1 MiB"
	default:
		c.s.opt.Log.Error("api call failed", "err", err)
	}
	c.w.Header().Set("Content-Type", "application/problem+json")
	c.w.WriteHeader(status)
	json.NewEncoder(c.w).Encode(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
}

// query reads a number of the query, or def.
func (c *apiCall) query(name string, def int64) (int64, error) {
	v := c.r.URL.Query().Get(name)
	if v == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, problem{http.StatusBadRequest, name + ": a whole number is needed"}
	}
	return n, nil
}

// apiTime is an instant as the API writes it; null when there is none.
func apiTime(t time.Time) *string { return handlers.JSONTime(t) }
