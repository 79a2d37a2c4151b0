package kb

import "math"

// fit holds what turns features into an order, and an order into a
// confidence: fitted on the base itself when it has enough similar questions,
// otherwise set by hand.
type fit struct {
	order     orderWeights
	sure      sureWeights
	threshold float64 // confidence from which the base answers
	own       int     // of the base's own questions that it was fitted on
	verdicts  []verdict
}

type orderWeights features

func (w *orderWeights) dot(x *features) float64 {
	sum := 0.0
	for i := range x {
		sum += w[i] * x[i]
	}
	return sum
}

// signals of a ranked list, from which the confidence in its first is computed.
type signals [signalCount]float64

const (
	sOne      = iota // constant
	sShare           // log share of the first in the softmax of all scores
	sMargin          // distance to the second
	sCosine          // of the first
	sCoverage        // of the first
	sUnknown         // share of the question's weight that the base does not know
	sBack            // of the first
	sWords           // of the first
	sExtra           // of the first
	sOrder           // of the first
	sApart           // likeness of the first less the greatest likeness of others
	sLength          // log of the question's characters
	sAnswer          // of the first
	sRaw             // log share of the first in the softmax of the trained scores alone
	signalCount
)

type sureWeights signals

func (w *sureWeights) of(x *signals) float64 {
	sum := 0.0
	for i := range x {
		sum += w[i] * x[i]
	}
	return sigmoid(sum)
}

// cautious is the fit of a base that has no questions to fit on. Chosen by
// hand on the development sets, one set of scalars for all bases.
var cautious = fit{
	order: orderWeights{fWeight: 1.1, fMean: 1, fCoverage: 0.4, fBack: -0.8, fAnswer: 2.5, fWords: -1.2, fExtra: -0.3, fOrder: 2.6, fLikely: 0.6, fCore: 0.8},
	sure: sureWeights{sOne: -3.4, sShare: 1.4, sMargin: 0.3, sCosine: 1.8, sCoverage: 0.7, sUnknown: -0.2, sWords: -0.7,
		sExtra: -0.3, sOrder: 0.3, sApart: 0.9, sLength: 0.4, sAnswer: 0.5, sRaw: -0.5},
	threshold: 0.9,
}

const farMargin = 6 // beyond this a margin says nothing more

// signalsOf reads the signals off a ranked list that is not empty.
func signalsOf(q *asked, ranked []candidate) signals {
	first := &ranked[0]
	total, raw, like := 0.0, 0.0, 0.0
	for i := range ranked {
		c := &ranked[i]
		total += math.Exp(c.score - first.score)
		raw += math.Exp(c.x[fWeight] - first.x[fWeight])
		if i > 0 {
			like = max(like, c.x[fCosine])
		}
	}
	margin := float64(farMargin)
	if len(ranked) > 1 {
		margin = min(margin, first.score-ranked[1].score)
	}
	return signals{
		sOne: 1, sShare: -math.Log(total), sMargin: margin, sCosine: first.x[fCosine], sCoverage: first.x[fCoverage],
		sUnknown: q.unknown, sBack: first.x[fBack], sWords: first.x[fWords], sExtra: first.x[fExtra], sOrder: first.x[fOrder],
		sApart: first.x[fCosine] - like, sLength: math.Log(1 + float64(len(q.runs))), sAnswer: first.x[fAnswer], sRaw: -math.Log(raw),
	}
}
