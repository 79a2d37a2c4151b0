package web

import (
	"errors"
	"net/http"
	"net/url"

	"frontline/handlers/construct"
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

const recipeMost = 64 << 10 // bytes of one recipe

type recipeEditPage struct {
	textEditor
	Faults []construct.Fault
	Looks  []construct.Look
	Unseen string
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
	newest := p.textEditor
	do := p.typed(v)
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
		p.overtaken(v, newest)
		return v.render(http.StatusConflict, "recipe_edit", p)
	}
	if err != nil {
		return err
	}
	v.notice(v.t("已保存，新的运行用这一版；进行中的仍用原来的"))
	return v.redirect("/construct/recipes/" + url.PathEscape(rec.Name) + "/editions")
}

func (s *Server) recipeEditions(v *visit) (err error) {
	e, name := s.opt.Desk.Construct, v.r.PathValue("recipe")
	rec := e.Library().Find(name)
	if rec == nil {
		return errNotFound
	}
	p := editionsPage{Name: name, Title: rec.Title, Head: v.t("配方的版本"), Note: v.t("控制台里改过的每一版，新的在前；第一版和文件比"), Edit: "/construct/recipes/" + name + "/edit", Back: "/construct"}
	if p.Rows, err = s.editionRows(v, store.RecipeShelf, name, e.FileText(name), func(text string) string { return text }); err != nil {
		return err
	}
	return v.show("editions", p)
}
