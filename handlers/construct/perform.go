package construct

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"frontline/handlers/construct/gen"
	"frontline/handlers/mask"
	"frontline/store"
)

// Perform works on a claimed run until it has ended, or ctx has: then it stays
// claimed by nobody and goes on elsewhere.
func (e *Engine) Perform(ctx context.Context, r store.Run) error {
	stop := e.keepLease(ctx, r)
	defer stop()
	env := e.Envs[r.Env]
	rec, err := e.recipeOf(ctx, r)
	if err != nil {
		return err
	}
	if env == nil {
		r.State, r.Why = store.RunFailed, "环境 "+r.Env+" 不在了"
		return e.end(ctx, r, nil)
	}
	if rec == nil {
		rec = &Recipe{Name: r.Recipe, Title: r.Title, Environments: []string{r.Env}, OnFailure: "keep", Count: Count{1, 1, 1}, Timeout: time.Minute}
	}
	items, err := e.Store.RunItems(ctx, r.ID)
	if err != nil {
		return err
	}
	e.caller(env).fresh()
	if r.State == store.RunUndoing {
		return e.undoRun(ctx, r, rec, env, items)
	}
	if rec.SHA != r.SHA {
		r.State, r.Why = store.RunFailed, "配方改过了，请重新造"
		return e.end(ctx, r, items)
	}
	var k kept
	if err := decodeInto(r.Params, &k); err != nil {
		return err
	}
	var g errgroup.Group
	g.SetLimit(max(1, rec.Count.Parallel))
	for i := range items {
		if items[i].State != store.ItemPending && items[i].State != store.ItemRunning {
			continue
		}
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			x := &exec{e: e, run: r, rec: rec, env: env, item: &items[i], call: e.caller(env)}
			return x.item1(ctx, k)
		})
	}
	err = g.Wait()
	if ctx.Err() != nil {
		return e.Store.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.LetRunGo(r) })
	}
	if err != nil {
		return err
	}
	r.Good, r.Bad = 0, 0
	r.State = store.RunDone
	attention := false
	for _, i := range items {
		if i.State == store.ItemDone {
			r.Good++
		} else {
			r.Bad++
		}
		attention = attention || i.State == store.ItemAttention
	}
	switch {
	case attention:
		r.State = store.RunAttention
	case r.Good == 0:
		r.State = store.RunFailed
	case r.Bad > 0:
		r.State = store.RunPartly
	}
	r.Expires = e.Store.Now().Add(min(rec.TTL, env.MaxTTL))
	return e.end(ctx, r, items)
}

// keepLease renews the claim while the run is in hands.
func (e *Engine) keepLease(ctx context.Context, r store.Run) func() {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(e.lease / 4)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if err := e.Store.InTx(ctx, func(tx *store.Tx) error { return tx.HoldRun(r, e.lease) }); err != nil && ctx.Err() == nil {
					e.Log.Warn("renew the claim of a run", "err", err)
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}

// itemData is what an item keeps: its values, made once.
type itemData struct {
	Params map[string]any `json:"params"`
	Vars   map[string]any `json:"vars"`
	Made   []string       `json:"made,omitempty"`
}

// exec runs one item.
type exec struct {
	e       *Engine
	run     store.Run
	rec     *Recipe
	env     *Environment
	item    *store.Item
	call    *caller
	rows    map[string]*store.RunStep
	secrets []string
	resolve bool // only find out what became of a call that was cut off
	facts   map[string]any
}

var (
	errAttention = errors.New("这一步发出后断了，不知道对方做了没有")
	errNotYet    = errors.New("the next step has not begun")
)

// stepFault is where and why an item stopped.
type stepFault struct {
	path, title string
	err         error
}

func (f *stepFault) Error() string { return f.err.Error() }
func (f *stepFault) Unwrap() error { return f.err }

func (x *exec) key() string {
	return strconv.FormatInt(x.run.ID, 36) + "-" + strconv.Itoa(x.item.Pos)
}

// save writes an item and steps in one transaction, proving the claim.
func (x *exec) save(ctx context.Context, more func(tx *store.Tx) error) error {
	return x.e.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.HoldRun(x.run, x.e.lease); err != nil {
			return err
		}
		if more != nil {
			if err := more(tx); err != nil {
				return err
			}
		}
		return tx.SaveItem(*x.item)
	})
}

func (x *exec) load(ctx context.Context) error {
	steps, err := x.e.Store.ItemSteps(ctx, x.item.ID)
	if err != nil {
		return err
	}
	x.rows = map[string]*store.RunStep{}
	for i := range steps {
		x.rows[steps[i].Path] = &steps[i]
	}
	return nil
}

// item1 runs an item from where it is to its end. The error is one of the
// program's, not of the recipe.
func (x *exec) item1(ctx context.Context, k kept) error {
	if err := x.load(ctx); err != nil {
		return err
	}
	x.facts = k.Facts
	run, cancel := context.WithTimeout(ctx, x.rec.Timeout)
	defer cancel()
	frame, err := x.begin(run, k)
	if err == nil {
		x.item.StepsDone = 0
		err = x.steps(run, x.rec, "", frame)
	}
	var card []shown
	var outs map[string]any
	if err == nil {
		outs, card, err = x.outputs(x.rec, frame)
	}
	var program *programError
	switch {
	case ctx.Err() != nil:
		return nil // goes on with the next process
	case errors.As(err, &program):
		return program.err
	case err == nil:
		x.item.State, x.item.Ended, x.item.Fault, x.item.FaultAt = store.ItemDone, x.e.Store.Now(), "", ""
		x.item.Outputs, err = json.Marshal(outs)
		if err != nil {
			return err
		}
		b, err := json.Marshal(card)
		if err != nil {
			return err
		}
		x.item.Card = string(b)
		return x.save(ctx, nil)
	}
	return x.failed(ctx, err)
}

// programError is not the recipe's fault: the store, mostly.
type programError struct{ err error }

func (p *programError) Error() string { return p.err.Error() }

func program(err error) error {
	if err == nil {
		return nil
	}
	return &programError{err}
}

func (x *exec) failed(ctx context.Context, err error) error {
	x.item.State, x.item.Ended = store.ItemFailed, x.e.Store.Now()
	x.item.Fault, x.item.FaultAt = x.hide(err.Error()), ""
	var f *stepFault
	if errors.As(err, &f) {
		x.item.FaultAt, x.item.StepTitle = f.path, f.title
	}
	if errors.Is(err, context.DeadlineExceeded) {
		x.item.Fault = "超过了配方的时间 " + x.rec.Timeout.String()
	}
	if errors.Is(err, errAttention) {
		x.item.State = store.ItemAttention
		return x.save(ctx, nil)
	}
	if err := x.save(ctx, nil); err != nil {
		return err
	}
	if x.rec.OnFailure == "undo" {
		return x.undo(ctx, true)
	}
	return nil
}

// hide masks what identifies people, and secrets.
func (x *exec) hide(text string) string {
	for _, s := range x.secrets {
		if len(s) >= 3 {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return maskNumbers(mask.Text(clip(text, 300)))
}

// begin makes an item's values once and writes them down before anything uses them.
func (x *exec) begin(ctx context.Context, k kept) (vars, error) {
	var d itemData
	if x.item.Data != nil {
		if err := decodeInto(x.item.Data, &d); err != nil {
			return nil, program(err)
		}
	} else {
		var err error
		if d, err = x.values(x.rec, k.Params, Run{key: x.key(), count: x.run.Wanted}, "begin"); err != nil {
			return nil, err
		}
		if x.item.Data, err = json.Marshal(d); err != nil {
			return nil, program(err)
		}
	}
	x.item.State = store.ItemRunning
	if x.item.Started.IsZero() {
		x.item.Started = x.e.Store.Now()
	}
	if err := x.save(ctx, nil); err != nil {
		return nil, program(err)
	}
	return x.framed(x.rec, d, Run{key: x.key(), count: x.run.Wanted}), nil
}

func (x *exec) framed(rec *Recipe, d itemData, run Run) vars {
	run.made = d.Made
	for _, p := range rec.Params {
		if p.Secret {
			x.secrets = append(x.secrets, textOf(d.Params[p.Name]))
		}
	}
	frame := x.e.frame(x.env, run, rec, known(rec, d.Params), x.facts)
	frame["vars"] = d.Vars
	return frame
}

// values makes what was not given, then the variables, each from a seed of its
// own, so that the same seed gives the same people.
func (x *exec) values(rec *Recipe, given map[string]any, run Run, where string) (d itemData, err error) {
	d = itemData{Params: map[string]any{}, Vars: map[string]any{}}
	g := x.generator(where)
	frame := x.e.frame(x.env, run, rec, d.Params, x.facts)
	frame["gen"] = genFunc(g)
	for _, p := range rec.Params {
		v, have := given[p.Name]
		if !have || v == nil || v == "" {
			v = p.Default
			wanted := true
			if p.When != nil {
				if wanted, err = p.When.truth(frame); err != nil {
					return d, err
				}
			}
			if v == nil && p.Generator != "" && wanted {
				o, err := genOptions(p.With, frame)
				if err != nil {
					return d, err
				}
				if v, err = g.Make(p.Generator, o); err != nil {
					return d, fmt.Errorf("%s：%w", p.Label, err)
				}
				d.Made = append(d.Made, p.Name)
			}
		}
		d.Params[p.Name] = v
	}
	frame["params"] = d.Params
	frame["vars"] = d.Vars
	for _, v := range rec.Vars {
		if d.Vars[v.Name], err = v.Value.eval(frame); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (x *exec) generator(where string) *gen.Gen {
	seed := gen.SeedOf(strconv.FormatUint(x.run.Seed, 10), strconv.Itoa(x.item.Pos), where)
	return gen.New(gen.Config{Seed: seed, Profile: x.env.Profile, Now: x.e.Store.Now})
}

func genOptions(v *value, frame vars) (gen.Options, error) {
	o := gen.Options{}
	if v == nil {
		return o, nil
	}
	with, err := v.eval(frame)
	if err != nil {
		return nil, err
	}
	pairs, _ := with.(Ordered)
	for _, p := range pairs {
		if p.Val != nil && p.Val != "" {
			o[p.Key] = p.Val
		}
	}
	return o, nil
}

// genFunc is gen("person.id", {…}) of expressions.
func genFunc(g *gen.Gen) func(string, ...any) (any, error) {
	return func(kind string, more ...any) (any, error) {
		o := gen.Options{}
		for _, m := range more {
			switch x := m.(type) {
			case map[string]any:
				for k, v := range x {
					if v != nil && v != "" {
						o[k] = v
					}
				}
			case Ordered:
				for _, p := range x {
					o[p.Key] = p.Val
				}
			}
		}
		return g.Make(kind, o)
	}
}

// shown is one line of a result card, masked.
type shown struct {
	Label string `json:"label"`
	Text  string `json:"text"`
}

func (x *exec) outputs(rec *Recipe, frame vars) (map[string]any, []shown, error) {
	out := map[string]any{}
	var card []shown
	for _, o := range rec.Outputs {
		v, err := o.Value.eval(frame)
		if err != nil {
			return nil, nil, err
		}
		out[o.Name] = v
		if o.Show != "false" && v != nil && v != "" {
			card = append(card, shown{o.Label, hideOutput(textOf(v), o.Show == "true")})
		}
	}
	return out, card, nil
}

// hideOutput masks a value for chat: numbers to their last four, names to their
// first character. Words such as an error stay, without numbers in them.
func hideOutput(v string, show bool) string {
	finds := mask.All(v)
	if len(finds) == 1 && finds[0].From == 0 && finds[0].To == len(v) {
		return finds[0].Mask()
	}
	digits := 0
	for _, c := range v {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	r := []rune(v)
	switch {
	case digits >= 6 && digits >= len(r)-1 && !strings.Contains(v, "."):
		return mask.Of(mask.Customer, v)
	case show:
		return mask.Text(v)
	case len(r) <= 1:
		return "*"
	case digits == 0 && len(r) <= 20:
		return string(r[:1]) + strings.Repeat("*", min(3, len(r)-1))
	}
	return mask.Of(mask.Customer, v)
}

// end records how a run ended and says so, in one commit.
func (e *Engine) end(ctx context.Context, r store.Run, items []store.Item) error {
	return e.Store.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		if err := tx.EndRun(r); err != nil {
			return err
		}
		r.Ended = tx.Now()
		if err := e.emit(tx, ends[r.State], "", r); err != nil {
			return err
		}
		return e.tellEnd(tx, r, items)
	})
}

// decodeInto reads what an item or a run keeps, without losing a digit.
func decodeInto(b []byte, to any) error {
	if len(b) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(to); err != nil {
		return err
	}
	switch v := to.(type) {
	case *kept:
		exact(v.Params)
		exact(v.Facts)
	case *itemData:
		exact(v.Params)
		exact(v.Vars)
	case *map[string]any:
		exact(*v)
	}
	return nil
}
