package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/store"
)

func isDesker(u chat.User) bool { return u.Roles.Has(deskers...) }

// read takes the body as JSON into to: unknown keys, something behind it and
// wrong types are a problem that names what is wrong.
func (c *apiCall) read(to any) error {
	d := json.NewDecoder(c.r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(to)
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return err
	case err != nil:
		return problem{http.StatusBadRequest, "the body is not the JSON object that is needed: " + strings.TrimPrefix(err.Error(), "json: ")}
	}
	if _, err := d.Token(); err != io.EOF {
		return problem{http.StatusBadRequest, "something stands behind the JSON object"}
	}
	return nil
}

func unprocessable(format string, args ...any) error {
	return problem{http.StatusUnprocessableEntity, fmt.Sprintf(format, args...)}
}

type apiTicketList struct {
	Tickets []handlers.TicketJSON `json:"tickets"`
	Next    string                `json:"next"`
}

// apiListTickets lists tickets, the newest first: ?state= (one, or open), class=,
// priority=, assignee= ("-": nobody), reporter=, group=, q=, from= and to= (day or
// instant), n= (at most 200), before= (the next of the page before). Who does not
// work on tickets sees their own.
func (s *Server) apiListTickets(c *apiCall) (any, error) {
	n, err := c.query("n", 50)
	if err != nil {
		return nil, err
	}
	before, err := c.query("before", 0)
	if err != nil {
		return nil, err
	}
	v := c.r.URL.Query()
	q := store.TicketQuery{Assignee: v.Get("assignee"), Reporter: v.Get("reporter"), Group: v.Get("group"), Before: before, N: int(min(max(n, 1), 200))}
	if t := v.Get("q"); t != "" {
		q.Text = mask.Text(chat.Cut(t, 200))
	}
	switch st := v.Get("state"); {
	case st == "open":
		q.States = store.OpenTicketStates()
	case st == "":
	case slices.Contains(allStates, store.TicketState(st)):
		q.States = []store.TicketState{store.TicketState(st)}
	default:
		return nil, problem{http.StatusBadRequest, "state: there is no such state"}
	}
	if k := v.Get("class"); k != "" {
		q.Classes = []string{k}
	}
	if k := v.Get("priority"); k != "" {
		q.Priorities = []string{k}
	}
	for name, to := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		if *to, err = s.apiInstant(v.Get(name)); err != nil {
			return nil, problem{http.StatusBadRequest, name + ": a day (2006-01-02) or an instant (RFC 3339) is needed"}
		}
	}
	if !isDesker(c.user) {
		q.Reporter = c.user.ID
	}
	list, err := s.opt.Store.PageTickets(c.r.Context(), q)
	if err != nil {
		return nil, err
	}
	out, next := make([]handlers.TicketJSON, len(list)), ""
	for i, t := range list {
		out[i] = handlers.JSONOf(t)
		next = out[i].ID
	}
	if len(list) < q.N {
		next = ""
	}
	return apiTicketList{out, next}, nil
}

func (s *Server) apiInstant(v string) (time.Time, error) {
	if v == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, v, s.opt.Now().Location()); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, v)
}

// theTicket finds the ticket of the address. Somebody else's answers like an
// unknown one.
func (c *apiCall) theTicket() (store.Ticket, error) {
	n, ok := ticketNumber(c.r.PathValue("number"))
	if !ok {
		return store.Ticket{}, errNotFound
	}
	t, err := c.s.opt.Store.FindTicket(c.r.Context(), n)
	if err == nil && t.Reporter != c.user.ID && !isDesker(c.user) {
		return store.Ticket{}, errNotFound
	}
	return t, err
}

const apiEntries = 500

func (s *Server) apiShowTicket(c *apiCall) (any, error) {
	t, err := c.theTicket()
	if err != nil {
		return nil, err
	}
	return s.apiWhole(c, t.Number)
}

// apiWhole is a ticket with its thread; notes are for who works on it.
func (s *Server) apiWhole(c *apiCall, number int64) (any, error) {
	t, err := s.opt.Store.FindTicket(c.r.Context(), number)
	if err != nil {
		return nil, err
	}
	entries, err := s.opt.Store.ListTicketEntries(c.r.Context(), t.ID, apiEntries)
	if err != nil {
		return nil, err
	}
	out := handlers.JSONOf(t)
	for _, e := range entries {
		if e.Kind == "note" && !isDesker(c.user) {
			continue
		}
		out.Entries = append(out.Entries, handlers.TicketEntryJSON{ID: strconv.FormatInt(e.ID, 10), At: apiTime(e.At), Kind: e.Kind, Author: e.Author, Text: e.Text, Files: len(e.Media)})
	}
	return out, nil
}

// newAPITicket is what makes a ticket.
type newAPITicket struct {
	Text       string `json:"text"`
	Title      string `json:"title"` // default: made of text
	Reporter   string `json:"reporter"`
	Class      string `json:"class"`
	Subclass   string `json:"subclass"`
	Priority   string `json:"priority"`
	Urgent     bool   `json:"urgent"`
	AppVersion string `json:"app_version"`
	System     string `json:"system"`
	Customer   string `json:"customer"`
	Phone      string `json:"phone"`
	Identity   string `json:"identity"`
}

// apiNewTicket makes a ticket. The same Idempotency-Key of the same caller makes
// one: again it answers with that, 200 instead of 201.
func (s *Server) apiNewTicket(c *apiCall) (any, error) {
	var in newAPITicket
	if err := c.read(&in); err != nil {
		return nil, err
	}
	reporter := c.user
	if in.Reporter != "" && in.Reporter != c.user.ID {
		if !isDesker(c.user) {
			return nil, errForbidden
		}
		var err error
		if reporter, err = s.opt.Store.FindMember(c.r.Context(), in.Reporter); errors.Is(err, store.ErrNotFound) {
			return nil, unprocessable("reporter: there is nobody with this userid")
		} else if err != nil {
			return nil, err
		}
	}
	t, text, original, err := s.apiTicketOf(c, in, reporter.ID)
	if err != nil {
		return nil, err
	}
	key := c.r.Header.Get("Idempotency-Key")
	if key != "" {
		t.Source = store.FormSource(c.user.ID, "api "+key)
	}
	err = s.opt.Store.InTx(c.r.Context(), func(tx *store.Tx) error {
		made := t
		if err := s.opt.Desk.Open(tx, c.user, &made); err != nil {
			return err
		}
		if err := tx.AddTicketEntry(made.ID, store.TicketEntry{Kind: "report", Author: reporter.ID, Text: text, Original: original}); err != nil {
			return err
		}
		if err := s.opt.Desk.Filed(tx, c.user, reporter, &made); err != nil {
			return err
		}
		t.Number = made.Number
		return nil
	})
	if errors.Is(err, store.ErrExists) && key != "" {
		first, err := s.opt.Store.TicketOfSource(c.r.Context(), t.Source)
		if err != nil {
			return nil, err
		}
		return s.apiWhole(c, first.Number)
	}
	if err != nil {
		return nil, err
	}
	c.Status = http.StatusCreated
	c.w.Header().Set("Location", fmt.Sprintf("%s/tickets/%d", apiBase, t.Number))
	return s.apiWhole(c, t.Number)
}

// apiTicketOf checks what a program sent; personal data in the text are masked
// and sealed as everywhere.
func (s *Server) apiTicketOf(c *apiCall, in newAPITicket, reporter string) (t store.Ticket, text, original string, err error) {
	original, _ = mask.Scrub(strings.TrimSpace(in.Text))
	text = mask.Text(original)
	n := len([]rune(text))
	rules := s.opt.Desk.Rules
	if in.Class == "" {
		in.Class, in.Subclass, _ = s.opt.Desk.GuessClass(c.r.Context(), text)
	}
	i := slices.IndexFunc(rules.Classes, func(k handlers.Class) bool { return k.Name == in.Class })
	switch {
	case n < 2 || n > 4000:
		return t, "", "", unprocessable("text: between 2 and 4000 characters are needed")
	case i < 0:
		return t, "", "", unprocessable("class: there is no class %q", in.Class)
	case in.Subclass != "" && !slices.Contains(rules.Classes[i].Subclasses, in.Subclass):
		return t, "", "", unprocessable("subclass: class %s has no %q", in.Class, in.Subclass)
	case in.Priority != "" && !slices.Contains(priorities, in.Priority):
		return t, "", "", unprocessable("priority: must be P1, P2, P3 or P4")
	}
	if in.Priority == "" {
		in.Priority = handlers.PriorityOf(in.Class, in.Urgent)
	}
	t = store.Ticket{Priority: in.Priority, Class: in.Class, Subclass: in.Subclass, Title: handlers.TitleOf(text), Reporter: reporter, AppVersion: chat.Cut(in.AppVersion, 32), System: chat.Cut(in.System, 32),
		Place: chat.Address{Kind: chat.Person, ID: reporter, Via: chat.API}}
	if in.Title != "" {
		t.Title = handlers.TitleOf(in.Title)
	}
	if in.Urgent {
		t.Urgency = "urgent"
	}
	for _, f := range []struct {
		name  string
		kind  mask.Kind
		value string
		to    *store.Personal
	}{{"customer", mask.Customer, in.Customer, &t.Customer}, {"phone", mask.Phone, in.Phone, &t.Phone}, {"identity", mask.Identity, in.Identity, &t.Identity}} {
		var ok bool
		if *f.to, ok = handlers.PersonalOf(f.kind, f.value); !ok {
			return t, "", "", unprocessable("%s: is not valid", f.name) // never the value itself
		}
	}
	return t, text, original, nil
}

// newAPIComment is what is added to a ticket's thread.
type newAPIComment struct {
	Text string `json:"text"`
	Kind string `json:"kind"` // reply (default), note; the reporter's own is neither
}

// apiComment adds to a ticket's thread: the reporter says something, who works
// on it replies or notes.
func (s *Server) apiComment(c *apiCall) (any, error) {
	var in newAPIComment
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t, err := c.theTicket()
	if err != nil {
		return nil, err
	}
	original, _ := mask.Scrub(strings.TrimSpace(in.Text))
	if n := len([]rune(original)); n < 1 || n > 4000 {
		return nil, unprocessable("text: between 1 and 4000 characters are needed")
	}
	if in.Kind != "" && in.Kind != "reply" && in.Kind != "note" {
		return nil, unprocessable("kind: must be reply or note")
	}
	if in.Kind == "note" && !isDesker(c.user) {
		return nil, errForbidden
	}
	desk := s.opt.Desk
	err = s.opt.Store.InTx(c.r.Context(), func(tx *store.Tx) error {
		t, err := tx.FindTicket(t.Number)
		if err != nil {
			return err
		}
		switch {
		case in.Kind == "note":
			return desk.Note(tx, c.user, &t, original, original, nil, "")
		case t.Reporter == c.user.ID && in.Kind == "":
			return desk.Said(tx, c.user, &t, original, original, nil, "")
		case !isDesker(c.user):
			return errForbidden
		}
		return desk.Reply(tx, c.user, &t, original, nil)
	})
	if err != nil {
		return nil, err
	}
	c.Status = http.StatusCreated
	return s.apiWhole(c, t.Number)
}

// ticketPatch is what can be changed of a ticket, each by the rules that hold in
// chat. Version, or the header If-Match, refuses the change when somebody was
// quicker.
type ticketPatch struct {
	Version   int64   `json:"version"`
	State     string  `json:"state"` // in_progress, waiting, resolved, closed, reopened, void
	Assignee  *string `json:"assignee"`
	Priority  string  `json:"priority"`
	Class     string  `json:"class"`
	Subclass  string  `json:"subclass"`
	Master    int64   `json:"master"` // merge into this ticket
	Why       string  `json:"why"`
	Reason    string  `json:"reason"` // of state resolved
	Method    string  `json:"method"`
	Reply     string  `json:"reply"` // words for the customer
	Outcome   string  `json:"outcome"`
	WaitFor   string  `json:"wait_for"` // of state waiting: reporter, customer, third
	WaitUntil string  `json:"wait_until"`
}

func (s *Server) apiChangeTicket(c *apiCall) (any, error) {
	var in ticketPatch
	if err := c.read(&in); err != nil {
		return nil, err
	}
	t, err := c.theTicket()
	if err != nil {
		return nil, err
	}
	if m := strings.Trim(c.r.Header.Get("If-Match"), `"`); m != "" {
		if in.Version, err = strconv.ParseInt(m, 10, 64); err != nil {
			return nil, problem{http.StatusBadRequest, "If-Match: the ticket's version is needed"}
		}
	}
	steps, err := s.patchSteps(c, in)
	if err != nil {
		return nil, err
	}
	if len(steps) == 0 {
		return nil, unprocessable("nothing to change")
	}
	err = s.opt.Store.InTx(c.r.Context(), func(tx *store.Tx) error {
		t, err := tx.FindTicket(t.Number)
		if err != nil {
			return err
		}
		if in.Version != 0 && in.Version != t.Version {
			return store.ErrStale
		}
		for _, step := range steps {
			if err := step(tx, &t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.apiWhole(c, t.Number)
}

type patchStep func(tx *store.Tx, t *store.Ticket) error

func (s *Server) patchSteps(c *apiCall, in ticketPatch) (steps []patchStep, err error) {
	desk, by := s.opt.Desk, c.user
	add := func(step patchStep) { steps = append(steps, step) }
	if in.Class != "" || in.Subclass != "" {
		add(func(tx *store.Tx, t *store.Ticket) error {
			class := in.Class
			if class == "" {
				class = t.Class
			}
			return desk.SetClass(tx, by, t, class, in.Subclass)
		})
	}
	if in.Priority != "" {
		add(func(tx *store.Tx, t *store.Ticket) error {
			return desk.SetPriority(tx, by, t, in.Priority, t.Urgency, strings.TrimSpace("优先级改为 "+in.Priority+" "+in.Why))
		})
	}
	if in.Assignee != nil {
		to, err := s.opt.Store.FindMember(c.r.Context(), *in.Assignee)
		if errors.Is(err, store.ErrNotFound) {
			return nil, unprocessable("assignee: there is nobody with this userid")
		}
		if err != nil {
			return nil, err
		}
		add(func(tx *store.Tx, t *store.Ticket) error {
			if to.ID == by.ID {
				return desk.Claim(tx, by, t)
			}
			return desk.Assign(tx, by, t, to, in.Why)
		})
	}
	if in.Master != 0 {
		add(func(tx *store.Tx, t *store.Ticket) error {
			master, err := tx.FindTicket(in.Master)
			if errors.Is(err, store.ErrNotFound) {
				return unprocessable("master: there is no T%d", in.Master)
			}
			if err != nil {
				return err
			}
			return desk.Merge(tx, by, t, &master)
		})
	}
	until, err := s.apiInstant(in.WaitUntil)
	if err != nil {
		return nil, unprocessable("wait_until: an instant (RFC 3339) is needed")
	}
	switch store.TicketState(in.State) {
	case "":
	case store.TicketInProgress:
		add(func(tx *store.Tx, t *store.Ticket) error { return desk.Claim(tx, by, t) })
	case store.TicketWaiting:
		add(func(tx *store.Tx, t *store.Ticket) error { return desk.Hold(tx, by, t, in.WaitFor, until) })
	case store.TicketResolved:
		add(func(tx *store.Tx, t *store.Ticket) error {
			return desk.Resolve(tx, by, t, handlers.Resolution{Reason: in.Reason, Method: in.Method, Reply: in.Reply, Outcome: outcomeOf(in.Outcome)})
		})
	case store.TicketClosed:
		add(func(tx *store.Tx, t *store.Ticket) error { return desk.Close(tx, by, t) })
	case store.TicketReopened:
		add(func(tx *store.Tx, t *store.Ticket) error { return desk.Reopen(tx, by, t, in.Why) })
	case store.TicketVoid:
		add(func(tx *store.Tx, t *store.Ticket) error { return desk.Discard(tx, by, t, in.Why) })
	default:
		return nil, unprocessable("state: must be in_progress, waiting, resolved, closed, reopened or void")
	}
	return steps, nil
}
