package handlers

import (
	"cmp"
	"context"
	"slices"
)

// RunPart is the part of an analysis about data construction.
type RunPart struct {
	On          bool // there is data construction
	Sum, Before RunSums
	Recipes     []RunSums // the most used first
	Departments []RunSums // of who ordered it, by name
}

// RunSums are the sums over some runs.
type RunSums struct {
	Name, Title           string
	Runs, Done, Good, Bad int64
	Saved                 int64 // minutes, as the recipes state them: by hand, for each piece that was made
}

func (s *RunSums) add(x RunSums) {
	s.Runs, s.Done, s.Good, s.Bad, s.Saved = s.Runs+x.Runs, s.Done+x.Done, s.Good+x.Good, s.Bad+x.Bad, s.Saved+x.Saved
}

// readRuns reads the runs of a period and of the one before.
func (d *Desk) readRuns(ctx context.Context, a *Analysis) error {
	p := &a.Runs
	if a.Filter.Branch != "" || a.Filter.Group != "" || d.Construct == nil {
		return nil
	}
	p.On = true
	now, err := d.Store.RunFigures(ctx, a.From, a.To)
	if err != nil {
		return err
	}
	before, err := d.Store.RunFigures(ctx, a.BeforeFrom, a.BeforeTo)
	if err != nil {
		return err
	}
	manual := func(recipe string) (title string, minutes int64) {
		if r := d.Construct.Library().Find(recipe); r != nil {
			return r.Title, int64(r.Manual)
		}
		return recipe, 0
	}
	for _, f := range before {
		_, minutes := manual(f.Recipe)
		p.Before.add(RunSums{Runs: f.Runs, Done: f.Done, Good: f.Good, Bad: f.Bad, Saved: minutes * f.Good})
	}
	into := func(list *[]RunSums, name, title string, x RunSums) {
		i := slices.IndexFunc(*list, func(s RunSums) bool { return s.Name == name })
		if i < 0 {
			i = len(*list)
			*list = append(*list, RunSums{Name: name, Title: title})
		}
		(*list)[i].add(x)
	}
	for _, f := range now {
		title, minutes := manual(f.Recipe)
		x := RunSums{Runs: f.Runs, Done: f.Done, Good: f.Good, Bad: f.Bad, Saved: minutes * f.Good}
		p.Sum.add(x)
		into(&p.Recipes, f.Recipe, title, x)
		into(&p.Departments, f.Department, f.Department, x)
	}
	slices.SortStableFunc(p.Recipes, func(x, y RunSums) int {
		return cmp.Or(cmp.Compare(y.Runs, x.Runs), cmp.Compare(x.Name, y.Name))
	})
	slices.SortFunc(p.Departments, func(x, y RunSums) int { return cmp.Compare(x.Name, y.Name) })
	return nil
}
