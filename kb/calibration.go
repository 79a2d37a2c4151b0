package kb

import "math"

// Bin is questions whose stated probability lies in one tenth of the scale.
type Bin struct {
	From, To float64 // of the stated probability
	N        int
	Stated   float64 // mean
	Right    float64 // share whose first hit was right
}

// Reliability compares stated probabilities with what came true. Error is the
// expected calibration error: the mean distance of both over the bins, each by
// its share of the questions (Naeini, Cooper, Hauskrecht 2015, AAAI).
type Reliability struct {
	N     int
	Bins  []Bin // those that have questions
	Error float64
}

// outcomes collects stated probabilities with what came true.
type outcomes []outcome

type outcome struct {
	p, weight       float64
	right, stranger bool
}

const bins = 10

func (o outcomes) reliability() Reliability {
	var list [bins]struct{ n, weight, stated, right float64 }
	r := Reliability{N: len(o)}
	all := 0.0
	for _, x := range o {
		b := &list[min(bins-1, int(x.p*bins))]
		b.n++
		b.weight += x.weight
		b.stated += x.weight * x.p
		if x.right {
			b.right += x.weight
		}
		all += x.weight
	}
	for i, b := range list {
		if b.n == 0 {
			continue
		}
		bin := Bin{From: float64(i) / bins, To: float64(i+1) / bins, N: int(b.n), Stated: b.stated / b.weight, Right: b.right / b.weight}
		r.Bins = append(r.Bins, bin)
		r.Error += b.weight / all * math.Abs(bin.Stated-bin.Right)
	}
	return r
}

// Promise is what a promised share of right answers buys on a base.
type Promise struct {
	Promised  float64
	Threshold float64 // probability from which the base would answer
	Covered   float64 // share of questions with an entry that would be answered, and rightly
	Precision float64 // share of the answers that would be right
	Strangers float64 // share of questions without an entry that would be answered all the same
}

// Calibration is how a base judges itself: by its own similar questions, each
// asked without itself. Every probability here comes from a fit that did not
// see the question.
type Calibration struct {
	Own       int     // questions asked; 0: too few, the base answers by a cautious rule
	Promised  float64 // share of answers that are to be right
	Threshold float64 // probability from which the base would answer by its own judgement
	Heard     Heard   // and what people said of its answers
	Reliability
	Promises []Promise
}

// promised are the promises of the picture.
var promised = []float64{0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99}

// Calibration judges the live base.
func (e *Engine) Calibration() (c Calibration, err error) {
	ix := e.live.Load()
	if ix == nil {
		return c, ErrNotReady
	}
	c = Calibration{Own: len(ix.own.verdicts), Promised: e.opt.Promise, Threshold: ix.own.threshold, Heard: ix.fit.heard}
	if c.Own == 0 {
		return c, nil
	}
	seen := crossed(ix.own.verdicts)
	c.Reliability = seen.reliability()
	for _, p := range promised {
		c.Promises = append(c.Promises, ix.own.promise(seen, p))
	}
	return c, nil
}

// crossed states the probability of each half by a fit on the other half.
func crossed(verdicts []verdict) outcomes {
	var halves [2][]verdict
	for i, v := range verdicts {
		halves[i%2] = append(halves[i%2], v)
	}
	out := make(outcomes, 0, len(verdicts))
	for k, half := range halves {
		sure := fitSure(halves[1-k], cautious.sure, surePull)
		for i := range half {
			v := &half[i]
			out = append(out, outcome{sure.of(&v.x), v.weight, v.right, v.stranger})
		}
	}
	return out
}

// promise looks how a threshold, which is set on the questions themselves as
// the base sets its own, would do.
func (f *fit) promise(seen outcomes, share float64) Promise {
	p := Promise{Promised: share, Threshold: thresholdFor(f.verdicts, &f.sure, share)}
	known, answered, right, strange, lured := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, x := range seen {
		if x.stranger {
			strange += x.weight
		} else {
			known += x.weight
		}
		if x.p < p.Threshold {
			continue
		}
		answered += x.weight
		switch {
		case x.right:
			right += x.weight
		case x.stranger:
			lured += x.weight
		}
	}
	p.Covered, p.Precision, p.Strangers = ratio(right, known), ratio(right, answered), ratio(lured, strange)
	return p
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
