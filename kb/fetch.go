package kb

import (
	"cmp"
	"math"
	"slices"
)

// scratch is the working memory of one search; an index keeps a pool of them.
type scratch struct {
	sum    []float32 // by slot of the postings, zero between searches
	found  []ranked
	best   []candidate
	weight []float32 // of the question's tokens, by token, zero between searches
	row    []int32
	runs   []rune // of the question that is compared
}

// candidate is an item that may be meant.
type candidate struct {
	item  int32
	score float64
	x     features
	best  int     // the item's question that fits best
	like  float64 // likeness by vectors, while their weight is fitted
	// How much more like the entry's questions the question is than they are among
	// themselves: by the words, and by what these mean.
	typical, typicalSense float64
}

func newScratch(ix *index) *scratch {
	return &scratch{sum: make([]float32, ix.post.slots()), weight: make([]float32, len(ix.vocab.tokens))}
}

// Candidates returns the numbers of up to n entries that a question's words fetch,
// best first by the trained weights alone: what Search then ranks and judges.
// ErrNotReady before the first Load.
func (e *Engine) Candidates(text string, n int) ([]int64, error) {
	ix := e.live.Load()
	if ix == nil {
		return nil, ErrNotReady
	}
	s := ix.borrow()
	defer ix.pool.Put(s)
	found := s.top(ix, ix.vocab.queryVector(ix.spell.read(text).tokens), n)
	out := make([]int64, len(found))
	for i, c := range found {
		out[i] = ix.items[c.item].entry.Number
	}
	return out, nil
}

// fetch returns the n items with the greatest sums over the postings, best
// first. Tokens that stand in more than a tenth of a large base do not fetch:
// they cost the most and tell the least.
func (s *scratch) fetch(ix *index, v vector, n int) []candidate {
	best := s.top(ix, v, n)
	s.best = s.best[:0]
	for _, c := range best {
		s.best = append(s.best, candidate{item: c.item, score: float64(c.score)})
	}
	return s.best
}

// ranked is an item with its sum.
type ranked struct {
	item  int32
	score float32
}

// top is fetch without the room for what is measured later. All sums are looked
// through: few are among the best, and to note which items a posting reached first
// costs more than to pass over those that none did.
func (s *scratch) top(ix *index, v vector, n int) []ranked {
	sum, p := s.sum, &ix.post
	for k, id := range v.id {
		slots, weights := p.of(id)
		if len(slots)+len(p.late[id]) > ix.common {
			continue
		}
		x, weights := v.w[k], weights[:len(slots)]
		for j, slot := range slots {
			sum[slot] += x * weights[j]
		}
		for _, c := range p.late[id] {
			sum[c.item] += x * c.weight
		}
	}
	for _, slot := range p.dead {
		sum[slot] = 0
	}
	s.found = s.found[:0]
	s.keep(sum, n, false)
	if len(s.found) < n {
		s.keep(sum, n, true)
	}
	clear(sum)
	if p.at != nil {
		for i := range s.found {
			s.found[i].item = p.at[s.found[i].item]
		}
		slices.SortFunc(s.found, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.item, b.item)) })
	}
	return s.found
}

// keep puts the greatest sums above nothing, or those below it, behind what is
// found, n in all. There are two passes as most sums are nothing, and to tell these
// from what is small would cost more than all the rest.
func (s *scratch) keep(sum []float32, n int, below bool) {
	first, least := len(s.found), float32(0)
	if below {
		least = float32(math.Inf(-1))
	}
	for it, score := range sum {
		if score <= least || below && score >= 0 {
			continue
		}
		if len(s.found) < n {
			s.found = append(s.found, ranked{})
		}
		at := len(s.found) - 1
		for ; at > first && s.found[at-1].score < score; at-- { // equal scores go by item
			s.found[at] = s.found[at-1]
		}
		s.found[at] = ranked{int32(it), score}
		if len(s.found) == n {
			least = s.found[n-1].score
		}
	}
}

func compare(a, b candidate) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return int(a.item - b.item)
}

func appendRunes(out []rune, text string) []rune {
	for _, r := range text {
		out = append(out, r)
	}
	return out
}
