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
	heard     Heard // what people said of answers, and what came of it
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
	sOne    = iota // constant
	sShare         // log share of the first in the softmax of all scores
	sMargin        // distance to the second
	sCosine        // of the first, as all that have a feature's name
	sCoverage
	sUnknown // share of the question's weight that the base does not know
	sBack
	sWords
	sExtra
	sOrder
	sLength // log of the question's characters
	sAnswer
	sRaw // log share of the first in the softmax of the trained scores alone
	sFlat
	sCharLack
	sCharExtra
	sOrderCopy
	sMean
	sLikely
	sCore
	sSense
	sSenseBest
	sTypical      // how much more like the entry's questions it is than they are among themselves
	sTypicalSense // the same by what words mean
	sApart        // likeness of the first less the greatest of the others
	sApartMean    // and so on
	sApartLikely
	sApartCore
	sApartSense
	sApartWeight
	sAlone // whether the first has its standard question only
	sAgree // share of the ways to compare by which none of the others is above the first
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
	order: orderWeights{fWeight: 0.1, fCosine: 3.5, fMean: 3.5, fCoverage: -3.7, fBack: -2, fAnswer: 6, fWords: -2.2, fExtra: -0.5, fOrder: 2.4, fLikely: 1.9,
		fCore: -1.4, fFlat: -3.1, fCharLack: -1.2, fCharExtra: -3.3, fCommonExtra: -0.7, fOrderCopy: 1.1, fRun: -2, fSize: -1},
	sure:      sureWeights{sOne: -1.1, sShare: 1.8, sMargin: 0.2, sUnknown: -1, sWords: -0.7, sOrder: 0.4, sLength: 0.7, sFlat: 0.5, sCharExtra: -1.4, sOrderCopy: 0.5},
	threshold: 0.94,
}

const farMargin = 6 // beyond this a margin says nothing more

// signalsOf reads the signals off a ranked list that is not empty.
func signalsOf(q *asked, ranked []candidate) signals {
	first := &ranked[0]
	total, raw := 0.0, 0.0
	for i := range ranked {
		total += math.Exp(ranked[i].score - first.score)
		raw += math.Exp(ranked[i].x[fWeight] - first.x[fWeight])
	}
	margin := float64(farMargin)
	if len(ranked) > 1 {
		margin = min(margin, first.score-ranked[1].score)
	}
	x, apart := &first.x, apartOf(ranked)
	return signals{
		sOne: 1, sShare: -math.Log(total), sMargin: margin, sUnknown: q.unknown, sLength: math.Log(1 + float64(len(q.runs))), sRaw: -math.Log(raw),
		sCosine: x[fCosine], sCoverage: x[fCoverage], sBack: x[fBack], sWords: x[fWords], sExtra: x[fExtra], sOrder: x[fOrder], sAnswer: x[fAnswer],
		sFlat: x[fFlat], sCharLack: x[fCharLack], sCharExtra: x[fCharExtra], sOrderCopy: x[fOrderCopy], sMean: x[fMean], sLikely: x[fLikely],
		sCore: x[fCore], sSense: x[fSense], sSenseBest: x[fSenseBest], sTypical: first.typical, sTypicalSense: first.typicalSense,
		sApart: apart[fCosine], sApartMean: apart[fMean], sApartLikely: apart[fLikely], sApartCore: apart[fCore], sApartSense: apart[fSense],
		sApartWeight: min(apart[fWeight], farMargin), sAgree: agreement(&apart), sAlone: x[fAlone],
	}
}

// apartOf is how far the first is above the best of the others by each feature.
func apartOf(ranked []candidate) features {
	apart := ranked[0].x
	if len(ranked) < 2 {
		return apart
	}
	for k := range apart {
		top := math.Inf(-1)
		for i := range ranked[1:] {
			top = max(top, ranked[i+1].x[k])
		}
		apart[k] -= top
	}
	return apart
}

// ways are the features by which entries can be compared each alone.
var ways = []int{fWeight, fCosine, fMean, fLikely, fCore, fCoverage, fSense, fSenseBest}

func agreement(apart *features) float64 {
	n := 0
	for _, k := range ways {
		if apart[k] >= 0 {
			n++
		}
	}
	return float64(n) / float64(len(ways))
}
