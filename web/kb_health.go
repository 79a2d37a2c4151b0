package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"frontline/kb"
	"frontline/store"
)

const (
	// healthDays is how far back the health of the base looks.
	healthDays = 90
	// healthShown bounds each list of the page; the count is of all.
	healthShown = 50
	// dislikedLeast and dislikedShare say what is much: so many people were not
	// helped, and they are such a part of those who said anything.
	dislikedLeast = 3
	dislikedShare = 0.3
)

type healthPage struct {
	Tabs     []kbTab
	Days     int
	Least    int
	Share    int // percent
	Due      []kbRow
	Twins    []twinRow
	Unused   []kbRow
	Disliked []dislikedRow
	Done     store.Import // the change that was just made here, with no id when there was none
	Sure     calibrationView
	// How many there are of each.
	DueAll, TwinsAll, UnusedAll, DislikedAll int
}

// More is how many of a list are not shown.
func (healthPage) More(all, shown int) int { return max(0, all-shown) }

// Well tells whether there is nothing to do.
func (p healthPage) Well() bool {
	return p.DueAll+p.TwinsAll+p.UnusedAll+p.DislikedAll == 0
}

type dislikedRow struct {
	kbRow
	Use store.QuestionFigures
}

// twinRow is two entries that ask nearly the same.
type twinRow struct {
	A, B kbRow
	kb.Twin
}

// health lists what wants a curator's look: the base gets old without anybody
// noticing.
func (s *Server) health(v *visit) (err error) {
	ctx, now := v.r.Context(), s.opt.Now()
	p := healthPage{Days: healthDays, Least: dislikedLeast, Share: int(100 * dislikedShare)}
	if p.Tabs, err = v.kbTabs(ctx, "/kb/health"); err != nil {
		return err
	}
	if err := v.dueEntries(ctx, &p, now.Format(time.DateOnly)); err != nil {
		return err
	}
	if err := v.twins(ctx, &p); err != nil {
		return err
	}
	if err := v.usedEntries(ctx, &p, now); err != nil {
		return err
	}
	if p.Done, err = v.doneHere(ctx); err != nil {
		return err
	}
	if p.Sure, err = v.calibration(); err != nil {
		return fmt.Errorf("judge the base: %w", err)
	}
	return v.show("kb_health", p)
}

func (v *visit) dueEntries(ctx context.Context, p *healthPage, today string) error {
	due, err := v.s.opt.Store.ListDueEntries(ctx, today, healthShown)
	if err != nil {
		return err
	}
	all, err := v.s.opt.Store.CountDueEntries(ctx, today)
	if err != nil {
		return err
	}
	p.DueAll = int(all)
	p.Due, err = v.kbRows(ctx, due)
	return err
}

func (v *visit) twins(ctx context.Context, p *healthPage) error {
	list, all, err := v.s.opt.Knowledge.Twins(ctx)
	if err != nil {
		return fmt.Errorf("compare the entries: %w", err)
	}
	p.TwinsAll = all
	var both []kb.Entry
	for _, t := range list[:min(len(list), healthShown)] {
		both = append(both, t.A, t.B)
	}
	rows, err := v.kbRows(ctx, both)
	if err != nil {
		return err
	}
	for i := 0; i < len(rows); i += 2 {
		p.Twins = append(p.Twins, twinRow{rows[i], rows[i+1], list[i/2]})
	}
	return nil
}

// usedEntries reads what the figures of questions say about entries: those
// that nobody's question found, and those that did not help.
func (v *visit) usedEntries(ctx context.Context, p *healthPage, now time.Time) error {
	s := v.s
	since := now.AddDate(0, 0, -healthDays)
	uses, err := s.opt.Store.SplitQuestions(ctx, store.ByEntry, since, now.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	old, err := s.opt.Store.OldEntries(ctx, since)
	if err != nil {
		return err
	}
	unused := slices.DeleteFunc(old, func(n int64) bool { return uses[strconv.FormatInt(n, 10)].Asked > 0 })
	bad := disliked(uses)
	named := append(slices.Clone(unused[:min(len(unused), healthShown)]), bad...)
	entries, err := s.opt.Store.EntriesOf(ctx, named)
	if err != nil {
		return err
	}
	p.UnusedAll = len(unused)
	var list []kb.Entry
	for _, n := range unused[:min(len(unused), healthShown)] {
		list = append(list, entries[n])
	}
	if p.Unused, err = v.kbRows(ctx, list); err != nil {
		return err
	}
	list = nil
	for _, n := range bad {
		if e, ok := entries[n]; ok && e.Live() {
			p.DislikedAll++
			list = append(list, e)
		}
	}
	rows, err := v.kbRows(ctx, list[:min(len(list), healthShown)])
	for _, r := range rows {
		p.Disliked = append(p.Disliked, dislikedRow{r, uses[strconv.FormatInt(r.Number, 10)]})
	}
	return err
}

// disliked picks the entries that did not help many, the worst first.
func disliked(uses map[string]store.QuestionFigures) (out []int64) {
	by := map[int64]int64{}
	for a, f := range uses {
		said := f.Useful + f.Useless + f.Handed
		n, err := strconv.ParseInt(a, 10, 64)
		if err == nil && f.Useless >= dislikedLeast && float64(f.Useless) >= dislikedShare*float64(said) {
			by[n] = f.Useless
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b int64) int { return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b)) })
	return out
}
