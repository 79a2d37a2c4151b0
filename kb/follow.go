package kb

import (
	"context"
	"errors"
	"fmt"
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
	quiet := time.Now()
	defer func() {
		if training {
			<-trained // its goroutine ends with the context too
		}
	}()
	for {
		changed, err := e.catchUp(ctx, src)
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
	if list := published(e.entries); asksOf(list) <= smallBase {
		ix, failed := e.build(ctx, list, e.spell, true)
		if failed != nil {
			return true, failed
		}
		e.live.Store(ix)
		return true, err
	}
	if len(changed) > 0 {
		e.live.Store(old.with(e.pick(changed)))
	}
	e.stale = true // a large base reads words as before until it has been trained
	e.reread = e.reread || reread
	return true, err
}

func (e *Engine) pick(numbers []int64) []Entry {
	out := make([]Entry, 0, len(numbers))
	for _, n := range numbers {
		out = append(out, *e.entries[n])
	}
	return out
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
	list, spell := published(e.entries), e.spell
	e.since, e.stale, e.reread = map[int64]bool{}, false, false
	e.mu.Unlock()
	ix, err := e.build(ctx, list, spell, true)
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
