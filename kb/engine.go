package kb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	// Synonyms are groups of the house's own beside those of the source: every
	// word of a group is read as its first one. They come before the built-in
	// groups.
	Synonyms [][]string
	// Wake makes Follow look for changes at once; may be nil.
	Wake <-chan struct{}
	// Quiet is how long a large base must have been without changes before it
	// is trained anew in the background; 10 s when zero.
	Quiet time.Duration
	// Listen is how often what people said of answers is read; five minutes when zero.
	Listen time.Duration
	// Snapshot is the file in which a large trained base is kept, so that a
	// restart need not train it; "" keeps none.
	Snapshot string
	// Observe, when set, is told how long each search took and how it ended.
	Observe func(d time.Duration, band Band)
	Log     *slog.Logger // nil means slog.Default
}

// Engine answers questions from an index in memory. Search may be called from
// any number of goroutines while Load or Follow swap the index under it.
type Engine struct {
	opt  Options
	live atomic.Pointer[index]
	// vectors, when there are any, find entries beside the words; set before
	// the first search.
	vectors *Vectors

	// What the next index is made from; mu is never held while one is trained
	// in the background.
	mu      sync.Mutex
	spell   *speller
	entries map[int64]*Entry   // those that can be found are shared with the index
	after   int64              // the last change number seen
	edition int64              // of the source's synonyms
	stale   bool               // changes came in since the last full training
	reread  bool               // synonyms changed: train without waiting for quiet
	told    []Told             // what people said of answers
	learned map[int64][]string // the questions learned from it, by entry
	since   map[int64]bool     // numbers changed since a background training began; nil when none runs
}

const (
	defaultPromise = 0.95
	defaultQuiet   = 10 * time.Second
	defaultListen  = 5 * time.Minute
	pageOfChanges  = 1000
	// A base of this many questions is made anew on each change, trained and
	// fitted, within half a second.
	smallBase = 800
	// Load trains a base up to this size before it returns, a few seconds at
	// most; a larger one answers untrained until Follow has trained it.
	trainedOnLoad = 20_000
)

// NewEngine returns an engine without an index: it is not Ready until Load.
func NewEngine(opt Options) *Engine {
	if opt.Promise == 0 {
		opt.Promise = defaultPromise
	}
	if opt.Quiet == 0 {
		opt.Quiet = defaultQuiet
	}
	if opt.Listen == 0 {
		opt.Listen = defaultListen
	}
	if opt.Log == nil {
		opt.Log = slog.Default()
	}
	return &Engine{opt: opt, spell: spellerFor(opt.Synonyms), entries: map[int64]*Entry{}}
}

func spellerFor(own [][]string) *speller {
	if len(own) == 0 {
		return builtin
	}
	return newSpeller(own)
}

// Load reads the whole source and swaps in a fresh index. When it fails, the
// last index keeps answering.
func (e *Engine) Load(ctx context.Context, src Source) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := e.readSynonyms(ctx, src)
	if err == nil {
		_, err = e.readTold(ctx, src)
	}
	if err != nil {
		return fmt.Errorf("load the knowledge: %w", err)
	}
	entries, after := map[int64]*Entry{}, int64(0)
	_, after, err = fetchChanges(ctx, src, entries, after)
	if err != nil {
		return fmt.Errorf("load the knowledge: %w", err)
	}
	return e.replace(ctx, entries, after)
}

// replace makes the index anew from these entries.
func (e *Engine) replace(ctx context.Context, entries map[int64]*Entry, after int64) error {
	list := published(entries)
	e.learned = teach(list, e.told)
	ix, fresh, err := e.restored(ctx, list)
	train := ix == nil && asksOf(list) <= trainedOnLoad
	if ix == nil && err == nil {
		ix, err = e.build(ctx, list, e.spell, e.told, train)
	}
	if err != nil {
		return err
	}
	if train {
		e.keep(ix)
	}
	e.entries = entries
	e.share(ix)
	e.after, e.stale, e.reread = after, ix.rough || fresh > 0, false
	e.since = nil // what is being trained was made before, and is dropped
	e.live.Store(ix)
	return nil
}

// share lets an index and the engine have each entry once in memory.
func (e *Engine) share(ix *index) {
	for _, it := range ix.items {
		if own := e.entries[it.entry.Number]; own != nil && own.Changed == it.entry.Changed {
			e.entries[it.entry.Number] = it.entry
		}
	}
}

// build makes an index; training and fitting run side by side.
func (e *Engine) build(ctx context.Context, list []Entry, spell *speller, told []Told, trained bool) (*index, error) {
	if !trained {
		return assemble(list, spell), ctx.Err()
	}
	own := cautious
	var wg sync.WaitGroup
	wg.Go(func() { own = selfFit(ctx, list, spell, e.opt.Promise) })
	ix := assemble(list, spell)
	err := train(ctx, ix)
	wg.Wait()
	ix.own = own
	ix.heed(told, e.opt.Promise)
	return ix, err
}

// worthKeeping is from how many questions on a trained base is kept: a smaller one
// is trained within a second.
const worthKeeping = 5_000

// restored makes the index from the snapshot, and tells how many entries are new
// to that; nil when there is none that fits.
func (e *Engine) restored(ctx context.Context, list []Entry) (ix *index, fresh int, err error) {
	if e.opt.Snapshot == "" || asksOf(list) < worthKeeping {
		return nil, 0, nil
	}
	s, err := readSnapshot(e.opt.Snapshot)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			e.opt.Log.Warn("the snapshot of the knowledge cannot be read; it is trained anew", "component", "kb", "err", err)
		}
		return nil, 0, nil
	}
	ix = draft(list, e.spell)
	if fresh, err = s.restore(ix, e.opt.Promise); err != nil {
		return nil, 0, ctx.Err()
	}
	if ix.hasSenses() {
		learnSenses(ctx, ix)
	}
	ix.heed(e.told, e.opt.Promise)
	return ix, fresh, ctx.Err()
}

// keep writes the snapshot of a trained index.
func (e *Engine) keep(ix *index) {
	if e.opt.Snapshot == "" || ix.rough || ix.asked < worthKeeping {
		return
	}
	if err := writeSnapshot(e.opt.Snapshot, snapshotOf(ix, e.opt.Promise)); err != nil {
		e.opt.Log.Warn("the trained knowledge cannot be kept in a file; the next start trains it again", "component", "kb", "err", err)
	}
}

// Trained tells whether the index in use was trained and fitted as a whole.
func (e *Engine) Trained() bool {
	ix := e.live.Load()
	return ix != nil && !ix.rough
}

func asksOf(list []Entry) int {
	n := len(list)
	for i := range list {
		n += len(list[i].Similar) + len(list[i].Learned)
	}
	return n
}

// Ready says whether an index is loaded.
func (e *Engine) Ready() bool { return e.live.Load() != nil }

// Size is the number of entries that can be found.
func (e *Engine) Size() int {
	if ix := e.live.Load(); ix != nil {
		return len(ix.items)
	}
	return 0
}
