package construct

import (
	"context"
	_ "embed" // the skeleton
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"frontline/bot/chat"
	"frontline/store"
)

// Recipes can be written in the console: each edition is kept, the newest one
// stands before the file of the same name, and runs that began with an older
// text go on with that text.

// Library is what may be run now.
func (e *Engine) Library() *Library { return e.library.Load() }

// SetLibrary puts other recipes in the place of the files.
func (e *Engine) SetLibrary(l *Library) {
	e.base = l
	e.library.Store(l)
}

// consoleFile is what faults call a text of the console.
func consoleFile(name string) string { return name + ".yaml" }

// with is the base with texts in the place of recipes of the same name.
func (e *Engine) with(texts map[string]string) (*Library, []Fault) {
	files := maps.Clone(e.base.files)
	if files == nil {
		files = map[string][]byte{}
	}
	for _, r := range e.base.Recipes {
		if _, there := texts[r.Name]; there {
			delete(files, r.file)
		}
	}
	for name, text := range texts {
		files["console/"+consoleFile(name)] = []byte(text)
	}
	return Load(files)
}

func (e *Engine) texts(ctx context.Context) (map[string]string, error) {
	list, err := e.Store.Texts(ctx, store.RecipeShelf)
	out := map[string]string{}
	for _, r := range list {
		out[r.Name] = r.Body
	}
	return out, err
}

// Refresh reads what the console wrote since the last time. Texts that no longer
// fit the files are left out, with a line in the log.
func (e *Engine) Refresh(ctx context.Context) error {
	newest, err := e.Store.NewestText(ctx, store.RecipeShelf)
	if err != nil {
		return err
	}
	e.reading.Lock()
	defer e.reading.Unlock()
	if newest == e.seen {
		return nil
	}
	texts, err := e.texts(ctx)
	if err != nil {
		return err
	}
	lib, faults := e.with(texts)
	if len(faults) > 0 {
		e.Log.Error("recipes of the console do not fit; the ones before stay", "err", faults[0].Error())
	} else {
		e.library.Store(lib)
	}
	e.seen = newest
	return nil
}

// recipeOf is the recipe as it was when the run began: the one in use, or an
// older edition. A recipe with another SHA comes back when there is no such
// text any more; nil, when there is no recipe at all.
func (e *Engine) recipeOf(ctx context.Context, r store.Run) (*Recipe, error) {
	if err := e.Refresh(ctx); err != nil {
		return nil, err
	}
	rec := e.Library().Find(r.Recipe)
	if rec != nil && rec.SHA == r.SHA {
		return rec, nil
	}
	if base := e.base.Find(r.Recipe); base != nil && base.SHA == r.SHA {
		return base, nil
	}
	old, err := e.Store.TextBySHA(ctx, store.RecipeShelf, r.SHA)
	if errors.Is(err, store.ErrNotFound) {
		return rec, nil
	}
	if err != nil {
		return nil, err
	}
	texts, err := e.texts(ctx)
	if err != nil {
		return nil, err
	}
	texts[old.Name] = old.Body
	if lib, faults := e.with(texts); len(faults) == 0 {
		return lib.Find(r.Recipe), nil
	}
	return rec, nil
}

// CheckText checks a recipe's text together with all others, as it would be
// used. The name must be the one that is edited; "" stands for a new one.
func (e *Engine) CheckText(ctx context.Context, name, text string) (*Recipe, []Fault, error) {
	own := newReader(consoleFile(name))
	root := own.Parse([]byte(text))
	if root == nil {
		return nil, own.Faults, nil
	}
	told := ""
	if n := root.Get("name"); n != nil {
		told = n.Text
	}
	switch {
	case told == "":
		own.Fault(root, "缺名字 name")
	case name != "" && told != name:
		own.Fault(root.Get("name"), "name 应是 %s：改名请另建一个配方", name)
	case name == "" && e.Library().Find(told) != nil:
		own.Fault(root.Get("name"), "已经有叫 %s 的配方", told)
	case slices.Contains(reserved, told):
		own.Fault(root.Get("name"), "这个名字网页要用，换一个")
	}
	if len(own.Faults) > 0 {
		return nil, own.Faults, nil
	}
	texts, err := e.texts(ctx)
	if err != nil {
		return nil, nil, err
	}
	texts[told] = text
	lib, faults := e.with(texts)
	for i := range faults {
		faults[i].File = strings.TrimPrefix(faults[i].File, "console/")
	}
	if len(faults) > 0 {
		return nil, faults, nil
	}
	return lib.Find(told), nil, nil
}

// Skeleton is what a new recipe begins with: small, and right as it stands but
// for its environments.
//
//go:embed skeleton.yaml
var Skeleton string

// reserved are the pages beside the recipes' own.
var reserved = []string{"runs", "report", "data", "environments", "recipes"}

// Save writes the next edition of a recipe that was checked. edition is the one
// it was written upon, 0 for none; ErrStale when somebody was quicker.
func (e *Engine) Save(ctx context.Context, by chat.User, name, text, note string, edition int) error {
	err := e.Store.InTx(ctx, func(tx *store.Tx) error {
		r := store.KeptText{Name: name, Edition: edition, Body: text, Author: by.ID, Note: note}
		if err := tx.PutText(store.RecipeShelf, &r); err != nil {
			return err
		}
		return tx.Audit(by.ID, "recipe.save", name, map[string]any{"edition": fmt.Sprint(r.Edition), "sha": r.SHA, "note": note})
	})
	if err != nil {
		return err
	}
	return e.Refresh(ctx)
}

// Source is a recipe's text as it is in use, and its edition in the console, 0
// for a file. ErrNotFound when there is no such recipe.
func (e *Engine) Source(ctx context.Context, name string) (text string, edition int, err error) {
	list, err := e.Store.TextEditions(ctx, store.RecipeShelf, name, 1)
	if err != nil {
		return "", 0, err
	}
	if len(list) > 0 {
		return list[0].Body, list[0].Edition, nil
	}
	if text = e.FileText(name); text != "" {
		return text, 0, nil
	}
	return "", 0, store.ErrNotFound
}

// FileText is a recipe as its file has it; "" when it is only in the console.
func (e *Engine) FileText(name string) string {
	if r := e.base.Find(name); r != nil {
		return string(e.base.files[r.file])
	}
	return ""
}
