package kb

import (
	"math"
	"slices"
)

// features of a candidate, from which its order is computed.
type features [featureCount]float64

const (
	fWeight      = iota // score of the trained postings
	fCosine             // likeness to the entry's best question
	fMean               // mean likeness to its best three
	fCoverage           // share of the question's weight that the entry's questions hold
	fBack               // share of the best question's weight that the question holds
	fAnswer             // share of the question's weight that the answer holds
	fWords              // share of the question's Latin and digit words that the entry lacks
	fExtra              // Latin and digit words of the best question that the question lacks
	fOrder              // longest common subsequence with the best question, Dice
	fLikely             // log likelihood of the question by the pooled questions, smoothed, a token
	fCore               // share of what the questions have in common that the question holds
	fFlat               // share of the question's pairs of characters that the best question holds, each counting the same
	fCharLack           // share of its characters that the best question lacks
	fCharExtra          // share of the best question's characters that it lacks
	fCommonExtra        // share of the common pairs of the best question that it lacks
	fOrderCopy          // fOrder of the normalised copies
	fRun                // longest common run of them, Dice
	fSense              // likeness to the entry's questions by what their words were learned to mean
	fSenseBest          // the same to the nearest of them
	fAlone              // whether the entry has its standard question only
	fSize               // half the log of the number of its questions
	featureCount
)

// asked is a question as the ranker sees it.
type asked struct {
	reading
	vec      vector
	bare     string
	runs     []rune
	copyRuns []rune // bare copy
	pairs    int    // its pairs and words, each once, unknown ones counted
	chars    int    // its characters, the same way
	sense    []float32
	parts    []part  // what is looked for in answers
	plain    float64 // weight of its own plain tokens, unknown ones counted
	unknown  float64 // share of that weight which the base does not know
	words    []uint32
	wordsN   int // Latin and digit words, unknown ones counted
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
	q.copyRuns = []rune(bare(q.reading.copied))
	if ix.senses != nil {
		q.sense = make([]float32, senseSize)
		ix.senses.read(&q.vec, q.sense)
	}
	lost := 0.0
	for i, t := range q.tokens {
		if slices.Contains(q.tokens[:i], t) {
			continue
		}
		if t.ofCopy() {
			if t.isPair() || t.isWord() {
				q.pairs++
				q.parts = ix.appendPart(q.parts, t)
			} else {
				q.chars++
			}
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
	}
	c.x[fAnswer] = q.within(it)
	c.x[fWords] = wordsLacking(q, it)
	ix.compare(s, q, it, c)
	if q.sense != nil {
		q.compareSense(it, c)
	}
	c.x[fSize] = math.Log(float64(len(it.questions))) / 2
	if it.alone() {
		c.x[fAlone] = 1
	}
}

// likeness compares with every question of the entry.
func (ix *index) likeness(s *scratch, c *candidate) {
	it := ix.items[c.item]
	var near nearest
	for n := range it.questions {
		v := &it.questions[n].vec
		dot := float32(0)
		for k, id := range v.id {
			dot += s.weight[id] * v.w[k]
		}
		near.take(float64(dot), n)
	}
	c.best, c.x[fCosine], c.x[fMean] = near.best, near.top[0], near.mean(len(it.questions))
	if len(it.questions) > 1 {
		c.typical = c.x[fMean] - it.typical
	}
}

// wordsLacking is the share of the question's Latin and digit words, which name
// versions, codes and products, that an entry has nowhere.
func wordsLacking(q *asked, it *item) float64 {
	if q.wordsN == 0 {
		return 0
	}
	there := 0
	for _, id := range q.words {
		if _, ok := slices.BinarySearch(it.weights.id, id); ok {
			there++
		}
	}
	return 1 - float64(there)/float64(q.wordsN)
}

// sigmoid turns a logit into a probability.
func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
