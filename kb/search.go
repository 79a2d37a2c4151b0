package kb

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
)

// ErrNotReady is returned by Search before the first Load.
var ErrNotReady = errors.New("knowledge index is not loaded yet")

// Scores and bounds set by hand.
const (
	defaultHits    = 5
	exactScore     = 0.995 // the question stands in the base as it was asked
	sameScore      = 0.97  // it does but for politeness and synonyms
	sameRunes      = 4     // shorter copies say too little to be taken for the same
	clarifyScore   = 0.1   // from here the first three are worth offering
	clarifyCover   = 0.34  // share of the question that the first must hold to be offered
	answerCover    = 0.25  // share of it that the first must hold to be the answer
	negativeCosine = 0.93  // so near to a negative question, the entry is not meant
	ambiguousScore = 0.6   // of several entries with the very question asked
)

// Search answers one question from the live index. It never changes anything
// and, without vectors, gives the same result for the same index, question and day.
func (e *Engine) Search(ctx context.Context, q Query) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	ix := e.live.Load()
	if ix == nil {
		return Result{}, ErrNotReady
	}
	start := time.Now()
	res := ix.answer(q)
	if e.opt.Observe != nil {
		e.opt.Observe(time.Since(start), res.Band)
	}
	if q.Vectors && e.vectors != nil {
		res = e.vectors.join(ctx, ix, q, res)
	}
	return res, ctx.Err()
}

func (ix *index) borrow() *scratch {
	if s, ok := ix.pool.Get().(*scratch); ok {
		return s
	}
	return newScratch(ix)
}

// answer looks a question up as it is typed and, when that finds no answer, with its
// letters read as the characters they may spell.
func (ix *index) answer(q Query) Result {
	if q.N <= 0 {
		q.N = defaultHits
	}
	s := ix.borrow()
	defer ix.pool.Put(s)
	a := ix.ask(q.Text)
	res := ix.search(s, a, q)
	if res.Band == Answer || a.bare == "" {
		return res
	}
	return ix.spellOut(s, a, q, res)
}

func (ix *index) search(s *scratch, a *asked, q Query) Result {
	res := Result{Threshold: ix.fit.threshold, Reason: "unknown"}
	if a.bare == "" {
		res.Reason = "empty"
		return res
	}
	found, denied := ix.usable(ix.rank(s, a), a, q.Now)
	certain := ix.certain(a, q.Now)
	if len(certain) == 0 && ix.spell.chats(a) {
		res.Reason = "chat"
		return res
	}
	if len(found)+len(certain) == 0 {
		if denied {
			res.Reason = "negative"
		}
		return res
	}
	var confidences []float64
	if len(found) > 0 {
		confidences = ix.confidence(a, found)
		res.Band, res.Reason = ix.decide(found, confidences[0])
	}
	if len(certain) > 0 {
		found, confidences = ix.promote(ix.complete(s, a, found, certain), confidences, certain)
		res.Band, res.Reason = Answer, "exact"
		if len(certain) > 1 {
			res.Band, res.Reason = Clarify, "ambiguous"
		}
	}
	for i := range found[:min(q.N, len(found))] {
		res.Hits = append(res.Hits, ix.hit(a, found, i, confidences[i]))
	}
	return res
}

// usable leaves out entries that are out of date on the day, and entries whose
// negative questions are what was asked; denied says that there were such.
func (ix *index) usable(found []candidate, a *asked, now time.Time) (kept []candidate, denied bool) {
	kept = found[:0]
	for _, c := range found {
		it := ix.items[c.item]
		if it.outOfDate(now) {
			continue
		}
		if it.denies(a, c.x[fCosine]) {
			denied = true
			continue
		}
		kept = append(kept, c)
	}
	return kept, denied
}

func (it *item) outOfDate(now time.Time) bool {
	until := it.entry.ValidUntil
	return until != "" && !now.IsZero() && now.Format(time.DateOnly) > until
}

// denies says whether the question is one of the item's negative ones, exactly
// or so nearly that none of its own questions is nearer.
func (it *item) denies(a *asked, cosine float64) bool {
	for i := range it.negatives {
		n := &it.negatives[i]
		if n.bare == a.bare || n.same != "" && n.same == bare(a.copied) {
			return true
		}
		if like := cosineOf(n.vec, a.vec); like >= negativeCosine && like > cosine {
			return true
		}
	}
	return false
}

func cosineOf(a, b vector) float64 {
	sum, i, j := 0.0, 0, 0
	for i < len(a.id) && j < len(b.id) {
		switch {
		case a.id[i] < b.id[j]:
			i++
		case a.id[i] > b.id[j]:
			j++
		default:
			sum += float64(a.w[i]) * float64(b.w[j])
			i++
			j++
		}
	}
	return sum
}

// certain returns the items that have the very question, best kind of match first: as
// typed, else as its copy, else as their short title, which lists and buttons show.
func (ix *index) certain(a *asked, now time.Time) []certainty {
	if list := ix.allowed(ix.exact.of(a.bare), a, now, exactScore); len(list) > 0 {
		return list
	}
	if same := bare(a.copied); len([]rune(same)) >= sameRunes {
		if list := ix.allowed(ix.same.of(same), a, now, sameScore); len(list) > 0 {
			return list
		}
	}
	return ix.allowed(ix.titles.of(a.bare), a, now, exactScore)
}

type certainty struct {
	item  int32
	score float64
}

func (ix *index) allowed(items []int32, a *asked, now time.Time, score float64) (out []certainty) {
	for _, n := range items {
		if it := ix.items[n]; !it.outOfDate(now) && !it.denies(a, 1) {
			out = append(out, certainty{n, score})
		}
	}
	if len(out) > 1 {
		for i := range out {
			out[i].score = ambiguousScore
		}
	}
	return out
}

// confidence gives every candidate a probability: the first by the fit, the
// others by their share beside it.
func (ix *index) confidence(a *asked, found []candidate) []float64 {
	out := make([]float64, len(found))
	x := signalsOf(a, found)
	out[0] = ix.fit.sure.of(&x)
	for i := 1; i < len(found); i++ {
		out[i] = out[0] * math.Exp(found[i].score-found[0].score)
	}
	return out
}

func (ix *index) decide(found []candidate, p float64) (Band, string) {
	switch {
	case p >= ix.fit.threshold && found[0].x[fCoverage] >= answerCover:
		return Answer, "confident"
	case p >= clarifyScore && found[0].x[fCoverage] >= clarifyCover:
		return Clarify, "unsure"
	}
	return Refuse, "unknown"
}

// complete puts the certain items that words did not fetch behind the others: a short
// title may have no word of its entry's questions.
func (ix *index) complete(s *scratch, a *asked, found []candidate, certain []certainty) []candidate {
	var more []int32
	for _, x := range certain {
		if !slices.ContainsFunc(found, func(c candidate) bool { return c.item == x.item }) {
			more = append(more, x.item)
		}
	}
	return append(found, ix.score(s, a, more)...)
}

// promote puts the certain items before the others, keeping the order of each.
func (ix *index) promote(found []candidate, confidences []float64, certain []certainty) ([]candidate, []float64) {
	var first, rest []candidate
	var high, low []float64
	for i, c := range found {
		at := slices.IndexFunc(certain, func(x certainty) bool { return x.item == c.item })
		if at >= 0 {
			first, high = append(first, c), append(high, certain[at].score)
		} else {
			rest, low = append(rest, c), append(low, min(confidences[i], 1-exactScore+0.1)) // who is behind these is certain
		}
	}
	return append(first, rest...), append(high, low...)
}

// hit shows a candidate, with what explains it.
func (ix *index) hit(a *asked, found []candidate, i int, score float64) Hit {
	c := &found[i]
	it := ix.items[c.item]
	h := Hit{Entry: *it.entry, Score: score, Matched: it.questions[c.best].text}
	h.Explanation = ix.explain(a, it, c)
	if h.Explanation.Field == "short_title" {
		h.Matched = it.entry.ShortTitle
	}
	if i == 0 && len(found) > 1 {
		h.Explanation.Signals.Margin = c.score - found[1].score
	}
	return h
}

// explained bounds the terms that are shown.
const explained = 12

// explain names the terms that question and entry share, and those they do not.
func (ix *index) explain(a *asked, it *item, c *candidate) Explanation {
	x := Explanation{Field: "similar", Exact: slices.ContainsFunc(it.questions, func(q question) bool { return q.bare == a.bare })}
	switch {
	case c.best == 0:
		x.Field = "question"
	case slices.Contains(it.entry.Learned, it.questions[c.best].text):
		x.Field = "learned"
	}
	if !x.Exact && it.titled(a) {
		x.Field, x.Exact = "short_title", true
	}
	x.Signals = Signals{Weight: c.x[fWeight], Cosine: c.x[fCosine], Coverage: c.x[fCoverage], Answer: c.x[fAnswer]}
	ix.eachTerm(a, it, func(text string, weight float64, shared bool) {
		if shared && !slices.ContainsFunc(x.Terms, func(t Term) bool { return t.Text == text }) {
			x.Terms = append(x.Terms, Term{text, weight})
		} else if !shared && !slices.Contains(x.Missing, text) && len(x.Missing) < explained {
			x.Missing = append(x.Missing, text)
		}
	})
	slices.SortStableFunc(x.Terms, func(a, b Term) int {
		switch {
		case a.Weight > b.Weight:
			return -1
		case a.Weight < b.Weight:
			return 1
		}
		return strings.Compare(a.Text, b.Text)
	})
	x.Terms = x.Terms[:min(len(x.Terms), explained)]
	ix.spell.copyOf(a.reading.plain, func(from, to []rune) {
		x.Synonyms = append(x.Synonyms, Synonym{string(from), string(to)})
	})
	return x
}

// eachTerm goes through the pairs and words of the question as typed. Words
// are found by reading the text again, as a token only keeps their hash.
func (ix *index) eachTerm(a *asked, it *item, tell func(text string, weight float64, shared bool)) {
	text := a.reading.plain
	for i := 0; i < len(text); {
		var t token
		n := 1
		switch kindOf(text[i]) {
		case word:
			n = wordEnd(text, i) - i
			t = wordToken(text[i : i+n])
		case han:
			if i+1 == len(text) || kindOf(text[i+1]) != han {
				if i > 0 && kindOf(text[i-1]) == han {
					i++
					continue // the last of a run is shown in its pair
				}
				t = token(text[i])
				break
			}
			t = token(text[i])<<runBits | token(text[i+1])
		default:
			i++
			continue
		}
		shown := string(text[i : i+max(n, 1+pairLength(t))])
		id, known := ix.vocab.ids[t]
		at, there := slices.BinarySearch(it.weights.id, id)
		if known && there {
			tell(shown, float64(it.weights.w[at])*ix.weightIn(a, id), true)
		} else {
			tell(shown, 0, false)
		}
		i += n
	}
}

func pairLength(t token) int {
	if t.isPair() {
		return 1
	}
	return 0
}

func (ix *index) weightIn(a *asked, id uint32) float64 {
	if k, ok := slices.BinarySearch(a.vec.id, id); ok {
		return float64(a.vec.w[k])
	}
	return 0
}
