package kb

import (
	"context"
	"math"
	"math/rand/v2"
)

// A base with similar questions tells which words ask the same: they stand in
// questions of one entry. senses holds a short vector for each token, trained so
// that a question lies nearer to the other questions of its entry than to those of
// its rivals; words that never met in one question are brought together through
// the entries that they share. It starts as a random projection of the words, so
// that without training it compares as they do (Johnson and Lindenstrauss 1984),
// and the loss is that of prototypical networks (Snell and others 2017): softmax
// over the entries' means, a question's own taken without it.
type senses struct {
	token []float32 // token by token
}

// Chosen by hand on the development sets, one set of scalars for all bases.
const (
	senseSize   = 32
	sensePasses = 6
	senseRivals = 20 // entries that the words fetch for a question
	senseOthers = 10 // drawn beside them in each pass
	senseSharp  = 15 // what a likeness of 1 scores in the softmax
	senseRate   = 4.0
	senseLeast  = 1e-3 // smaller shares move nothing
)

// hasSenses says whether a base has what senses are learned from. A large base has
// none: they take longer than all the rest of its training, and its entries tell
// enough by their words.
func (ix *index) hasSenses() bool {
	return ix.asked <= trainedOnLoad && ix.asked > len(ix.items)*5/4
}

// read sums a text's tokens into out, of length one; all zero when it has none that
// were learned.
func (s *senses) read(v *vector, out []float32) {
	clear(out)
	for k, id := range v.id {
		if end := int(id+1) * senseSize; end <= len(s.token) {
			add(out, v.w[k], s.token[end-senseSize:end])
		}
	}
	unit(out)
}

// sensed makes the vectors of an item's questions and their mean.
func (it *item) sensed(s *senses) {
	room := make([]float32, (len(it.questions)+1)*senseSize)
	it.sense = room[:senseSize:senseSize]
	for k := range it.questions {
		v := room[(k+1)*senseSize : (k+2)*senseSize : (k+2)*senseSize]
		s.read(&it.questions[k].vec, v)
		it.questions[k].sense = v
		add(it.sense, 1, v)
	}
	unit(it.sense)
}

// settled is sensed for the last time: how like the item's questions are to the mean
// of the others is known then.
func (it *item) settled(s *senses) {
	it.sensed(s)
	sum, all, rest := 0.0, make([]float32, senseSize), make([]float32, senseSize)
	for k := range it.questions {
		add(all, 1, it.questions[k].sense)
	}
	for k := range it.questions {
		copy(rest, all)
		add(rest, -1, it.questions[k].sense)
		unit(rest)
		sum += float64(dotOf(rest, it.questions[k].sense))
	}
	it.typicalSense = sum / float64(len(it.questions))
}

// learnSenses trains the senses of an index that is not live yet, with a fixed seed.
func learnSenses(ctx context.Context, ix *index) {
	t := newSenseTrainer(ix)
	for pass := range sensePasses {
		for _, it := range ix.items {
			it.sensed(t.senses)
		}
		t.refresh()
		rate := float32(senseRate * (1 - float64(pass)/sensePasses))
		for n, i := range t.order.Perm(len(t.jobs)) {
			if n&1023 == 0 && ctx.Err() != nil {
				return
			}
			t.step(&t.jobs[i], rate)
		}
	}
	for _, it := range ix.items {
		it.settled(t.senses)
	}
	ix.senses = t.senses
}

// senseJob is a question of an item that has others.
type senseJob struct {
	item, question int32
	rivals         []int32
}

type senseTrainer struct {
	ix     *index
	senses *senses
	jobs   []senseJob
	order  *rand.Rand
	sums   []float32 // of each item's questions, at the beginning of the pass
	list   []int32
	share  []float64
	u, g   []float32
	own    []float32
}

func newSenseTrainer(ix *index) *senseTrainer {
	t := &senseTrainer{ix: ix, senses: &senses{token: make([]float32, senseSize*len(ix.vocab.tokens))}, order: rand.New(rand.NewPCG(3, 9)),
		sums: make([]float32, senseSize*len(ix.items)), u: make([]float32, senseSize), g: make([]float32, senseSize), own: make([]float32, senseSize)}
	for i := range t.senses.token {
		t.senses.token[i] = float32(t.order.NormFloat64() / math.Sqrt(senseSize))
	}
	s := newScratch(ix)
	for n, it := range ix.items {
		if len(it.questions) < 2 {
			continue
		}
		for k := range it.questions {
			job := senseJob{item: int32(n), question: int32(k)}
			for _, c := range s.top(ix, it.questions[k].vec, senseRivals) {
				if c.item != job.item {
					job.rivals = append(job.rivals, c.item)
				}
			}
			t.jobs = append(t.jobs, job)
		}
	}
	return t
}

func (t *senseTrainer) refresh() {
	clear(t.sums)
	for n, it := range t.ix.items {
		for k := range it.questions {
			add(t.sum(int32(n)), 1, it.questions[k].sense)
		}
	}
}

func (t *senseTrainer) sum(item int32) []float32 {
	return t.sums[int(item)*senseSize : int(item+1)*senseSize]
}

// step moves the tokens of one question along the gradient; the means it is
// compared with stay as they are until the next pass.
func (t *senseTrainer) step(job *senseJob, rate float32) {
	q := &t.ix.items[job.item].questions[job.question]
	clear(t.u)
	for k, id := range q.vec.id {
		add(t.u, q.vec.w[k], t.senses.token[int(id)*senseSize:int(id+1)*senseSize])
	}
	length := float32(math.Sqrt(float64(dotOf(t.u, t.u))))
	copy(t.own, t.sum(job.item))
	add(t.own, -1, q.sense)
	if !unit(t.u) || !unit(t.own) {
		return
	}
	t.draw(job)
	t.slope()
	along := dotOf(t.g, t.u) // the part that only makes it longer
	for j := range t.g {
		t.g[j] = (t.g[j] - along*t.u[j]) / length
	}
	for k, id := range q.vec.id {
		add(t.senses.token[int(id)*senseSize:int(id+1)*senseSize], -rate*q.vec.w[k], t.g)
	}
}

// draw lists whom a question is compared with.
func (t *senseTrainer) draw(job *senseJob) {
	t.list = append(t.list[:0], job.rivals...)
	for range senseOthers {
		if n := int32(t.order.IntN(len(t.ix.items))); n != job.item {
			t.list = append(t.list, n)
		}
	}
}

// slope is the gradient of the loss by the question's direction.
func (t *senseTrainer) slope() {
	own := senseSharp * float64(dotOf(t.u, t.own))
	best := own
	t.share = t.share[:0]
	for _, n := range t.list {
		score := senseSharp * float64(dotOf(t.u, t.ix.items[n].sense))
		t.share = append(t.share, score)
		best = max(best, score)
	}
	total := math.Exp(own - best)
	for k := range t.share {
		t.share[k] = math.Exp(t.share[k] - best)
		total += t.share[k]
	}
	clear(t.g)
	add(t.g, float32(math.Exp(own-best)/total-1), t.own)
	for k, n := range t.list {
		if p := t.share[k] / total; p >= senseLeast {
			add(t.g, float32(p), t.ix.items[n].sense)
		}
	}
}

// add adds w times v to out, which is as long.
func add(out []float32, w float32, v []float32) {
	v = v[:len(out)]
	for j := range out {
		out[j] += w * v[j]
	}
}

// unit gives a vector the length of one; false when it has none.
func unit(v []float32) bool {
	n := dotOf(v, v)
	if n == 0 {
		return false
	}
	n = float32(1 / math.Sqrt(float64(n)))
	for i := range v {
		v[i] *= n
	}
	return true
}

func dotOf(a, b []float32) float32 {
	b = b[:len(a)]
	sum := float32(0)
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
