package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"github.com/blevesearch/bleve/v2"

	"frontline/kb"
)

// The speed of a large base on one processor. Its questions are made of those of
// the public sets, the first half of one and the second half of another: they have
// the words and the lengths of real ones. Each is asked with a slip of the finger,
// and its entry is known.

const (
	askedMost = 2000
	// candidatesWanted is how many entries the words fetch for a question, which are
	// then ranked; bleve is asked for hitsWanted.
	candidatesWanted = 30
	answer           = "请在 App 的「我的」里办理，未到账时带上身份证联系营业部。"
)

// large makes a base of n questions, four an entry, and asks for some of them.
func large(sets []set, n int) set {
	var texts []string
	for _, s := range sets {
		for _, e := range s.entries {
			texts = append(append(texts, e.Question), e.Similar...)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	splice := func() string {
		a, b := []rune(texts[r.IntN(len(texts))]), []rune(texts[r.IntN(len(texts))])
		return string(a[:(len(a)+1)/2]) + string(b[len(b)/2:])
	}
	out := set{name: fmt.Sprintf("%d questions", n)}
	for i := range n / 4 {
		out.entries = append(out.entries, entry{ID: fmt.Sprint(i + 1), Question: splice(), Similar: []string{splice(), splice(), splice()}})
	}
	for i := range askedMost {
		e := out.entries[r.IntN(len(out.entries))]
		q := []rune(append([]string{e.Question}, e.Similar...)[r.IntN(4)])
		if at := r.IntN(len(q)); len(q) > 4 {
			q = slices.Delete(q, at, at+1)
		}
		out.queries = append(out.queries, query{ID: fmt.Sprint(i), Text: string(q), Answers: []string{e.ID}})
	}
	return out
}

// texts is the bytes of a base's questions and answers.
func (s set) texts() (n int) {
	for _, e := range s.entries {
		n += len(e.text(true)) + len(answer)
	}
	return n
}

// source gives a base to the product's engine, page by page.
type source struct{ entries []entry }

func (s source) Changed(_ context.Context, after int64, n int) ([]kb.Entry, error) {
	var out []kb.Entry
	for i := int(after); i < len(s.entries) && len(out) < n; i++ {
		e := s.entries[i]
		out = append(out, kb.Entry{Number: int64(i + 1), Changed: int64(i + 1), Question: e.Question, Similar: e.Similar, Answer: answer, State: kb.Published})
	}
	return out, nil
}

type speed struct {
	name            string
	ready, snapshot span // from the entries; from what it keeps on the disk
	memory          int  // bytes beside the texts, in use after a collection
	took            times
	right           int
	change          time.Duration // until a published entry answers
	fetched         times         // of the candidates alone
	found           int           // of these lists, those that hold the right entry
}

// times are how long each question took.
type times []time.Duration

func (t times) rate() float64 {
	sum := time.Duration(0)
	for _, d := range t {
		sum += d
	}
	return float64(len(t)) / sum.Seconds()
}

func (t times) at(q float64) time.Duration {
	list := slices.Sorted(slices.Values(t))
	return list[min(len(list)-1, int(q*float64(len(list))))]
}

// span is a time by the clock, and how long this process used a processor in it:
// beside each other they say what other programs took.
type span struct{ clock, processor time.Duration }

// begin starts a span.
func begin() (end func() span) {
	at, used := time.Now(), processor()
	return func() span { return span{time.Since(at), processor() - used} }
}

func (s span) String() string {
	return fmt.Sprintf("%.2f s (%.2f s of the processor)", s.clock.Seconds(), s.processor.Seconds())
}

func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func inUse() int {
	var m runtime.MemStats
	for range 3 { // pools let go of what they have at the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

type speedOptions struct {
	alone    bool   // without bleve
	profile  string // file for a profile, "" for none
	snapshot string // file of the trained base that outlives the run, "" for none
}

// speedOf measures the product and bleve on a base of n questions, one after the
// other, on one processor.
func speedOf(dir string, n int, opt speedOptions, out io.Writer) error {
	if opt.profile != "" {
		f, err := os.Create(opt.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	sets, err := findSets(dir)
	if err != nil {
		return err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	s := large(sets, n)
	fmt.Fprintf(out, "%s in %d entries, %d asked, one processor\n", s.name, len(s.entries), len(s.queries))
	ours, err := speedOfFrontline(s, opt.snapshot)
	if err != nil {
		return err
	}
	ours.print(out)
	if opt.alone {
		return nil
	}
	theirs, err := speedOfBleve(s)
	if err != nil {
		return err
	}
	theirs.print(out)
	fmt.Fprintf(out, "questions a second, frontline to bleve: %.1f; retrieval alone, %d candidates to %d hits: %.1f\n\n",
		ours.took.rate()/theirs.took.rate(), candidatesWanted, hitsWanted, ours.fetched.rate()/theirs.took.rate())
	return nil
}

func (s speed) print(out io.Writer) {
	fmt.Fprintf(out, "%-10s ready in %v", s.name, s.ready) // 0 with a snapshot of another run
	if s.snapshot.clock > 0 {
		fmt.Fprintf(out, ", from a snapshot in %v, a change answers after %d ms", s.snapshot, s.change.Milliseconds())
	}
	fmt.Fprintf(out, "; %d MB beside the texts; p50 %.2f ms, p99 %.2f ms, %.0f questions a second; first hit right %.1f %%\n",
		s.memory>>20, milliseconds(s.took.at(0.5)), milliseconds(s.took.at(0.99)), s.took.rate(), 100*float64(s.right)/float64(len(s.took)))
	if len(s.fetched) > 0 {
		fmt.Fprintf(out, "%-10s candidates alone: p50 %.3f ms, p99 %.3f ms, %.0f questions a second; the right one among %d: %.1f %%\n",
			s.name, milliseconds(s.fetched.at(0.5)), milliseconds(s.fetched.at(0.99)), s.fetched.rate(), candidatesWanted, 100*float64(s.found)/float64(len(s.fetched)))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// speedOfFrontline is the whole pipeline: reading, fetching, ranking, judging and
// explaining, as a question in chat gets it.
func speedOfFrontline(s set, snapshot string) (out speed, err error) {
	out.name = "frontline"
	if snapshot == "" {
		dir, err := os.MkdirTemp("", "speed")
		if err != nil {
			return out, err
		}
		defer os.RemoveAll(dir)
		snapshot = filepath.Join(dir, "knowledge.snapshot")
	}
	opt := kb.Options{Log: slog.New(slog.DiscardHandler), Snapshot: snapshot}
	before := inUse()
	if _, err := os.Stat(snapshot); err != nil {
		if out.ready, err = trainAndKeep(opt, s); err != nil {
			return out, err
		}
	}
	loaded := begin()
	e := kb.NewEngine(opt)
	if err := e.Load(context.Background(), source{s.entries}); err != nil {
		return out, err
	}
	if !e.Trained() {
		return out, fmt.Errorf("the snapshot was not used")
	}
	out.snapshot = loaded()
	out.memory = inUse() - before
	for _, q := range s.queries {
		began := time.Now()
		r, err := e.Search(context.Background(), kb.Query{Text: q.Text})
		if err != nil {
			return out, err
		}
		out.took = append(out.took, time.Since(began))
		if len(r.Hits) > 0 && fmt.Sprint(r.Hits[0].Entry.Number) == q.Answers[0] {
			out.right++
		}
	}
	for _, q := range s.queries {
		began := time.Now()
		list, err := e.Candidates(q.Text, candidatesWanted)
		if err != nil {
			return out, err
		}
		out.fetched = append(out.fetched, time.Since(began))
		if slices.ContainsFunc(list, func(n int64) bool { return fmt.Sprint(n) == q.Answers[0] }) {
			out.found++
		}
	}
	out.change, err = changeOf(e, s)
	return out, err
}

// trainAndKeep makes the base from its entries, and its snapshot.
func trainAndKeep(opt kb.Options, s set) (ready span, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	trained := begin()
	e := kb.NewEngine(opt)
	done := make(chan error, 1)
	go func() { done <- e.Follow(ctx, source{s.entries}, 0) }()
	for !e.Trained() {
		time.Sleep(20 * time.Millisecond)
	}
	ready = trained()
	cancel()
	return ready, <-done
}

// changeOf is how long it takes until a published entry answers.
func changeOf(e *kb.Engine, s set) (time.Duration, error) {
	more := append(slices.Clone(s.entries), entry{ID: "new", Question: "席位号报盘机夜市委托在哪里看"})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- e.Follow(ctx, source{more}, 0) }()
	for {
		r, err := e.Search(ctx, kb.Query{Text: "席位号报盘机夜市委托在哪里看"})
		if err != nil {
			return 0, err
		}
		if len(r.Hits) > 0 && r.Hits[0].Entry.Number == int64(len(more)) {
			break
		}
		if time.Since(began) > time.Minute {
			return 0, fmt.Errorf("a change does not answer within a minute")
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(began)
	cancel()
	return took, <-done
}

func speedOfBleve(s set) (out speed, err error) {
	out.name = "bleve"
	before, ready := inUse(), begin()
	ix, err := openBleve(s, "warm", "bm25")
	if err != nil {
		return out, err
	}
	defer ix.close()
	out.ready = ready()
	out.memory = inUse() - before
	for _, q := range s.queries {
		began := time.Now()
		hits, err := ix.ask(q.Text)
		if err != nil {
			return out, err
		}
		out.took = append(out.took, time.Since(began))
		if len(hits) > 0 && hits[0].ID == q.Answers[0] {
			out.right++
		}
	}
	return out, nil
}

// bleveIndex is a base in bleve, on the disk.
type bleveIndex struct {
	bleve.Index
	dir string
}

func (ix *bleveIndex) close() {
	ix.Close()
	os.RemoveAll(ix.dir)
}

func (ix *bleveIndex) ask(text string) (hits []hit, err error) {
	want := bleve.NewMatchQuery(plain(text))
	want.SetField("q")
	found, err := ix.Search(bleve.NewSearchRequestOptions(want, hitsWanted, 0, false))
	if err != nil {
		return nil, err
	}
	for _, h := range found.Hits {
		hits = append(hits, hit{h.ID, h.Score})
	}
	return hits, nil
}
