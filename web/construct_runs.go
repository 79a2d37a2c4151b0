package web

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// noDepartment stands in an address for people without a department.
const noDepartment = "-"

const runsPerPage = 50

// runsPage is the list behind the figures about data construction.
type runsPage struct {
	handlers.Period
	Rows    []store.Run
	Total   int64
	Recipe  string
	Title   string // of the recipe
	Dept    string
	Done    bool
	Recipes []runRecipe
	All     bool // everybody's, for leaders
	Next    int64
}

type runRecipe struct{ Name, Title string }

// Older is the address of the next page.
func (p runsPage) Older() template.URL {
	q := url.Values{"from": {p.From.Format(time.DateOnly)}, "to": {p.Last().Format(time.DateOnly)}, "before": {strconv.FormatInt(p.Next, 10)}}
	for name, v := range map[string]string{"recipe": p.Recipe, "dept": p.Dept} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if p.Done {
		q.Set("done", "1")
	}
	return template.URL("/construct/runs?" + q.Encode())
}

// NoDept tells that the list is of people without a department.
func (p runsPage) NoDept() bool { return p.Dept == noDepartment }

func (s *Server) runList(v *visit) error {
	ctx, q := v.r.Context(), v.r.URL.Query()
	p := runsPage{Period: s.readPeriod(q), Recipe: chat.Cut(strings.TrimSpace(q.Get("recipe")), 64), Dept: chat.Cut(strings.TrimSpace(q.Get("dept")), 128), Done: q.Get("done") == "1", All: v.user.Roles.Has(chat.Leader, chat.Admin)}
	for _, r := range s.opt.Desk.Construct.Library().Recipes {
		p.Recipes = append(p.Recipes, runRecipe{r.Name, r.Title})
	}
	p.Title = p.Recipe
	if i := slices.IndexFunc(p.Recipes, func(r runRecipe) bool { return r.Name == p.Recipe }); i >= 0 {
		p.Title = p.Recipes[i].Title
	}
	query := store.RunQuery{From: p.From, To: p.To, Recipe: p.Recipe, Done: p.Done, Counted: true, Before: number(q.Get("before")), N: runsPerPage + 1}
	if p.NoDept() {
		query.NoDepartment = true
	} else {
		query.Department = p.Dept
	}
	if !p.All {
		query.Requester = v.user.ID
	}
	var err error
	if p.Total, err = s.opt.Store.CountRuns(ctx, query); err != nil {
		return err
	}
	if p.Rows, err = s.opt.Store.ListRuns(ctx, query); err != nil {
		return err
	}
	if len(p.Rows) > runsPerPage {
		p.Rows = p.Rows[:runsPerPage]
		p.Next = p.Rows[runsPerPage-1].ID
	}
	return v.show("runs", p)
}
