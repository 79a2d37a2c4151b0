package kb

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// embedAtOnce is how many questions are sent and kept at a time.
	embedAtOnce = 64
	embedRounds = 16 // before the base is laid out anew
	slice       = 30 * time.Second
	firstPause  = 30 * time.Second
	longPause   = 10 * time.Minute
)

// Embedding is the work of one replica: it gives the base's questions their
// vectors, and forgets those that nobody needs.
type Embedding struct {
	Vectors *Vectors
	Store   VectorStore
	Now     func() time.Time

	failures int
	until    time.Time
}

// Run embeds what has no vector until there is nothing left, the context ends
// or half a minute has passed, so that the rest may be another replica's. After a failure it waits longer each time: a model that is away, or a
// budget that is spent, is not asked every few seconds.
func (w *Embedding) Run(ctx context.Context) error {
	if w.Now().Before(w.until) {
		return nil
	}
	err := w.embed(ctx, w.Now().Add(slice))
	if err == nil {
		w.failures, w.until = 0, time.Time{}
		return nil
	}
	pause := min(longPause, firstPause<<min(w.failures, 10))
	w.failures, w.until = w.failures+1, w.Now().Add(pause)
	return err
}

func (w *Embedding) embed(ctx context.Context, until time.Time) error {
	v := w.Vectors
	for {
		if err := v.catchUp(ctx, w.Store); err != nil {
			return err
		}
		list := v.missing(embedAtOnce * embedRounds)
		if len(list) == 0 {
			return w.tidy(ctx)
		}
		for batch := range slices.Chunk(list, embedAtOnce) {
			if err := w.embedBatch(ctx, batch); err != nil {
				return err
			}
			if !w.Now().Before(until) {
				return nil
			}
		}
	}
}

func (w *Embedding) embedBatch(ctx context.Context, batch []missing) error {
	list, err := w.Vectors.vectorsOf(ctx, batch)
	if err != nil {
		return err
	}
	if err := w.Store.PutVectors(ctx, list); err != nil {
		return fmt.Errorf("keep vectors: %w", err)
	}
	return nil
}

// missing returns some questions without a vector.
func (v *Vectors) missing(n int) []missing {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]missing(nil), v.want[:min(n, len(v.want))]...)
}

func (v *Vectors) vectorsOf(ctx context.Context, batch []missing) ([]EntryVector, error) {
	texts := make([]string, len(batch))
	for i, b := range batch {
		texts[i] = v.opt.Hide(b.text)
	}
	got, err := v.opt.Embedder.Embed(ctx, "", texts)
	if err != nil {
		return nil, fmt.Errorf("embed questions: %w", err)
	}
	if len(got) != len(batch) {
		return nil, fmt.Errorf("embed questions: %w", errVector)
	}
	out := make([]EntryVector, len(batch))
	for i, b := range batch {
		scale, bits, ok := Quantize(got[i])
		if !ok {
			return nil, fmt.Errorf("embed questions of K%d: %w", b.entry, errVector)
		}
		out[i] = EntryVector{Model: v.opt.Model, Text: TextHash(b.text), Entry: b.entry, Scale: scale, Bits: bits}
	}
	return out, nil
}

// tidy forgets the vectors of other models, once this one's are complete, and
// of questions that the base has no more.
func (w *Embedding) tidy(ctx context.Context) error {
	if err := w.Store.DropOtherVectors(ctx, w.Vectors.opt.Model); err != nil {
		return fmt.Errorf("forget vectors of other models: %w", err)
	}
	if gone := w.Vectors.unused(); len(gone) > 0 {
		if err := w.Store.DropVectors(ctx, w.Vectors.opt.Model, gone); err != nil {
			return fmt.Errorf("forget vectors: %w", err)
		}
	}
	return nil
}

// unused takes out and returns the hashes of texts that no question has.
func (v *Vectors) unused() (gone []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.seen == nil || len(v.rows) == 0 {
		return nil
	}
	used := map[string]bool{}
	for _, it := range v.seen.items {
		for k := range it.questions {
			used[TextHash(it.questions[k].text)] = true
		}
	}
	for hash := range v.rows {
		if !used[hash] {
			gone = append(gone, hash)
			delete(v.rows, hash)
			v.dead++
		}
	}
	return gone
}
