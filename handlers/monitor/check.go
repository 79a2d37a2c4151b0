package monitor

import (
	"context"
	"errors"
	"time"

	"frontline/handlers/calendar"
)

// States of a check.
const (
	StateOK     = "ok"
	StateNoData = "no_data"
	StateError  = "error"
)

// Outcome is one check: what was found and what the rules say of it.
type Outcome struct {
	Item     *Item
	At       time.Time
	Took     time.Duration
	State    string
	Fault    string // of no_data and error, in plain words
	Table    Table
	Verdicts []Judged // in the order of the rules
	Objects  Objects  // of an item with a detail
}

// Judged is what one rule says.
type Judged struct {
	Rule  string  `json:"rule"`
	When  Verdict `json:"when"`
	Clear Verdict `json:"clear"`
	Why   string  `json:"why,omitempty"` // of unknown
}

// Checker runs items.
type Checker struct {
	Sources  *Sources
	Calendar *calendar.Calendar
}

// Check runs an item now and judges what it finds. It writes nothing.
func (c *Checker) Check(ctx context.Context, i *Item, at time.Time, past Past) Outcome {
	out := Outcome{Item: i, At: at, State: StateOK}
	began := time.Now()
	day := at.In(c.Calendar.Location())
	order := Order{At: day, Timeout: i.Timeout, Values: argNames(day, c.Calendar.Prev(day), c.Calendar.Next(day))}
	rows, err := i.Probe.Rows(ctx, c.Sources, order)
	out.Took = time.Since(began)
	if err == nil {
		if i.Breakdown != nil {
			out.Table, err = i.Breakdown.table(rows)
		} else {
			out.Table, err = values(rows)
		}
	}
	switch {
	case errors.Is(err, errEmpty):
		out.State, out.Fault = StateNoData, errEmpty.Error()
	case err != nil:
		out.State, out.Fault = StateError, clip(err.Error(), 300)
	default:
		out.Verdicts = c.Judge(i, out.Table, at, past)
		if i.Detail == nil {
			break
		}
		if cell, ok := i.Watched(out.Table); ok && cell.N == 0 {
			out.Objects.Known = true // there are none to ask for
		} else {
			out.Objects = c.objects(ctx, i, order)
			out.Fault = out.Objects.Fault
		}
	}
	return out
}

// Judge applies the rules to a table.
func (c *Checker) Judge(i *Item, t Table, at time.Time, past Past) []Judged {
	day := at.In(c.Calendar.Location())
	since := time.Duration(-1)
	if c.Calendar.Trading(day) {
		since = sinceOpen(day)
	}
	f := i.facts(t, past, c.Calendar.Trading(day), since)
	out := make([]Judged, len(i.Rules))
	for n, r := range i.Rules {
		j := Judged{Rule: r.Name}
		j.When, j.Why = r.When.judge(f)
		if j.When == Unknown {
			if why := i.short(r.When, past); why != "" {
				j.Why = why
			}
		}
		switch {
		case r.Clear != nil:
			j.Clear, _ = r.Clear.judge(f)
		case j.When == True:
			j.Clear = False
		case j.When == False:
			j.Clear = True
		default:
			j.Clear = Unknown
		}
		out[n] = j
	}
	return out
}
