package kb

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"
)

// How likeness by vectors joins the words. The probability of an answer stays
// the words' own: it is fitted on the base, and a second way of finding would
// make it say something else. So a base never answers for sure because of
// vectors; where words are not sure, vectors change the order of what is
// offered, add to it, and offer something where words have nothing.

// fusion is what the base's own questions say of the likeness of vectors.
type fusion struct {
	weight float64 // of a likeness of 1 in the order, in units of the words' score; 0: the words' order stays
	floor  float64 // likeness from which an entry is offered where words refuse
	own    int     // questions it was fitted on; 0: set by rule
}

// unfitted is the rule of a base without enough similar questions: what is most
// like the question is offered second, and nothing is where words refuse.
var unfitted = fusion{floor: never}

const (
	never       = 2.0 // no likeness
	fusedLists  = 2000
	refusedMost = 400  // refused questions that the floor is fitted on
	refusedFew  = 10   // fewer right or wrong ones say nothing
	floorRight  = 0.5  // share of what is offered for its likeness that must be right
	heaviest    = 60.0 // the greatest weight
	refitAfter  = 10 * time.Minute
)

// fit weighs the likeness on the base's own questions, once every question has
// its vector, and again some time after the base has changed.
func (v *Vectors) fit(ctx context.Context) {
	ix := v.know.live.Load()
	v.mu.Lock()
	ready := ix != nil && v.seen == ix && len(v.want) == 0 && v.total > 0 && !ix.rough && ix.asked <= trainedOnLoad
	last := v.fuse.Load()
	if !ready || v.fitOn == ix || last != nil && time.Since(v.fitAt) < refitAfter {
		v.mu.Unlock()
		return
	}
	look := lookup{maps.Clone(v.rows), v.slab, v.dim}
	v.fitAt, v.fitOn = time.Now(), ix
	v.mu.Unlock()
	if f, ok := fitFusion(ctx, ix, v.live.Load(), look); ok {
		v.fuse.Store(&f)
	}
}

// lookup finds the vector of a text that the base has.
type lookup struct {
	rows map[string]row
	slab []int8
	dim  int
}

func (l *lookup) of(text string) (bits []int8, scale float64) {
	r, ok := l.rows[TextHash(text)]
	if !ok {
		return nil, 0
	}
	return l.slab[int(r.at)*l.dim : int(r.at+1)*l.dim], float64(r.scale)
}

// like is the likeness of a question to the best of an item's other questions.
func (l *lookup) like(text string, it *item) float64 {
	bits, scale := l.of(text)
	best := -1.0
	for i := range it.questions {
		if it.questions[i].text == text {
			continue
		}
		if b, s := l.of(it.questions[i].text); len(b) == len(bits) && len(b) > 0 {
			best = max(best, scale*s*float64(dot(bits, b)))
		}
	}
	return best
}

// fitFusion asks the base's own similar questions, each without itself, as the
// fit of the words does. ok is false when the context ended first.
func fitFusion(ctx context.Context, ix *index, m *matrix, look lookup) (f fusion, ok bool) {
	entries := make([]Entry, len(ix.items))
	similar := 0
	for i, it := range ix.items {
		entries[i] = *it.entry
		similar += len(it.entry.Similar)
	}
	if similar < fewestLists || similar < len(entries)/4 || ix.fit.own == 0 {
		return unfitted, true
	}
	samples := askFolds(ctx, entries, ix.spell, similar, look.like)
	if ctx.Err() != nil {
		return f, false
	}
	if len(samples) < fewestLists {
		return unfitted, true
	}
	samples = samples[:min(len(samples), fusedLists)]
	f = fusion{own: len(samples), floor: never}
	var refused []*sample
	for i := range samples {
		s := &samples[i]
		for k := range s.list {
			s.list[k].score = ix.fit.order.dot(&s.list[k].x)
		}
		slices.SortFunc(s.list, compare)
		x := signalsOf(s.question, s.list)
		if p := ix.fit.sure.of(&x); (p < clarifyScore || s.list[0].x[fCoverage] < clarifyCover) && len(refused) < refusedMost {
			refused = append(refused, s)
		}
	}
	f.weight = weighLikeness(samples)
	f.floor = floorOf(ctx, ix, m, look, refused, strangerWeight(samples))
	return f, ctx.Err() == nil
}

// weighLikeness maximises the listwise likelihood over the one weight, which is
// a concave problem, by Newton's method; a weight that puts fewer right entries
// first than none does is none.
func weighLikeness(samples []sample) float64 {
	w := 0.0
	for range newtonRounds {
		slope, curve := 1e-3*w, 1e-3
		for i := range samples {
			right := samples[i].place()
			if right < 0 {
				continue
			}
			list := samples[i].list
			best := math.Inf(-1)
			for k := range list {
				best = max(best, list[k].score+w*list[k].like)
			}
			total, mean, square := 0.0, 0.0, 0.0
			for k := range list {
				p := math.Exp(list[k].score + w*list[k].like - best)
				total += p
				mean += p * list[k].like
				square += p * list[k].like * list[k].like
			}
			mean, square = mean/total, square/total
			slope += mean - list[right].like
			curve += square - mean*mean
		}
		next := max(0, min(heaviest, w-slope/curve))
		if math.Abs(next-w) < 1e-3 {
			w = next
			break
		}
		w = next
	}
	if rightFirst(samples, w) <= rightFirst(samples, 0) {
		return 0
	}
	return w
}

func rightFirst(samples []sample, w float64) (n int) {
	for i := range samples {
		list := samples[i].list
		best := 0
		for k := range list {
			if list[k].score+w*list[k].like > list[best].score+w*list[best].like {
				best = k
			}
		}
		if list[best].item == samples[i].own {
			n++
		}
	}
	return n
}
