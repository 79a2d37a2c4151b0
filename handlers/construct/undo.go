package construct

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"frontline/store"
)

// undoTries is how often one undo is tried.
const undoTries = 5

// undo takes back what an item did, newest first, by the requests that were
// frozen when each step succeeded. failed says that the item stays failed.
func (x *exec) undo(ctx context.Context, failed bool) error {
	if err := x.settle(ctx); err != nil {
		return err
	}
	rows := make([]*store.RunStep, 0, len(x.rows))
	for _, r := range x.rows {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *store.RunStep) int { return int(min(1, max(-1, b.ID-a.ID))) })
	left := ""
	for _, row := range rows {
		if row.State == store.StepStarted && row.Undo == nil && !strings.Contains(row.Target, " QUERY") {
			if q, err := decodeRequest(row.Request, x.rec); err == nil && q.Kind != "" && !q.Read && x.hasUndo(row.Path) {
				left = row.Title // nobody knows what became of it
			}
			continue
		}
		if row.Undo == nil || row.State == store.StepUndone {
			continue
		}
		err := x.undoStep(ctx, row)
		if ctx.Err() != nil {
			return nil
		}
		row.State, row.Fault, row.Ended = store.StepUndone, "", x.e.Store.Now()
		if err != nil {
			row.State, row.Fault = store.StepUndoFailed, x.hide(err.Error())
			left = row.Title
		}
		if err := x.save(ctx, func(tx *store.Tx) error { return tx.SaveStep(row) }); err != nil {
			return err
		}
	}
	switch {
	case left != "":
		x.item.State = store.ItemResidue
		if x.item.Fault != "" {
			x.item.Fault += "；"
		}
		x.item.Fault += "「" + left + "」没有收回"
	case failed:
		x.item.State = store.ItemUndone
	default:
		x.item.State, x.item.Fault = store.ItemUndone, ""
	}
	x.item.Ended = x.e.Store.Now()
	return x.save(ctx, nil)
}

// settle finds out what became of a call that was cut off, so that its undo is known.
func (x *exec) settle(ctx context.Context) error {
	cut := false
	for _, r := range x.rows {
		cut = cut || r.State == store.StepStarted
	}
	if !cut || x.item.Data == nil {
		return nil
	}
	var d itemData
	if err := decodeInto(x.item.Data, &d); err != nil {
		return err
	}
	frame := x.framed(x.rec, d, Run{key: x.key(), count: x.run.Wanted})
	x.resolve = true
	state, done, title := x.item.State, x.item.StepsDone, x.item.StepTitle
	one, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	err := x.steps(one, x.rec, "", frame)
	x.resolve = false
	x.item.State, x.item.StepsDone, x.item.StepTitle = state, done, title
	var p *programError
	if errors.As(err, &p) {
		return p.err
	}
	return nil // what could not be found out shows as what is left
}

func (x *exec) undoStep(ctx context.Context, row *store.RunStep) error {
	q, err := decodeRequest(row.Undo, x.rec)
	if err != nil {
		return err
	}
	st := x.find(row.Path)
	for try := 1; ; try++ {
		one, cancel := context.WithTimeout(ctx, 30*time.Second)
		var resp map[string]any
		resp, err = x.call.send(one, q)
		cancel()
		if err == nil {
			err = x.undone(st, q, resp)
		}
		var no Forbidden
		if err == nil || errors.As(err, &no) || try == undoTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(x.e.Pause << min(try-1, 4)):
		}
	}
}

// undone checks the answer to an undo: by the recipe's words, else by its code.
func (x *exec) undone(st *Step, q *request, resp map[string]any) error {
	if st != nil && len(st.UndoExpect) > 0 {
		return x.check(st.UndoExpect, vars{"resp": resp, "params": map[string]any{}, "vars": map[string]any{}, "steps": map[string]any{}, "run": map[string]any{}, "facts": map[string]any{}, "dict": map[string]any{}, "env": map[string]any{}})
	}
	if code := textOf(resp["code"]); (q.Kind == "soap" || q.Kind == "call") && code != "" && code != "0" {
		return errors.New("收回时接口说 " + code + " " + clip(textOf(resp["msg"]), 100))
	}
	return nil
}

var index = regexp.MustCompile(`\[\d+\]`)

// find is the step of a path, as the recipe is today; nil when it has none.
func (x *exec) find(path string) *Step {
	rec := x.rec
	parts := strings.Split(index.ReplaceAllString(path, ""), "/")
	for n, id := range parts {
		i := slices.IndexFunc(rec.Steps, func(s *Step) bool { return s.ID == id })
		if i < 0 {
			return nil
		}
		st := rec.Steps[i]
		if n == len(parts)-1 {
			return st
		}
		if st.Action == nil || st.Action.Kind != "recipe" {
			return nil
		}
		if rec = x.e.Library().Find(st.Action.Recipe); rec == nil {
			return nil
		}
	}
	return nil
}

func (x *exec) hasUndo(path string) bool { st := x.find(path); return st != nil && st.Undo != nil }

// undoRun takes back every item of a run.
func (e *Engine) undoRun(ctx context.Context, r store.Run, rec *Recipe, env *Environment, items []store.Item) error {
	var k kept
	if err := decodeInto(r.Params, &k); err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(max(1, rec.Count.Parallel))
	for i := range items {
		if items[i].State == store.ItemUndone || items[i].State == store.ItemPending {
			continue
		}
		g.Go(func() error {
			x := &exec{e: e, run: r, rec: rec, env: env, item: &items[i], call: e.caller(env), facts: k.Facts}
			if err := x.load(ctx); err != nil {
				return err
			}
			return x.undo(ctx, false)
		})
	}
	err := g.Wait()
	if ctx.Err() != nil {
		return e.Store.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.LetRunGo(r) })
	}
	if err != nil {
		return err
	}
	r.State = store.RunUndone
	r.Expires = time.Time{}
	for _, i := range items {
		if i.State == store.ItemResidue {
			r.State = store.RunResidue
		}
	}
	return e.end(ctx, r, items)
}
