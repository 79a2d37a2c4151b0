package kb

import (
	"reflect"
	"strings"
)

// Part is a piece of a text that stayed, came or went.
type Part struct {
	Op   byte // '=', '+' or '-'
	Text string
}

// FieldDiff is a column in which two entries differ.
type FieldDiff struct {
	Key, Title string
	Parts      []Part
}

// SameWords says whether two entries say the same, whatever their state and
// version.
func SameWords(a, b Entry) bool {
	for _, e := range []*Entry{&a, &b} {
		*e = Clean(*e)
		e.State, e.Version, e.Changed, e.Editor = "", 0, 0, ""
	}
	return reflect.DeepEqual(a, b)
}

// DiffLines tells line by line what came and what went.
func DiffLines(was, is string) []Part {
	return diffOf(strings.SplitAfter(was, "\n"), strings.SplitAfter(is, "\n"))
}

// Diff names the columns in which two entries differ, with what came and went.
func Diff(old, new Entry) (out []FieldDiff) {
	for i := range columns {
		c := &columns[i]
		was, is := strings.Join(c.get(&old), "\n"), strings.Join(c.get(&new), "\n")
		if was == is || c.key == "number" {
			continue
		}
		d := FieldDiff{Key: c.key, Title: c.title}
		if c.key == "state" {
			was, is = StateTitle(was), StateTitle(is)
		}
		if whole[c.key] {
			d.Parts = wholeParts(was, is)
		} else if c.list {
			d.Parts = diffOf(strings.SplitAfter(was+"\n", "\n"), strings.SplitAfter(is+"\n", "\n"))
		} else {
			d.Parts = diffText(was, is)
		}
		out = append(out, d)
	}
	return out
}

// whole are columns whose values are compared as one.
var whole = map[string]bool{"state": true, "valid_until": true, "review_at": true, "group": true, "category": true, "owner": true}

func wholeParts(was, is string) (out []Part) {
	for _, p := range []Part{{'-', was}, {'+', is}} {
		if p.Text != "" {
			out = append(out, p)
		}
	}
	return out
}

// diffCells bounds the table of a comparison; longer texts are compared by line.
const diffCells = 1 << 22

// diffText compares characters, or lines where the texts are long.
func diffText(was, is string) []Part {
	a, b := strings.Split(was, ""), strings.Split(is, "")
	if len(a)*len(b) > diffCells {
		a, b = strings.SplitAfter(was, "\n"), strings.SplitAfter(is, "\n")
	}
	return diffOf(a, b)
}

// diffOf is the longest common subsequence, after what both begin and end with.
func diffOf(a, b []string) (out []Part) {
	add := func(op byte, text string) {
		if text == "" {
			return
		}
		if n := len(out); n > 0 && out[n-1].Op == op {
			out[n-1].Text += text
			return
		}
		out = append(out, Part{op, text})
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		add('=', a[0])
		a, b = a[1:], b[1:]
	}
	end := 0
	for end < len(a) && end < len(b) && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	tail := a[len(a)-end:]
	a, b = a[:len(a)-end], b[:len(b)-end]
	if len(a)*len(b) > diffCells {
		add('-', strings.Join(a, ""))
		add('+', strings.Join(b, ""))
		a, b = nil, nil
	}
	longest := commonLengths(a, b)
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			add('=', a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			add('-', a[i])
			i++
		default:
			add('+', b[j])
			j++
		}
	}
	add('=', strings.Join(tail, ""))
	return out
}

// commonLengths is, for each pair of places, how much both have in common from
// there on.
func commonLengths(a, b []string) [][]int32 {
	out := make([][]int32, len(a)+1)
	for i := range out {
		out[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				out[i][j] = out[i+1][j+1] + 1
			} else {
				out[i][j] = max(out[i+1][j], out[i][j+1])
			}
		}
	}
	return out
}
