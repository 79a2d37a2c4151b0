package kb

import (
	"cmp"
	"context"
	"slices"
)

// neighbourhood bounds the items whose weights a change may move: past it, an
// import waits for the training in the background.
const neighbourhood = 300

// with returns a copy of the index in which these entries are as given; those
// that are not live are gone. Untouched items are shared, the vocabulary grows,
// rarities and the fit stay until the next full training. The changed items
// and their nearest neighbours are trained against each other.
func (ix *index) with(changed []Entry) *index {
	slices.SortFunc(changed, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
	next := &index{spell: ix.spell, vocab: ix.vocab.clone(), fit: ix.fit, rough: ix.rough}
	fresh := map[int64][][]uint32{}
	gone := map[int64]bool{}
	var added []*item
	for _, e := range changed {
		gone[e.Number] = true
		if e.Live() {
			it := &item{entry: e}
			fresh[e.Number] = it.readQuestions(next)
			added = append(added, it)
		}
	}
	for _, it := range ix.items {
		if !gone[it.entry.Number] {
			next.items = append(next.items, it)
		}
	}
	next.items = append(next.items, added...)
	slices.SortFunc(next.items, func(a, b *item) int { return cmp.Compare(a.entry.Number, b.entry.Number) })
	df := make([]int32, len(next.vocab.tokens))
	for _, it := range added {
		countQuestions(df, fresh[it.entry.Number])
	}
	for _, it := range next.items {
		next.asked += len(it.questions)
	}
	next.vocab.weigh(df, next.asked)
	for _, it := range added {
		it.weighQuestions(next.vocab, fresh[it.entry.Number])
	}
	next.finish()
	if !next.rough && len(added) > 0 && len(added) <= neighbourhood {
		next.settle(added)
	}
	return next
}

// settle trains the added items and their neighbours, which are copied first:
// the old snapshot is still being searched.
func (ix *index) settle(added []*item) {
	s := newScratch(ix)
	near := map[int32]bool{}
	for _, it := range added {
		n, _ := ix.find(it.entry.Number)
		near[int32(n)] = true
	}
	own := len(near)
	for _, it := range added {
		for _, c := range s.fetch(ix, it.questions[0].vec, candidates) {
			if len(near) < own+neighbourhood {
				near[c.item] = true
			}
		}
	}
	moved := make([]int32, 0, len(near))
	for n := range near {
		moved = append(moved, n)
	}
	slices.Sort(moved)
	t := &trainer{ix: ix, passes: trainPasses, rate: trainRate, rivals: trainRivals}
	for _, n := range moved {
		it := *ix.items[n]
		it.weights = vector{id: it.weights.id, w: slices.Clone(it.weights.w)}
		ix.items[n] = &it
		for k := range it.questions {
			t.add(s, n, &it.questions[k].vec)
		}
	}
	if t.run(context.Background(), near) == nil {
		ix.post = invert(ix.items, len(ix.vocab.tokens))
	}
}
