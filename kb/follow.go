package kb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const defaultPoll = 500 * time.Millisecond

// Follow looks for changes every so often (half a second when zero), and when
// woken, and swaps the index until the context ends; then it returns nil. A
// change is live before a large base is trained anew, which happens in the
// background once the changes have paused. Errors of the source are logged;
// the last index keeps answering. It loads the base itself when Load was not
// called before. Only one Follow may run.
func (e *Engine) Follow(ctx context.Context, src Source, every time.Duration) error {
	if every <= 0 {
		every = defaultPoll
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	trained := make(chan *index)
	wake, training, failing := e.opt.Wake, false, false
	quiet, listened := time.Now(), time.Now()
	defer func() {
		if training {
			<-trained // its goroutine ends with the context too
		}
	}()
	for {
		changed, err := e.catchUp(ctx, src)
		if time.Since(listened) >= e.opt.Listen {
			listened = time.Now()
			err = errors.Join(err, e.listen(ctx, src))
		}
		if err != nil && ctx.Err() == nil && !failing {
			e.opt.Log.Warn("knowledge changes not read, the last index keeps answering", "component", "kb", "err", err)
		}
		failing = err != nil
		if changed {
			quiet = time.Now()
		}
		if !training && e.wantsTraining(time.Since(quiet)) {
			training = true
			go e.retrain(ctx, trained)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case _, open := <-wake:
			if !open {
				wake = nil
			}
		case ix := <-trained:
			training = false
			e.adopt(ix)
		}
	}
}

// catchUp reads what changed and makes it live.
func (e *Engine) catchUp(ctx context.Context, src Source) (bool, error) {
	if !e.Ready() {
		return true, e.Load(ctx, src)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	reread, failed := e.readSynonyms(ctx, src)
	changed, after, err := fetchChanges(ctx, src, e.entries, e.after)
	e.after, err = after, errors.Join(failed, err)
	if len(changed) == 0 && !reread {
		return false, err
	}
	for _, n := range changed {
		if e.since != nil {
			e.since[n] = true
		}
	}
	old := e.live.Load()
	if done, failed := e.rebuildSmall(ctx); done || failed != nil {
		return true, errors.Join(err, failed)
	}
	if len(changed) > 0 {
		e.live.Store(old.with(e.pick(changed)))
	}
	e.stale = true // a large base reads words as before until it has been trained
	e.reread = e.reread || reread
	return true, err
}

// rebuildSmall makes a small base anew at once, and tells whether it is one. Who calls
// it holds mu.
func (e *Engine) rebuildSmall(ctx context.Context) (bool, error) {
	list := e.list()
	if asksOf(list) > smallBase {
		return false, nil
	}
	ix, err := e.build(ctx, list, e.spell, e.told, true)
	if err == nil {
		e.live.Store(ix)
	}
	return true, err
}

// listen reads what people said of answers; what is learned from it comes in as a
// change does.
func (e *Engine) listen(ctx context.Context, src Source) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	fresh, err := e.readTold(ctx, src)
	if !fresh || err != nil {
		return err
	}
	if done, err := e.rebuildSmall(ctx); done || err != nil {
		return err
	}
	old := e.live.Load()
	var more []int64
	for _, x := range e.list() {
		if n, ok := old.find(x.Number); ok && !slices.Equal(old.items[n].entry.Learned, x.Learned) {
			more = append(more, x.Number)
		}
	}
	next := old.with(e.pick(more))
	next.heed(e.told, e.opt.Promise)
	e.live.Store(next)
	e.stale = e.stale || len(more) > 0
	return nil
}

func (e *Engine) pick(numbers []int64) []Entry {
	out := make([]Entry, 0, len(numbers))
	for _, n := range numbers {
		x := *e.entries[n]
		x.Learned = e.learned[n]
		out = append(out, x)
	}
	return out
}

// list are the entries that can be found, with what was learned for them. Who calls it
// holds mu.
func (e *Engine) list() []Entry {
	list := published(e.entries)
	e.learned = teach(list, e.told)
	return list
}

// fetchChanges reads all pages of changes into entries, and returns the
// numbers that changed and the last change number. What was read before an
// error counts.
func fetchChanges(ctx context.Context, src Source, entries map[int64]*Entry, after int64) ([]int64, int64, error) {
	var changed []int64
	for {
		page, err := src.Changed(ctx, after, pageOfChanges)
		if err != nil {
			return changed, after, fmt.Errorf("changes after %d: %w", after, err)
		}
		from := after
		for _, x := range page {
			entries[x.Number] = &x
			changed = append(changed, x.Number)
			after = max(after, x.Changed)
		}
		if len(page) < pageOfChanges || after == from {
			return changed, after, nil
		}
	}
}

func (e *Engine) wantsTraining(quiet time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	ix := e.live.Load()
	return ix != nil && e.stale && (ix.rough || e.reread || quiet >= e.opt.Quiet)
}

// retrain makes a trained index of the entries as they are now; nil when the
// context ends first.
func (e *Engine) retrain(ctx context.Context, done chan<- *index) {
	e.mu.Lock()
	list, spell, told := e.list(), e.spell, e.told
	e.since, e.stale, e.reread = map[int64]bool{}, false, false
	e.mu.Unlock()
	ix, err := e.build(ctx, list, spell, told, true)
	if err != nil {
		ix = nil
	} else {
		e.keep(ix)
	}
	done <- ix
}

// adopt makes a trained index live, with what changed while it was trained.
func (e *Engine) adopt(ix *index) {
	e.mu.Lock()
	defer e.mu.Unlock()
	since := e.since
	e.since = nil
	if ix == nil || since == nil {
		return // the context ended, or the whole base was replaced meanwhile
	}
	e.share(ix)
	if !slices.Equal(ix.told, e.told) {
		ix.heed(e.told, e.opt.Promise)
	}
	if len(since) > 0 {
		numbers := make([]int64, 0, len(since))
		for n := range since {
			numbers = append(numbers, n)
		}
		ix = ix.with(e.pick(numbers))
		e.stale = true
	}
	e.live.Store(ix)
}
