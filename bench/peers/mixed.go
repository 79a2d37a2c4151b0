package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"frontline/kb"
)

// Real bases are mixed: some entries have similar questions, others come with a standard
// question only. How those are found beside the others is measured apart.

// mixes say which entries keep their similar questions, by place.
var mixes = []struct {
	name string
	keep func(i int) bool
}{
	{"none", func(int) bool { return false }},
	{"a tenth", func(i int) bool { return i%10 == 1 }},
	{"half", func(i int) bool { return i%2 == 1 }},
	{"nine tenths", func(i int) bool { return i%10 != 0 }},
	{"39 of 40", func(i int) bool { return i%40 != 0 }},
}

// mixedOf prints a line for each set and mix.
func mixedOf(dir string, out io.Writer) error {
	sets, err := findSets(dir)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "set\twith similar questions\thit@1 on entries without\thit@1 on the others\town coverage\town precision\tfalse answers\t")
	for _, s := range sets {
		if !s.warm() {
			continue
		}
		for _, m := range mixes {
			if err := s.mixed(m.name, m.keep, w); err != nil {
				return fmt.Errorf("%s %s: %w", s.name, m.name, err)
			}
		}
	}
	return w.Flush()
}

func (s set) mixed(name string, keep func(int) bool, out io.Writer) error {
	some := s
	some.entries = slices.Clone(s.entries)
	bare := map[string]bool{}
	for i := range some.entries {
		if !keep(i) {
			some.entries[i].Similar = nil
		}
		bare[some.entries[i].ID] = len(some.entries[i].Similar) == 0
	}
	know := kb.NewEngine(kb.Options{})
	if err := know.Load(context.Background(), some.base(true)); err != nil {
		return err
	}
	var without, with figuresOf
	all := outcome{}
	if err := some.measure(know, some.queries, &all); err != nil {
		return err
	}
	for _, q := range some.queries {
		if len(q.Answers) == 0 {
			continue
		}
		res, err := know.Search(context.Background(), kb.Query{Text: q.Text})
		if err != nil {
			return err
		}
		f := &with
		if bare[q.Answers[0]] {
			f = &without
		}
		f.n++
		f.right += count(len(res.Hits) > 0 && some.answers(q, res.Hits[0]))
	}
	a := all.figures()
	_, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.name, name, share(without.share()), share(with.share()), share(a[0]), share(a[1]), share(a[2]))
	return err
}

// figuresOf counts first hits.
type figuresOf struct{ n, right float64 }

func (f figuresOf) share() float64 { return part(f.right, f.n) }
