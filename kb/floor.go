package kb

import "context"

// strangerWeight is how much a question of an entry that is left out counts, so
// that such have their assumed share of all.
func strangerWeight(samples []sample) float64 {
	alien, own := 0, 0.0
	for i := range samples {
		if samples[i].own < 0 {
			alien++
		} else {
			own += samples[i].weight
		}
	}
	if alien == 0 || own == 0 {
		return 1
	}
	return strangers / (1 - strangers) * own / float64(alien)
}

// trial is one question that the words refused, with the likeness of what
// vectors find for it.
type trial struct {
	like, weight float64
	right        bool
}

// floorOf is the likeness from which the entry that is most like a question
// refused by the words is more likely right than not: where a logistic
// regression on the likeness says one half.
func floorOf(ctx context.Context, ix *index, m *matrix, look lookup, refused []*sample, stranger float64) float64 {
	var trials []trial
	rights := 0
	for _, s := range refused {
		if ctx.Err() != nil {
			return never
		}
		t := trialOf(ix, m, look, s)
		if s.own < 0 {
			t.weight = stranger
		}
		if t.right {
			rights++
		}
		trials = append(trials, t)
	}
	if rights < refusedFew || len(trials)-rights < refusedFew {
		return never
	}
	slope, offset := logistic(trials)
	if slope <= 0 {
		return never
	}
	floor := -offset / slope
	all, right := 0.0, 0.0
	for _, t := range trials {
		if t.like >= floor {
			all += t.weight
			if t.right {
				right += t.weight
			}
		}
	}
	if all == 0 || right < floorRight*all {
		return never
	}
	return floor
}

// trialOf asks for a question without itself, and without its entry when that
// was left out.
func trialOf(ix *index, m *matrix, look lookup, s *sample) trial {
	bits, scale := look.of(s.text)
	own, other := -1.0, -1.0
	for _, x := range m.nearest(bits, scale, 2) {
		if x.entry != s.entry {
			other = max(other, x.like)
		}
	}
	if n, ok := ix.find(s.entry); ok && s.own >= 0 {
		own = look.like(s.text, ix.items[n])
	}
	return trial{like: max(own, other), weight: 1, right: own > other}
}

// logistic fits the probability of being right by likeness, with a slight pull
// to nothing, by Newton's method.
func logistic(trials []trial) (slope, offset float64) {
	w := []float64{0, 0}
	for range newtonRounds {
		g := []float64{1e-2 * w[0], 1e-2 * w[1]}
		h := [][]float64{{1e-2, 0}, {0, 1e-2}}
		for _, t := range trials {
			p := sigmoid(w[0]*t.like + w[1])
			d, c := p, p*(1-p)*t.weight
			if t.right {
				d--
			}
			d *= t.weight
			g[0], g[1] = g[0]+d*t.like, g[1]+d
			h[0][0], h[0][1], h[1][0], h[1][1] = h[0][0]+c*t.like*t.like, h[0][1]+c*t.like, h[1][0]+c*t.like, h[1][1]+c
		}
		if step(w, g, h) < newtonEnd {
			break
		}
	}
	return w[0], w[1]
}
