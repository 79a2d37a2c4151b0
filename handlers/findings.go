package handlers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Finding is something worth managing, found by a rule and not by a model. The
// rules stand in docs/analysis.md.
type Finding struct {
	Rule   string // risen, late, reopened, bad, gap, unreviewed, noisy, person_first
	Text   string
	Path   string // the page with its list
	Weight int64  // how many contacts it is about: the greater come first
}

const (
	findingsTold    = 3
	risenLeast      = 5   // more than before, at least
	risenTimes      = 1.5 // and so many times as many
	lateShare       = 5.0 // percent
	reopenedShare   = 5.0
	badLeast        = 2
	unreviewedLeast = 5
	noisyLeast      = 5
)

// Findings are the three things of a period that weigh most.
func (d *Desk) Findings(ctx context.Context, a Analysis) ([]Finding, error) {
	var list []Finding
	list = append(list, risen(a)...)
	list = append(list, slow(a)...)
	list = append(list, ringing(a)...)
	if a.Tickets.Bad >= badLeast {
		list = append(list, Finding{"bad", fmt.Sprintf("%d 张单被评不满意", a.Tickets.Bad), a.list("rated=2"), a.Tickets.Bad})
	}
	gaps, err := d.Gaps(ctx)
	if err != nil {
		return nil, err
	}
	if len(gaps) > 0 && gaps[0].People >= GapPeople {
		g := gaps[0]
		list = append(list, Finding{"gap", fmt.Sprintf("「%s」%d 人问过，还没有知识", chat.Plain(chat.Cut(g.Lead.Text, 20)), g.People), "/kb/gaps", int64(g.Count)})
	}
	due, err := d.Store.CountDueEntries(ctx, d.Store.Now().Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	if due >= unreviewedLeast {
		list = append(list, Finding{"unreviewed", fmt.Sprintf("%d 条知识逾期未复核", due), "/kb/health", due / 2})
	}
	slices.SortStableFunc(list, func(x, y Finding) int { return cmp.Compare(y.Weight, x.Weight) })
	return list[:min(findingsTold, len(list))], nil
}

// risen is the subclass that grew most.
func risen(a Analysis) []Finding {
	var most SubclassFigures
	for _, s := range a.Subclasses {
		if more := s.Reported - s.Before; more >= risenLeast && float64(s.Reported) >= risenTimes*float64(s.Before) && more > most.Reported-most.Before {
			most = s
		}
	}
	if most.Name == "" {
		return nil
	}
	return []Finding{{"risen", fmt.Sprintf("「%s」%d 件，上期 %d 件", most.Name, most.Reported, most.Before), a.list("class="+most.Class, "subclass="+most.Name), most.Reported - most.Before}}
}

// slow is what came late, and what did not stay solved.
func slow(a Analysis) (list []Finding) {
	f := a.Tickets
	if share, ok := Share(f.AnswerLate+f.SolveLate, f.Answered+f.Solved); ok && share > lateShare {
		list = append(list, Finding{"late", fmt.Sprintf("超时 %.1f%%（%d 次）", share, f.AnswerLate+f.SolveLate), a.list("late=any"), f.AnswerLate + f.SolveLate})
	}
	if share, ok := Share(f.Reopened, f.Solved+f.Open); ok && share > reopenedShare {
		list = append(list, Finding{"reopened", fmt.Sprintf("重开 %.1f%%（%d 张）", share, f.Reopened), a.list("reopened=1"), f.Reopened})
	}
	return list
}

// ringing is what alerts tell: the rule that rang most with nobody doing
// anything about it, and what people saw before the monitors.
func ringing(a Analysis) (list []Finding) {
	var most AlertRule
	for _, r := range a.Alerts.Rules {
		if r.Untouched > most.Untouched {
			most = r
		}
	}
	if most.Untouched >= noisyLeast && 2*most.Untouched > most.Groups {
		list = append(list, Finding{"noisy", fmt.Sprintf("告警「%s」响了 %d 次，%d 次没有人管", chat.Plain(chat.Cut(most.Title, 30)), most.Groups, most.Untouched),
			AlertsPath(a.From, a.Last(), "rule", most.Title, "source", most.Source, "kind", "untouched"), most.Untouched})
	}
	if n := a.Alerts.Person; n > 0 {
		list = append(list, Finding{"person_first", fmt.Sprintf("%d 张单是人先报、监控后响", n), a.list("alert=after"), n})
	}
	return list
}

// list is the address of the tickets of a, narrowed down.
func (a Analysis) list(more ...string) string {
	return ListPath(a.Period, a.Filter, more...)
}

// ListPath is the address of the tickets of a period, narrowed down by more
// parameters, each name=value.
func ListPath(p Period, f store.FigureFilter, more ...string) string {
	q := listQuery(p, more...)
	if f.Branch != "" {
		q.Set("dept", f.Branch)
	}
	if f.Group != "" {
		q.Set("group", f.Group)
	}
	return "/tickets?" + q.Encode()
}
