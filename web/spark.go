package web

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// sparkPoint is one value of a curve; what is not known leaves a gap.
type sparkPoint struct {
	Value float64
	Known bool
	Bad   bool // it was alarming: a dot
}

// spark draws a curve, the oldest point on the left. Looks come from the style
// sheet: the page allows no styles of its own.
func spark(points []sparkPoint, width, height int, name string) template.HTML {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if p.Known {
			low, high = math.Min(low, p.Value), math.Max(high, p.Value)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="spark" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, template.HTMLEscapeString(name))
	const edge = 3.0
	at := func(i int, v float64) (x, y float64) {
		x = edge + (float64(width)-2*edge)*float64(i)/float64(max(1, len(points)-1))
		if y = float64(height) / 2; high > low {
			y = edge + (float64(height)-2*edge)*(high-v)/(high-low)
		}
		return x, y
	}
	open := false
	var dots strings.Builder
	for i, p := range points {
		if !p.Known {
			if open {
				b.WriteString(`"/>`)
			}
			open = false
			continue
		}
		x, y := at(i, p.Value)
		if !open {
			b.WriteString(`<polyline points="`)
		}
		if alone := (i == 0 || !points[i-1].Known) && (i == len(points)-1 || !points[i+1].Known); alone && !p.Bad {
			fmt.Fprintf(&dots, `<circle class="p" cx="%.1f" cy="%.1f" r="2.2"/>`, x, y) // a line of one point would not show
		}
		open = true
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
		if p.Bad {
			fmt.Fprintf(&dots, `<circle cx="%.1f" cy="%.1f" r="2.2"/>`, x, y)
		}
	}
	if open {
		b.WriteString(`"/>`)
	}
	b.WriteString(dots.String() + "</svg>")
	return template.HTML(b.String())
}
