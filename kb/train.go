package kb

import (
	"context"
	"math"
	"math/rand/v2"
)

// Training moves the weights of the postings so that each question scores its
// own entry above its best rivals: a discriminatively trained inverted index,
// in structure, memory and query cost an ordinary one. Softmax regression by
// stochastic gradient descent over the rivals that retrieval finds once, with
// a fixed seed.
type trainer struct {
	ix     *index
	passes int
	rate   float64
	rivals int
	tasks  []task
	weight [][]float32 // of the items, beside each other
	// Where the tasks' lists lie, and one list of each kind while it grows.
	numbers block[int32]
	meets   block[meet]
	next    task
}

// task is one question with its rivals; common holds, rival after rival, where
// the question's vector and the rival's weights meet.
type task struct {
	w      []float32 // of the question's vector
	own    int32
	rivals []int32
	ends   []int32 // of each rival's part of common
	common []meet
}

type meet struct{ q, w uint16 } // places in the two

const (
	trainPasses  = 10
	trainRate    = 2.0
	trainRivals  = 30
	largeBase    = 60_000 // questions; above, fewer rivals keep memory in bounds
	largeRivals  = 10
	smallestStep = 1e-3
)

// trainedMost is how many questions a base may have to be trained. Beyond it the
// few rivals that are looked at for each question are too few among so many: of
// 300 000 questions the right entry was among the first thirty for 98 in a hundred
// after training and for all of them before. A variable for tests only.
var trainedMost = 200_000

func (ix *index) trains() bool { return ix.asked <= trainedMost }

// train trains all items of an index that is not live yet.
func train(ctx context.Context, ix *index) error {
	if !ix.trains() {
		ix.rough = false
		return ctx.Err()
	}
	t := &trainer{ix: ix, passes: trainPasses, rate: trainRate, rivals: trainRivals}
	if ix.asked > largeBase {
		t.rivals = largeRivals
	}
	pool := newScratch(ix)
	for n, it := range ix.items {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for k := range it.questions {
			t.add(pool, int32(n), &it.questions[k].vec)
		}
	}
	if err := t.run(ctx, nil); err != nil {
		return err
	}
	ix.post = invert(ix.items, len(ix.vocab.tokens))
	ix.rough = false
	if ix.hasSenses() {
		learnSenses(ctx, ix)
	}
	return ctx.Err()
}

// block hands out room for many short lists that live as long as each other.
type block[T any] struct{ free []T }

const blockRoom = 1 << 16

func (b *block[T]) keep(list []T) []T {
	if len(b.free) < len(list) {
		b.free = make([]T, max(blockRoom, len(list)))
	}
	out := b.free[:len(list):len(list)]
	b.free = b.free[len(list):]
	copy(out, list)
	return out
}

// add fetches a question's rivals.
func (t *trainer) add(s *scratch, own int32, v *vector) {
	job := &t.next
	job.rivals, job.ends, job.common = job.rivals[:0], job.ends[:0], job.common[:0]
	there := false
	for _, c := range s.top(t.ix, *v, t.rivals) {
		job.rivals = append(job.rivals, c.item)
		there = there || c.item == own
	}
	if !there {
		job.rivals = append(job.rivals, own)
	}
	for _, r := range job.rivals {
		job.common = intersect(job.common, v.id, t.ix.items[r].weights.id)
		job.ends = append(job.ends, int32(len(job.common)))
	}
	t.tasks = append(t.tasks, task{w: v.w, own: own, rivals: t.numbers.keep(job.rivals), ends: t.numbers.keep(job.ends), common: t.meets.keep(job.common)})
}

// intersect appends the places where two ascending lists agree. Lists longer
// than a meet can count do not occur: an entry's text is bounded.
func intersect(out []meet, a, b []uint32) []meet {
	i, j := 0, 0
	for i < len(a) && j < len(b) && j <= math.MaxUint16 {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			out = append(out, meet{uint16(i), uint16(j)})
			i++
			j++
		}
	}
	return out
}

// run makes the passes; only, when set, names the items that may move.
func (t *trainer) run(ctx context.Context, only map[int32]bool) error {
	t.weight = make([][]float32, len(t.ix.items))
	for n, it := range t.ix.items {
		t.weight[n] = it.weights.w
	}
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(t.tasks))
	score := make([]float64, t.rivals+1)
	for pass := range t.passes {
		rate := t.rate * (1 - float64(pass)/float64(t.passes))
		for n, i := range order {
			if n&1023 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			t.step(&t.tasks[i], rate, score, only)
		}
	}
	return nil
}

func (t *trainer) step(job *task, rate float64, score []float64, only map[int32]bool) {
	best, from := math.Inf(-1), int32(0)
	q := job.w
	for k, r := range job.rivals {
		w, sum := t.weight[r], 0.0
		for _, m := range job.common[from:job.ends[k]] {
			sum += float64(q[m.q]) * float64(w[m.w])
		}
		score[k], best, from = sum, max(best, sum), job.ends[k]
	}
	total := 0.0
	for k := range job.rivals {
		score[k] = math.Exp(score[k] - best)
		total += score[k]
	}
	from = 0
	for k, r := range job.rivals {
		part := job.common[from:job.ends[k]]
		from = job.ends[k]
		g := score[k] / total
		if r == job.own {
			g--
		}
		g *= rate
		if math.Abs(g) < smallestStep || only != nil && !only[r] {
			continue
		}
		w := t.weight[r]
		for _, m := range part {
			w[m.w] -= float32(g) * q[m.q]
		}
	}
}
