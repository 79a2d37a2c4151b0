package llm

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Reasons why a call was not made.
var (
	ErrBudget  = errors.New("the day's budget of model calls is spent")
	ErrBreaker = errors.New("the model failed again and again, and is left alone for a while")
)

const (
	breakAfter = 5
	breakFor   = 30 * time.Second
)

// guard counts the day's calls and stops calling an endpoint that keeps
// failing: after five failures in a row it is left alone for thirty seconds,
// then one call may try.
type guard struct {
	mu       sync.Mutex
	budget   int // below zero: no bound
	day      string
	calls    int
	failures int
	until    time.Time
}

func (g *guard) enter(now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Before(g.until) {
		return ErrBreaker
	}
	if day := now.Format(time.DateOnly); day != g.day {
		g.day, g.calls = day, 0
	}
	if g.budget >= 0 && g.calls >= g.budget {
		return ErrBudget
	}
	g.calls++
	if g.failures >= breakAfter {
		g.until = now.Add(breakFor) // until this one call comes back well
	}
	return nil
}

func (g *guard) leave(now time.Time, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case err == nil:
		g.failures, g.until = 0, time.Time{}
	case errors.Is(err, context.Canceled):
		// The caller went away: that says nothing about the endpoint.
	default:
		if g.failures++; g.failures >= breakAfter {
			g.until = now.Add(breakFor)
		}
	}
}
