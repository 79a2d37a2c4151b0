package store

import (
	"fmt"
	"slices"
)

// figureColumns are the columns that say what a ticket counts for.
var figureColumns = []string{"id", "number", "state", "class", "subclass", "service_group", "branch", "app_version", "created_at", "answered_at", "answered_late", "assignee", "resolved_at", "resolve_due", "cycle", "rating", "counted", "version"}

// countTicket changes the sums by what a row counts for: times 1 adds it, -1
// takes it away.
func (tx *Tx) countTicket(r *ticketRow, times int64) {
	f := ticketFigures(r)
	at := tx.s.counting.day(r.CreatedAt)
	c := tx.changes()
	for _, day := range []int64{dayKey(at), monthKey(at)} {
		for _, k := range []figureKey{{ByGroup, day, r.Class, r.ServiceGroup}, {ByBranch, day, r.Branch, r.Class}, {ByHour, day, fmt.Sprintf("%02d", at.Hour()), ""},
			{BySubclass, day, r.Subclass, r.Class}, {ByVersion, day, r.AppVersion, ""}, {ByHandler, day, r.Assignee, ""}} {
			if c.tickets[k] == nil {
				c.tickets[k] = &TicketFigures{}
			}
			addSums(c.tickets[k].all(), f.all(), times)
		}
		if f.Answered > 0 {
			c.times[timeKey{figureKey{timeToAnswer, day, r.Class, r.ServiceGroup}, Step(f.AnswerTime)}] += times
		}
		if f.Solved > 0 {
			c.times[timeKey{figureKey{timeToSolve, day, r.Class, r.ServiceGroup}, Step(f.SolveTime)}] += times
		}
	}
}

// ticketFigures is what one ticket counts for.
func ticketFigures(r *ticketRow) (f TicketFigures) {
	one := func(when bool) int64 {
		if when {
			return 1
		}
		return 0
	}
	state := TicketState(r.State)
	if state == TicketVoid {
		f.Withdrawn = 1
		return f
	}
	f.Reported, f.Merged, f.Open, f.Reopened = 1, one(state == TicketMerged), one(state.Open()), one(r.Cycle > 0)
	if state == TicketMerged {
		return f // the master has the answer and the solution
	}
	if r.AnsweredAt > 0 {
		f.Answered, f.AnswerTime, f.AnswerLate = 1, max(0, r.AnsweredAt-r.CreatedAt)/1000, r.AnsweredLate
	}
	if state == TicketResolved || state == TicketClosed {
		f.Solved, f.SolveTime = 1, max(0, r.ResolvedAt-r.CreatedAt)/1000
		f.SolveLate = one(r.ResolveDue > 0 && r.ResolvedAt > r.ResolveDue)
	}
	if r.Rating > 0 {
		f.Rated, f.Stars, f.Good, f.Bad = 1, int64(r.Rating), one(r.Rating >= 4), one(r.Rating <= 2)
	}
	return f
}

// firstAnswer records in a row that is written what was its first response.
func (r *ticketRow) firstAnswer() {
	if r.AnsweredAt > 0 || r.RespondedAt == 0 {
		return
	}
	r.AnsweredAt = r.RespondedAt
	if r.RespondDue > 0 && r.RespondedAt > r.RespondDue {
		r.AnsweredLate = 1
	}
}

// steps are how exactly times are counted: up to a limit, in steps of so many
// seconds. A median of stepped times is the stepped median of the times, so what
// is read from the counts is exact to the step.
var steps = []struct{ upTo, by int64 }{
	{30, 1}, {2 * 60, 5}, {5 * 60, 15}, {10 * 60, 30}, {30 * 60, 60}, {2 * 3600, 300}, {8 * 3600, 900}, {24 * 3600, 3600}, {3 * 86400, 4 * 3600}, {30 * 86400, 86400},
}

// Step rounds seconds down to the step they are counted in; thirty days and
// longer are one.
func Step(seconds int64) int64 {
	for _, s := range steps {
		if seconds < s.upTo {
			return seconds / s.by * s.by
		}
	}
	return steps[len(steps)-1].upTo
}

// Times are how many tickets took how long, by stepped seconds.
type Times map[int64]int64

// Add adds other times to t.
func (t Times) Add(other Times) {
	for s, n := range other {
		t[s] += n
	}
}

// Count is how many there are.
func (t Times) Count() (n int64) {
	for _, c := range t {
		n += c
	}
	return n
}

// Quantile is the time within which a share of the tickets was done: the
// smallest that is not below share of them. False when there are none.
func (t Times) Quantile(share float64) (seconds int64, ok bool) {
	all := t.Count()
	if all <= 0 {
		return 0, false
	}
	sorted := make([]int64, 0, len(t))
	for s := range t {
		sorted = append(sorted, s)
	}
	slices.Sort(sorted)
	below := int64(0)
	for _, s := range sorted {
		if below += t[s]; float64(below) >= share*float64(all) {
			return s, true
		}
	}
	return sorted[len(sorted)-1], true
}
