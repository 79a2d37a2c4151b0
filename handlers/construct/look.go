package construct

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
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
	return clip(mask.Text(textOf(v)), 40)
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
		rec := e.Library.Find(r.Recipe)
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
		if rec := e.Library.Find(r.Recipe); rec != nil {
			u.Title, u.Saved = rec.Title, u.Saved+rec.Manual*r.Good
		}
	}
	slices.SortStableFunc(out, func(a, b Use) int { return b.Runs - a.Runs })
	return out, nil
}
