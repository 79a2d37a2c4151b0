package monitor

import (
	"math"
	"slices"
)

// Past is what earlier checks of an item found.
type Past interface {
	// Prev is the table of the check before this one.
	Prev() (Table, bool)
	// Base is one earlier value of a key.
	Base(key, which string) (float64, bool)
	// Points are values of earlier trading days at this time of the day, the
	// oldest first, at most n, those of incidents left out.
	Points(key string, n int) []float64
}

// whiches are the words for earlier values.
var whiches = []string{"prev", "yesterday", "same_time_yesterday", "same_time_last_week", "median20"}

// nothing is the past of an item that was never checked.
type nothing struct{}

func (nothing) Prev() (Table, bool)                 { return Table{}, false }
func (nothing) Base(string, string) (float64, bool) { return 0, false }
func (nothing) Points(string, int) []float64        { return nil }

func median(points []float64) float64 {
	p := slices.Sorted(slices.Values(points))
	if n := len(p); n%2 == 1 {
		return p[n/2]
	}
	return (p[len(p)/2-1] + p[len(p)/2]) / 2
}

// madZ is how far x lies from the median, in robust standard deviations. A flat
// series has no deviation: one, or one percent, stands in for it.
func madZ(x float64, points []float64) float64 {
	m := median(points)
	off := make([]float64, len(points))
	for i, p := range points {
		off[i] = math.Abs(p - m)
	}
	mad := median(off)
	if mad == 0 {
		mad = max(1, math.Abs(m)/100)
	}
	return 0.6745 * (x - m) / mad
}

const ewmaAlpha = 0.3

// ewmaZ is the same against a mean that follows what came last.
func ewmaZ(x float64, points []float64) float64 {
	mean, variance := points[0], 0.0
	for _, p := range points[1:] {
		d := p - mean
		mean += ewmaAlpha * d
		variance = (1 - ewmaAlpha) * (variance + ewmaAlpha*d*d)
	}
	sd := math.Sqrt(variance)
	if sd == 0 {
		sd = max(1, math.Abs(mean)/100)
	}
	return (x - mean) / sd
}
