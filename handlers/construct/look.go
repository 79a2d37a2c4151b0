package construct

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/construct/gen"
	"frontline/handlers/mask"
	"frontline/store"
)

// Shown is a given value as a plan shows it, masked.
func Shown(v any) string {
	if list, ok := v.([]any); ok {
		return fmt.Sprintf("%d 项", len(list))
	}
	if b, ok := v.(bool); ok {
		return map[bool]string{true: "是", false: "否"}[b]
	}
	return clip(maskNumbers(mask.Text(textOf(v))), 40)
}

// Choices are the values that a parameter takes from: its own list, or the
// environment's.
func (e *Engine) Choices(env string, p *Param) []Choice {
	if len(p.Enum) > 0 {
		out := make([]Choice, len(p.Enum))
		for i, v := range p.Enum {
			out[i].Value = v
		}
		return out
	}
	if v := e.Envs[env]; v != nil && p.From != "" {
		return v.Lists[p.From]
	}
	return nil
}

// Given is what a run was told.
func Given(r store.Run) (params, facts map[string]any, err error) {
	var k kept
	err = decodeInto(r.Params, &k)
	if k.Params == nil {
		k.Params = map[string]any{}
	}
	return k.Params, k.Facts, err
}

// Words say where a run is or how it ended.
func (e *Engine) Words(r store.Run, items []store.Item, now time.Time) string {
	env := strings.ToUpper(r.Env)
	if v := e.Envs[r.Env]; v != nil {
		env = v.Title
	}
	switch r.State {
	case store.RunWaiting, store.RunQueued, store.RunRejected, store.RunUndoing:
		return strings.TrimSpace(fmt.Sprintf("R%d %s ×%d（%s）%s %s", r.Number, chat.Plain(r.Title), r.Wanted, env, StateTitle(r.State), r.Why))
	case store.RunRunning:
		rec := e.Library().Find(r.Recipe)
		for _, i := range items {
			if i.State == store.ItemRunning && rec != nil {
				return progressText(r, i, rec.StepCount())
			}
		}
		return fmt.Sprintf("R%d %s ×%d 刚开始", r.Number, chat.Plain(r.Title), r.Wanted)
	}
	if !r.Ended.IsZero() {
		now = r.Ended
	}
	text, _ := e.endWords(r, items, env, now)
	return text
}

// Use is how much a recipe was used.
type Use struct {
	Recipe, Title                  string
	Runs, Good, Bad, People, Saved int // Saved: minutes
}

// Uses counts by recipe, most used first.
func (e *Engine) Uses(ctx context.Context, since time.Time) ([]Use, error) {
	rows, err := e.Store.RunUses(ctx, since)
	if err != nil {
		return nil, err
	}
	var out []Use
	for _, r := range rows {
		i := slices.IndexFunc(out, func(u Use) bool { return u.Recipe == r.Recipe })
		if i < 0 {
			out = append(out, Use{Recipe: r.Recipe, Title: r.Recipe})
			i = len(out) - 1
		}
		u := &out[i]
		u.Runs, u.Good, u.Bad, u.People = u.Runs+r.Runs, u.Good+r.Good, u.Bad+r.Bad, u.People+1
		if rec := e.Library().Find(r.Recipe); rec != nil {
			u.Title, u.Saved = rec.Title, u.Saved+rec.Manual*r.Good
		}
	}
	slices.SortStableFunc(out, func(a, b Use) int { return b.Runs - a.Runs })
	return out, nil
}

// Text is a value as a form shows it.
func Text(v any) string { return textOf(v) }

// Clear is an item's result in clear: label and value.
func Clear(r *Recipe, i store.Item) (out [][2]string, err error) {
	var vals map[string]any
	if err := decodeInto(i.Outputs, &vals); err != nil {
		return nil, err
	}
	for _, o := range r.Outputs {
		if v := textOf(vals[o.Name]); o.Show != "false" && v != "" {
			out = append(out, [2]string{o.Label, v})
		}
	}
	return out, nil
}

// SeenParams are a run's given values as people may see them.
func SeenParams(r *Recipe, run store.Run) (out [][2]string, err error) {
	given, facts, err := Given(run)
	if err != nil || r == nil {
		return nil, err
	}
	for _, p := range r.Params {
		v, ok := given[p.Name]
		if !ok || v == nil || v == "" {
			continue
		}
		text := Shown(v)
		if p.Secret {
			text = "***"
		}
		out = append(out, [2]string{p.Label, text})
	}
	if len(facts) > 0 {
		out = append(out, [2]string{"取自问题单", "只有形状"})
	}
	return out, nil
}

// SeenStep is a step as the page of a run shows it; request and answer are masked.
type SeenStep struct {
	Title, Path, Target, State, Fault string
	Attempt                           int
	Took                              time.Duration
	Request, Answer                   string
}

// SeenSteps are an item's steps in the order in which they began.
func (e *Engine) SeenSteps(r *Recipe, i store.Item, steps []store.RunStep) []SeenStep {
	var secrets []string
	take := func(r *Recipe, b []byte) {
		var d itemData
		if r == nil || decodeInto(b, &d) != nil {
			return
		}
		for _, p := range r.Params {
			if p.Secret {
				secrets = append(secrets, textOf(d.Params[p.Name]))
			}
		}
	}
	take(r, i.Data)
	for _, st := range steps { // the values of a sub-recipe stand in its step, whose target it is
		take(e.Library().Find(st.Target), st.Request)
	}
	show := func(b []byte) string {
		text := string(b)
		for _, s := range secrets {
			if len(s) >= 3 {
				text = strings.ReplaceAll(text, s, "***")
			}
		}
		return clip(maskNumbers(mask.Text(text)), 4000)
	}
	out := make([]SeenStep, 0, len(steps))
	for _, st := range steps {
		s := SeenStep{Title: st.Title, Path: st.Path, Target: st.Target, State: st.State, Fault: st.Fault, Attempt: st.Attempt, Answer: show(st.Answer)}
		if !st.Ended.IsZero() && !st.Began.IsZero() {
			s.Took = st.Ended.Sub(st.Began)
		}
		if strings.HasPrefix(string(st.Request), `{"Kind"`) {
			s.Request = show(st.Request)
		}
		out = append(out, s)
	}
	return out
}

var longNumber = regexp.MustCompile(`[0-9]{8,}[Xx]?`)

// maskNumbers hides all but the last four of whatever number is long: account
// numbers have no form of their own.
func maskNumbers(text string) string {
	return longNumber.ReplaceAllStringFunc(text, func(s string) string { return mask.Of(mask.Customer, s) })
}

// MakeOne generates one value of a form.
func (e *Engine) MakeOne(r *Recipe, env *Environment, p *Param, given map[string]any) (string, error) {
	params := known(r, given)
	frame := e.frame(env, Run{}, r, params, nil)
	o, err := genOptions(p.With, frame)
	if err != nil {
		return "", err
	}
	g := gen.New(gen.Config{Seed: rand.Uint64(), Profile: env.Profile, Now: e.Store.Now})
	return g.Make(p.Generator, o)
}
