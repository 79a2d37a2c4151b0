// Command peers asks the same questions of the product's knowledge base and of
// what else could have answered them from the same entries, in one run:
//
//	go run . DIR
//
// DIR holds kb.jsonl and queries.jsonl, or folders that do. Each set is asked
// with the similar questions of its entries (warm) and without (cold). Nothing
// here is part of the product.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

type entry struct {
	ID       string   `json:"id"`
	Question string   `json:"question"`
	Similar  []string `json:"similar"`
	Answer   string   `json:"answer"`
}

// text is all of an entry that is compared with a question.
func (e entry) text(warm bool) string {
	if !warm {
		return e.Question
	}
	return strings.Join(append([]string{e.Question}, e.Similar...), "\n")
}

type query struct {
	ID      string   `json:"id"`
	Text    string   `json:"text"`
	Answers []string `json:"answers"` // nothing of the base fits when empty
	Kind    string   `json:"kind"`
}

type hit struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

// result is what a system said to a query; Answered is nil where a system has
// no threshold of its own.
type result struct {
	ID       string `json:"id"`
	Hits     []hit  `json:"hits"`
	Answered *bool  `json:"answered"`
}

// set is one base with its questions.
type set struct {
	name, dir string
	entries   []entry
	queries   []query
}

func main() {
	tracks := flag.String("tracks", "warm,cold", "warm uses the similar questions, cold does not")
	size := flag.Int("speed", 0, "measure the speed of a base of so many questions instead, made of those of DIR")
	heard := flag.Bool("heard", false, "measure instead what a base becomes by what people say of its answers")
	mixed := flag.Bool("mixed", false, "measure instead bases of which only some entries have similar questions")
	var opt speedOptions
	flag.BoolVar(&opt.alone, "alone", false, "with -speed: leave bleve out")
	flag.StringVar(&opt.profile, "cpuprofile", "", "with -speed: write a profile of building, fitting and asking to this file")
	flag.StringVar(&opt.snapshot, "snapshot", "", "with -speed: keep the trained base in this file, and begin with it when it is there")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: peers [-tracks warm,cold] [-heard] [-mixed] [-speed QUESTIONS [-alone] [-cpuprofile FILE] [-snapshot FILE]] DIR")
		os.Exit(2)
	}
	measure := func() error { return run(flag.Arg(0), strings.Split(*tracks, ","), os.Stdout) }
	switch {
	case *size > 0:
		measure = func() error { return speedOf(flag.Arg(0), *size, opt, os.Stdout) }
	case *mixed:
		measure = func() error { return mixedOf(flag.Arg(0), os.Stdout) }
	case *heard:
		measure = func() error { return heardOf(flag.Arg(0), strings.Split(*tracks, ","), os.Stdout) }
	}
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(dir string, tracks []string, out io.Writer) error {
	sets, err := findSets(dir)
	if err != nil {
		return err
	}
	for _, s := range sets {
		for _, track := range tracks {
			if track == "warm" && !s.warm() {
				continue // the same as cold
			}
			if err := compare(s, track, out); err != nil {
				return fmt.Errorf("%s %s: %w", s.name, track, err)
			}
		}
	}
	return nil
}

func (s set) warm() bool {
	for _, e := range s.entries {
		if len(e.Similar) > 0 {
			return true
		}
	}
	return false
}

// compare prints the table of one set on one track, a system a line.
func compare(s set, track string, out io.Writer) error {
	fmt.Fprintf(out, "%s, %s: %d entries, %d questions\n", s.name, track, len(s.entries), len(s.queries))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "system\thit@1\thit@3\tAUROC\tnear\tcov@p95\tcov@p90\town precision\town coverage\tfalse answers\tseconds")
	for _, sys := range systems {
		start := time.Now()
		results, err := sys.answer(s, track)
		if err != nil {
			return fmt.Errorf("%s: %w", sys.name, err)
		}
		took := time.Since(start)
		f := score(s.queries, results)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.1f\n", sys.name, share(f.hit1), share(f.hit3), share(f.auroc), share(f.near), share(f.cov95), share(f.cov90),
			share(f.ownPrecision), share(f.ownCoverage), share(f.ownFalse), took.Seconds())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

// share is a part in percent, or a dash where there is none to speak of.
func share(x float64) string {
	if x != x {
		return "-"
	}
	return fmt.Sprintf("%.1f", 100*x)
}

// findSets reads the set of a folder, or those of the folders in it.
func findSets(dir string) ([]set, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*", "kb.jsonl"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, "kb.jsonl")); err == nil {
		names = []string{filepath.Join(dir, "kb.jsonl")}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no kb.jsonl in %s, nor in a folder of it", dir)
	}
	var out []set
	for _, name := range names {
		s := set{name: filepath.Base(filepath.Dir(name)), dir: filepath.Dir(name)}
		if err := readLines(name, &s.entries); err != nil {
			return nil, err
		}
		if err := readLines(filepath.Join(s.dir, "queries.jsonl"), &s.queries); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func readLines[T any](name string, to *[]T) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return decodeLines(bufio.NewReader(f), name, to)
}

func decodeLines[T any](r io.Reader, name string, to *[]T) error {
	for d := json.NewDecoder(r); ; {
		var x T
		switch err := d.Decode(&x); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		}
		*to = append(*to, x)
	}
}
