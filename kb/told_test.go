package kb

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// said are outcomes with a stated probability, which the first signal gives.
func said(p float64, right, wrong int) (out []verdict) {
	for i := range right + wrong {
		v := verdict{right: i < right, weight: 1}
		v.x[sMargin] = logit(p)
		out = append(out, v)
	}
	return out
}

func TestHeeding(t *testing.T) {
	byHand := fit{threshold: 0.94}
	byHand.sure[sMargin] = 1
	ownFit := byHand
	ownFit.threshold, ownFit.own, ownFit.verdicts = 0.85, 400, append(said(0.95, 196, 4), said(0.6, 120, 80)...)
	for name, x := range map[string]struct {
		f          fit
		told       []verdict
		from, to   float64 // of the threshold, on the scale of what was stated
		up, downTo bool
	}{
		"nothing said":                        {f: byHand, from: 0.94, to: 0.94},
		"a few right below it":                {f: byHand, told: said(0.9, 3, 0), from: 0.94, to: 0.94, up: true},
		"many right below it":                 {f: byHand, told: said(0.88, 150, 1), from: 0.88, to: 0.88, up: true},
		"most right below it":                 {f: byHand, told: said(0.88, 140, 11), from: 0.94, to: 0.94, up: true},
		"right above it":                      {f: byHand, told: said(0.96, 20, 0), from: 0.94, to: 0.94, up: true},
		"wrong above it":                      {f: byHand, told: append(said(0.98, 30, 0), said(0.95, 10, 10)...), from: 0.975, to: 0.985},
		"all wrong":                           {f: byHand, told: said(0.95, 0, 30), from: highestThreshold, to: highestThreshold, downTo: true},
		"own judgement, and it holds":         {f: ownFit, told: said(0.95, 30, 1), from: 0.85, to: 0.85},
		"own judgement, people say otherwise": {f: ownFit, told: said(0.95, 60, 60), from: highestThreshold, to: highestThreshold, downTo: true},
	} {
		got := x.f.heeding(x.told, 0.95)
		shift := got.sure[sOne] - x.f.sure[sOne]
		stated := sigmoid(logit(got.threshold) - shift)
		if stated < x.from-1e-6 || stated > x.to+1e-6 {
			t.Errorf("%s: the threshold is %.3f, want %.3f to %.3f", name, stated, x.from, x.to)
		}
		if x.up && shift <= 0 || x.downTo && shift >= 0 || len(x.told) == 0 && shift != 0 {
			t.Errorf("%s: probabilities move by %.2f", name, shift)
		}
		if len(x.told) > 0 && (got.heard.Told != len(x.told) || got.heard.Own != x.f.threshold || got.heard.Threshold != got.threshold) {
			t.Errorf("%s: %+v", name, got.heard)
		}
	}
}

func TestLearned(t *testing.T) {
	entries := []Entry{{Number: 1, Question: "怎么开户", Similar: []string{"开户要带什么"}}, {Number: 2, Question: "怎么销户"}}
	word := func(by, text string, entry int64, right bool) Told {
		return Told{Text: text, Entry: entry, Right: right, By: by}
	}
	for name, x := range map[string]struct {
		told []Told
		want map[int64][]string
	}{
		"one person":                       {[]Told{word("a", "不要了", 2, true)}, map[int64][]string{}},
		"two people":                       {[]Told{word("a", "不要了", 2, true), word("b", "不要了？", 2, true)}, map[int64][]string{2: {"不要了"}}},
		"one of them denies it":            {[]Told{word("a", "不要了", 2, true), word("b", "不要了", 2, true), word("c", "不要了", 2, false)}, map[int64][]string{}},
		"another entry by now":             {[]Told{word("a", "不要了", 2, true), word("b", "不要了", 2, true), word("a", "不要了", 1, true), word("b", "不要了", 1, true)}, map[int64][]string{2: {"不要了"}}},
		"each another entry":               {[]Told{word("a", "不要了", 2, true), word("b", "不要了", 1, true)}, map[int64][]string{}},
		"one person says it twice":         {[]Told{word("a", "不要了", 2, true), word("a", "不要了!", 2, true)}, map[int64][]string{}},
		"last it was wrong":                {[]Told{word("a", "不要了", 2, false), word("a", "不要了", 2, true), word("b", "不要了", 2, true)}, map[int64][]string{}},
		"a curator":                        {[]Told{{Text: "不要了", Entry: 2, Right: true, Confirmed: true}}, map[int64][]string{2: {"不要了"}}},
		"stands in another entry":          {[]Told{word("a", "开户要带什么", 2, true), word("b", "开户要带什么", 2, true)}, map[int64][]string{}},
		"of an entry that cannot be found": {[]Told{word("a", "不要了", 7, true), word("b", "不要了", 7, true)}, map[int64][]string{7: {"不要了"}}},
	} {
		if got := learned(lastWords(x.told), entries); !reflect.DeepEqual(got, x.want) {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
	var flood []Told
	for i := range 10 * toldByOne {
		flood = append(flood, word("a", fmt.Sprint("问题", i), 1, true))
	}
	if n := len(lastWords(flood)); n != toldByOne {
		t.Errorf("%d words of one person count", n)
	}
}

// heardChanges is a Source with what people said.
type heardChanges struct {
	changes
	said sync.Map // told
}

func (c *heardChanges) Told(context.Context, int) ([]Told, error) {
	list, _ := c.said.Load("")
	told, _ := list.([]Told)
	return told, nil
}

// TestWhatPeopleSayIsLearned has two people say which entry they meant by words that it
// does not have: a third gets it at once, in a small base and in a large one, and no
// longer when somebody denies it.
func TestWhatPeopleSayIsLearned(t *testing.T) {
	for _, n := range []int{40, smallBase + 100} {
		synctest.Test(t, func(t *testing.T) {
			src := &heardChanges{}
			for i := range n {
				src.put(Entry{Number: int64(i + 1), Question: fmt.Sprintf("第%d号业务怎么办理", i+1)})
			}
			src.put(Entry{Number: 5000, Question: "银证转账限额是多少", Similar: []string{"银证转账一天能转多少"}})
			e := NewEngine(Options{Log: quietLog, Listen: time.Minute})
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- e.Follow(ctx, src, time.Second) }()
			answers := func(when string, want bool) {
				t.Helper()
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				res, err := e.Search(ctx, Query{Text: "家里大额划走封顶几个"})
				if err != nil || (res.Band == Answer && res.Hits[0].Entry.Number == 5000) != want {
					t.Errorf("%d entries, %s: %s %v", n, when, res.Band, err)
				}
				if want && res.Hits[0].Explanation.Field != "learned" {
					t.Errorf("%d entries: found by %q", n, res.Hits[0].Explanation.Field)
				}
			}
			answers("at first", false)
			a, b := Told{Text: "家里大额划走封顶几个", Entry: 5000, Right: true, By: "a"}, Told{Text: "家里大额划走封顶几个？", Entry: 5000, Right: true, By: "b"}
			src.said.Store("", []Told{a})
			answers("one person", false)
			src.said.Store("", []Told{b, a})
			answers("two people", true)
			src.put(Entry{Number: 5000, Question: "银证转账限额是多少", Answer: "五百万"})
			answers("after a change of the entry", true)
			src.said.Store("", []Told{{Text: a.Text, Entry: 5000, By: "c"}, b, a})
			answers("denied", false)
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
