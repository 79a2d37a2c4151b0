package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"text/tabwriter"

	"frontline/kb"
)

// What becomes of a base when people ask it half of the questions, in four rounds, and
// say what they think as people would, measured on the other half.
const (
	shuffles   = 4
	rounds     = 4
	praises    = 0.3  // of those who got the right answer say so
	complains  = 0.4  // of those who got a wrong one
	picks      = 0.9  // of those who are offered what they asked for choose it
	saysNone   = 0.5  // of those who are not say that none of it is
	picksWrong = 0.05 // and some choose the first all the same
	offered    = 3    // hits that are offered
)

// heardSource is a base with what people said of its answers.
type heardSource struct {
	list []kb.Entry
	told []kb.Told
}

func (h *heardSource) Changed(_ context.Context, after int64, n int) ([]kb.Entry, error) {
	from := min(int(after), len(h.list))
	return h.list[from:min(len(h.list), from+n)], nil
}

func (h *heardSource) Told(_ context.Context, n int) ([]kb.Told, error) {
	return h.told[:min(n, len(h.told))], nil
}

// heardOf prints a line for each set and track: how the base did before and after.
func heardOf(dir string, tracks []string, out io.Writer) error {
	sets, err := findSets(dir)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "set\ttrack\twords\town coverage\town precision\tfalse answers\tcalibration error\t")
	for _, s := range sets {
		for _, track := range tracks {
			if track == "warm" && !s.warm() {
				continue
			}
			before, after, words := outcome{}, outcome{}, 0
			for seed := range uint64(shuffles) {
				n, err := s.listenTo(track == "warm", seed, &before, &after)
				if err != nil {
					return fmt.Errorf("%s %s: %w", s.name, track, err)
				}
				words += n
			}
			b, a := before.figures(), after.figures()
			fmt.Fprintf(w, "%s\t%s\t%d\t", s.name, track, words/shuffles)
			for i := range b {
				fmt.Fprintf(w, "%s → %s\t", share(b[i]), share(a[i]))
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}

// base has the entries with their answers, and with their similar questions when warm.
func (s set) base(warm bool) *heardSource {
	src := &heardSource{}
	for i, e := range s.entries {
		x := kb.Entry{Number: int64(i + 1), Changed: int64(i + 1), Question: e.Question, Answer: e.Answer, State: kb.Published}
		if warm {
			x.Similar = e.Similar
		}
		src.list = append(src.list, x)
	}
	return src
}

func (s set) listenTo(warm bool, seed uint64, before, after *outcome) (words int, err error) {
	src := s.base(warm)
	r := rand.New(rand.NewPCG(seed, 1))
	queries := slices.Clone(s.queries)
	r.Shuffle(len(queries), func(a, b int) { queries[a], queries[b] = queries[b], queries[a] })
	half := len(queries) / 2
	know := kb.NewEngine(kb.Options{})
	if err := know.Load(context.Background(), src); err != nil {
		return 0, err
	}
	if err := s.measure(know, queries[half:], before); err != nil {
		return 0, err
	}
	for round := range rounds {
		for _, q := range queries[round*half/rounds : (round+1)*half/rounds] {
			res, err := know.Search(context.Background(), kb.Query{Text: q.Text})
			if err != nil {
				return 0, err
			}
			if t, ok := s.say(r, q, res); ok {
				t.By = "person " + strconv.Itoa(len(src.told))
				src.told = append([]kb.Told{t}, src.told...)
			}
		}
		if err := know.Load(context.Background(), src); err != nil {
			return 0, err
		}
	}
	return len(src.told), s.measure(know, queries[half:], after)
}

// say is what a person says of an answer, if anything.
func (s set) say(r *rand.Rand, q query, res kb.Result) (t kb.Told, ok bool) {
	t.Text = q.Text
	switch res.Band {
	case kb.Answer:
		t.Entry, t.Right = res.Hits[0].Entry.Number, s.answers(q, res.Hits[0])
		if t.Right {
			return t, r.Float64() < praises
		}
		return t, r.Float64() < complains
	case kb.Clarify:
		for _, h := range res.Hits[:min(offered, len(res.Hits))] {
			if s.answers(q, h) {
				t.Entry, t.Right = h.Entry.Number, true
				return t, r.Float64() < picks
			}
		}
		if r.Float64() < picksWrong {
			t.Entry, t.Right = res.Hits[0].Entry.Number, true
			return t, true
		}
		return t, r.Float64() < saysNone
	}
	return t, false
}

func (s set) answers(q query, h kb.Hit) bool {
	return slices.Contains(q.Answers, s.entries[h.Entry.Number-1].ID)
}

// outcome counts what questions came to.
type outcome struct {
	known, unknown, answered, right, falsely float64
	n, stated, came                          [10]float64 // by tenths of the stated probability
}

func (s set) measure(know *kb.Engine, queries []query, o *outcome) error {
	for _, q := range queries {
		res, err := know.Search(context.Background(), kb.Query{Text: q.Text})
		if err != nil {
			return err
		}
		right := len(res.Hits) > 0 && s.answers(q, res.Hits[0])
		if len(q.Answers) == 0 {
			o.unknown++
		} else {
			o.known++
		}
		if res.Band == kb.Answer {
			o.answered++
			o.right += count(right)
			o.falsely += count(len(q.Answers) == 0)
		}
		if len(res.Hits) > 0 {
			b := min(9, int(10*res.Hits[0].Score))
			o.n[b]++
			o.stated[b] += res.Hits[0].Score
			o.came[b] += count(right)
		}
	}
	return nil
}

// figures are own coverage, own precision, false answers, and the expected calibration
// error over tenths.
func (o *outcome) figures() [4]float64 {
	all, off := 0.0, 0.0
	for b := range o.n {
		all += o.n[b]
		off += math.Abs(o.stated[b] - o.came[b])
	}
	return [4]float64{part(o.right, o.known), part(o.right, o.answered), part(o.falsely, o.unknown), part(off, all)}
}
