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
	next := &index{spell: ix.spell, vocab: ix.vocab.clone(), fit: ix.fit, own: ix.own, told: ix.told, rough: ix.rough, asked: ix.asked, senses: ix.senses}
	fresh := map[int64][][]uint32{}
	changes := map[int64]bool{}
	var added, gone []*item
	for i := range changed {
		e := &changed[i]
		changes[e.Number] = true
		if e.Live() {
			it := &item{entry: e}
			fresh[e.Number] = it.readQuestions(next)
			added = append(added, it)
		}
	}
	df := make([]int32, len(next.vocab.tokens))
	for _, it := range added {
		countQuestions(df, fresh[it.entry.Number])
		next.asked += len(it.questions)
	}
	next.items = make([]*item, 0, len(ix.items)+len(added))
	to, at := make([]int32, len(ix.items)), make([]int32, 0, len(added)) // where the items are now
	rest := added
	for n, it := range ix.items {
		for len(rest) > 0 && rest[0].entry.Number < it.entry.Number {
			at, next.items, rest = append(at, int32(len(next.items))), append(next.items, rest[0]), rest[1:]
		}
		if changes[it.entry.Number] {
			to[n], gone = -1, append(gone, it)
			next.asked -= len(it.questions)
			continue
		}
		to[n], next.items = int32(len(next.items)), append(next.items, it)
	}
	for _, it := range rest {
		at, next.items = append(at, int32(len(next.items))), append(next.items, it)
	}
	next.vocab.weigh(df, next.asked)
	p := newPile(len(df))
	for _, it := range added {
		it.weighQuestions(next.vocab, fresh[it.entry.Number], p)
		if next.senses != nil {
			it.settled(next.senses)
		}
	}
	next.replace(ix, to, gone, at)
	if !next.rough && next.trains() && len(added) > 0 && len(added) <= neighbourhood {
		next.settle(added)
	}
	return next
}

// replace is finish for an index that has most of its items from another one. A
// large base has millions of postings, which are left as they are.
func (ix *index) replace(old *index, to []int32, gone []*item, fresh []int32) {
	ix.bound()
	var exact, same, titles []spelling
	for _, n := range fresh {
		it := ix.items[n]
		exact, same = it.spell(exact, same, n)
		titles = it.title(titles, n)
		it.readRest(ix)
	}
	ix.exact, ix.same, ix.titles = old.exact.moved(to, exact), old.same.moved(to, same), old.titles.moved(to, titles)
	ix.post = old.post.after(to, fresh, ix.items, len(ix.vocab.tokens))
	more := len(ix.vocab.tokens) - len(old.held)
	ix.holds, ix.held, ix.length = append(slices.Clone(old.holds), make([]int32, more)...), append(slices.Clone(old.held), make([]float32, more)...), old.length
	ix.spread = slices.Clone(old.spread)
	for _, it := range gone {
		ix.count(it, -1)
	}
	for _, n := range fresh {
		ix.count(ix.items[n], 1)
	}
	ix.pooled()
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
	if t.run(context.Background(), near) != nil {
		return
	}
	ix.post.supersede(moved, ix.items)
}
