package kb_test

import (
	"bufio"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"frontline/kb"
	"frontline/kb/sample"
)

// fixed is a Source that never changes.
type fixed []kb.Entry

func (f fixed) Changed(_ context.Context, after int64, n int) ([]kb.Entry, error) {
	if after >= int64(len(f)) {
		return nil, nil
	}
	out := slices.Clone(f[after:min(len(f), int(after)+n)])
	for i := range out {
		out[i].Changed = after + int64(i) + 1
	}
	return out, nil
}

func load(t testing.TB, entries []kb.Entry) *kb.Engine {
	t.Helper()
	e := kb.NewEngine(kb.Options{})
	if err := e.Load(t.Context(), fixed(entries)); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestQuestions(t *testing.T) {
	f, err := os.Open("testdata/questions.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e := load(t, sample.Entries(time.Now()))
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		part := strings.Split(lines.Text(), "\t")
		if len(part) != 3 {
			continue
		}
		band, title, text := part[0], part[1], part[2]
		res, err := e.Search(t.Context(), kb.Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if !fits(res, band, title) {
			t.Errorf("%s: want %s %s, got %s (%s)", text, band, title, res.Band, res.Reason)
			for _, h := range res.Hits[:min(3, len(res.Hits))] {
				t.Logf("   %.2f %s (%s) %+v", h.Score, h.Entry.ShortTitle, h.Matched, h.Explanation.Signals)
			}
		}
	}
}

func fits(res kb.Result, band, title string) bool {
	at := slices.IndexFunc(res.Hits, func(h kb.Hit) bool { return h.Entry.ShortTitle == title })
	switch band {
	case "answer":
		return res.Band == kb.Answer && at == 0
	case "offer":
		return res.Band == kb.Answer && at == 0 || res.Band == kb.Clarify && at >= 0 && at < 3
	case "not":
		return res.Band != kb.Answer
	}
	return res.Band == kb.Refuse
}

func TestNegativeQuestion(t *testing.T) {
	e := load(t, []kb.Entry{
		{Number: 1, Question: "开通创业板的条件", Similar: []string{"创业板怎么开通"}, Negative: []string{"创业板怎么关闭"}, Answer: "a"},
		{Number: 2, Question: "对账单下载", Answer: "b"},
	})
	for _, text := range []string{"创业板怎么关闭", "请问创业板怎么关闭呀", "创业板如何关闭？"} {
		res, err := e.Search(t.Context(), kb.Query{Text: text})
		if err != nil || res.Band != kb.Refuse || len(res.Hits) != 0 {
			t.Errorf("%s: %s %v", text, res.Band, err)
		}
	}
	if res, _ := e.Search(t.Context(), kb.Query{Text: "创业板怎么开通"}); res.Band != kb.Answer {
		t.Errorf("the positive question: %s", res.Band)
	}
}

func TestSameQuestionTwiceIsAsked(t *testing.T) {
	e := load(t, []kb.Entry{{Number: 1, Question: "怎么开户", Answer: "a"}, {Number: 2, Question: "怎么开户？", Answer: "b"}, {Number: 3, Question: "对账单", Answer: "c"}})
	res, err := e.Search(t.Context(), kb.Query{Text: "怎么开户"})
	if err != nil || res.Band != kb.Clarify || res.Reason != "ambiguous" || len(res.Hits) < 2 {
		t.Errorf("%+v %v", res, err)
	}
}

// TestShortTitle asks by what lists and buttons show of an entry, and by its tags.
func TestShortTitle(t *testing.T) {
	entries := []kb.Entry{
		{Number: 1, ShortTitle: "换卡", Question: "客户想变更存管银行怎么做", Similar: []string{"变更三方存管"}, Answer: "临柜"},
		{Number: 2, ShortTitle: "夜市", Question: "委托最早什么时候能下", Answer: "二十点", Tags: []string{"隔夜单"}},
		{Number: 3, ShortTitle: "夜市", Question: "非交易时段能否撤单", Answer: "可以"},
		{Number: 4, ShortTitle: "过期", Question: "风险测评多久有效", Answer: "两年", ValidUntil: "2026-01-01"},
		{Number: 5, ShortTitle: "对账单", Question: "在哪里下载流水", Answer: "a"},
	}
	e := load(t, entries)
	ask := func(text string) kb.Result {
		t.Helper()
		res, err := e.Search(t.Context(), kb.Query{Text: text, Now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if res := ask("换卡？"); res.Band != kb.Answer || res.Hits[0].Entry.Number != 1 || res.Hits[0].Matched != "换卡" || res.Hits[0].Explanation.Field != "short_title" || !res.Hits[0].Explanation.Exact {
		t.Errorf("%s %+v", res.Band, res.Hits)
	}
	if res := ask("夜市"); res.Band != kb.Clarify || res.Reason != "ambiguous" || len(res.Hits) < 2 || res.Hits[0].Entry.ShortTitle != "夜市" || res.Hits[1].Entry.ShortTitle != "夜市" {
		t.Errorf("two entries have the title: %s (%s) %+v", res.Band, res.Reason, res.Hits)
	}
	if res := ask("过期"); res.Band == kb.Answer {
		t.Errorf("out of date: %+v", res.Hits)
	}
	if res := ask("隔夜单的委托什么时候能下"); len(res.Hits) == 0 || res.Hits[0].Entry.Number != 2 || res.Hits[0].Explanation.Signals.Answer == 0 {
		t.Errorf("by the tag: %+v", res.Hits)
	}
}

func TestExplanation(t *testing.T) {
	e := load(t, sample.Entries(time.Now()))
	res, err := e.Search(t.Context(), kb.Query{Text: "请问打新要多少市值 9.2.1", Now: time.Now()})
	if err != nil || len(res.Hits) == 0 {
		t.Fatal(err)
	}
	x := res.Hits[0].Explanation
	if len(x.Terms) == 0 || !slices.Contains(x.Missing, "9.2.1") || !slices.Contains(x.Synonyms, kb.Synonym{From: "打新", To: "新股申购"}) || !slices.Contains(x.Synonyms, kb.Synonym{From: "请问"}) {
		t.Errorf("%+v", x)
	}
	for i := 1; i < len(x.Terms); i++ {
		if x.Terms[i].Weight > x.Terms[i-1].Weight {
			t.Errorf("terms out of order: %+v", x.Terms)
		}
	}
}

func BenchmarkLoadSample(b *testing.B) {
	entries := sample.Entries(time.Now())
	for b.Loop() {
		load(b, entries)
	}
}
