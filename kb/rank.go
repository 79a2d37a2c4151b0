package kb

import (
	"math"
	"slices"
)

// features of a candidate, from which its order is computed.
type features [featureCount]float64

const (
	fWeight   = iota // score of the trained postings
	fCosine          // likeness to the entry's best question
	fMean            // mean likeness to its best three
	fCoverage        // share of the question's weight that the entry's questions hold
	fBack            // share of the best question's weight that the question holds
	fAnswer          // share of the question's weight that the answer holds
	fWords           // share of the question's Latin and digit words that the entry lacks
	fExtra           // Latin and digit words of the best question that the question lacks
	fOrder           // longest common subsequence with the best question, Dice
	fLikely          // log likelihood of the question by the pooled questions, smoothed, a token
	fCore            // share of what the questions have in common that the question holds
	featureCount
)

// asked is a question as the ranker sees it.
type asked struct {
	reading
	vec     vector
	bare    string
	runs    []rune
	plain   float64 // weight of its own plain tokens, unknown ones counted
	unknown float64 // share of that weight which the base does not know
	words   []uint32
	wordsN  int // Latin and digit words, unknown ones counted
}

// maxRunes bounds what of a question is read; people's questions are shorter.
const maxRunes = 512

func (ix *index) ask(text string) *asked {
	if len(text) > 4*maxRunes {
		text = string([]rune(text)[:min(maxRunes, len([]rune(text)))])
	}
	q := &asked{reading: ix.spell.read(text)}
	q.vec = ix.vocab.queryVector(q.tokens)
	q.bare = bare(q.reading.plain)
	q.runs = []rune(q.bare)
	lost := 0.0
	for i, t := range q.tokens {
		if t.ofCopy() || slices.Contains(q.tokens[:i], t) {
			continue
		}
		id, known := ix.vocab.ids[t]
		w := ix.vocab.top
		if known {
			w = ix.vocab.idf[id]
		} else {
			lost += float64(w)
		}
		q.plain += float64(w)
		if t.isWord() {
			q.wordsN++
			if known {
				q.words = append(q.words, id)
			}
		}
	}
	if q.plain > 0 {
		q.unknown = lost / q.plain
	}
	return q
}

// smoothing is how many tokens of the base's own mixture an entry's questions
// are read with (Dirichlet smoothing).
const smoothing = 30.0

// candidates is how many entries are looked at closely.
const candidates = 30

// rank returns the candidates for a question, best first, with their scores by
// the fit. The slice belongs to the scratch.
func (ix *index) rank(s *scratch, q *asked) []candidate {
	found := s.fetch(ix, q.vec, candidates)
	ix.weigh(s, q, found)
	return found
}

// score measures items that the words did not fetch, best first.
func (ix *index) score(s *scratch, q *asked, items []int32) []candidate {
	found := make([]candidate, len(items))
	for i, n := range items {
		found[i].item = n
	}
	ix.weigh(s, q, found)
	return found
}

func (ix *index) weigh(s *scratch, q *asked, found []candidate) {
	for k, id := range q.vec.id {
		s.weight[id] = q.vec.w[k]
	}
	for i := range found {
		ix.measure(s, q, &found[i])
		found[i].score = ix.fit.order.dot(&found[i].x)
	}
	for _, id := range q.vec.id {
		s.weight[id] = 0
	}
	slices.SortFunc(found, compare)
}

// measure fills in the features of a candidate. s.weight holds the question's
// vector by token.
func (ix *index) measure(s *scratch, q *asked, c *candidate) {
	it := ix.items[c.item]
	covered, held, likely := 0.0, 0.0, 0.0
	c.x = features{}
	core := 1e-9
	for k, id := range it.weights.id {
		tf, rare := float64(it.counts[k]), float64(ix.rarity[id])
		core += tf * rare
		if x := s.weight[id]; x != 0 {
			c.x[fWeight] += float64(x) * float64(it.weights.w[k])
			if !ix.vocab.tokens[id].ofCopy() {
				covered += float64(ix.vocab.idf[id])
			}
			held += tf * rare
			p := float64(ix.share[id])
			likely += math.Log((tf+smoothing*p)/(it.length+smoothing)) - math.Log(smoothing*p/(it.length+smoothing))
		}
	}
	c.x[fCore] = held / core
	c.x[fLikely] = likely / float64(max(1, len(q.vec.id)))
	ix.likeness(s, c)
	if q.plain > 0 {
		c.x[fCoverage] = covered / q.plain
		c.x[fAnswer] = ix.inAnswer(s, it) / q.plain
	}
	best := &it.questions[c.best]
	c.x[fWords], c.x[fExtra] = ix.wordsApart(s, q, it, best)
	s.runs = appendRunes(s.runs[:0], best.bare)
	if n := len(q.runs) + len(s.runs); n > 0 {
		c.x[fOrder] = 2 * float64(s.subsequence(q.runs, s.runs)) / float64(n)
	}
}

// likeness compares with every question of the entry.
func (ix *index) likeness(s *scratch, c *candidate) {
	var top [3]float64
	for n := range ix.items[c.item].questions {
		v := &ix.items[c.item].questions[n].vec
		dot := float32(0)
		for k, id := range v.id {
			dot += s.weight[id] * v.w[k]
		}
		d := float64(dot)
		switch {
		case d > top[0]:
			top[2], top[1], top[0] = top[1], top[0], d
			c.best = n
		case d > top[1]:
			top[2], top[1] = top[1], d
		case d > top[2]:
			top[2] = d
		}
	}
	n := min(3, len(ix.items[c.item].questions))
	c.x[fCosine] = top[0]
	c.x[fMean] = (top[0] + top[1] + top[2]) / float64(max(1, n))
	held := 0.0
	best := &ix.items[c.item].questions[c.best].vec
	for k, id := range best.id {
		if s.weight[id] != 0 {
			held += float64(best.w[k]) * float64(best.w[k])
		}
	}
	c.x[fBack] = held // the vector has length one
}

func (ix *index) inAnswer(s *scratch, it *item) float64 {
	sum := 0.0
	for _, id := range it.answer {
		if s.weight[id] != 0 {
			sum += float64(ix.vocab.idf[id])
		}
	}
	return sum
}

// wordsApart compares Latin and digit words, which name versions, codes and
// products: one that differs often means another thing.
func (ix *index) wordsApart(s *scratch, q *asked, it *item, best *question) (lacking, extra float64) {
	if q.wordsN > 0 {
		there := 0
		for _, id := range q.words {
			if _, ok := slices.BinarySearch(it.weights.id, id); ok {
				there++
			}
		}
		lacking = 1 - float64(there)/float64(q.wordsN)
	}
	for _, id := range best.vec.id {
		t := ix.vocab.tokens[id]
		if t.isWord() && !t.ofCopy() && s.weight[id] == 0 {
			extra = 1
		}
	}
	return lacking, extra
}

// subsequence is the length of the longest common subsequence.
func (s *scratch) subsequence(a, b []rune) int {
	if cap(s.row) <= len(b) {
		s.row = make([]int32, 2*len(b)+16)
	}
	row := s.row[:len(b)+1]
	clear(row)
	for _, x := range a {
		diagonal := int32(0)
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return int(row[len(b)])
}

// sigmoid turns a logit into a probability.
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
