package construct

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// Reach is what a look at a target found.
type Reach struct {
	Target *Target
	OK     bool
	Took   time.Duration
	Why    string // in plain words, when not OK
}

// reachTime is how long a target has to answer a look.
const reachTime = 5 * time.Second

// Reach asks every target of an environment which environment it is, as each
// run does first: nothing is written, and every layer of protection holds.
func (e *Engine) Reach(ctx context.Context, env *Environment) []Reach {
	c := newCaller(e.Guard, env)
	defer c.close()
	out := make([]Reach, 0, len(env.Targets))
	for _, t := range env.Targets {
		out = append(out, Reach{Target: t})
	}
	slices.SortFunc(out, func(a, b Reach) int { return strings.Compare(a.Target.Name, b.Target.Name) })
	var all sync.WaitGroup
	for i := range out {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, reachTime)
			defer cancel()
			began := time.Now()
			k, err := c.conn(out[i].Target)
			if err == nil {
				err = c.identify(ctx, k)
			}
			out[i].Took = time.Since(began)
			if out[i].OK = err == nil; err != nil {
				out[i].Why = clip(err.Error(), 200)
			}
		})
	}
	all.Wait()
	return out
}

// Sorted are the environments by name.
func (e *Engine) Sorted() []*Environment {
	out := make([]*Environment, 0, len(e.Envs))
	for _, env := range e.Envs {
		out = append(out, env)
	}
	slices.SortFunc(out, func(a, b *Environment) int { return strings.Compare(a.Name, b.Name) })
	return out
}
