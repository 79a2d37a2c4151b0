package llm

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrBreaker is returned while an endpoint that kept failing is left alone.
var ErrBreaker = errors.New("the model failed again and again, and is left alone for a while")

const (
	breakAfter = 5
	breakFor   = 30 * time.Second
	longestAsk = 10 * time.Minute // the longest pause that an endpoint may ask for
)

// guard stops calling an endpoint that keeps failing: after five failures in a
// row it is left alone for thirty seconds, then one call may try. An endpoint
// that names a time (Retry-After) is left alone that long.
type guard struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

func (g *guard) enter(now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Before(g.until) {
		return ErrBreaker
	}
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
			g.until = later(g.until, now.Add(breakFor))
		}
	}
}

// rest leaves the endpoint alone for as long as it asked.
func (g *guard) rest(now time.Time, d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = later(g.until, now.Add(min(d, longestAsk)))
}

func (g *guard) restsUntil(now time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Before(g.until) {
		return g.until
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
