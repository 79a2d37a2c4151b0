package kb

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
)

// Twin is a pair of entries that ask nearly the same.
type Twin struct {
	A, B   Entry   // by number
	Like   float64 // of their standard questions, 0 to 1; 1 when a wording stands in both
	Shared string  // that wording, "" for none
}

const (
	// twinLike is the likeness from which two standard questions are shown to a
	// person as nearly the same (chosen by hand).
	twinLike = 0.75
	// twinsKept bounds the pairs of one list.
	twinsKept = 500
)

// twinList is found once for an index, when somebody asks.
type twinList struct {
	mu    sync.Mutex
	done  bool
	pairs []Twin
	total int
}

// Twins returns the pairs of entries whose standard questions are nearly the
// same, or that have a wording in common, most alike first, and how many there
// are: more than are returned in a bad base. They are found once for each state
// of the base.
func (e *Engine) Twins(ctx context.Context) ([]Twin, int, error) {
	ix := e.live.Load()
	if ix == nil {
		return nil, 0, ErrNotReady
	}
	l := &ix.twins
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.done {
		pairs, err := ix.findTwins(ctx)
		if err != nil {
			return nil, 0, err
		}
		l.total = len(pairs)
		l.pairs, l.done = slices.Clip(pairs[:min(len(pairs), twinsKept)]), true
	}
	return l.pairs, l.total, nil
}

type pair struct{ a, b int32 }

func (ix *index) findTwins(ctx context.Context) ([]Twin, error) {
	shared := map[pair]string{}
	typed, read := ix.exact.shared(ix.items, func(q *question) string { return q.bare }), ix.same.shared(ix.items, func(q *question) string { return q.same })
	for _, alike := range []iter.Seq2[string, []int32]{read, typed} { // what was typed alike is shown before what only reads alike
		for text, items := range alike {
			if len([]rune(text)) < sameRunes || len(items) > twinsKept {
				continue
			}
			for i, a := range items {
				for _, b := range items[i+1:] {
					p := pair{min(a, b), max(a, b)}
					if old, ok := shared[p]; !ok || text < old {
						shared[p] = text
					}
				}
			}
		}
	}
	like, err := ix.nearPairs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Twin, 0, len(like)+len(shared))
	for p, text := range shared {
		like[p] = 1
		a, b := ix.items[p.a], ix.items[p.b]
		out = append(out, Twin{A: *a.entry, B: *b.entry, Like: 1, Shared: a.wording(text)})
	}
	for p, l := range like {
		if _, done := shared[p]; !done {
			out = append(out, Twin{A: *ix.items[p.a].entry, B: *ix.items[p.b].entry, Like: l})
		}
	}
	slices.SortFunc(out, func(x, y Twin) int {
		return cmp.Or(cmp.Compare(y.Like, x.Like), cmp.Compare(x.A.Number, y.A.Number), cmp.Compare(x.B.Number, y.B.Number))
	})
	return out, nil
}

// wording is the question of an item that has this spelling, as it was typed.
func (it *item) wording(spelling string) string {
	for i := range it.questions {
		if q := &it.questions[i]; q.bare == spelling || q.same == spelling {
			return q.text
		}
	}
	return it.entry.Question
}

// nearPairs compares the standard questions with each other. Tokens stand in
// one order, the rarest first; two questions that are alike enough share one
// among the first of both, up to where the rest alone could not reach the
// likeness (prefix filtering; Bayardo, Ma, Srikant: Scaling up all pairs
// similarity search). So a large base takes a moment, not a square.
func (ix *index) nearPairs(ctx context.Context) (map[pair]float64, error) {
	out := map[pair]float64{}
	holds := map[uint32][]int32{}
	met := make([]int32, len(ix.items)) // the item that was last compared with it, one more
	for n, it := range ix.items {
		if n%1000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(it.questions) == 0 {
			continue
		}
		own := it.questions[0].vec
		for _, id := range ix.rarest(own) {
			for _, other := range holds[id] {
				if met[other] == int32(n)+1 {
					continue
				}
				met[other] = int32(n) + 1
				if l := cosineOf(ix.items[other].questions[0].vec, own); l >= twinLike {
					out[pair{other, int32(n)}] = l
				}
			}
			holds[id] = append(holds[id], int32(n))
		}
	}
	return out, nil
}

// rarest are the tokens of a unit vector without which it is like nothing.
func (ix *index) rarest(v vector) []uint32 {
	order := make([]int, len(v.id))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(ix.vocab.idf[v.id[b]], ix.vocab.idf[v.id[a]]), cmp.Compare(v.id[a], v.id[b]))
	})
	var out []uint32
	rest := 1.0
	for _, i := range order {
		if rest < twinLike*twinLike-1e-6 {
			break
		}
		out = append(out, v.id[i])
		rest -= float64(v.w[i]) * float64(v.w[i])
	}
	return out
}
