package kb

import "math"

// Both fits are small convex problems (a listwise softmax, a logistic
// regression), each with a pull toward weights set by hand, solved by Newton's
// method: exact, the same on every machine, and without a step size to choose.

const (
	newtonRounds = 12
	newtonEnd    = 1e-6
)

// fitOrder fits the weights of the order on the lists whose right entry is
// among the candidates. pull is how many lists' worth the weights set by hand
// have.
func fitOrder(samples []sample, from orderWeights, pull float64) orderWeights {
	w := from
	for range newtonRounds {
		var g [featureCount]float64
		var h [featureCount][featureCount]float64
		for i := range samples {
			if right := samples[i].place(); right >= 0 {
				orderSlope(&w, samples[i].list, right, samples[i].weight, &g, &h)
			}
		}
		for k := range w {
			g[k] += pull * (w[k] - from[k])
			h[k][k] += pull
		}
		if step(w[:], g[:], square(len(w), func(i, j int) float64 { return h[i][j] })) < newtonEnd {
			break
		}
	}
	return w
}

// orderSlope adds a list's gradient and curvature: the mean of the features
// under the softmax less the right one's, and their covariance.
func orderSlope(w *orderWeights, list []candidate, right int, weight float64, g *[featureCount]float64, h *[featureCount][featureCount]float64) {
	best := math.Inf(-1)
	p := make([]float64, len(list))
	for i := range list {
		p[i] = w.dot(&list[i].x)
		best = max(best, p[i])
	}
	total := 0.0
	for i := range p {
		p[i] = math.Exp(p[i] - best)
		total += p[i]
	}
	var mean features
	for i := range p {
		p[i] /= total
		for k, x := range list[i].x {
			mean[k] += p[i] * x
		}
	}
	for i := range p {
		for a := range mean {
			da := weight * p[i] * (list[i].x[a] - mean[a])
			for b := range a + 1 {
				h[a][b] += da * (list[i].x[b] - mean[b])
			}
		}
	}
	for k := range mean {
		g[k] += weight * (mean[k] - list[right].x[k])
	}
}

// verdict is what the confidence is fitted on.
type verdict struct {
	x        signals
	right    bool
	stranger bool
	weight   float64
}

// fitSure fits the confidence by logistic regression.
func fitSure(verdicts []verdict, from sureWeights, pull float64) sureWeights {
	w := from
	for range newtonRounds {
		var g [signalCount]float64
		var h [signalCount][signalCount]float64
		for i := range verdicts {
			v := &verdicts[i]
			p := w.of(&v.x)
			d, c := p, p*(1-p)*v.weight
			if v.right {
				d--
			}
			for a, x := range v.x {
				g[a] += v.weight * d * x
				for b, y := range v.x[:a+1] {
					h[a][b] += c * x * y
				}
			}
		}
		for k := range w {
			g[k] += pull * (w[k] - from[k])
			h[k][k] += pull
		}
		if step(w[:], g[:], square(len(w), func(i, j int) float64 { return h[i][j] })) < newtonEnd {
			break
		}
	}
	return w
}

// square lays out a matrix of which the lower half is given.
func square(n int, at func(i, j int) float64) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, n)
		for j := range i + 1 {
			out[i][j] = at(i, j)
		}
	}
	return out
}

// step moves w by the Newton step, at most two at a time so that the first
// rounds stay sane, and returns the length of the greatest move.
func step(w, g []float64, h [][]float64) float64 {
	move, longest := solve(h, g), 0.0
	for k := range w {
		d := max(-2, min(2, move[k]))
		w[k] -= d
		longest = max(longest, math.Abs(d))
	}
	return longest
}

// solve solves the positive definite system a·x = b by Cholesky's
// decomposition; of a the lower half is read, and overwritten.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for j := range n {
		for k := range j {
			a[j][j] -= a[j][k] * a[j][k]
		}
		a[j][j] = math.Sqrt(max(a[j][j], 1e-12))
		for i := j + 1; i < n; i++ {
			for k := range j {
				a[i][j] -= a[i][k] * a[j][k]
			}
			a[i][j] /= a[j][j]
		}
	}
	x := make([]float64, n)
	copy(x, b)
	for i := range n {
		for k := range i {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= a[k][i] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}
