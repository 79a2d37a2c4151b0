package kb

import (
	"maps"
	"math"
	"slices"
)

// vector is a sparse vector, ids ascending.
type vector struct {
	id []uint32
	w  []float32
}

// vocabulary numbers the tokens of a base and weighs them by rarity. A
// snapshot's vocabulary is never changed: who adds to it clones it first.
type vocabulary struct {
	ids    map[token]uint32
	tokens []token
	idf    []float32
	top    float32 // weight of a token that the base does not have
}

func (v *vocabulary) clone() *vocabulary {
	return &vocabulary{ids: maps.Clone(v.ids), tokens: slices.Clone(v.tokens), idf: slices.Clone(v.idf), top: v.top}
}

// add numbers the tokens of a text, new ones too; ids come back sorted, with
// repeats.
func (v *vocabulary) add(tokens []token) []uint32 {
	out := make([]uint32, 0, len(tokens))
	for _, t := range tokens {
		id, ok := v.ids[t]
		if !ok {
			id = uint32(len(v.tokens))
			v.ids[t] = id
			v.tokens = append(v.tokens, t)
		}
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// weigh fixes the rarity of tokens from document counts: ln((n+1)/(df+1))+1,
// the smoothed form that scikit-learn documents for TfidfTransformer.
func (v *vocabulary) weigh(df []int32, n int) {
	for id := len(v.idf); id < len(v.tokens); id++ {
		v.idf = append(v.idf, float32(math.Log(float64(n+1)/float64(df[id]+1))+1))
	}
}

// vectorOf makes the unit TF-IDF vector of sorted ids; extra is squared weight
// that counts in the length only.
func (v *vocabulary) vectorOf(ids []uint32, extra float64) vector {
	return v.appendVector(vector{id: make([]uint32, 0, len(ids)), w: make([]float32, 0, len(ids))}, ids, extra)
}

// appendVector puts that vector behind what out holds.
func (v *vocabulary) appendVector(out vector, ids []uint32, extra float64) vector {
	from := len(out.w)
	sum := extra
	for i := 0; i < len(ids); {
		j := i
		for j < len(ids) && ids[j] == ids[i] {
			j++
		}
		w := v.idf[ids[i]]
		if j-i > 1 {
			w *= float32(1 + math.Log(float64(j-i)))
		}
		out.id, out.w = append(out.id, ids[i]), append(out.w, w)
		sum += float64(w) * float64(w)
		i = j
	}
	norm := float32(1 / (math.Sqrt(sum) + 1e-9))
	for i := range out.w[from:] {
		out.w[from+i] *= norm
	}
	return out
}

// unknownShare is how much of the weight of unknown tokens counts in a
// question's length: a question about something else scores low by it
// (chosen on the development sets).
const unknownShare = 0.3

// queryVector makes the vector of a question that may hold unknown tokens.
func (v *vocabulary) queryVector(tokens []token) vector {
	ids := make([]uint32, 0, len(tokens))
	var unknown []token
	for _, t := range tokens {
		if id, ok := v.ids[t]; ok {
			ids = append(ids, id)
		} else if !slices.Contains(unknown, t) {
			unknown = append(unknown, t)
		}
	}
	slices.Sort(ids)
	return v.vectorOf(ids, unknownShare*float64(len(unknown))*float64(v.top)*float64(v.top))
}
