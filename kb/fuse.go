package kb

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
)

// errVector is an embedding that cannot be compared with the base's.
var errVector = errors.New("the embedding does not fit the base's vectors")

// join adds to a result of the words, where these are not sure, what vectors
// find. The question waits a short while for its vector; without one, the
// words' result stays.
func (v *Vectors) join(ctx context.Context, ix *index, q Query, words Result) Result {
	m := v.live.Load()
	if m == nil || len(m.rows) == 0 || words.Reason != "unsure" && words.Reason != "unknown" {
		return words
	}
	bits, scale, err := v.embed(ctx, q, m.dim)
	if err != nil {
		v.opt.Log.Debug("words answer alone", "component", "kb", "err", err)
		return words
	}
	f := unfitted
	if p := v.fuse.Load(); p != nil {
		f = *p
	}
	s := ix.borrow()
	defer ix.pool.Put(s)
	return ix.fused(s, q, m.nearest(bits, scale, candidates), f, words)
}

func (v *Vectors) embed(ctx context.Context, q Query, dim int) ([]int8, float64, error) {
	text := v.opt.Hide(q.Text)
	if r, ok := v.asked.of(text, dim); ok {
		return r.bits, r.scale, nil
	}
	ctx, cancel := context.WithTimeout(ctx, v.opt.Wait)
	defer cancel()
	got, err := v.opt.Embedder.Embed(ctx, q.Person, []string{text})
	if err != nil {
		return nil, 0, err
	}
	if len(got) != 1 || len(got[0]) != dim {
		return nil, 0, errVector
	}
	scale, bits, ok := Quantize(got[0])
	if !ok {
		return nil, 0, errVector
	}
	v.asked.keep(text, recentVector{scale, bits})
	return bits, scale, nil
}

// recent keeps the vectors of the questions asked last: many people ask the
// same, and a page asks again what was asked.
type recent struct {
	mu    sync.Mutex
	by    map[string]recentVector
	order []string
}

type recentVector struct {
	scale float64
	bits  []int8
}

const recentMost = 256

func (r *recent) of(text string, dim int) (recentVector, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.by[text]
	return v, ok && len(v.bits) == dim
}

func (r *recent) keep(text string, v recentVector) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[string]recentVector{}
	}
	if _, ok := r.by[text]; !ok {
		r.order = append(r.order, text)
	}
	r.by[text] = v
	if len(r.order) > recentMost {
		delete(r.by, r.order[0])
		r.order = r.order[1:]
	}
}

// offered is a candidate of both ways.
type offered struct {
	candidate
	p    float64 // by the words
	like float64
}

// fused orders what words and vectors found together.
func (ix *index) fused(s *scratch, q Query, list []near, f fusion, words Result) Result {
	if len(list) == 0 {
		return words
	}
	a := ix.ask(q.Text)
	found, _ := ix.usable(slices.Clone(ix.rank(s, a)), a, q.Now)
	pool := ix.offers(s, a, q, found, list)
	if len(pool) == 0 {
		return words
	}
	// The first by vectors is what counts, if it may be used at all.
	top := 0
	for i := range pool {
		if pool[i].like > pool[top].like {
			top = i
		}
	}
	res := words
	switch {
	case words.Band == Refuse && pool[top].like < f.floor:
		return words
	case words.Band == Refuse:
		res.Band, res.Reason = Clarify, "likeness"
		pool[0], pool[top] = pool[top], pool[0]
		slices.SortStableFunc(pool[1:], func(x, y offered) int { return byKey(x, y, f.weight) })
	case f.own == 0: // by rule: second, unless it is the first already
		if second := pool[top]; top > 1 {
			pool = slices.Insert(slices.Delete(pool, top, top+1), 1, second)
		}
	default:
		slices.SortStableFunc(pool, func(x, y offered) int { return byKey(x, y, f.weight) })
	}
	return ix.show(a, q, pool, res)
}

// offers are the usable candidates of both ways, the words' first and in their
// order. What lies outside the vectors' list counts as like as its last.
func (ix *index) offers(s *scratch, a *asked, q Query, found []candidate, list []near) []offered {
	least := list[len(list)-1].like
	like := map[int32]float64{}
	var more []int32
	for _, x := range list {
		if n, ok := ix.find(x.entry); ok {
			like[int32(n)] = x.like
			if !slices.ContainsFunc(found, func(c candidate) bool { return c.item == int32(n) }) {
				more = append(more, int32(n))
			}
		}
	}
	var pool []offered
	var ps []float64
	if len(found) > 0 {
		ps = ix.confidence(a, found)
	}
	for i, c := range found {
		l, ok := like[c.item]
		if !ok {
			l = least
		}
		pool = append(pool, offered{c, ps[i], l})
	}
	extra, _ := ix.usable(ix.score(s, a, more), a, q.Now)
	for _, c := range extra {
		p := 0.0
		if len(found) > 0 {
			p = ps[0] * min(1, math.Exp(c.score-found[0].score))
		}
		pool = append(pool, offered{c, p, like[c.item]})
	}
	return pool
}

func byKey(x, y offered, weight float64) int {
	switch a, b := x.score+weight*x.like, y.score+weight*y.like; {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return int(x.item - y.item)
}

func (ix *index) show(a *asked, q Query, pool []offered, res Result) Result {
	if q.N <= 0 {
		q.N = defaultHits
	}
	list := make([]candidate, len(pool))
	for i := range pool {
		list[i] = pool[i].candidate
	}
	res.Hits = nil
	for i := range pool[:min(q.N, len(pool))] {
		h := ix.hit(a, list, i, pool[i].p)
		h.Explanation.Signals.Vector = pool[i].like
		res.Hits = append(res.Hits, h)
	}
	return res
}
