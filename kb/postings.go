package kb

import (
	"iter"
	"slices"
)

// postings lists, token by token, slots and their weights. A slot stands for an
// item. A change leaves the lists as they are, shared with the index before it: the
// slots of items that are gone or have other weights are dead, and what came in
// their place has slots behind the others, with lists of its own.
type postings struct {
	off    []int32
	item   []int32 // slots
	weight []float32
	base   int                  // slots of these lists
	at     []int32              // the item of each slot, -1 for none; nil when each slot is its item
	dead   []int32              // slots of the base that stand for none
	late   map[uint32][]posting // of the slots behind the base
}

type posting struct {
	item   int32
	weight float32
}

func (p *postings) of(id uint32) ([]int32, []float32) {
	if int(id)+1 >= len(p.off) {
		return nil, nil
	}
	a, b := p.off[id], p.off[id+1]
	return p.item[a:b], p.weight[a:b]
}

// invert lays the items' weights out by token. The order of items within a
// list is ascending, so that sums are the same each time.
func invert(items []*item, tokens int) postings {
	p := postings{off: make([]int32, tokens+1), base: len(items)}
	for _, it := range items {
		for _, id := range it.weights.id {
			p.off[id+1]++
		}
	}
	for i := range tokens {
		p.off[i+1] += p.off[i]
	}
	p.item, p.weight = make([]int32, p.off[tokens]), make([]float32, p.off[tokens])
	next := slices.Clone(p.off[:tokens])
	for n, it := range items {
		for k, id := range it.weights.id {
			p.item[next[id]], p.weight[next[id]] = int32(n), it.weights.w[k]
			next[id]++
		}
	}
	return p
}

// lateMost is how many slots behind the base are worth it; past it, and past a tenth
// of a base, all is laid out anew.
const lateMost = 2000

// slots counts them.
func (p *postings) slots() int { return max(p.base, len(p.at)) }

// after are the postings when the items stand elsewhere, in the same order, or are
// gone (-1), and new ones have come.
func (p *postings) after(to, fresh []int32, items []*item, tokens int) postings {
	next := postings{item: p.item, weight: p.weight, base: p.base, at: make([]int32, 0, p.slots()+len(fresh))}
	next.off = slices.Grow(slices.Clone(p.off), tokens+1-len(p.off))
	for len(next.off) <= tokens { // new tokens are in none of the lists
		next.off = append(next.off, p.off[len(p.off)-1])
	}
	for slot := range p.slots() {
		at := int32(slot)
		if p.at != nil {
			at = p.at[slot]
		}
		if at >= 0 {
			at = to[at]
		}
		if slot < p.base || at >= 0 {
			next.at = append(next.at, at)
		}
	}
	next.at = append(next.at, fresh...)
	if len(next.at)-next.base > max(lateMost, next.base/10) {
		return invert(items, tokens)
	}
	next.lay(items)
	return next
}

// supersede takes over the weights of some items, ascending, whose tokens are as
// they were.
func (p *postings) supersede(moved []int32, items []*item) {
	if p.at == nil {
		p.at = make([]int32, p.base)
		for slot := range p.at {
			p.at[slot] = int32(slot)
		}
	}
	for slot, at := range p.at[:p.base] {
		if _, other := slices.BinarySearch(moved, at); other {
			p.at[slot] = -1
			p.at = append(p.at, at)
		}
	}
	p.lay(items)
}

// lay makes the lists of the slots behind the base.
func (p *postings) lay(items []*item) {
	p.dead, p.late = nil, map[uint32][]posting{}
	for slot, at := range p.at {
		switch {
		case slot < p.base && at < 0:
			p.dead = append(p.dead, int32(slot))
		case slot >= p.base:
			w := &items[at].weights
			for k, id := range w.id {
				p.late[id] = append(p.late[id], posting{int32(slot), w.w[k]})
			}
		}
	}
}

// having goes through the items that have a token.
func (ix *index) having(id uint32) iter.Seq[*item] {
	return func(yield func(*item) bool) {
		slots, _ := ix.post.of(id)
		for _, slot := range slots {
			at := slot
			if ix.post.at != nil {
				at = ix.post.at[slot]
			}
			if at >= 0 && !yield(ix.items[at]) {
				return
			}
		}
		for _, c := range ix.post.late[id] {
			if !yield(ix.items[ix.post.at[c.item]]) {
				return
			}
		}
	}
}
