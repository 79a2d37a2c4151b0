package monitor

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"frontline/handlers/alert"
	"frontline/store"
)

// Step is one earlier check, as the rules of today would have seen it.
type Step struct {
	Outcome
	Firing  []string // rules that fire after it
	Changes []Change
}

// Change is an alert that begins or ends.
type Change struct {
	Rule, Title string
	Ends        bool
}

// Replay applies the rules of an item to its last n results, the oldest first.
// Nothing is written and nobody is told.
func (r *Runner) Replay(ctx context.Context, i *Item, n int) ([]Step, error) {
	list, err := r.Store.MonitorResults(ctx, store.MonitorQuery{Item: i.Name, N: n})
	if err != nil {
		return nil, err
	}
	slices.Reverse(list)
	var state State
	steps := make([]Step, 0, len(list))
	for _, res := range list {
		out := Outcome{Item: i, At: res.At, Took: res.Took, State: res.State, Fault: res.Fault}
		if res.State == StateOK {
			if err := json.Unmarshal(res.Table, &out.Table); err != nil {
				return nil, err
			}
			before := r.past(ctx, i, res.At)
			out.Verdicts = r.Checker.Judge(i, out.Table, res.At, before)
			if before.err != nil {
				return nil, before.err
			}
		}
		next, signals := i.advance(state, out)
		s := Step{Outcome: out, Firing: next.Firing()}
		for _, sig := range signals {
			rule := sig.Labels["rule"]
			if ends := sig.State == alert.Resolved; ends || !slices.Contains(state.Firing(), rule) {
				s.Changes = append(s.Changes, Change{rule, sig.Title, ends})
			}
		}
		steps, state = append(steps, s), next
	}
	return steps, nil
}

// Open reads a kept result.
func Open(i *Item, r store.MonitorResult) (Outcome, error) {
	out := Outcome{Item: i, At: r.At, Took: r.Took, State: r.State, Fault: r.Fault}
	if err := json.Unmarshal(r.Table, &out.Table); err != nil {
		return out, err
	}
	return out, json.Unmarshal(r.Verdicts, &out.Verdicts)
}

// Next is when an item runs next after t, zero for never.
func (r *Runner) Next(i *Item, t time.Time) time.Time {
	return i.When.Next(r.Checker.Calendar, i.Name, t)
}
