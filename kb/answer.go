package kb

import (
	"math"
	"slices"
	"strings"
)

// A question may ask by words that stand in the answer only, in the tags or in the short
// title. Their pairs and words are kept as hashes of 32 bits, not in the vocabulary of the
// questions: they are many, and this is one sign among others, so that two words that are
// taken for one do no harm.

// part is a pair or a word of a question, and what it weighs.
type part struct {
	hash   uint32
	weight float64
}

// answerRunes bounds what of an answer is looked at.
const answerRunes = 1500

// spreadMask is the table of how many answers have a part: by its last bits.
const spreadMask = 1<<18 - 1

func (t token) hash() uint32 { return uint32(uint64(t) * 0x9E3779B97F4A7C15 >> 32) } // Fibonacci hashing (Knuth, TAOCP 3, 6.4)

// beside is what an entry says beside its questions: short title, tags and the answer.
func (e *Entry) beside() string {
	return strings.Join(append(append([]string{e.ShortTitle}, e.Tags...), e.Answer), "\n")
}

// answerOf gathers the parts of a text's normalised copy.
func (s *speller) answerOf(text string) []uint32 {
	answer := normalize(text)
	answer = s.copyOf(answer[:min(len(answer), answerRunes)], nil)
	out := make([]uint32, 0, len(answer))
	for _, t := range appendTokens(make([]token, 0, 2*len(answer)), answer, copyBit) {
		if t.isPair() || t.isWord() {
			out = append(out, t.hash())
		}
	}
	slices.Sort(out)
	return slices.Clone(slices.Compact(out)) // without the room that was too much
}

// appendPart appends a pair or word of a question's copy, weighed by its rarity among
// answers, unless nearly all of them have it.
func (ix *index) appendPart(out []part, t token) []part {
	h := t.hash()
	n := float64(len(ix.items))
	if w := math.Log((n + 1) / (float64(ix.spread[h&spreadMask]) + 0.5)); w > 0 {
		out = append(out, part{h, w})
	}
	return out
}

// within is the share of the question's weight that stands in the answer of an entry.
func (q *asked) within(it *item) float64 {
	sum, have := 0.0, 0.0
	for _, p := range q.parts {
		sum += p.weight
		if _, ok := slices.BinarySearch(it.answer, p.hash); ok {
			have += p.weight
		}
	}
	if sum == 0 {
		return 0
	}
	return have / sum
}
