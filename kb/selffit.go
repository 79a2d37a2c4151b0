package kb

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
)

// The base fits its order and its confidence on its own similar questions: an
// eighth of the entries is left out whole, so that their questions have no
// answer, and a part of every other entry's similar questions is asked. That
// needs no labels, and the promise then holds for this base, not for another.

const (
	folds       = 8
	quickFolds  = 5    // that are asked of a small base, which is made anew on each change
	fewForFolds = 600  // similar questions of a small base
	enoughLists = 4000 // more tell nothing new
	fewestLists = 60   // fewer say less than weights set by hand
	strangers   = 0.16 // share of questions without an entry that is assumed
	perStranger = 3    // questions asked of an entry that is left out
	orderPull   = 10
	surePull    = 5
)

// sample is one question asked of a part of the base, with its ranked
// candidates.
type sample struct {
	question *asked
	list     []candidate
	own      int32 // the item it belongs to; -1 when that was left out
	text     string
	entry    int64   // the entry it belongs to, also when that was left out
	weight   float64 // how much it counts, 1 unless some are asked more often than they come
}

// place is where the right candidate stands, -1 when it does not.
func (s *sample) place() int {
	return slices.IndexFunc(s.list, func(c candidate) bool { return c.item == s.own })
}

// selfFit fits on the entries; with too few similar questions it returns the
// fit set by hand.
func selfFit(ctx context.Context, entries []Entry, spell *speller, promise float64) fit {
	similar := 0
	for _, e := range entries {
		similar += len(e.Similar)
	}
	if similar < fewestLists || similar < len(entries)/4 {
		return cautious
	}
	samples := askFolds(ctx, entries, spell, similar, nil)
	if len(samples) < fewestLists {
		return cautious
	}
	out := fit{own: len(samples), order: fitOrder(samples, cautious.order, orderPull)}
	verdicts := judge(samples, &out)
	out.sure = fitSure(verdicts, cautious.sure, surePull)
	out.threshold = thresholdFor(verdicts, &out.sure, promise)
	out.verdicts = verdicts
	return out
}

// liken compares a question with the other questions of an item by their
// vectors; nil while only words are fitted.
type liken func(text string, it *item) float64

// askFolds asks as many folds as it takes to have enough lists, side by side.
func askFolds(ctx context.Context, entries []Entry, spell *speller, similar int, like liken) []sample {
	each := similar/folds + perStranger*len(entries)/folds
	n := max(1, min(folds, enoughLists/max(1, each)+1))
	if similar < fewForFolds {
		n = quickFolds
	}
	order := rand.New(rand.NewPCG(11, 7)).Perm(len(entries))
	parts := make([][]sample, n)
	var wg sync.WaitGroup
	for f := range n {
		wg.Go(func() { parts[f] = askFold(ctx, entries, order, spell, f, enoughLists/n, like) })
	}
	wg.Wait()
	return slices.Concat(parts...)
}

// question of a fold: own is the entry it belongs to, -1 when that is left out.
type held struct {
	text  string
	own   int
	entry int64
}

func askFold(ctx context.Context, entries []Entry, order []int, spell *speller, f, most int, like liken) []sample {
	var rest []Entry
	var asks []held
	bare := bareOf(entries)
	for k, i := range order {
		e := entries[i]
		if k%folds == f {
			for _, text := range e.Similar[:min(perStranger, len(e.Similar))] {
				asks = append(asks, held{text, -1, e.Number}) // standard questions are worded as nobody asks
			}
			continue
		}
		part := e
		part.Similar = nil
		if len(e.Similar) > 0 && bare.strips(f, k) {
			for _, text := range e.Similar[:min(perStranger, len(e.Similar))] {
				asks = append(asks, held{text, len(rest), e.Number})
			}
			part.Learned = nil
			rest = append(rest, part)
			continue
		}
		for j, text := range e.Similar {
			if (j+k)%folds == f || len(e.Similar) == 1 && f%2 == 0 {
				asks = append(asks, held{text, len(rest), e.Number})
			} else {
				part.Similar = append(part.Similar, text)
			}
		}
		rest = append(rest, part)
	}
	if len(asks) > most {
		rand.New(rand.NewPCG(5, uint64(f))).Shuffle(len(asks), func(a, b int) { asks[a], asks[b] = asks[b], asks[a] })
		asks = asks[:most]
	}
	ix := assemble(rest, spell)
	if train(ctx, ix) != nil {
		return nil
	}
	out := askAll(ix, asks, like)
	bare.balance(out, ix)
	return out
}

func askAll(ix *index, asks []held, like liken) []sample {
	var out []sample
	s := newScratch(ix)
	for _, h := range asks {
		q := ix.ask(h.text)
		if len(ix.exact.of(q.bare)) > 0 {
			continue // exact questions are answered before any of this
		}
		found := slices.Clone(ix.rank(s, q))
		if len(found) == 0 {
			continue
		}
		for i := range found {
			if like != nil {
				found[i].like = like(h.text, ix.items[found[i].item])
			}
		}
		out = append(out, sample{question: q, list: found, own: int32(h.own), text: h.text, entry: h.entry, weight: 1})
	}
	return out
}

// judge ranks the samples by the fitted order and says whether the first was
// right. Strangers weigh so that they have their assumed share.
func judge(samples []sample, f *fit) []verdict {
	out := make([]verdict, 0, len(samples))
	stranger := strangerWeight(samples)
	for i := range samples {
		s := &samples[i]
		for k := range s.list {
			s.list[k].score = f.order.dot(&s.list[k].x)
		}
		slices.SortFunc(s.list, compare)
		v := verdict{x: signalsOf(s.question, s.list), right: s.list[0].item == s.own, stranger: s.own < 0, weight: s.weight}
		if v.stranger {
			v.weight = stranger
		}
		out = append(out, v)
	}
	return out
}

// Bounds of a threshold: a base that looks perfect on its own questions is not
// believed entirely, and one that cannot keep the promise answers only what is
// next to certain.
const (
	lowestThreshold  = 0.6
	highestThreshold = 0.97
)

// keeps says whether a share is as great as promised, and by one standard error more,
// as a promise is kept on other questions than those that were counted.
func keeps(promise, right, all float64) bool {
	return right/all-standardError(right, all) >= promise
}

// standardError of a share; what was never wrong is taken to have been wrong once.
func standardError(right, all float64) float64 {
	if all == 0 {
		return 0
	}
	share := right / all
	return math.Sqrt(share * max(1-share, 1/all) / all)
}

// thresholdFor returns the lowest confidence from which the promised share of
// answers was right.
func thresholdFor(verdicts []verdict, sure *sureWeights, promise float64) float64 {
	type scored struct {
		p, weight float64
		right     bool
	}
	rows := make([]scored, len(verdicts))
	for i := range verdicts {
		rows[i] = scored{sure.of(&verdicts[i].x), verdicts[i].weight, verdicts[i].right}
	}
	sort.Slice(rows, func(a, b int) bool { return rows[a].p > rows[b].p })
	threshold, all, right := highestThreshold, 0.0, 0.0
	for _, r := range rows {
		all += r.weight
		if r.right {
			right += r.weight
		}
		if keeps(promise, right, all) {
			threshold = r.p
		}
	}
	return min(max(threshold, lowestThreshold), highestThreshold)
}
