package kb

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// What people say of answers is the only evidence from the questions that are really
// asked. Each word of theirs is an outcome of the probability that was stated: it moves
// all probabilities by one shift, and the threshold to where the promise held. Words
// are few and not given evenly (who is content says less), so the base's own judgement
// counts beside them, and a lower threshold must be shown, not only be likely.

// Told is what somebody said of an answer: Entry is what was asked for (Right), or is
// not; with Entry 0 and not Right, none of the entries offered was.
type Told struct {
	Text      string // masked, as it was asked
	Entry     int64
	Right     bool
	Confirmed bool   // a curator says so: the question must find the entry
	By        string // who said it; "" for a curator
}

// ToldSource is a Source that also has what people said of answers. Told returns up
// to n of their words, the newest first.
type ToldSource interface {
	Told(ctx context.Context, n int) ([]Told, error)
}

const (
	toldMost     = 1000 // words that count, the newest
	toldByOne    = 50   // of one person
	learnedFrom  = 2    // people who must say that an entry was meant until a question is learned
	learnedMost  = 20   // questions learned for an entry
	ownLeast     = 200  // words' worth that a base's own judgement has at least
	ownMost      = 500  // and at most
	cautiousOwn  = 40   // and one that was set by hand
	cautiousHeld = 0.97 // of these are taken for right
	shiftPull    = 30
	shown        = 1.64 // standard errors, so that a share is as great in 95 of 100 cases (one-sided)
)

// readTold takes over what people said, and tells whether it is new. Who calls it
// holds mu.
func (e *Engine) readTold(ctx context.Context, src Source) (fresh bool, err error) {
	from, ok := src.(ToldSource)
	if !ok {
		return false, nil
	}
	list, err := from.Told(ctx, toldMost)
	if err != nil {
		return false, fmt.Errorf("what was said of answers: %w", err)
	}
	list = lastWords(list)
	if slices.Equal(list, e.told) {
		return false, nil
	}
	e.told = list
	return true, nil
}

// lastWords keeps each person's newest word on a question, all that curators confirmed,
// and not too many of one person.
func lastWords(list []Told) []Told {
	type word struct {
		by, text string
		entry    int64
	}
	seen, count := map[word]bool{}, map[string]int{}
	out := make([]Told, 0, len(list))
	for _, t := range list {
		w := word{by: t.By, text: bare(normalize(t.Text))}
		if t.Confirmed {
			w.entry = t.Entry // a question may be confirmed for several
		}
		if w.text == "" || seen[w] || !t.Confirmed && count[t.By] >= toldByOne {
			continue
		}
		seen[w] = true
		count[t.By]++
		out = append(out, t)
	}
	return out
}

// teach gives the entries, which can be found, what was learned for them, and returns
// it by number.
func teach(entries []Entry, told []Told) map[int64][]string {
	more := learned(told, entries)
	for i := range entries {
		entries[i].Learned = more[entries[i].Number]
	}
	return more
}

// learned are the questions that count as an entry's own: a curator confirmed them, or
// several people did and nobody denied it. entries are those that can be found.
func learned(told []Told, entries []Entry) map[int64][]string {
	type pair struct {
		text  string
		entry int64
	}
	if len(told) == 0 {
		return nil
	}
	taken := map[string]bool{}
	for i := range entries {
		for _, text := range append([]string{entries[i].Question}, entries[i].Similar...) {
			taken[bare(normalize(text))] = true
		}
	}
	votes := map[pair]int{}
	for _, t := range told {
		p := pair{bare(normalize(t.Text)), t.Entry}
		switch {
		case !t.Right:
			votes[p] -= len(told)
		case t.Confirmed:
			votes[p] += learnedFrom
		default:
			votes[p]++
		}
	}
	out := map[int64][]string{}
	for _, t := range told { // the newest first
		p := pair{bare(normalize(t.Text)), t.Entry}
		if votes[p] >= learnedFrom && !taken[p.text] && len(out[t.Entry]) < learnedMost {
			taken[p.text] = true
			out[t.Entry] = append(out[t.Entry], t.Text)
		}
	}
	for _, list := range out {
		slices.Sort(list) // the same whoever says it once more
	}
	return out
}

// Heard is what came of what people said.
type Heard struct {
	Told      int     // words that count
	Right     int     // whose first hit was what was asked for
	Shift     float64 // of all probabilities, on the scale of log odds
	Own       float64 // the threshold without them
	Threshold float64
}

// heed moves the fit of an index that is not live yet by what people said.
func (ix *index) heed(told []Told, promise float64) {
	ix.told, ix.fit = told, ix.own.heeding(ix.outcomesOf(told), promise)
}

// outcomesOf asks what was said something about, and looks whether the first hit is
// what was asked for. What the base has word for word says nothing about likeness.
func (ix *index) outcomesOf(told []Told) (out []verdict) {
	if len(told) == 0 {
		return nil
	}
	s := ix.borrow()
	defer ix.pool.Put(s)
	ix.fit = ix.own
	for _, t := range told {
		_, there := ix.find(t.Entry)
		a := ix.ask(t.Text)
		if t.Entry != 0 && !there || len(ix.exact.of(a.bare)) > 0 {
			continue
		}
		found := ix.rank(s, a)
		if len(found) == 0 {
			continue
		}
		first := ix.items[found[0].item].entry.Number
		if !t.Right && t.Entry != 0 && t.Entry != first {
			continue // another entry comes first by now, of which nobody said anything
		}
		out = append(out, verdict{x: signalsOf(a, found), right: t.Right && t.Entry == first, stranger: !t.Right && t.Entry == 0, weight: 1})
	}
	return out
}

// heeding is the fit moved by outcomes.
func (f fit) heeding(told []verdict, promise float64) fit {
	out := f
	if len(told) == 0 {
		return out
	}
	own := f.ownOutcomes()
	all := slices.Clone(own)
	right := 0
	for i := range told {
		all = append(all, outcome{f.sure.of(&told[i].x), 1, told[i].right, told[i].stranger})
		if told[i].right {
			right++
		}
	}
	shift := shiftFor(all)
	out.sure[sOne] += shift
	out.threshold = sigmoid(logit(f.heldThreshold(all, len(own) == 0, promise)) + shift)
	out.heard = Heard{len(told), right, shift, f.threshold, out.threshold}
	return out
}

// ownOutcomes are the base's own questions, none for a fit that was set by hand.
func (f *fit) ownOutcomes() outcomes {
	total := 0.0
	for i := range f.verdicts {
		total += f.verdicts[i].weight
	}
	out := make(outcomes, 0, len(f.verdicts))
	for i := range f.verdicts {
		v := &f.verdicts[i]
		out = append(out, outcome{f.sure.of(&v.x), v.weight * min(max(1, ownLeast/total), ownMost/total), v.right, v.stranger})
	}
	return out
}

// shiftFor is by how much the log odds of what was stated are to go up, so that it is
// what came true (logistic regression on the constant alone, pulled to none).
func shiftFor(list outcomes) float64 {
	shift := 0.0
	for range newtonRounds {
		slope, curve := shiftPull*shift, float64(shiftPull)
		for _, o := range list {
			p := sigmoid(logit(o.p) + shift)
			d := p
			if o.right {
				d--
			}
			slope, curve = slope+o.weight*d, curve+o.weight*p*(1-p)
		}
		shift -= slope / curve
	}
	return shift
}

// heldThreshold is the lowest stated probability from which the promise is kept: the
// fit's own threshold unless it turns out too low, or a lower one is shown to do.
func (f *fit) heldThreshold(list outcomes, byHand bool, promise float64) float64 {
	slices.SortStableFunc(list, func(a, b outcome) int { return cmp.Compare(b.p, a.p) })
	threshold, lowest, all, right, sure := f.threshold, highestThreshold, 0.0, 0.0, 1.0
	if byHand {
		all, right, sure = cautiousOwn, cautiousOwn*cautiousHeld, shown
	}
	below := 0
	for _, o := range list {
		if o.p < f.threshold && o.p >= lowestThreshold {
			below++
		}
	}
	for i, o := range list {
		all += o.weight
		if o.right {
			right += o.weight
		}
		if byHand && o.p < f.threshold { // what was stated counts beside what came true
			w := min(1, cautiousOwn/float64(below))
			all, right = all+w, right+w*o.p
		}
		switch {
		case i+1 < len(list) && list[i+1].p == o.p: // all that share a probability are in or out
		case o.p >= f.threshold && right >= promise*all:
			threshold, lowest = f.threshold, o.p
		case o.p >= f.threshold:
			threshold = lowest
		case right/all-sure*standardError(right, all) >= promise:
			threshold = o.p
		}
	}
	return max(threshold, lowestThreshold)
}

func logit(p float64) float64 {
	p = min(max(p, 1e-9), 1-1e-9)
	return math.Log(p / (1 - p))
}
