package web

import (
	"context"
	"net/http"
	"strconv"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/store"
)

// orderRun checks an order and writes its run. What is missing is a refusal.
func (s *Server) orderRun(ctx context.Context, o construct.Order) (store.Run, error) {
	e := s.opt.Desk.Construct
	w, err := e.Check(o)
	if err != nil {
		return store.Run{}, err
	}
	var r store.Run
	err = s.opt.Store.InTx(ctx, func(tx *store.Tx) error {
		var fresh bool
		if r, fresh, err = e.Create(tx, w); err != nil || !fresh || r.State != store.RunWaiting {
			return err
		}
		_, err = s.opt.Desk.AskApproval(tx, r, w)
		return err
	})
	e.Wake()
	return r, err
}

// orderTwin is orderRun for a ticket's twin, where the order names a ticket.
func (s *Server) orderTwin(ctx context.Context, o construct.Order) (store.Run, error) {
	if o.Ticket > 0 {
		t, text, err := s.opt.Desk.TicketWords(ctx, o.Requester, o.Ticket)
		if err != nil {
			return store.Run{}, err
		}
		var seed uint64
		if o.Facts, seed, err = s.opt.Desk.Twin(ctx, o.Requester, t, o.Recipe, text); err != nil {
			return store.Run{}, err
		}
		if o.Seed == 0 {
			o.Seed = seed
		}
	}
	return s.orderRun(ctx, o)
}

type apiRunList struct {
	Runs []construct.RunJSON `json:"runs"`
	Next string              `json:"next"`
}

func (s *Server) constructOn() error {
	if s.opt.Desk.Construct == nil {
		return problem{http.StatusNotFound, "data construction is off (construct.enabled)"}
	}
	return nil
}

// newAPIRun is what orders a run.
type newAPIRun struct {
	Recipe      string         `json:"recipe"`
	Environment string         `json:"environment"`
	Count       int            `json:"count"`
	Params      map[string]any `json:"params"`
	Seed        string         `json:"seed"` // a whole number
	Ticket      int64          `json:"ticket"`
}

// apiNewRun starts a run: {recipe, environment?, count?, params?, seed?, ticket?}.
// The same Idempotency-Key gives the same run.
func (s *Server) apiNewRun(c *apiCall) (any, error) {
	if err := s.constructOn(); err != nil {
		return nil, err
	}
	var in newAPIRun
	if err := c.read(&in); err != nil {
		return nil, err
	}
	o := construct.Order{Recipe: s.opt.Desk.Construct.Library().Find(in.Recipe), Env: in.Environment, Count: in.Count, Params: in.Params, Ticket: in.Ticket, Requester: c.user}
	if o.Recipe == nil {
		return nil, unprocessable("recipe: there is no %q", in.Recipe)
	}
	if in.Seed != "" {
		n, err := strconv.ParseUint(in.Seed, 10, 64)
		if err != nil {
			return nil, unprocessable("seed: a whole number in quotes is needed")
		}
		o.Seed = n
	}
	key := c.r.Header.Get("Idempotency-Key")
	if key == "" {
		key = requestID() + requestID() + requestID()
	}
	o.Source = "api/" + s.opt.Store.Blind("run", c.user.ID+"\x00"+key)
	r, err := s.orderTwin(c.r.Context(), o)
	if err != nil {
		return nil, err
	}
	c.Status = http.StatusCreated
	c.w.Header().Set("Location", apiBase+"/runs/"+strconv.FormatInt(r.Number, 10))
	return construct.JSONOf(r), nil
}

// apiRuns lists runs, the newest first: ?state=, recipe=, ticket=, n=, before=
// (the next of the page before). Leaders see everybody's, others their own.
func (s *Server) apiRuns(c *apiCall) (any, error) {
	if err := s.constructOn(); err != nil {
		return nil, err
	}
	n, err := c.query("n", 50)
	if err != nil {
		return nil, err
	}
	before, err := c.query("before", 0)
	if err != nil {
		return nil, err
	}
	ticket, err := c.query("ticket", 0)
	if err != nil {
		return nil, err
	}
	q := store.RunQuery{Recipe: c.r.URL.Query().Get("recipe"), Ticket: ticket, Before: before, N: int(min(max(n, 1), 200))}
	if st := c.r.URL.Query().Get("state"); st != "" {
		q.States = []string{st}
	}
	if !c.user.Roles.Has(chat.Leader, chat.Admin) {
		q.Requester = c.user.ID
	}
	runs, err := s.opt.Store.ListRuns(c.r.Context(), q)
	if err != nil {
		return nil, err
	}
	list := make([]construct.RunJSON, len(runs))
	next := ""
	for i, r := range runs {
		list[i] = construct.JSONOf(r)
	}
	if len(runs) == q.N {
		next = strconv.FormatInt(runs[len(runs)-1].ID, 10)
	}
	return apiRunList{list, next}, nil
}

// apiShowRun is one run with its pieces.
func (s *Server) apiShowRun(c *apiCall) (any, error) {
	if err := s.constructOn(); err != nil {
		return nil, err
	}
	r, err := s.opt.Store.FindRun(c.r.Context(), number(c.r.PathValue("number")))
	if err != nil {
		return nil, err
	}
	if !construct.May(c.user, r) {
		return nil, errNotFound
	}
	items, err := s.opt.Store.RunItems(c.r.Context(), r.ID)
	if err != nil {
		return nil, err
	}
	out := construct.JSONOf(r)
	for _, i := range items {
		out.Items = append(out.Items, construct.ItemJSON(i))
	}
	return out, nil
}
