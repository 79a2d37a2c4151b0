package handlers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"frontline/store"
)

// Analysis is what came in during a period and how it went; docs/analysis.md
// says what each figure means.
type Analysis struct {
	Period
	Filter             store.FigureFilter
	Tickets, Before    store.TicketFigures
	Questions, AskedBy store.QuestionFigures // AskedBy: of the period before
	Classes            []ClassFigures        // in the order of the configuration
	Answer, Solve      store.Times           // all classes; none with a branch
	AnswerBefore       store.Times
	SolveBefore        store.Times
	ByDay              []DayClasses
	Hours              map[time.Weekday]map[int]store.Hour
	Branches           []PartFigures
	Groups             []PartFigures
	Versions           []PartFigures
	Subclasses         []SubclassFigures
	Weeks              []WeekFigures
	Top                []EntryFigures
	Alerts             AlertPart // with a filter: nothing
	Runs               RunPart   // with a filter: nothing
	Counted            bool      // false: what an older version wrote is still being counted
}

// ClassFigures are one class in a period.
type ClassFigures struct {
	Name, Title           string
	Tickets, Before       store.TicketFigures
	Questions, BeforeAsks int64 // questions that became no ticket: they are consultation
	Answer, Solve         store.Times
}

// Contacts are the tickets of a class and the questions that belong to it.
func (c ClassFigures) Contacts() int64 { return c.Tickets.Reported + c.Questions }

// ContactsBefore are those of the period before.
func (c ClassFigures) ContactsBefore() int64 { return c.Before.Reported + c.BeforeAsks }

// DayClasses is one day, by class in the order of Classes.
type DayClasses struct {
	Day     time.Time
	Tickets []int64
	All     int64
}

// PartFigures are the tickets of one branch, group or version.
type PartFigures struct {
	Name, Title string
	store.TicketFigures
	Answer store.Times // of groups only
}

// SubclassFigures are the tickets of one subclass.
type SubclassFigures struct {
	Class, ClassTitle, Name string
	Reported, Before        int64
}

// WeekFigures are the questions of one week.
type WeekFigures struct {
	From time.Time
	store.QuestionFigures
}

// EntryFigures are the questions for which one entry was shown.
type EntryFigures struct {
	Number int64
	Title  string
	Live   bool // still answers
	store.QuestionFigures
	Before int64
}

const (
	// FewTickets is how many it takes until shares say anything.
	FewTickets = 20
	weeksShown = 12
	topShown   = 10
)

// Share is a part of a whole in percent; false where the whole is too small to
// say anything.
func Share(part, whole int64) (float64, bool) {
	if whole < FewTickets {
		return 0, false
	}
	return 100 * float64(part) / float64(whole), true
}

// InTime is the share of first responses and solutions that came in time.
func InTime(f store.TicketFigures) (float64, bool) {
	return Share(f.Answered+f.Solved-f.AnswerLate-f.SolveLate, f.Answered+f.Solved)
}

// Analyse reads a period, for everything or for a branch or a service group.
// Questions know their branch and no group: with a group there are none.
func (d *Desk) Analyse(ctx context.Context, p Period, f store.FigureFilter) (Analysis, error) {
	a := Analysis{Period: p, Filter: f}
	// Tickets, alerts and runs know nothing of each other: they are read at once.
	parts, together := errgroup.WithContext(ctx)
	for _, part := range [][]func(context.Context, *Analysis) error{{d.readClasses, d.readTimes, d.readDays, d.readQuestions, d.readParts, d.readWeeks, d.readTop}, {d.readAlerts}, {d.readRuns}} {
		parts.Go(func() error {
			for _, read := range part {
				if err := read(together, &a); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := parts.Wait()
	if err != nil {
		return a, err
	}
	if a.Counted, err = d.Store.FiguresFilled(ctx); err != nil {
		return a, err
	}
	if f == (store.FigureFilter{}) {
		a.Hours, err = d.Store.Hours(ctx, p.From, p.To)
	}
	return a, err
}

func (d *Desk) readClasses(ctx context.Context, a *Analysis) error {
	now, err := d.Store.TicketsByClass(ctx, a.Filter, a.From, a.To)
	if err != nil {
		return err
	}
	before, err := d.Store.TicketsByClass(ctx, a.Filter, a.BeforeFrom, a.BeforeTo)
	if err != nil {
		return err
	}
	for _, c := range d.Rules.Classes {
		a.Classes = append(a.Classes, ClassFigures{Name: c.Name, Title: c.Title, Tickets: now[c.Name], Before: before[c.Name]})
		delete(now, c.Name)
		delete(before, c.Name)
	}
	// Classes that the configuration has no more, and tickets without one yet.
	rest := ClassFigures{Title: "未分类"}
	for _, f := range now {
		rest.Tickets.Add(f)
	}
	for _, f := range before {
		rest.Before.Add(f)
	}
	if rest.Tickets != (store.TicketFigures{}) || rest.Before != (store.TicketFigures{}) {
		a.Classes = append(a.Classes, rest)
	}
	for _, c := range a.Classes {
		a.Tickets.Add(c.Tickets)
		a.Before.Add(c.Before)
	}
	return nil
}

// classAt is the place of a class among those of an analysis; unknown ones are
// the last.
func (a *Analysis) classAt(name string) int {
	if i := slices.IndexFunc(a.Classes, func(c ClassFigures) bool { return c.Name == name }); i >= 0 {
		return i
	}
	return len(a.Classes) - 1
}

func (d *Desk) readTimes(ctx context.Context, a *Analysis) error {
	a.Answer, a.Solve, a.AnswerBefore, a.SolveBefore = store.Times{}, store.Times{}, store.Times{}, store.Times{}
	if a.Filter.Branch != "" {
		return nil // a branch has no times
	}
	answer, solve, err := d.Store.TicketTimes(ctx, a.Filter, a.From, a.To)
	if err != nil {
		return err
	}
	for i := range a.Classes {
		a.Classes[i].Answer, a.Classes[i].Solve = store.Times{}, store.Times{}
	}
	for name, t := range answer {
		a.Answer.Add(t)
		a.Classes[a.classAt(name)].Answer.Add(t)
	}
	for name, t := range solve {
		a.Solve.Add(t)
		a.Classes[a.classAt(name)].Solve.Add(t)
	}
	answer, solve, err = d.Store.TicketTimes(ctx, a.Filter, a.BeforeFrom, a.BeforeTo)
	for _, t := range answer {
		a.AnswerBefore.Add(t)
	}
	for _, t := range solve {
		a.SolveBefore.Add(t)
	}
	return err
}

func (d *Desk) readDays(ctx context.Context, a *Analysis) error {
	list, err := d.Store.TicketsByDay(ctx, a.Filter, a.From, a.To)
	if err != nil {
		return err
	}
	at := map[string]int{}
	for day := a.From; day.Before(a.To); day = day.AddDate(0, 0, 1) {
		at[day.Format(time.DateOnly)] = len(a.ByDay)
		a.ByDay = append(a.ByDay, DayClasses{Day: day, Tickets: make([]int64, len(a.Classes))})
	}
	for _, f := range list {
		i, ok := at[f.Day.Format(time.DateOnly)]
		if !ok || f.Reported == 0 {
			continue
		}
		a.ByDay[i].Tickets[a.classAt(f.Class)] += f.Reported
		a.ByDay[i].All += f.Reported
	}
	return nil
}

// consultation is the class that questions belong to.
const consultation = "consult"

func (d *Desk) readQuestions(ctx context.Context, a *Analysis) (err error) {
	if a.Filter.Group != "" {
		return nil
	}
	if a.Questions, err = d.Store.QuestionSums(ctx, a.Filter.Branch, a.From, a.To); err != nil {
		return err
	}
	if a.AskedBy, err = d.Store.QuestionSums(ctx, a.Filter.Branch, a.BeforeFrom, a.BeforeTo); err != nil {
		return err
	}
	for i := range a.Classes {
		if c := &a.Classes[i]; c.Name == consultation {
			c.Questions, c.BeforeAsks = a.Questions.Asked-a.Questions.Ticketed, a.AskedBy.Asked-a.AskedBy.Ticketed
		}
	}
	return nil
}

// readParts splits the tickets by branch, service group, version and subclass.
func (d *Desk) readParts(ctx context.Context, a *Analysis) error {
	if a.Filter != (store.FigureFilter{}) {
		return nil
	}
	split := func(kind string, name func(store.Split) string, title func(string) string) ([]PartFigures, error) {
		rows, err := d.Store.SplitTickets(ctx, kind, a.From, a.To)
		sums := map[string]*PartFigures{}
		for _, r := range rows {
			n := name(r)
			if sums[n] == nil {
				sums[n] = &PartFigures{Name: n, Title: title(n)}
			}
			sums[n].Add(r.TicketFigures)
		}
		var out []PartFigures
		for _, f := range sums {
			if f.Reported > 0 {
				out = append(out, *f)
			}
		}
		slices.SortFunc(out, func(x, y PartFigures) int {
			return cmp.Or(cmp.Compare(y.Reported, x.Reported), cmp.Compare(x.Name, y.Name))
		})
		return out, err
	}
	same := func(s string) string { return s }
	first, second := func(r store.Split) string { return r.A }, func(r store.Split) string { return r.B }
	var err error
	if a.Branches, err = split(store.ByBranch, first, same); err != nil {
		return err
	}
	if a.Versions, err = split(store.ByVersion, first, same); err != nil {
		return err
	}
	if a.Groups, err = split(store.ByGroup, second, d.Rules.GroupTitle); err != nil {
		return err
	}
	answers, err := d.Store.GroupTimes(ctx, a.From, a.To)
	if err != nil {
		return err
	}
	for i, g := range a.Groups {
		a.Groups[i].Answer = answers[g.Name]
	}
	a.Subclasses, err = d.subclasses(ctx, a.Period)
	return err
}

func (d *Desk) subclasses(ctx context.Context, p Period) ([]SubclassFigures, error) {
	now, err := d.Store.SplitTickets(ctx, store.BySubclass, p.From, p.To)
	if err != nil {
		return nil, err
	}
	before, err := d.Store.SplitTickets(ctx, store.BySubclass, p.BeforeFrom, p.BeforeTo)
	if err != nil {
		return nil, err
	}
	was := map[[2]string]int64{}
	for _, r := range before {
		was[[2]string{r.A, r.B}] = r.Reported
	}
	var out []SubclassFigures
	for _, r := range now {
		if r.Reported > 0 && r.A != "" {
			out = append(out, SubclassFigures{r.B, d.Rules.ClassTitle(r.B), r.A, r.Reported, was[[2]string{r.A, r.B}]})
		}
	}
	slices.SortStableFunc(out, func(x, y SubclassFigures) int { return cmp.Compare(y.Reported, x.Reported) })
	return out, nil
}

// readWeeks reads the last weeks up to the end of the period.
func (d *Desk) readWeeks(ctx context.Context, a *Analysis) error {
	if a.Filter.Group != "" {
		return nil
	}
	monday := a.Last().AddDate(0, 0, -(int(a.Last().Weekday())+6)%7)
	for i := weeksShown - 1; i >= 0; i-- {
		from := monday.AddDate(0, 0, -7*i)
		f, err := d.Store.QuestionSums(ctx, a.Filter.Branch, from, from.AddDate(0, 0, 7))
		if err != nil {
			return err
		}
		a.Weeks = append(a.Weeks, WeekFigures{from, f})
	}
	return nil
}

// readTop reads the entries that were shown most.
func (d *Desk) readTop(ctx context.Context, a *Analysis) error {
	if a.Filter != (store.FigureFilter{}) {
		return nil
	}
	now, err := d.Store.SplitQuestions(ctx, store.ByEntry, a.From, a.To)
	if err != nil {
		return err
	}
	before, err := d.Store.SplitQuestions(ctx, store.ByEntry, a.BeforeFrom, a.BeforeTo)
	if err != nil {
		return err
	}
	var list []EntryFigures
	for number, f := range now {
		n, _ := strconv.ParseInt(number, 10, 64)
		if f.Asked > 0 {
			list = append(list, EntryFigures{Number: n, QuestionFigures: f, Before: before[number].Asked})
		}
	}
	slices.SortFunc(list, func(x, y EntryFigures) int {
		return cmp.Or(cmp.Compare(y.Asked, x.Asked), cmp.Compare(x.Number, y.Number))
	})
	for _, e := range list[:min(topShown, len(list))] {
		entry, err := d.Store.FindEntry(ctx, e.Number)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		e.Title, e.Live = entry.Question, err == nil && entry.Live()
		a.Top = append(a.Top, e)
	}
	return nil
}
