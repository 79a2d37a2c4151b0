package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bar is one column of a stacked chart.
type Bar struct {
	Label string
	Parts []int64
	Title string
	Links []string // by part; "" or none: no link
}

var series = []Ink{Series2, Series1, Series3, Series4}

// SeriesInk is the colour of the n-th of some series.
func SeriesInk(n int) Ink { return series[n%len(series)] }

// Stacked is columns of parts on top of each other, the first part lowest.
func Stacked(w, h float64, about string, bars []Bar) Scene {
	s := Scene{W: w, H: h, About: about}
	const left, top, foot = 34, 12, 22
	most := int64(0)
	for _, b := range bars {
		most = max(most, sum(b.Parts))
	}
	step, ticks := scale(float64(most))
	at := func(v float64) float64 { return h - foot - v/(step*float64(ticks))*(h-foot-top) }
	for i := range ticks + 1 {
		v := step * float64(i)
		s.line(left, at(v), w, at(v), Grid, false)
		s.text(left-8, at(v)+4, End, Muted, short(v))
	}
	if len(bars) == 0 {
		return s
	}
	pitch := (w - left) / float64(len(bars))
	each := labelEvery(bars, pitch)
	for i, b := range bars {
		x, wide := left+pitch*(float64(i)+0.5), min(26, pitch*0.62)
		below := 0.0
		for k, n := range b.Parts {
			if n == 0 {
				continue
			}
			p := Shape{Kind: Box, X: x - wide/2, Y: at(below + float64(n)), W: wide, H: at(below) - at(below+float64(n)), Fill: SeriesInk(k), Title: b.Title}
			if k < len(b.Links) {
				p.Link = b.Links[k]
			}
			s.add(p)
			below += float64(n)
		}
		if i%each == 0 {
			s.text(x, h-foot+16, Middle, Muted, b.Label)
		}
	}
	return s
}

func sum(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}

// labelEvery is of how many columns one is labelled, so that labels do not touch.
func labelEvery(bars []Bar, pitch float64) int {
	most := 0.0
	for _, b := range bars {
		most = max(most, width(b.Label))
	}
	return max(1, int(math.Ceil((most+6)/pitch)))
}

// width is about how wide a text of 12 units is.
func width(text string) (w float64) {
	for _, r := range text {
		if r < 0x2e80 {
			w += 6.8
		} else {
			w += 12
		}
	}
	return w
}

// scale divides an axis from 0 in a few round steps that reach most.
func scale(most float64) (step float64, ticks int) {
	if most <= 4 {
		return 1, 4
	}
	raw := most / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5, 10} {
		if step = m * power; step >= raw && (step >= 1) {
			break
		}
	}
	return step, int(math.Ceil(most / step))
}

// Point is one value of a trend; one that is not Known leaves a hole.
type Point struct {
	Label string
	Value float64
	Known bool
	Link  string
}

// Trend is a line of shares in percent, from 0 to 100 or what is needed of it.
func Trend(w, h float64, about string, list []Point) Scene {
	s := Scene{W: w, H: h, About: about}
	const left, right, top, foot = 38, 46, 14, 26
	low, high := bounds(list)
	at := func(v float64) float64 { return h - foot - (v-low)/(high-low)*(h-foot-top) }
	for i := range 4 {
		v := low + (high-low)*float64(i)/3
		s.line(left, at(v), w-right+10, at(v), Grid, false)
		s.text(left-8, at(v)+4, End, Muted, short(v)+"%")
	}
	if len(list) == 0 {
		return s
	}
	pitch := (w - left - right) / float64(max(1, len(list)-1))
	var run [][2]float64
	last := -1
	flush := func() {
		if len(run) > 1 {
			area := append([][2]float64{{run[0][0], h - foot}}, run...)
			s.add(Shape{Kind: Area, Points: append(area, [2]float64{run[len(run)-1][0], h - foot}), Fill: Series1, Opacity: 0.1},
				Shape{Kind: Line, Points: run, Stroke: Series1, Width: 2})
		}
		run = nil
	}
	for i, p := range list {
		x := left + pitch*float64(i)
		if i%2 == 0 {
			s.text(x, h-8, Middle, Muted, p.Label)
		}
		if !p.Known {
			flush()
			continue
		}
		run, last = append(run, [2]float64{x, at(p.Value)}), i
	}
	flush()
	for i, p := range list {
		if p.Known {
			s.add(Shape{Kind: Dot, X: left + pitch*float64(i), Y: at(p.Value), W: 3.5, Fill: Series1, Title: p.Label + " " + short(p.Value) + "%", Link: p.Link})
		}
	}
	if last >= 0 {
		s.add(Shape{Kind: Text, X: left + pitch*float64(last) + 7, Y: at(list[last].Value) + 4, Fill: Words, Bold: true, Text: short(list[last].Value) + "%"})
	}
	return s
}

// bounds are round percents around the values.
func bounds(list []Point) (low, high float64) {
	low, high = 100, 0
	for _, p := range list {
		if p.Known {
			low, high = min(low, p.Value), max(high, p.Value)
		}
	}
	low, high = math.Floor(low/15)*15, math.Ceil(high/15)*15
	if high <= low {
		return 0, 60
	}
	return max(0, low), high
}

// Span is from one time to another, both in seconds, such as P50 to P90.
type Span struct {
	Label    string
	Low, Top int64
	Known    bool
	Title    string
	Link     string
}

// Spans draws each span on its own line, over hours; goal, in seconds, is a
// dashed line, 0 for none.
func Spans(w, h float64, about string, list []Span, goal int64) Scene {
	s := Scene{W: w, H: h, About: about}
	const left, right, foot = 64, 24, 26
	most := goal
	for _, p := range list {
		if p.Known {
			most = max(most, p.Top)
		}
	}
	step, ticks := scale(float64(max(most, 1)) / 3600)
	at := func(seconds int64) float64 {
		return left + float64(seconds)/3600/(step*float64(ticks))*(w-left-right)
	}
	pitch := (h - foot - 6) / float64(max(1, len(list)))
	for i, p := range list {
		y := 6 + pitch*(float64(i)+0.5)
		s.text(0, y+4, Start, Muted, p.Label)
		s.line(left, y, w-right, y, Grid, false)
		if !p.Known {
			continue
		}
		ink := SeriesInk(i)
		s.add(Shape{Kind: Line, Points: [][2]float64{{at(p.Low), y}, {at(p.Top), y}}, Stroke: ink, Width: 4, Opacity: 0.35},
			Shape{Kind: Dot, X: at(p.Low), Y: y, W: 5, Fill: ink, Title: p.Title, Link: p.Link},
			Shape{Kind: Dot, X: at(p.Top), Y: y, W: 4, Fill: Surface, Stroke: ink, Width: 2, Title: p.Title, Link: p.Link})
	}
	for i := range ticks + 1 {
		s.text(at(int64(step*float64(i)*3600)), h-6, Middle, Muted, short(step*float64(i))+" 时")
	}
	if goal > 0 {
		s.line(at(goal), 4, at(goal), h-foot, Danger, true)
	}
	return s
}

// Cell is one field of a heat map.
type Cell struct {
	Value float64
	Title string
	Link  string
}

// Heat is rows of cells, the darker the more; the highest few carry their value.
func Heat(w, h float64, about string, rows, columns []string, cells [][]Cell) Scene {
	s := Scene{W: w, H: h, About: about}
	const left, foot, gap = 40, 20, 2
	most := 0.0
	for _, row := range cells {
		for _, c := range row {
			most = max(most, c.Value)
		}
	}
	wide, high := (w-left)/float64(max(1, len(columns))), (h-foot)/float64(max(1, len(rows)))
	for i, row := range cells {
		s.text(0, high*(float64(i)+0.5)+4, Start, Muted, rows[i])
		for k, c := range row {
			x, y := left+wide*float64(k), high*float64(i)
			p := Shape{Kind: Box, X: x, Y: y, W: wide - gap, H: high - gap, Fill: Grid, Title: c.Title, Link: c.Link}
			if c.Value > 0 {
				p.Fill, p.Opacity = Series1, 0.12+0.86*c.Value/most
			}
			s.add(p)
			if c.Value >= 0.75*most && c.Value > 0 && wide > 24 {
				s.text(x+(wide-gap)/2, y+high/2+4, Middle, OnInk, short(c.Value))
			}
		}
	}
	each := max(1, int(math.Ceil(34/wide)))
	for k, c := range columns {
		if k%each == 0 {
			s.text(left+wide*(float64(k)+0.5), h-4, Middle, Muted, c)
		}
	}
	return s
}

// Share is one bar of Shares.
type Share struct {
	Label, Value string
	Part         float64 // 0 to 1
	Before       float64 // where the tick stands; below 0: none
	Link         string
}

// Shares is a bar for each share, with a tick where it was before.
func Shares(w float64, about string, list []Share) Scene {
	const pitch = 44
	s := Scene{W: w, H: pitch * float64(max(1, len(list))), About: about}
	full := 0.0
	for _, p := range list {
		full = max(full, p.Part, p.Before)
	}
	full = max(math.Ceil(full*10)/10, 0.1)
	for i, p := range list {
		y := pitch * float64(i)
		s.add(Shape{Kind: Text, X: 0, Y: y + 14, Fill: Words, Text: p.Label, Size: 13, Link: p.Link})
		s.add(Shape{Kind: Text, X: w, Y: y + 14, Fill: Words, Text: p.Value, Size: 13, Anchor: End})
		s.add(Shape{Kind: Box, X: 0, Y: y + 22, W: w, H: 12, Fill: Grid},
			Shape{Kind: Box, X: 0, Y: y + 22, W: w * p.Part / full, H: 12, Fill: SeriesInk(i), Link: p.Link, Title: p.Label + " " + p.Value})
		if p.Before >= 0 {
			s.add(Shape{Kind: Box, X: max(0, w*p.Before/full-1), Y: y + 19, W: 2, H: 18, Fill: Words})
		}
	}
	return s
}

// Legend names series in one line.
func Legend(names []string) Scene {
	s := Scene{H: 16}
	for i, n := range names {
		s.add(Shape{Kind: Box, X: s.W, Y: 3, W: 10, H: 10, Fill: SeriesInk(i)})
		s.text(s.W+15, 12, Start, Muted, n)
		s.W += 15 + width(n) + 14
	}
	return s
}

// Figure is one number with its name, for the head of a picture.
type Figure struct{ Title, Value, Note string }

// Poster puts a title, some figures and charts under each other: what is sent
// into a chat.
func Poster(w float64, title, note string, figures []Figure, charts ...Scene) Scene {
	s := Scene{W: w, About: title}
	const pad = 20
	s.add(Shape{Kind: Text, X: pad, Y: 36, Fill: Words, Text: title, Size: 20, Bold: true})
	s.text(pad, 58, Start, Muted, note)
	y, wide := 76.0, (w-2*pad)/float64(max(1, min(3, len(figures))))
	for i, f := range figures {
		x := pad + wide*float64(i%3)
		if i > 0 && i%3 == 0 {
			y += 62
		}
		s.text(x, y+14, Start, Muted, f.Title)
		s.add(Shape{Kind: Text, X: x, Y: y + 38, Fill: Words, Text: f.Value, Size: 20, Bold: true})
		s.add(Shape{Kind: Text, X: x, Y: y + 54, Fill: Muted, Text: f.Note, Size: 11})
	}
	if len(figures) > 0 {
		y += 76
	}
	for _, c := range charts {
		if c.About != "" {
			s.add(Shape{Kind: Text, X: pad, Y: y + 12, Fill: Words, Text: c.About, Size: 14, Bold: true})
			y += 26
		}
		s.Put(pad, y, c)
		y += c.H + 18
	}
	s.H = y + 4
	return s
}

// Percent says a share as the pages do.
func Percent(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") + "%"
}

// Hours says seconds in hours, for titles of spans.
func Hours(seconds int64) string { return fmt.Sprintf("%.1f", float64(seconds)/3600) }
