package kb

import (
	"context"
	"maps"
	"time"
)

// Trial is an index as it would be after some changes, beside the live one.
type Trial struct{ ix *index }

// Trial makes an index with these entries as given, and changes nothing: what
// publishing them would do. Up to a small base it is trained anew, as it will
// be; in a large one the changed entries and their neighbours are.
func (e *Engine) Trial(ctx context.Context, changed []Entry) (*Trial, error) {
	live := e.live.Load()
	if live == nil {
		return nil, ErrNotReady
	}
	if live.asked > smallBase {
		return &Trial{live.with(append([]Entry(nil), changed...))}, ctx.Err()
	}
	e.mu.Lock()
	entries, spell, told := maps.Clone(e.entries), e.spell, e.told
	e.mu.Unlock()
	for _, x := range changed {
		entries[x.Number] = &x
	}
	list := published(entries)
	teach(list, told)
	ix, err := e.build(ctx, list, spell, told, true)
	return &Trial{ix}, err
}

// Search answers a question as the engine would after the changes.
func (t *Trial) Search(ctx context.Context, q Query) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	return t.ix.answer(q), nil
}

// OutOfDate says whether an entry is no longer used on a day.
func (e Entry) OutOfDate(now time.Time) bool {
	return e.ValidUntil != "" && now.Format(time.DateOnly) > e.ValidUntil
}
