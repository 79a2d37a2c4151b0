package main

import (
	"cmp"
	"math"
	"slices"
)

// figures of one system on one set; NaN where there is nothing to measure.
type figures struct {
	hit1, hit3               float64 // of the questions that the base answers
	auroc, near              float64 // chance that such a question's top score is above another's; near: of the same domain
	cov95, cov90             float64 // answered rightly at the one threshold at which so much of all answers is right
	ownPrecision, ownFalse   float64 // at the system's own threshold: right answers, questions without an entry that were answered
	ownCoverage              float64 // questions answered, and rightly
	known, unknown, answered int
}

// row is the top hit of a query.
type row struct {
	score float64
	right bool
}

func score(queries []query, results []result) figures {
	by := map[string]result{}
	for _, r := range results {
		by[r.ID] = r
	}
	var f figures
	var rows []row
	var known, unknown, near []float64
	right, falsely, own := 0, 0, false
	for _, q := range queries {
		r := by[q.ID]
		top, ok := math.Inf(-1), false
		if len(r.Hits) > 0 {
			top, ok = r.Hits[0].Score, slices.Contains(q.Answers, r.Hits[0].ID)
			rows = append(rows, row{top, ok})
		}
		if len(q.Answers) > 0 {
			known = append(known, top)
			f.hit1 += count(ok)
			f.hit3 += count(slices.ContainsFunc(r.Hits[:min(3, len(r.Hits))], func(h hit) bool { return slices.Contains(q.Answers, h.ID) }))
		} else {
			unknown = append(unknown, top)
			if q.Kind == "near" {
				near = append(near, top)
			}
		}
		own = own || r.Answered != nil
		if r.Answered != nil && *r.Answered && len(r.Hits) > 0 {
			f.answered++
			right += int(count(ok))
			falsely += int(count(len(q.Answers) == 0))
		}
	}
	f.known, f.unknown = len(known), len(unknown)
	in := float64(f.known)
	f.hit1, f.hit3 = part(f.hit1, in), part(f.hit3, in)
	f.auroc, f.near = above(known, unknown), above(known, near)
	f.cov95, f.cov90 = coverage(rows, in, 0.95), coverage(rows, in, 0.90)
	f.ownPrecision, f.ownCoverage, f.ownFalse = math.NaN(), math.NaN(), math.NaN()
	if own {
		f.ownPrecision, f.ownCoverage, f.ownFalse = part(float64(right), float64(f.answered)), part(float64(right), in), part(float64(falsely), float64(f.unknown))
	}
	return f
}

func count(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func part(n, of float64) float64 {
	if of == 0 {
		return math.NaN()
	}
	return n / of
}

// above is the chance that a value of the first list is above one of the
// second, a tie counting a half.
func above(first, second []float64) float64 {
	if len(first) == 0 || len(second) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(second))
	sum := 0.0
	for _, v := range first {
		below, _ := slices.BinarySearch(sorted, v)
		upTo, _ := slices.BinarySearchFunc(sorted, v, func(x, v float64) int {
			if x <= v {
				return -1
			}
			return 1
		})
		sum += float64(below) + float64(upTo-below)/2
	}
	return sum / float64(len(first)) / float64(len(second))
}

// coverage is the largest share of the questions that the base answers which
// one threshold answers rightly while so much of all it answers is right.
// Equal scores are not told apart.
func coverage(rows []row, known, precision float64) float64 {
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.score, a.score) })
	best, right := 0.0, 0.0
	for i := range rows {
		right += count(rows[i].right)
		last := i+1 == len(rows) || rows[i+1].score != rows[i].score
		if last && right >= precision*float64(i+1) {
			best = max(best, right/known)
		}
	}
	return part(best*known, known)
}
