package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/kb"
	"frontline/store"
)

// Recipes are written here: checked as a whole before they count, looked at dry,
// every edition kept.

func (s *Server) recipeEditRoutes() []route {
	return []route{
		{method: "GET", path: "/construct/recipes/new", roles: makeReaders, nav: "construct", do: s.editRecipe},
		{method: "POST", path: "/construct/recipes/new", roles: makeReaders, nav: "construct", do: s.saveRecipe},
		{method: "GET", path: "/construct/recipes/{recipe}/edit", roles: makeReaders, nav: "construct", do: s.editRecipe},
		{method: "POST", path: "/construct/recipes/{recipe}/edit", roles: makeReaders, nav: "construct", do: s.saveRecipe},
		{method: "GET", path: "/construct/recipes/{recipe}/editions", roles: makeReaders, nav: "construct", do: s.recipeEditions},
	}
}

const (
	recipeMost = 64 << 10 // bytes of one recipe
	editions   = 50       // shown
)

type recipeEditPage struct {
	Name    string // "" for a new one
	Title   string
	Text    string
	Note    string
	Edition int
	Faults  []construct.Fault
	Fine    bool // checked, nothing wrong
	Looks   []construct.Look
	Unseen  string
	Fault   string
	Now     []kb.Part // what somebody else saved meanwhile, against the text typed
}

func (s *Server) readRecipe(v *visit) (p recipeEditPage, err error) {
	p.Name = v.r.PathValue("recipe")
	if p.Name == "" {
		p.Text = construct.Skeleton
		return p, nil
	}
	p.Text, p.Edition, err = s.opt.Desk.Construct.Source(v.r.Context(), p.Name)
	if errors.Is(err, store.ErrNotFound) {
		return p, errNotFound
	}
	if r := s.opt.Desk.Construct.Library().Find(p.Name); r != nil {
		p.Title = r.Title
	}
	return p, err
}

func (s *Server) editRecipe(v *visit) error {
	p, err := s.readRecipe(v)
	if err != nil {
		return err
	}
	return v.show("recipe_edit", p)
}

// saveRecipe checks, looks dry, or saves.
func (s *Server) saveRecipe(v *visit) error {
	ctx, e := v.r.Context(), s.opt.Desk.Construct
	p, err := s.readRecipe(v)
	if err != nil {
		return err
	}
	newest := p
	p.Text = strings.ReplaceAll(v.r.PostFormValue("text"), "\r\n", "\n")
	p.Note = chat.Cut(strings.TrimSpace(v.r.PostFormValue("note")), 200)
	p.Edition = int(number(v.r.PostFormValue("edition")))
	do := v.r.PostFormValue("do")
	if len(p.Text) > recipeMost {
		p.Fault = v.t("太长了，一个配方最多 64 KB")
		return v.render(http.StatusUnprocessableEntity, "recipe_edit", p)
	}
	rec, faults, err := e.CheckText(ctx, p.Name, p.Text)
	if err != nil {
		return err
	}
	p.Faults, p.Fine = faults, len(faults) == 0
	switch {
	case len(faults) > 0:
		return v.render(http.StatusUnprocessableEntity, "recipe_edit", p)
	case do == "dry":
		p.Looks, p.Unseen = e.DryRun(ctx, rec, v.user, nil)
		return v.render(http.StatusOK, "recipe_edit", p)
	case do != "save":
		return v.render(http.StatusOK, "recipe_edit", p)
	case p.Note == "":
		p.Fault = v.t("改了什么？写几个字，别人看版本时用")
		return v.render(http.StatusUnprocessableEntity, "recipe_edit", p)
	}
	err = e.Save(ctx, v.user, rec.Name, p.Text, p.Note, p.Edition)
	if errors.Is(err, store.ErrStale) {
		p.Now = kb.DiffLines(newest.Text, p.Text)
		p.Edition, p.Fine = newest.Edition, false
		p.Fault = v.t("刚才有人保存了另一版，没有覆盖。你写的还在；不同之处在下面，再保存一次就以你的为准。")
		return v.render(http.StatusConflict, "recipe_edit", p)
	}
	if err != nil {
		return err
	}
	v.notice(v.t("已保存，新的运行用这一版；进行中的仍用原来的"))
	return v.redirect("/construct/recipes/" + url.PathEscape(rec.Name) + "/editions")
}

type editionRow struct {
	store.RecipeText
	By   string
	Diff []kb.Part // against the one before; the first against the file, nil when there is none
}

type editionsPage struct {
	Name, Title string
	Rows        []editionRow
}

func (s *Server) recipeEditions(v *visit) error {
	ctx, e := v.r.Context(), s.opt.Desk.Construct
	p := editionsPage{Name: v.r.PathValue("recipe")}
	rec := e.Library().Find(p.Name)
	if rec == nil {
		return errNotFound
	}
	p.Title = rec.Title
	list, err := s.opt.Store.RecipeEditions(ctx, p.Name, editions)
	if err != nil {
		return err
	}
	var ids []string
	for _, r := range list {
		ids = append(ids, r.Author)
	}
	people, err := s.opt.Store.FindMembers(ctx, ids)
	if err != nil {
		return err
	}
	for i, r := range list {
		row := editionRow{RecipeText: r, By: nameIn(people, r.Author)}
		before := e.FileText(p.Name)
		if i+1 < len(list) {
			before = list[i+1].Body
		}
		if before != "" {
			row.Diff = kb.DiffLines(before, r.Body)
		}
		p.Rows = append(p.Rows, row)
	}
	return v.show("recipe_editions", p)
}

// Short leaves out what stayed but for two lines on either side of a change.
func (editionRow) Short(parts []kb.Part) []kb.Part {
	out := make([]kb.Part, 0, len(parts))
	for i, p := range parts {
		if lines := strings.SplitAfter(p.Text, "\n"); p.Op == '=' && len(lines) > 6 {
			head, tail := lines[:2], lines[len(lines)-3:]
			if i == 0 {
				head = nil
			}
			if i == len(parts)-1 {
				tail = nil
			}
			p.Text = strings.Join(head, "") + "⋯\n" + strings.Join(tail, "")
		}
		out = append(out, p)
	}
	return out
}
