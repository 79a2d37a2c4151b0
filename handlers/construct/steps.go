package construct

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"frontline/store"
)

// steps runs the steps of a recipe, skipping what is done. prefix is the path of
// the step that called it as a sub-recipe.
func (x *exec) steps(ctx context.Context, rec *Recipe, prefix string, frame vars) error {
	results := frame["steps"].(map[string]any)
	for _, st := range rec.Steps {
		path := prefix + st.ID
		fault := func(err error) error {
			var f *stepFault
			if errors.As(err, &f) || errors.Is(err, errNotYet) {
				return err
			}
			return &stepFault{path, st.Title, err}
		}
		frame["gen"] = genFunc(x.generator(path))
		if st.When != nil {
			want, err := st.When.truth(frame)
			if err != nil {
				return fault(err)
			}
			if !want {
				results[st.ID] = map[string]any{}
				continue
			}
		}
		got, err := x.step(ctx, rec, st, path, frame)
		results[st.ID] = got
		if err != nil {
			return fault(err)
		}
		if prefix == "" {
			x.item.StepsDone++
			x.item.StepTitle = st.Title
			if err := x.save(ctx, nil); err != nil {
				return program(err)
			}
			x.progress(ctx)
		}
	}
	return nil
}

func (x *exec) step(ctx context.Context, rec *Recipe, st *Step, path string, frame vars) (map[string]any, error) {
	a := st.Action
	if st.Switch != nil {
		which, err := st.Switch.text(frame)
		if err != nil {
			return nil, err
		}
		if a = st.Cases[which]; a == nil {
			return nil, fmt.Errorf("没有「%s」这种情况", clip(which, 20))
		}
	}
	if st.Foreach == nil {
		return x.one(ctx, rec, st, a, path, frame)
	}
	list, err := st.Foreach.eval(frame)
	if err != nil {
		return nil, err
	}
	items, ok := list.([]any)
	if !ok && list != nil {
		return nil, errors.New("foreach 要一个列表")
	}
	if len(items) > st.Max {
		return nil, fmt.Errorf("循环最多 %d 次", st.Max)
	}
	last := map[string]any{}
	for i, item := range items {
		if last, err = x.one(ctx, rec, st, a, path+"["+strconv.Itoa(i)+"]", frame.with(st.As, item)); err != nil {
			return last, err
		}
	}
	return last, nil
}

// one does one action, once: a step that is done gives what it gave.
func (x *exec) one(ctx context.Context, rec *Recipe, st *Step, a *Action, path string, frame vars) (map[string]any, error) {
	row := x.rows[path]
	if row != nil && row.State == store.StepDone {
		saved := map[string]any{}
		err := decodeInto(row.Result, &saved)
		return saved, program(err)
	}
	if x.resolve && (row == nil || row.State != store.StepStarted) && a.Kind != "assert" {
		return nil, errNotYet
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if row == nil {
		row = &store.RunStep{ItemID: x.item.ID, Path: path, Title: st.Title}
		x.rows[path] = row
	}
	switch a.Kind {
	case "recipe":
		return x.sub(ctx, st, a, path, row, frame)
	case "assert":
		return map[string]any{}, x.check(a.Assert, frame)
	case "generate":
		saved := map[string]any{}
		for k, v := range a.Fields {
			var err error
			if saved[k], err = v.eval(frame); err != nil {
				return nil, err
			}
		}
		return saved, x.done(ctx, row, saved, nil)
	case "sleep":
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(a.UpTo):
		}
		return map[string]any{}, x.done(ctx, row, map[string]any{}, nil)
	case "note":
		return map[string]any{}, x.note(ctx, a, row, frame)
	case "approve":
		return map[string]any{}, x.done(ctx, row, map[string]any{}, nil) // the run as a whole was approved
	case "poll":
		return x.poll(ctx, rec, st, a, row, frame)
	}
	return x.called(ctx, rec, st, a, row, frame)
}

// done writes a step's end.
func (x *exec) done(ctx context.Context, row *store.RunStep, saved map[string]any, more func(tx *store.Tx) error) error {
	var err error
	if row.Result, err = json.Marshal(saved); err != nil {
		return program(err)
	}
	now := x.e.Store.Now()
	if row.Began.IsZero() {
		row.Began, row.Attempt = now, 1
	}
	row.State, row.Ended, row.Fault = store.StepDone, now, ""
	return program(x.save(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if more != nil {
			if err := more(tx); err != nil {
				return err
			}
		}
		return tx.SaveStep(row)
	}))
}

func (x *exec) check(list []Expect, frame vars) error {
	for _, e := range list {
		ok, err := e.That.truth(frame)
		if err != nil {
			return err
		}
		if ok {
			continue
		}
		say := "不满足 " + e.That.source
		if e.Say != nil {
			if say, err = e.Say.text(frame); err != nil {
				return err
			}
		}
		return &expectFault{say}
	}
	return nil
}

// expectFault is an answer that was not what the recipe wants.
type expectFault struct{ say string }

func (e *expectFault) Error() string { return e.say }

// note writes on the ticket, in the same commit as the step.
func (x *exec) note(ctx context.Context, a *Action, row *store.RunStep, frame vars) error {
	number, err := a.Fields["ticket"].text(frame)
	if err != nil {
		return err
	}
	text, err := a.Fields["text"].text(frame)
	if err != nil {
		return err
	}
	return x.done(ctx, row, map[string]any{}, func(tx *store.Tx) error {
		t, err := tx.FindTicket(int64(max(0, atoi(strings.TrimLeft(number, "Tt#")))))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Text: fmt.Sprintf("R%d：%s", x.run.Number, x.hide(text))})
	})
}

// sub runs another recipe; its values are made once and written down.
func (x *exec) sub(ctx context.Context, st *Step, a *Action, path string, row *store.RunStep, frame vars) (map[string]any, error) {
	rec := x.e.Library().Find(a.Recipe)
	if !x.env.Allows(rec) {
		return nil, Forbidden{layerAllow, "环境 " + x.env.Name + " 不许用配方 " + rec.Name}
	}
	run := Run{key: frame["run"].(map[string]any)["key"].(string) + "." + st.ID, count: x.run.Wanted}
	var d itemData
	if row.State == store.StepStarted || row.State == store.StepFailed {
		if err := decodeInto(row.Request, &d); err != nil {
			return nil, program(err)
		}
	} else {
		given := map[string]any{}
		if w := a.Fields["with"]; w != nil {
			v, err := w.eval(frame)
			if err != nil {
				return nil, err
			}
			if err := take(rec, given, v); err != nil {
				return nil, err
			}
		}
		if passed, _ := frame["pass"].(map[string]Ordered); passed[st.ID] != nil {
			if err := take(rec, given, passed[st.ID]); err != nil {
				return nil, err
			}
		}
		var err error
		if d, err = x.values(rec, given, run, path); err != nil {
			return nil, err
		}
		if row.Request, err = json.Marshal(d); err != nil {
			return nil, program(err)
		}
	}
	row.State, row.Attempt, row.Target = store.StepStarted, row.Attempt+1, rec.Name
	if row.Began.IsZero() {
		row.Began = x.e.Store.Now()
	}
	if err := x.save(ctx, func(tx *store.Tx) error { return tx.SaveStep(row) }); err != nil {
		return nil, program(err)
	}
	inner := x.framed(rec, d, run)
	if len(a.Pass) > 0 {
		passed := map[string]Ordered{}
		for k, v := range a.Pass {
			o, err := v.eval(frame)
			if err != nil {
				return nil, err
			}
			passed[k], _ = o.(Ordered)
		}
		inner["pass"] = passed
	}
	if err := x.steps(ctx, rec, path+"/", inner); err != nil {
		return nil, err
	}
	outs, _, err := x.outputs(rec, inner)
	if err != nil {
		return nil, err
	}
	return outs, x.done(ctx, row, outs, nil)
}

// take reads values for a recipe's parameters.
func take(rec *Recipe, given map[string]any, v any) error {
	pairs, _ := v.(Ordered)
	for _, p := range pairs {
		q := rec.Param(p.Key)
		if q == nil || p.Val == nil {
			continue
		}
		if q.Type == "string" || p.Val == "" {
			given[p.Key] = p.Val
			continue
		}
		c, err := q.coerce(p.Val)
		if err != nil {
			return err
		}
		given[p.Key] = c
	}
	return nil
}
