package construct

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"frontline/store"
)

// One step that calls something outside, and what may become of the call.

// called does one call: written down, sent, read, checked, written down.
func (x *exec) called(ctx context.Context, rec *Recipe, st *Step, a *Action, row *store.RunStep, frame vars) (map[string]any, error) {
	var q *request
	var err error
	cutOff := row.State == store.StepStarted
	if cutOff { // the program died, or stopped, after it was written down
		if q, err = decodeRequest(row.Request, x.rec); err != nil {
			return nil, program(err)
		}
		if !x.again(st, q) {
			return nil, errAttention
		}
	} else if q, err = render(a, x.rec, frame); err != nil {
		return nil, err
	}
	q.recipe = x.rec
	for try := 1; ; try++ {
		if !cutOff {
			if row.Request, err = json.Marshal(q); err != nil {
				return nil, program(err)
			}
			row.State, row.Attempt, row.Target, row.Fault = store.StepStarted, row.Attempt+1, q.name(), ""
			if row.Began.IsZero() {
				row.Began = x.e.Store.Now()
			}
			if err := x.save(ctx, func(tx *store.Tx) error { return tx.SaveStep(row) }); err != nil {
				return nil, program(err)
			}
		}
		var resp map[string]any
		var found bool
		if cutOff && st.Lookup != "" {
			if resp, found, err = x.lookup(ctx, rec, st, frame); err != nil {
				return nil, err
			}
		}
		cutOff = false
		if !found {
			one, cancel := context.WithTimeout(ctx, st.Timeout)
			resp, err = x.call.send(one, q)
			cancel()
		}
		if ctx.Err() != nil && err != nil {
			return nil, ctx.Err() // the step stays started: what became of it is found out later
		}
		saved, err := x.read(ctx, st, row, resp, frame, err)
		if err == nil {
			return saved, x.done(ctx, row, saved, nil)
		}
		if retries(st, err, resp, try) {
			wait := st.Retry.Backoff << min(try-1, 6)
			if wait == 0 {
				wait = 200 * time.Millisecond
			}
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(wait):
				continue
			}
		}
		return saved, x.stepFailed(ctx, st, row, q, saved, err)
	}
}

// again tells whether a call that was cut off may be sent once more.
func (x *exec) again(st *Step, q *request) bool {
	if q.Read || st.Idempotent || st.Lookup != "" {
		return true
	}
	return slices.ContainsFunc(q.Headers, func(p Pair) bool { return strings.EqualFold(p.Key, "Idempotency-Key") })
}

// lookup asks whether the call that was cut off did its work, and takes what is there.
func (x *exec) lookup(ctx context.Context, rec *Recipe, st *Step, frame vars) (map[string]any, bool, error) {
	i := slices.IndexFunc(rec.Steps, func(s *Step) bool { return s.ID == st.Lookup })
	q, err := render(rec.Steps[i].Action, x.rec, frame)
	if err != nil {
		return nil, false, err
	}
	resp, err := x.call.send(ctx, q)
	if err != nil {
		return nil, false, err
	}
	rows, _ := resp["rows"].([]any)
	if len(rows) == 0 {
		return nil, false, nil
	}
	out := map[string]any{"code": "0", "msg": "", "rows": rows}
	if first, ok := rows[0].(map[string]any); ok {
		maps.Copy(out, first)
	}
	return out, true, nil
}

// read takes what a step saves out of an answer, freezes the undo, and checks.
func (x *exec) read(ctx context.Context, st *Step, row *store.RunStep, resp map[string]any, frame vars, sendErr error) (map[string]any, error) {
	if sendErr != nil && resp == nil {
		return map[string]any{}, sendErr
	}
	if b, err := json.Marshal(resp); err == nil && len(b) <= 64<<10 {
		row.Answer = b
	}
	after := frame.with("resp", resp)
	saved := map[string]any{}
	var fault error
	for _, s := range st.Save {
		v, err := s.Value.eval(after)
		if err != nil && fault == nil {
			fault = err
		}
		saved[s.Name] = v
	}
	steps := maps.Clone(frame["steps"].(map[string]any))
	steps[st.ID] = saved
	after["steps"] = steps
	if sendErr != nil {
		return saved, sendErr
	}
	if err := x.check(st.Expect, after); err != nil {
		fault = err
	}
	if st.Undo != nil {
		u, err := render(st.Undo, x.rec, after)
		switch {
		case err != nil && fault == nil:
			return saved, fmt.Errorf("收回的办法算不出来：%w", err)
		case err == nil && !(fault != nil && holes(u.Body())):
			if row.Undo, err = json.Marshal(u); err != nil {
				return saved, program(err)
			}
		}
	}
	return saved, fault
}

// retries tells whether what went wrong may be tried again.
func retries(st *Step, err error, resp map[string]any, try int) bool {
	var f *Fail
	if errors.As(err, &f) {
		if f.Class == "connect" && len(st.Retry.On) == 0 { // nothing was sent
			return try <= 2
		}
		return try <= st.Retry.Max && slices.Contains(st.Retry.On, f.Class)
	}
	var e *expectFault
	return errors.As(err, &e) && try <= st.Retry.Max && slices.Contains(st.Retry.On, "code:"+textOf(resp["code"]))
}

// stepFailed writes down how a step ended badly; what it could read stays.
func (x *exec) stepFailed(ctx context.Context, st *Step, row *store.RunStep, q *request, saved map[string]any, err error) error {
	var f *Fail
	unsure := errors.As(err, &f) && f.Sent && !q.Read && (f.Class == "timeout" || f.Class == "broken")
	row.Fault, row.Ended = x.hide(err.Error()), x.e.Store.Now()
	if b, e := json.Marshal(saved); e == nil {
		row.Result = b
	}
	// Without an answer the other side may have done it all the same: the step
	// stays started, so that a retry or a clean-up finds out first.
	if !unsure {
		row.State = store.StepFailed
	}
	if e := x.save(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.SaveStep(row) }); e != nil {
		return program(e)
	}
	if f != nil {
		return fmt.Errorf("%s %s：%w", st.Title, q.name(), err)
	}
	return err
}

// poll asks until it is so.
func (x *exec) poll(ctx context.Context, rec *Recipe, st *Step, a *Action, row *store.RunStep, frame vars) (map[string]any, error) {
	q, err := render(a.Inner, x.rec, frame)
	if err != nil {
		return nil, err
	}
	q.Read = true
	if row.Began.IsZero() {
		row.Began = x.e.Store.Now()
	}
	row.State, row.Attempt, row.Target = store.StepStarted, row.Attempt+1, q.name()
	if row.Request, err = json.Marshal(q); err != nil {
		return nil, program(err)
	}
	if err := x.save(ctx, func(tx *store.Tx) error { return tx.SaveStep(row) }); err != nil {
		return nil, program(err)
	}
	until, cancel := context.WithTimeout(ctx, a.UpTo)
	defer cancel()
	var last error
	for {
		resp, err := x.call.send(until, q)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var no Forbidden
		if errors.As(err, &no) {
			return nil, x.stepFailed(ctx, st, row, q, nil, err)
		}
		last = err
		if err == nil {
			after := frame.with("resp", resp)
			if a.FailIf != nil {
				if bad, err := a.FailIf.truth(after); err != nil || bad {
					return nil, x.stepFailed(ctx, st, row, q, nil, errOr(err, errors.New("等到的是失败")))
				}
			}
			ok, err := a.Until.truth(after)
			if err == nil && ok {
				saved, err := x.read(ctx, st, row, resp, frame, nil)
				if err != nil {
					return saved, x.stepFailed(ctx, st, row, q, saved, err)
				}
				return saved, x.done(ctx, row, saved, nil)
			}
			last = err
		}
		select {
		case <-until.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, x.stepFailed(ctx, st, row, q, nil, errOr(last, fmt.Errorf("等了 %s 还没有等到", a.UpTo)))
		case <-time.After(a.Every):
		}
	}
}
