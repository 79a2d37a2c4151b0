package kb

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"
)

// worded is a Source with groups of the house's own.
type worded struct {
	changes
	groups  [][]string
	edition int64
}

func (w *worded) say(groups ...[]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.groups, w.edition = groups, w.edition+1
}

func (w *worded) Synonyms(_ context.Context, seen int64) ([][]string, int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return nil, seen, w.fail
	}
	if seen == w.edition {
		return nil, seen, nil
	}
	return w.groups, w.edition, nil
}

func TestOwnSynonymsAreFollowed(t *testing.T) {
	for name, n := range map[string]int{"a small base": 0, "a large one": 280} {
		t.Run(name, func(t *testing.T) {
			src := &worded{}
			src.say([]string{"小金库", "宝盈仓"})
			src.put(made(n)...)
			src.put(Entry{Number: 5001, Question: "小金库怎么开通", Answer: "a"}, Entry{Number: 5002, Question: "怎么销户", Answer: "b"})
			e := NewEngine(Options{Log: quietLog, Quiet: time.Hour})
			if err := e.Load(t.Context(), src); err != nil {
				t.Fatal(err)
			}
			finds := func(text string) bool {
				res := search(t, e, text)
				return res.Band == Answer && res.Hits[0].Entry.Number == 5001
			}
			if !finds("宝盈仓怎么开通") || finds("聚宝盆怎么开通") {
				t.Fatal("the groups that were there at the start")
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			over := make(chan error, 1)
			go func() { over <- e.Follow(ctx, src, 5*time.Millisecond) }()
			src.say([]string{"小金库", "聚宝盆"})
			for start := time.Now(); !finds("聚宝盆怎么开通"); time.Sleep(5 * time.Millisecond) {
				if time.Since(start) > time.Minute { // a busy machine trains slowly
					t.Fatal("the new groups are never used")
				}
			}
			if finds("宝盈仓怎么开通") {
				t.Error("a group that is gone is still used")
			}
			res := search(t, e, "聚宝盆怎么开通")
			if s := res.Hits[0].Explanation.Synonyms; len(s) == 0 || s[0] != (Synonym{"聚宝盆", "小金库"}) {
				t.Errorf("the explanation: %v", s)
			}
			cancel()
			if err := <-over; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckSynonyms(t *testing.T) {
	if got := ReadSynonyms(" 可转债，转债=转换债、转债;ＣＢ cb "); !reflect.DeepEqual(got, []string{"可转债", "转债", "转换债", "ＣＢ"}) {
		t.Error(got)
	}
	others := [][]string{{"可转债", "转债"}}
	for line, want := range map[string]string{
		"北向 沪股通": "", "北向": "至少两个词", "北 沪股通": "「北」要有", "沪股通 轉債": "「轉債」已经在「可转债」那一组里", "沪股通 ！！": "没有可以比较的字",
		strings.Repeat("长", 21) + " 短的": "20 个字",
	} {
		if got := CheckSynonyms(others, ReadSynonyms(line)); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestReread(t *testing.T) {
	e := engineOf(t, Entry{Number: 1, Question: "小金库怎么开通", Similar: []string{"宝盈仓在哪"}, Answer: "a"}, Entry{Number: 2, Question: "怎么销户", Answer: "b"})
	groups := [][]string{{"小金库", "宝盈仓"}}
	base, more, err := e.Reread(t.Context(), groups, []string{"宝盈仓多少钱", "怎么销户"})
	if err != nil || base != 1 || more != 1 {
		t.Errorf("%d, %d, %v", base, more, err)
	}
	trial, err := e.TrialSynonyms(t.Context(), groups)
	if err != nil || trial == nil {
		t.Fatal(err)
	}
	res, err := trial.Search(t.Context(), Query{Text: "宝盈仓怎么开通"})
	if err != nil || res.Band != Answer || res.Hits[0].Entry.Number != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}
