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
	"frontline/handlers/alert"
	"frontline/handlers/construct"
	"frontline/kb"
	"frontline/store"
)

// apiRoute is one call of /api/v1.
type apiRoute struct {
	method, path string       // path without /api/v1
	roles        chat.RoleSet // any of, of the token's owner; none: everybody
	write        bool         // needs a token that may write
	about        string       // what it does
	query        []apiParam
	in, out      any    // examples of the types of body and answer
	status       int    // of a good answer that is not 200; both are possible with again
	again        string // the header that makes a repeat answer 200 with what was made first
	do           func(c *apiCall) (any, error)
}

// apiParam is a parameter of the query.
type apiParam struct {
	name  string
	kind  string // string, integer, date
	about string
	must  bool
	of    []string
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
	page := []apiParam{{name: "n", kind: "integer", about: "at most so many"}, {name: "before", kind: "integer", about: "the next of the page before"}}
	param := func(name, about string, of ...string) apiParam {
		return apiParam{name: name, kind: "string", about: about, of: of}
	}
	ticket, entry, run := handlers.TicketJSON{}, handlers.EntryJSON{}, construct.RunJSON{}
	return []apiRoute{
		{method: "GET", path: "/tickets", about: "list tickets, newest first; who does not work on tickets sees their own", out: apiTicketList{}, do: s.apiListTickets,
			query: append([]apiParam{param("state", "one state, or open"), param("class", "data, program, consult, other, or the house's own"), param("priority", "", priorities...), param("assignee", "a userid; - for nobody"), param("reporter", "a userid"), param("group", "a service group"),
				param("q", "part of the title"), param("from", "created then or later: a day or an instant (RFC 3339)"), param("to", "created before")}, page...)},
		{method: "POST", path: "/tickets", write: true, about: "make a ticket", in: newAPITicket{}, out: ticket, status: http.StatusCreated, again: "Idempotency-Key", do: s.apiNewTicket},
		{method: "GET", path: "/tickets/{number}", about: "a ticket with its thread", out: ticket, do: s.apiShowTicket},
		{method: "POST", path: "/tickets/{number}/comments", write: true, about: "add to a ticket's thread", in: newAPIComment{}, out: ticket, status: http.StatusCreated, do: s.apiComment},
		{method: "PATCH", path: "/tickets/{number}", roles: deskers, write: true, about: "change a ticket by the rules of the desk", in: ticketPatch{}, out: ticket, do: s.apiChangeTicket},
		{method: "GET", path: "/kb/entries", roles: workers, about: "list knowledge, newest number first", out: entryListJSON{}, do: s.apiListEntries,
			query: append([]apiParam{param("state", "", entryStates...), param("group", ""), param("owner", "a userid"), param("category", ""), param("q", "part of a question")}, page...)},
		{method: "POST", path: "/kb/entries", roles: keepers, write: true, about: "make an entry, published unless state says otherwise", in: entryIn{}, out: entry, status: http.StatusCreated, do: s.apiNewEntry},
		{method: "GET", path: "/kb/entries/{number}", roles: workers, about: "an entry", out: entry, do: s.apiShowEntry},
		{method: "PUT", path: "/kb/entries/{number}", roles: keepers, write: true, about: "replace the words of an entry, and its state", in: entryIn{}, out: entry, do: s.apiPutEntry},
		{method: "DELETE", path: "/kb/entries/{number}", roles: curators, write: true, about: "retire an entry; number and versions stay", out: entry, do: s.apiDeleteEntry},
		{method: "GET", path: "/kb/search", about: "what the base says to a question; the question is not kept", out: foundJSON{}, do: s.apiSearch,
			query: []apiParam{{name: "q", kind: "string", about: "the question", must: true}, {name: "n", kind: "integer", about: "at most so many hits"}, param("explain", "0 leaves the explanations out")}},
		{method: "GET", path: "/runs", roles: makers, about: "list runs of data construction, newest first", out: apiRunList{}, do: s.apiRuns, query: append([]apiParam{param("state", ""), param("recipe", ""), {name: "ticket", kind: "integer", about: "runs for a ticket"}}, page...)},
		{method: "POST", path: "/runs", roles: makers, write: true, about: "make test data", in: newAPIRun{}, out: run, status: http.StatusCreated, do: s.apiNewRun},
		{method: "GET", path: "/runs/{number}", roles: makers, about: "a run with its pieces, masked", out: run, do: s.apiShowRun},
		{method: "GET", path: "/alerts", roles: workers, about: "list alerts, newest first", out: apiAlertList{}, do: s.apiAlerts, query: append([]apiParam{param("source", ""), param("state", "", store.AlertFiring, store.AlertResolved), param("severity", "", alert.Critical, alert.Major, alert.Warning, alert.Info)}, page...)},
		{method: "GET", path: "/alerts/counts", roles: workers, about: "the tally since the store began", out: store.AlertTally{}, do: s.apiAlertCounts, query: []apiParam{param("source", "one source; all of them without")}},
		{method: "GET", path: "/stats", roles: analysts, about: "the figures of a period, as on the page of figures", out: apiStats{}, do: s.apiShowStats,
			query: []apiParam{param("period", "", handlers.PeriodNames...), {name: "from", kind: "date", about: "first day, with to"}, {name: "to", kind: "date", about: "last day"}, param("branch", "of one branch"), param("group", "of one service group")}},
	}
}

const apiBase = "/api/v1"

func (s *Server) mountAPI() {
	for _, r := range s.apiList() {
		s.mux.Handle(r.method+" "+apiBase+r.path, s.api(r))
	}
	s.mux.HandleFunc("GET "+apiBase+"/openapi.json", s.openAPI)
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
