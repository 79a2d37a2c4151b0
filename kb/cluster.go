package kb

import (
	"slices"
)

// clusterLike is the likeness from which two questions are taken for the same
// thing asked (chosen by hand).
const clusterLike = 0.5

// clusterAmong is how many questions a word's rarity is judged among at least:
// of a dozen that all ask the same, what they share is no common word.
const clusterAmong = 500

// Cluster puts questions that ask the same into groups, the greatest first;
// each group lists the places of its questions, the most central first. It
// compares every question with the leaders of the groups, so that some
// thousand questions take a moment.
func Cluster(texts []string, synonyms [][]string) [][]int {
	vectors := vectorsOf(texts, synonyms)
	var groups [][]int
	for i := range texts {
		best, at := clusterLike, -1
		for g, members := range groups {
			if like := cosineOf(vectors[members[0]], vectors[i]); like >= best {
				best, at = like, g
			}
		}
		if at < 0 {
			groups = append(groups, []int{i})
		} else {
			groups[at] = append(groups[at], i)
		}
	}
	for _, members := range groups {
		centre := central(vectors, members)
		at := slices.Index(members, centre)
		members[0], members[at] = members[at], members[0]
	}
	slices.SortStableFunc(groups, func(a, b []int) int { return len(b) - len(a) })
	return groups
}

// Alike lists the places of the texts that ask the same as one does.
func Alike(text string, texts []string, synonyms [][]string) (out []int) {
	vectors := vectorsOf(append([]string{text}, texts...), synonyms)
	for i := range texts {
		if cosineOf(vectors[0], vectors[i+1]) >= clusterLike {
			out = append(out, i)
		}
	}
	return out
}

// vectorsOf weighs texts among each other, as they are read: politeness does not count.
func vectorsOf(texts []string, synonyms [][]string) []vector {
	spell := spellerFor(synonyms)
	v := &vocabulary{ids: map[token]uint32{}}
	ids := make([][]uint32, len(texts))
	for i, t := range texts {
		r := spell.read(t)
		ids[i] = v.add(slices.DeleteFunc(r.tokens, func(t token) bool { return !t.ofCopy() }))
	}
	df := make([]int32, len(v.tokens))
	countQuestions(df, ids)
	v.weigh(df, max(len(texts), clusterAmong))
	vectors := make([]vector, len(texts))
	for i := range texts {
		vectors[i] = v.vectorOf(ids[i], 0)
	}
	return vectors
}

// centralOf bounds the members that are compared with each other.
const centralOf = 50

func central(vectors []vector, members []int) int {
	best, at := -1.0, members[0]
	few := members[:min(len(members), centralOf)]
	for _, i := range few {
		sum := 0.0
		for _, j := range few {
			sum += cosineOf(vectors[i], vectors[j])
		}
		if sum > best {
			best, at = sum, i
		}
	}
	return at
}
