package kb

import "math/rand/v2"

// Entries with a standard question only compete with others that have many. A base that
// judges itself by its similar questions asks those others alone, and would learn that
// what has few questions is never meant: on a bank's FAQ with similar questions for
// half of the entries, the first hit was right for 38 in 100 questions on the rest, and
// is for 62 since some of the others are asked as if they had no more either.

// bareShare is the share of entries with a standard question only, 0 for none.
type bareShare float64

// leastBare is the share that they count for where there are some: what is new comes
// bare, and is asked about.
const leastBare = 0.1

func bareOf(entries []Entry) bareShare {
	n := 0
	for i := range entries {
		if len(entries[i].Similar)+len(entries[i].Learned) == 0 {
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return max(leastBare, bareShare(n)/bareShare(len(entries)))
}

// strips says whether a fold asks the entry at a place, which has similar questions, as
// if it had none. Much more than these would make the base barer than it is.
func (b bareShare) strips(fold, place int) bool {
	return b > 0 && rand.New(rand.NewPCG(uint64(fold), uint64(place))).Float64() < max(0.02, 0.25*float64(b))
}

// balance weighs a fold's samples so that entries with one question have their share.
func (b bareShare) balance(list []sample, ix *index) {
	alone, others := 0, 0
	for i := range list {
		if own := list[i].own; own >= 0 && ix.items[own].alone() {
			alone++
		} else if own >= 0 {
			others++
		}
	}
	if alone == 0 || others == 0 {
		return
	}
	n := float64(alone + others)
	for i := range list {
		if own := list[i].own; own >= 0 && ix.items[own].alone() {
			list[i].weight = float64(b) * n / float64(alone)
		} else if own >= 0 {
			list[i].weight = float64(1-b) * n / float64(others)
		}
	}
}

func (it *item) alone() bool { return len(it.questions) == 1 }
