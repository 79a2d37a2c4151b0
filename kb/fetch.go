package kb

import "slices"

// scratch is the working memory of one search; an index keeps a pool of them.
type scratch struct {
	sum    []float32 // by item, zero between searches
	seen   []int32
	best   []candidate
	weight []float32 // of the question's tokens, by token, zero between searches
	row    []int32
}

// candidate is an item that may be meant.
type candidate struct {
	item  int32
	score float64
	x     features
	best  int     // the item's question that fits best
	like  float64 // likeness by vectors, while their weight is fitted
}

func newScratch(ix *index) *scratch {
	return &scratch{sum: make([]float32, len(ix.items)), weight: make([]float32, len(ix.vocab.tokens))}
}

// fetch returns the n items with the greatest sums over the postings, best
// first. Tokens that stand in more than a tenth of a large base do not fetch:
// they cost the most and tell the least.
func (s *scratch) fetch(ix *index, v vector, n int) []candidate {
	s.seen = s.seen[:0]
	for k, id := range v.id {
		items, weights := ix.post.of(id)
		if len(items) > ix.common {
			continue
		}
		x := v.w[k]
		for j, it := range items {
			if s.sum[it] == 0 {
				s.seen = append(s.seen, it)
			}
			s.sum[it] += x * weights[j]
		}
	}
	s.best = s.best[:0]
	for _, it := range s.seen {
		score := float64(s.sum[it])
		s.sum[it] = 0
		s.keep(candidate{item: it, score: score}, n)
	}
	return s.best
}

// keep puts a candidate into the best n, in order; equal scores go by item.
func (s *scratch) keep(c candidate, n int) {
	if len(s.best) == n && !before(c, s.best[n-1]) {
		return
	}
	at, _ := slices.BinarySearchFunc(s.best, c, compare)
	if len(s.best) < n {
		s.best = append(s.best, candidate{})
	}
	copy(s.best[at+1:], s.best[at:])
	s.best[at] = c
}

func before(a, b candidate) bool { return compare(a, b) < 0 }

func compare(a, b candidate) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return int(a.item - b.item)
}
