package kb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// changes is a Source in memory.
type changes struct {
	mu   sync.Mutex
	log  []Entry
	fail error
	n    atomic.Int64 // calls
}

func (c *changes) put(entries ...Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range entries {
		e.Changed = int64(len(c.log) + 1)
		c.log = append(c.log, e)
	}
}

func (c *changes) setFail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = err
}

// Changed gives each entry once, as it is now, like a table does.
func (c *changes) Changed(_ context.Context, after int64, n int) (out []Entry, err error) {
	c.n.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		return nil, c.fail
	}
	last := map[int64]int{}
	for i, e := range c.log {
		last[e.Number] = i
	}
	for i, e := range c.log {
		if e.Changed > after && last[e.Number] == i && len(out) < n {
			out = append(out, e)
		}
	}
	return out, nil
}

var quietLog = slog.New(slog.DiscardHandler)

func engineOf(t testing.TB, entries ...Entry) *Engine {
	t.Helper()
	src := &changes{}
	src.put(entries...)
	e := NewEngine(Options{Log: quietLog})
	if err := e.Load(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	return e
}

func search(t testing.TB, e *Engine, text string) Result {
	t.Helper()
	res, err := e.Search(t.Context(), Query{Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestNotReady(t *testing.T) {
	e := NewEngine(Options{})
	if _, err := e.Search(t.Context(), Query{Text: "x"}); !errors.Is(err, ErrNotReady) {
		t.Fatalf("err = %v", err)
	}
	if e.Ready() || e.Size() != 0 {
		t.Fatal("ready without an index")
	}
}

func TestEmptyBaseAnswersNothing(t *testing.T) {
	e := engineOf(t)
	if res := search(t, e, "怎么开户"); res.Band != Refuse || !e.Ready() {
		t.Fatalf("%+v", res)
	}
}

func TestDeadline(t *testing.T) {
	e := engineOf(t, Entry{Number: 1, Question: "怎么开户", Answer: "a"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Search(ctx, Query{Text: "怎么开户"}); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
}

func TestOutOfDate(t *testing.T) {
	e := engineOf(t, Entry{Number: 1, Question: "怎么开户", Answer: "a", ValidUntil: "2026-03-31"})
	for day, want := range map[string]Band{"2026-03-31": Answer, "2026-04-01": Refuse} {
		now, _ := time.Parse(time.DateOnly, day)
		res, err := e.Search(t.Context(), Query{Text: "怎么开户", Now: now})
		if err != nil || res.Band != want {
			t.Errorf("%s: %v %v", day, res.Band, err)
		}
	}
}

func TestLoadFailureKeepsTheIndex(t *testing.T) {
	src := &changes{}
	src.put(Entry{Number: 1, Question: "怎么开户", Answer: "a"})
	e := NewEngine(Options{Log: quietLog})
	if err := e.Load(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	src.setFail(errors.New("gone"))
	if err := e.Load(t.Context(), src); err == nil {
		t.Fatal("no error")
	}
	if search(t, e, "怎么开户").Band != Answer {
		t.Fatal("the last index is gone")
	}
}

// made returns n entries on made-up topics, three questions each.
func made(n int) []Entry {
	r := rand.New(rand.NewPCG(3, 4))
	acts := []string{"怎么开通", "如何取消", "多久到账", "为什么失败", "在哪里查询", "需要什么条件", "手续费多少", "怎么修改"}
	asks := []string{"客户问%s%s", "请问%[2]s%[1]s啊", "%s这边%s"}
	out := make([]Entry, n)
	for i := range out {
		topic := make([]rune, 4)
		for k := range topic {
			topic[k] = rune(0x4e00 + r.IntN(2500))
		}
		act := acts[i%len(acts)]
		e := Entry{Number: int64(i + 1), Question: string(topic) + act, Answer: "按页面提示办理" + string(topic)}
		for _, form := range asks[:2] {
			e.Similar = append(e.Similar, fmt.Sprintf(form, string(topic), act))
		}
		out[i] = e
	}
	return out
}

func TestFollowSeesChanges(t *testing.T) {
	for _, size := range []int{20, 300} { // made anew; changed in place
		synctest.Test(t, func(t *testing.T) {
			src := &changes{}
			src.put(made(size)...)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			e := NewEngine(Options{Log: quietLog})
			go func() { done <- e.Follow(ctx, src, time.Second) }()
			synctest.Wait()
			if e.Size() != size {
				t.Fatalf("size %d", e.Size())
			}
			src.put(Entry{Number: 9001, Question: "量子账户怎么解冻", Answer: "新"}, Entry{Number: 3, Question: "改过的题目在哪里看", Answer: "改"}, Entry{Number: 4, Question: "x", State: Retired})
			time.Sleep(time.Second)
			synctest.Wait()
			if e.Size() != size {
				t.Errorf("size %d after one came and one went", e.Size())
			}
			for q, n := range map[string]int64{"量子账户怎么解冻": 9001, "改过的题目在哪里看": 3} {
				if res := search(t, e, q); res.Band != Answer || res.Hits[0].Entry.Number != n {
					t.Errorf("%s: %v", q, res.Band)
				}
			}
			if res := search(t, e, made(size)[3].Question); len(res.Hits) > 0 && res.Hits[0].Entry.Number == 4 {
				t.Error("a retired entry was found")
			}
			time.Sleep(time.Minute) // the background training has come and gone
			synctest.Wait()
			if res := search(t, e, "请问量子账户怎么解冻呀"); len(res.Hits) == 0 || res.Hits[0].Entry.Number != 9001 {
				t.Errorf("after training: %+v", res)
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestFollowSurvivesErrorsAndWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &changes{}
		src.setFail(errors.New("database away"))
		wake := make(chan struct{}, 1)
		ctx, cancel := context.WithCancel(t.Context())
		e := NewEngine(Options{Log: quietLog, Wake: wake})
		done := make(chan error)
		go func() { done <- e.Follow(ctx, src, time.Hour) }()
		synctest.Wait()
		if e.Ready() {
			t.Fatal("ready without a source")
		}
		src.setFail(nil)
		src.put(Entry{Number: 1, Question: "怎么开户", Answer: "a"})
		wake <- struct{}{}
		synctest.Wait()
		if search(t, e, "怎么开户").Band != Answer {
			t.Fatal("not woken")
		}
		close(wake)
		synctest.Wait()
		if n := src.n.Load(); n > 5 {
			t.Fatalf("%d calls: a closed channel must not spin", n)
		}
		cancel()
		<-done
	})
}

func TestConcurrentSearchAndChange(t *testing.T) {
	src := &changes{}
	base := made(400)
	src.put(base...)
	e := NewEngine(Options{Log: quietLog, Quiet: time.Millisecond})
	if err := e.Load(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { e.Follow(ctx, src, time.Millisecond) })
	var asking sync.WaitGroup
	for w := range 4 {
		asking.Go(func() {
			for i := range 150 {
				x := base[(i*7+w)%300]
				if res, err := e.Search(ctx, Query{Text: x.Question}); err != nil || len(res.Hits) == 0 || res.Hits[0].Entry.Number != x.Number {
					t.Errorf("%s: %v", x.Question, err)
					return
				}
			}
		})
	}
	for i := range 20 {
		x := base[300+i]
		x.Answer = fmt.Sprint("第", i, "版")
		src.put(x)
	}
	asking.Wait()
	cancel()
	wg.Wait()
}

func TestDeterministic(t *testing.T) {
	a, b := engineOf(t, made(120)...), engineOf(t, made(120)...)
	for _, x := range made(120) {
		q := x.Question[3:]
		ra, rb := search(t, a, q), search(t, b, q)
		if fmt.Sprint(ra) != fmt.Sprint(rb) {
			t.Fatalf("%s\n%v\n%v", q, ra, rb)
		}
	}
}

func TestObserve(t *testing.T) {
	var bands []Band
	src := &changes{}
	src.put(Entry{Number: 1, Question: "怎么开户", Answer: "a"})
	e := NewEngine(Options{Log: quietLog, Observe: func(_ time.Duration, b Band) { bands = append(bands, b) }})
	if err := e.Load(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	search(t, e, "怎么开户")
	search(t, e, "！！！")
	if fmt.Sprint(bands) != "[answer refuse]" {
		t.Fatal(bands)
	}
}

func benchBase(b *testing.B, n int) (*Engine, []Entry) {
	base := made(n)
	src := &changes{}
	src.put(base...)
	e := NewEngine(Options{Log: quietLog})
	entries := map[int64]*Entry{}
	_, _, err := fetchChanges(b.Context(), src, entries, 0)
	if err != nil {
		b.Fatal(err)
	}
	ix, err := e.build(b.Context(), published(entries), e.spell, nil, true)
	if err != nil {
		b.Fatal(err)
	}
	e.live.Store(ix)
	e.entries = entries
	return e, base
}

func BenchmarkSearch10k(b *testing.B) {
	e, base := benchBase(b, 10_000)
	slowest := time.Duration(0)
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		if _, err := e.Search(b.Context(), Query{Text: base[i*31%len(base)].Question[3:] + "吗"}); err != nil {
			b.Fatal(err)
		}
		slowest = max(slowest, time.Since(start))
	}
	b.ReportMetric(float64(slowest.Microseconds())/1000, "max-ms")
}

func BenchmarkBuild10k(b *testing.B) {
	for b.Loop() {
		benchBase(b, 10_000)
	}
}

// BenchmarkChange2k is one edited entry of 2,000 until it is live.
func BenchmarkChange2k(b *testing.B) {
	e, base := benchBase(b, 2_000)
	for b.Loop() {
		e.live.Load().with([]Entry{base[7]})
	}
}
