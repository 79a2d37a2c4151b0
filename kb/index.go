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
	exact  spellings // of bare questions
	same   spellings // of their bare copies
	titles spellings // of bare short titles
	fit    fit
	own    fit       // fit without what people said
	told   []Told    // what they said, as heeded
	rough  bool      // not trained yet
	asked  int       // questions, similar ones counted
	common int       // postings longer than this do not fetch
	rarity []float32 // of a token among items
	holds  []int32   // how many items have a token
	held   []float32 // how many questions hold a token
	length float64   // of all items
	share  []float32 // of a token among all tokens
	spread []int32   // of a hash's last bits: answers that have such
	pool   sync.Pool
	twins  twinList
	senses *senses // nil when none were learned

	spokenOnce sync.Once
	spokenBy   *spoken // made by speech
}

// item is an entry as the index sees it. Items are shared between snapshots
// and never changed once one of these is live.
type item struct {
	entry        *Entry     // shared with who made the index
	questions    []question // the standard question first
	negatives    []question
	weights      vector    // of the postings, trained
	counts       []uint8   // of the questions that hold a token, beside weights
	length       float64   // tokens of all questions
	typical      float64   // likeness of the questions to each other
	sense        []float32 // mean of theirs, of length one; nil when none were learned
	typicalSense float64   // likeness of theirs to each other
	answer       []uint32  // what the answer says, hashed, ascending
}

type question struct {
	text  string
	bare  string
	same  string
	vec   vector
	sense []float32 // nil when none were learned
}

// assemble makes the untrained index of the entries, which it keeps.
func assemble(entries []Entry, spell *speller) *index {
	ix := draft(entries, spell)
	ix.finish()
	return ix
}

// draft is an index that is not finished.
func draft(entries []Entry, spell *speller) *index {
	ix := &index{spell: spell, vocab: &vocabulary{ids: map[token]uint32{}}, rough: true, fit: cautious, own: cautious}
	ids := make([][][]uint32, len(entries))
	for i := range entries {
		it := &item{entry: &entries[i]}
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
	p := newPile(len(df))
	for i, it := range ix.items {
		it.weighQuestions(ix.vocab, ids[i], p)
		ids[i] = nil
	}
	return ix
}

// readQuestions analyses the questions of an entry and numbers their tokens.
func (it *item) readQuestions(ix *index) [][]uint32 {
	ids := make([][]uint32, 0, 1+len(it.entry.Similar)+len(it.entry.Learned))
	for i, text := range it.entry.asks() {
		r := ix.spell.read(text)
		if i > 0 && len(r.tokens) == 0 {
			continue
		}
		it.questions = append(it.questions, newQuestion(text, r))
		ids = append(ids, ix.vocab.add(r.tokens))
	}
	return ids
}

func newQuestion(text string, r reading) question {
	q := question{text: text, bare: bare(r.plain), same: bare(r.copied)}
	if q.bare == text {
		q.bare = text // once in memory is enough
	}
	if q.same == q.bare {
		q.same = q.bare
	}
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

// startScale is the length of an entry's weights before training: what the
// softmax of training takes for sure (chosen on the development sets).
const startScale = 8

// pile is where the vectors of an entry's questions are added up, by token.
type pile struct {
	sum   []float32
	count []uint8
	ids   []uint32 // that are in it
}

func newPile(tokens int) *pile {
	return &pile{sum: make([]float32, tokens), count: make([]uint8, tokens)}
}

// weighQuestions makes the vectors of an entry's questions, and of these its
// centroid: their sum over the root of their number.
func (it *item) weighQuestions(v *vocabulary, ids [][]uint32, p *pile) {
	room := 0
	for _, list := range ids {
		room += distinct(list)
	}
	all := vector{make([]uint32, 0, room), make([]float32, 0, room)}
	for k := range it.questions {
		from := len(all.id)
		all = v.appendVector(all, ids[k], 0)
		end := len(all.id)
		it.questions[k].vec = vector{all.id[from:end:end], all.w[from:end:end]}
	}
	it.length = float64(len(all.id))
	p.ids = p.ids[:0]
	for k, id := range all.id {
		if p.count[id] == 0 {
			p.ids = append(p.ids, id)
		}
		p.sum[id] += all.w[k]
		if p.count[id] < 255 {
			p.count[id]++
		}
	}
	slices.Sort(p.ids)
	scale := float32(startScale / math.Sqrt(float64(max(1, len(it.questions)))))
	it.weights = vector{slices.Clone(p.ids), make([]float32, len(p.ids))}
	it.counts = make([]uint8, len(p.ids))
	for k, id := range p.ids {
		it.weights.w[k], it.counts[k] = p.sum[id]*scale, p.count[id]
		p.sum[id], p.count[id] = 0, 0
	}
	it.typical = typicalOf(it.questions)
}

// distinct counts the numbers of a sorted list.
func distinct(ids []uint32) (n int) {
	for k, id := range ids {
		if k == 0 || ids[k-1] != id {
			n++
		}
	}
	return n
}

// finish makes what depends on all items: postings, exact questions, the vectors of
// negative questions, and what answers say.
func (ix *index) finish() {
	ix.bound()
	exact, same := make([]spelling, 0, ix.asked), make([]spelling, 0, ix.asked)
	var titles []spelling
	for n, it := range ix.items {
		exact, same = it.spell(exact, same, int32(n))
		titles = it.title(titles, int32(n))
		if it.negatives == nil {
			it.readRest(ix)
		}
	}
	ix.exact, ix.same, ix.titles = sortedSpellings(exact), sortedSpellings(same), sortedSpellings(titles)
	ix.post = invert(ix.items, len(ix.vocab.tokens))
	ix.holds, ix.held = make([]int32, len(ix.vocab.tokens)), make([]float32, len(ix.vocab.tokens))
	ix.spread = make([]int32, spreadMask+1)
	for _, it := range ix.items {
		ix.count(it, 1)
	}
	ix.pooled()
}

func (ix *index) bound() { ix.common = max(1000, len(ix.items)/10) }

// spell notes how an item's questions are spelt.
func (it *item) spell(exact, same []spelling, n int32) ([]spelling, []spelling) {
	for i := range it.questions {
		exact, same = appendSpelling(exact, it.questions[i].bare, n), appendSpelling(same, it.questions[i].same, n)
	}
	return exact, same
}

func (it *item) title(titles []spelling, n int32) []spelling {
	return appendSpelling(titles, bare(normalize(it.entry.ShortTitle)), n)
}

// titled says whether a question is the item's short title.
func (it *item) titled(a *asked) bool { return bare(normalize(it.entry.ShortTitle)) == a.bare }

// count adds an item to what the base holds, or takes it out. These are whole
// numbers, so their sums are the same in any order.
func (ix *index) count(it *item, sign int32) {
	for k, id := range it.weights.id {
		ix.holds[id] += sign
		ix.held[id] += float32(sign) * float32(it.counts[k])
	}
	for _, h := range it.answer {
		ix.spread[h&spreadMask] += sign
	}
	ix.length += float64(sign) * it.length
}

// pooled weighs what an entry's questions have in common against the rest of the
// base.
func (ix *index) pooled() {
	n := float64(len(ix.items))
	ix.rarity, ix.share = make([]float32, len(ix.held)), make([]float32, len(ix.held))
	for id := range ix.rarity {
		ix.rarity[id] = float32(math.Log((n + 1) / (float64(ix.holds[id]) + 0.5)))
		ix.share[id] = ix.held[id] / float32(max(1, ix.length))
	}
}

// readRest analyses negative questions against the vocabulary that the questions made,
// to which they add nothing, and the answer, which has a table of its own.
func (it *item) readRest(ix *index) {
	it.negatives = make([]question, 0, len(it.entry.Negative))
	for _, text := range it.entry.Negative {
		r := ix.spell.read(text)
		q := newQuestion(text, r)
		q.vec = ix.vocab.queryVector(r.tokens)
		it.negatives = append(it.negatives, q)
	}
	it.answer = ix.spell.answerOf(it.entry.beside())
}

// published picks what can be found, in the order of numbers.
func published(entries map[int64]*Entry) []Entry {
	out := make([]Entry, 0, len(entries))
	for _, e := range entries {
		if e.Live() {
			out = append(out, *e)
		}
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Number < out[b].Number })
	return out
}

// find returns where the item with a number stands, or would stand.
func (ix *index) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(ix.items, number, func(it *item, n int64) int { return cmp.Compare(it.entry.Number, n) })
}
