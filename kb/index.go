package kb

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"sync"
)

// index is one snapshot of the base. It is never changed after it is live.
type index struct {
	spell  *speller
	vocab  *vocabulary
	items  []*item // by number
	post   postings
	exact  map[string][]int32 // bare question → items
	same   map[string][]int32 // bare copy of a question → items
	fit    fit
	rough  bool      // not trained yet
	asked  int       // questions, similar ones counted
	common int       // postings longer than this do not fetch
	rarity []float32 // of a token among items
	share  []float32 // of a token among all tokens
	pool   sync.Pool
	twins  twinList
}

// item is an entry as the index sees it. Items are shared between snapshots
// and never changed once one of these is live.
type item struct {
	entry     Entry
	questions []question // the standard question first
	negatives []question
	weights   vector   // of the postings, trained
	counts    []uint8  // of the questions that hold a token, beside weights
	length    float64  // tokens of all questions
	answer    []uint32 // plain tokens of the answer that questions use too, sorted
}

type question struct {
	text string
	bare string
	same string
	vec  vector
	runs []rune // bare again, for the longest common subsequence
}

// postings lists, token by token, the items and their weights.
type postings struct {
	off    []int32
	item   []int32
	weight []float32
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
	p := postings{off: make([]int32, tokens+1)}
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

// answerRunes bounds what of an answer is looked at.
const answerRunes = 1500

// assemble makes the untrained index of the entries.
func assemble(entries []Entry, spell *speller) *index {
	ix := &index{spell: spell, vocab: &vocabulary{ids: map[token]uint32{}}, rough: true, fit: cautious}
	ids := make([][][]uint32, len(entries))
	for i, e := range entries {
		it := &item{entry: e}
		ids[i] = it.readQuestions(ix)
		ix.items = append(ix.items, it)
		ix.asked += len(it.questions)
	}
	df := make([]int32, len(ix.vocab.tokens))
	for _, list := range ids {
		countQuestions(df, list)
	}
	ix.vocab.weigh(df, ix.asked)
	ix.vocab.top = float32(math.Log(float64(len(entries)+1)) + 1)
	for i, it := range ix.items {
		it.weighQuestions(ix.vocab, ids[i])
	}
	ix.finish()
	return ix
}

// readQuestions analyses the questions of an entry and numbers their tokens.
func (it *item) readQuestions(ix *index) [][]uint32 {
	ids := make([][]uint32, 0, 1+len(it.entry.Similar))
	for i := -1; i < len(it.entry.Similar); i++ {
		text := it.entry.Question
		if i >= 0 {
			text = it.entry.Similar[i]
		}
		r := ix.spell.read(text)
		if i >= 0 && len(r.tokens) == 0 {
			continue
		}
		it.questions = append(it.questions, newQuestion(text, r))
		ids = append(ids, ix.vocab.add(r.tokens))
	}
	return ids
}

func newQuestion(text string, r reading) question {
	q := question{text: text, bare: bare(r.plain), same: bare(r.copied)}
	q.runs = []rune(q.bare)
	return q
}

func countQuestions(df []int32, list [][]uint32) {
	for _, ids := range list {
		for k, id := range ids {
			if k == 0 || ids[k-1] != id {
				df[id]++
			}
		}
	}
}

// weighQuestions makes the vectors of an entry's questions and its centroid.
func (it *item) weighQuestions(v *vocabulary, ids [][]uint32) {
	for k := range it.questions {
		it.questions[k].vec = v.vectorOf(ids[k], 0)
	}
	it.weights = centroid(it.questions)
	it.counts = make([]uint8, len(it.weights.id))
	for k := range it.questions {
		for _, id := range it.questions[k].vec.id {
			at, _ := slices.BinarySearch(it.weights.id, id)
			if it.counts[at] < 255 {
				it.counts[at]++
			}
		}
		it.length += float64(len(it.questions[k].vec.id))
	}
}

// startScale is the length of an entry's weights before training: what the
// softmax of training takes for sure (chosen on the development sets).
const startScale = 8

// centroid is the sum of the questions' vectors over the root of their number.
func centroid(questions []question) vector {
	sum := map[uint32]float32{}
	for _, q := range questions {
		for k, id := range q.vec.id {
			sum[id] += q.vec.w[k]
		}
	}
	out := vector{id: make([]uint32, 0, len(sum)), w: make([]float32, 0, len(sum))}
	for id := range sum {
		out.id = append(out.id, id)
	}
	slices.Sort(out.id)
	scale := float32(startScale / math.Sqrt(float64(max(1, len(questions)))))
	for _, id := range out.id {
		out.w = append(out.w, sum[id]*scale)
	}
	return out
}

// finish makes what depends on all items: postings, exact questions, the
// tokens of answers and the vectors of negative questions.
func (ix *index) finish() {
	ix.common = max(1000, len(ix.items)/10)
	ix.exact, ix.same = make(map[string][]int32, ix.asked), make(map[string][]int32, ix.asked)
	for n, it := range ix.items {
		for _, q := range it.questions {
			addOnce(ix.exact, q.bare, int32(n))
			addOnce(ix.same, q.same, int32(n))
		}
		if it.negatives == nil {
			it.readRest(ix)
		}
	}
	ix.post = invert(ix.items, len(ix.vocab.tokens))
	ix.pooled()
}

// pooled weighs what an entry's questions have in common against the rest of the
// base. It comes after the postings.
func (ix *index) pooled() {
	n := float64(len(ix.items))
	ix.rarity, ix.share = make([]float32, len(ix.vocab.tokens)), make([]float32, len(ix.vocab.tokens))
	for id := range ix.rarity {
		df := float64(ix.post.off[id+1] - ix.post.off[id])
		ix.rarity[id] = float32(math.Log((n + 1) / (df + 0.5)))
	}
	total := 0.0
	for _, it := range ix.items {
		for k, id := range it.weights.id {
			ix.share[id] += float32(it.counts[k])
		}
		total += it.length
	}
	for id := range ix.share {
		ix.share[id] /= float32(max(1, total))
	}
}

func addOnce(m map[string][]int32, key string, n int32) {
	list := m[key]
	if key == "" || len(list) > 0 && list[len(list)-1] == n {
		return
	}
	m[key] = append(list, n)
}

// readRest analyses negative questions and the answer against the vocabulary
// that the questions made: neither adds to it.
func (it *item) readRest(ix *index) {
	it.negatives = make([]question, 0, len(it.entry.Negative))
	for _, text := range it.entry.Negative {
		r := ix.spell.read(text)
		q := newQuestion(text, r)
		q.vec = ix.vocab.queryVector(r.tokens)
		it.negatives = append(it.negatives, q)
	}
	answer := normalize(it.entry.Answer)
	for _, t := range appendTokens(nil, answer[:min(len(answer), answerRunes)], 0) {
		if id, ok := ix.vocab.ids[t]; ok && !t.isWord() && t.isPair() {
			it.answer = append(it.answer, id)
		}
	}
	slices.Sort(it.answer)
	it.answer = slices.Clip(slices.Compact(it.answer))
}

// published picks what can be found, in the order of numbers.
func published(entries map[int64]Entry) []Entry {
	out := make([]Entry, 0, len(entries))
	for _, e := range entries {
		if e.Live() {
			out = append(out, e)
		}
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Number < out[b].Number })
	return out
}

// find returns where the item with a number stands, or would stand.
func (ix *index) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(ix.items, number, func(it *item, n int64) int { return cmp.Compare(it.entry.Number, n) })
}
