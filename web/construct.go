package web

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/store"
)

// makers make test data; each recipe narrows it.
var makers = chat.RoleSet{chat.Tester, chat.Responder, chat.Leader, chat.Admin}

// constructRoutes are there where data construction is on.
func (s *Server) constructRoutes() []route {
	return []route{
		{method: "GET", path: "/construct", roles: makers, nav: "construct", do: s.construct},
		{method: "GET", path: "/construct/{recipe}", roles: makers, nav: "construct", do: s.recipe},
		{method: "POST", path: "/construct/{recipe}", roles: makers, nav: "construct", do: s.startRun},
		{method: "POST", path: "/construct/{recipe}/make", roles: makers, do: s.makeValue},
		{method: "GET", path: "/construct/runs", roles: makers, nav: "construct", do: s.runList},
		{method: "GET", path: "/construct/runs/{number}", roles: makers, nav: "construct", do: s.run},
		{method: "POST", path: "/construct/runs/{number}/act", roles: makers, nav: "construct", do: s.actOnRun},
		{method: "POST", path: "/construct/runs/{number}/reveal", roles: makers, nav: "construct", do: s.revealRun},
		{method: "POST", path: "/construct/runs/{number}/csv", roles: makers, do: s.runCSV},
	}
}

type recipeCard struct {
	*construct.Recipe
	Env    string // where it would run; "" when it cannot
	Runs   int
	Rate   int // of pieces that came out well, in percent; -1 nobody knows
	Median time.Duration
	Mine   bool // the visitor may run it; who only writes recipes sees it too
}

type constructPage struct {
	Recipes []recipeCard
	Runs    []store.Run
	All     bool // everybody's runs, for leaders
	Next    int64
}

// construct lists the recipes that the visitor may run, and the runs.
func (s *Server) construct(v *visit) error {
	ctx, e := v.r.Context(), s.opt.Desk.Construct
	p := constructPage{All: v.user.Roles.Has(chat.Leader, chat.Admin)}
	uses, err := e.Uses(ctx, s.opt.Now().AddDate(0, -3, 0))
	if err != nil {
		return err
	}
	for _, r := range e.Library().Recipes {
		if !r.May(v.user) && !v.user.Roles.Has(makeReaders...) {
			continue
		}
		c := recipeCard{Recipe: r, Rate: -1, Mine: r.May(v.user)}
		if env, err := e.Environment(r, ""); err == nil {
			c.Env = env.Title
		}
		if i := slices.IndexFunc(uses, func(u construct.Use) bool { return u.Recipe == r.Name }); i >= 0 {
			if c.Runs = uses[i].Runs; uses[i].Good+uses[i].Bad > 0 {
				c.Rate = 100 * uses[i].Good / (uses[i].Good + uses[i].Bad)
			}
		}
		if c.Median, err = s.opt.Desk.UsualRun(ctx, r.Name); err != nil {
			return err
		}
		p.Recipes = append(p.Recipes, c)
	}
	q := store.RunQuery{Before: number(v.r.URL.Query().Get("before")), N: 51}
	if !p.All {
		q.Requester = v.user.ID
	}
	if p.Runs, err = s.opt.Store.ListRuns(ctx, q); err != nil {
		return err
	}
	if len(p.Runs) > 50 {
		p.Runs = p.Runs[:50]
		p.Next = p.Runs[49].ID
	}
	return v.show("construct", p)
}

type paramField struct {
	*construct.Param
	Recipe  string
	Value   string
	Choices []construct.Choice
	More    bool // folded away
}

type recipePage struct {
	Recipe *construct.Recipe
	Env    *construct.Environment
	Fields []paramField
	Count  int
	Fault  string
	From   string // the number of the run whose values are filled in
	Ticket string
	Source string // of the run: the form sent twice makes one
}

// shownFirst are the parameters of the form of 2017, in its order; others are folded away.
var shownFirst = []string{"name", "id_no", "mobile", "branch"}

func (s *Server) recipePage(v *visit) (p recipePage, err error) {
	e := s.opt.Desk.Construct
	if p.Recipe = e.Library().Find(v.r.PathValue("recipe")); p.Recipe == nil || !p.Recipe.May(v.user) {
		return p, errNotFound
	}
	if p.Env, err = e.Environment(p.Recipe, ""); err != nil {
		return p, err
	}
	p.Count, p.Source = p.Recipe.Count.Default, requestID()+requestID()+requestID()
	for _, q := range p.Recipe.Params {
		if q.Secret {
			continue
		}
		f := paramField{Param: q, Recipe: p.Recipe.Name, Choices: e.Choices(p.Env.Name, q), More: !q.Required && !slices.Contains(shownFirst, q.Name) && len(p.Recipe.Params) > 4}
		if q.Default != nil && q.Type != "list" {
			f.Value = construct.Text(q.Default)
		}
		p.Fields = append(p.Fields, f)
	}
	slices.SortStableFunc(p.Fields, func(a, b paramField) int { return order(a.Name) - order(b.Name) })
	return p, nil
}

func order(name string) int {
	if i := slices.Index(shownFirst, name); i >= 0 {
		return i
	}
	return len(shownFirst)
}

// recipe is the form of a recipe. ?p.branch=3001 fills a field in, ?from=88 those of a run.
func (s *Server) recipe(v *visit) error {
	p, err := s.recipePage(v)
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	values := map[string]string{}
	if n := number(q.Get("from")); n > 0 {
		r, err := s.opt.Store.FindRun(v.r.Context(), n)
		if err == nil && construct.May(v.user, r) && r.Recipe == p.Recipe.Name {
			given, _, err := construct.Given(r)
			if err != nil {
				return err
			}
			for k, x := range given {
				values[k] = construct.Text(x)
			}
			p.From, p.Count = strconv.FormatInt(n, 10), r.Wanted
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for k, x := range q {
		if name, ok := strings.CutPrefix(k, "p."); ok {
			values[name] = x[0]
		}
	}
	for i, f := range p.Fields {
		if x, ok := values[f.Name]; ok && f.Type != "list" {
			p.Fields[i].Value = chat.Cut(x, 200)
		}
	}
	return v.show("recipe", p)
}

// makeValue fills one field with a generated value, so that it is seen, and can
// be copied, before the run.
func (s *Server) makeValue(v *visit) error {
	p, err := s.recipePage(v)
	if err != nil {
		return err
	}
	for _, f := range p.Fields {
		if f.Name != v.r.URL.Query().Get("name") || f.Generator == "" {
			continue
		}
		given := map[string]any{}
		for _, o := range p.Recipe.Params {
			if x := v.r.PostFormValue("p." + o.Name); x != "" && o.Name != f.Name {
				given[o.Name] = x
			}
		}
		if f.Value, err = s.opt.Desk.Construct.MakeOne(p.Recipe, p.Env, f.Param, given); err != nil {
			return badForm(err.Error())
		}
		return v.part("recipe", "pfield", f)
	}
	return errNotFound
}

// startRun makes a run of the form.
func (s *Server) startRun(v *visit) error {
	p, err := s.recipePage(v)
	if err != nil {
		return err
	}
	o := construct.Order{Recipe: p.Recipe, Params: map[string]any{}, Requester: v.user, Place: chat.Address{Kind: chat.Person, ID: v.user.ID, Via: chat.App}, Source: "web/" + chat.Cut(v.user.ID+"/"+v.r.PostFormValue("source"), 56)}
	p.Count = int(number(v.r.PostFormValue("count")))
	o.Count = p.Count
	for i, f := range p.Fields {
		p.Fields[i].Value = v.r.PostFormValue("p." + f.Name)
		if f.Type == "bool" && p.Fields[i].Value == "" {
			p.Fields[i].Value = "false"
		}
		if x := p.Fields[i].Value; x != "" {
			o.Params[f.Name] = x
			if f.Type == "ticket" {
				o.Ticket = number(x)
			}
		}
	}
	if src := v.r.PostFormValue("source"); src != "" {
		p.Source = src
	}
	r, err := s.orderTwin(v.r.Context(), o)
	var no chat.Refusal
	if errors.As(err, &no) {
		p.Fault = no.Text
		return v.render(http.StatusUnprocessableEntity, "recipe", p)
	}
	if err != nil {
		return err
	}
	return v.redirect("/construct/runs/" + strconv.FormatInt(r.Number, 10))
}

type runPage struct {
	Run    store.Run
	Env    string
	Items  []runItem
	Live   bool
	Of     int // steps of the recipe
	May    bool
	Judge  bool // may say yes or no
	Clear  bool // values in clear, shown once
	Params [][2]string
	Ticket string
}

type runItem struct {
	store.Item
	Card  [][2]string
	Steps []construct.SeenStep
}

func (s *Server) runPage(v *visit) (p runPage, err error) {
	ctx, e := v.r.Context(), s.opt.Desk.Construct
	if p.Run, err = s.opt.Store.FindRun(ctx, number(v.r.PathValue("number"))); err != nil {
		return p, err
	}
	rec := e.Library().Find(p.Run.Recipe)
	p.May = construct.May(v.user, p.Run)
	p.Judge = p.Run.State == store.RunWaiting && rec != nil && rec.MayApprove(v.user)
	if !p.May && !p.Judge {
		return p, errNotFound
	}
	p.Env = p.Run.Env
	if env := e.Envs[p.Run.Env]; env != nil {
		p.Env = env.Title
	}
	if rec != nil {
		p.Of = rec.StepCount()
	}
	p.Live = slices.Contains([]string{store.RunQueued, store.RunRunning, store.RunUndoing, store.RunWaiting}, p.Run.State)
	if p.Run.Ticket > 0 {
		p.Ticket = strconv.FormatInt(p.Run.Ticket, 10)
	}
	if p.Params, err = construct.SeenParams(rec, p.Run); err != nil {
		return p, err
	}
	items, err := s.opt.Store.RunItems(ctx, p.Run.ID)
	if err != nil {
		return p, err
	}
	for i, item := range items {
		x := runItem{Item: item, Card: construct.Card(item)}
		if i < 20 { // of a big batch the first ones show their steps
			steps, err := s.opt.Store.ItemSteps(ctx, item.ID)
			if err != nil {
				return p, err
			}
			x.Steps = e.SeenSteps(rec, item, steps)
		}
		p.Items = append(p.Items, x)
	}
	return p, nil
}

func (s *Server) run(v *visit) error {
	p, err := s.runPage(v)
	if err != nil {
		return err
	}
	if v.htmx() {
		return v.part("run", "live", p)
	}
	return v.show("run", p)
}

// actOnRun takes a run back, goes on with it, or says yes or no to it.
func (s *Server) actOnRun(v *visit) error {
	e, n := s.opt.Desk.Construct, number(v.r.PathValue("number"))
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) (err error) {
		switch v.r.PostFormValue("do") {
		case "undo":
			_, err = e.Undo(tx, v.user, n)
		case "retry":
			_, err = e.Retry(tx, v.user, n)
		case "approve":
			_, err = e.Approve(tx, v.user, n, true)
		case "reject":
			_, err = e.Approve(tx, v.user, n, false)
		default:
			err = errNotFound
		}
		return err
	})
	var no chat.Refusal
	if errors.As(err, &no) {
		return conflict(no.Text)
	}
	if err != nil {
		return err
	}
	e.Wake()
	return v.redirect("/construct/runs/" + strconv.FormatInt(n, 10))
}

// revealRun shows the values in clear, in the answer itself; who looked is recorded.
func (s *Server) revealRun(v *visit) error {
	p, err := s.runPage(v)
	if err != nil {
		return err
	}
	if !p.May {
		return errForbidden
	}
	rec := s.opt.Desk.Construct.Library().Find(p.Run.Recipe)
	for i, item := range p.Items {
		if item.Outputs == nil || rec == nil {
			continue
		}
		if p.Items[i].Card, err = construct.Clear(rec, item.Item); err != nil {
			return err
		}
	}
	p.Clear = true
	if err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		return tx.Audit(v.user.ID, "run.reveal", "R"+strconv.FormatInt(p.Run.Number, 10), nil)
	}); err != nil {
		return err
	}
	return v.show("run", p)
}

// runCSV hands the results over as a file.
func (s *Server) runCSV(v *visit) error {
	ctx := v.r.Context()
	r, err := s.opt.Store.FindRun(ctx, number(v.r.PathValue("number")))
	if err != nil {
		return err
	}
	rec := s.opt.Desk.Construct.Library().Find(r.Recipe)
	if !construct.May(v.user, r) || rec == nil {
		return errNotFound
	}
	items, err := s.opt.Store.RunItems(ctx, r.ID)
	if err != nil {
		return err
	}
	text, err := construct.CSV(rec, items)
	if err != nil {
		return err
	}
	name := "R" + strconv.FormatInt(r.Number, 10)
	if err := s.opt.Store.InTx(ctx, func(tx *store.Tx) error { return tx.Audit(v.user.ID, "run.export", name, nil) }); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name+".csv"))
	_, err = v.w.Write(text)
	return err
}

// RunState is the state of a run, an item or a step: a shape and a word.
func (s shell) RunState(state string) template.HTML {
	look := map[string]string{store.RunDone: "done", store.RunUndone: "off", store.StepSkipped: "off", store.RunRejected: "off", store.RunRunning: "doing", store.RunUndoing: "doing", store.StepStarted: "doing",
		store.RunFailed: "new", store.RunResidue: "new", store.RunAttention: "new", store.StepUndoFailed: "new", store.RunPartly: "new"}[state]
	if look == "" {
		look = "wait"
	}
	return template.HTML(`<span class="st ` + look + `">` + template.HTMLEscapeString(s.T(construct.StateTitle(state))) + `</span>`)
}

// Seconds is a short time with its unit.
func (s shell) Seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}

// Add is for counting from one.
func (s shell) Add(a, b int) int { return a + b }
