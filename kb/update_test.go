package kb

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// An index that was changed step by step fetches the same, and has the spellings and
// the sums that making these anew from its items gives.
func TestChangedIndexIsAsMadeAnew(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	words := []string{"银证转账", "怎么", "限额", "开户", "打新", "多少", "新股", "App", "密码", "忘记", "港股通", "佣金", "1.5", "？"}
	text := func() (out string) {
		for range 2 + r.IntN(4) {
			out += words[r.IntN(len(words))]
		}
		return out
	}
	some := func(number int64) Entry {
		e := Entry{Number: number, Question: text(), Answer: text(), ShortTitle: text(), State: Published}
		for range r.IntN(4) {
			e.Similar = append(e.Similar, text())
		}
		if r.IntN(4) == 0 {
			e.State = Retired
		}
		return e
	}
	var list []Entry
	for n := range int64(60) {
		e := some(2*n + 2)
		e.State = Published
		list = append(list, e)
	}
	ix, late := assemble(list, builtin), 0
	for step := range 40 {
		var changed []Entry
		for range 1 + r.IntN(5) { // some are there, some are new amid the others, some behind
			if e := some(1 + r.Int64N(160)); !slices.ContainsFunc(changed, func(x Entry) bool { return x.Number == e.Number }) {
				changed = append(changed, e)
			}
		}
		was := fmt.Sprint(ix.post, ix.held)
		next := ix.with(changed)
		if fmt.Sprint(ix.post, ix.held) != was {
			t.Fatalf("step %d changed the index that is still searched", step)
		}
		anew := &index{spell: next.spell, vocab: next.vocab, items: next.items, asked: next.asked}
		anew.finish()
		for what, pair := range map[string][2]any{
			"items of tokens": {next.holds, anew.holds}, "questions": {next.exact, anew.exact}, "copies": {next.same, anew.same}, "titles": {next.titles, anew.titles}, "held": {next.held, anew.held},
			"rarity": {next.rarity, anew.rarity}, "share": {next.share, anew.share}, "length": {next.length, anew.length}, "answers": {next.spread, anew.spread},
		} {
			if got, want := fmt.Sprint(pair[0]), fmt.Sprint(pair[1]); got != want {
				t.Fatalf("step %d: %s\n%s, made anew\n%s", step, what, got, want)
			}
		}
		slow, fast := newScratch(anew), newScratch(next)
		for range 20 {
			v := next.vocab.queryVector(builtin.read(text()).tokens)
			want := slices.Clone(slow.top(anew, v, 10))
			if got := fast.top(next, v, 10); !slices.Equal(got, want) {
				t.Fatalf("step %d: fetched\n%v, made anew\n%v", step, got, want)
			}
		}
		late += len(next.post.at) - next.post.base
		asked := 0
		for i, it := range next.items {
			asked += len(it.questions)
			if i > 0 && next.items[i-1].entry.Number >= it.entry.Number {
				t.Fatalf("step %d: K%d after K%d", step, it.entry.Number, next.items[i-1].entry.Number)
			}
		}
		if asked != next.asked {
			t.Fatalf("step %d: %d questions, counted %d", step, asked, next.asked)
		}
		if step%2 == 1 {
			next.rough = false // then neighbours are trained too
		}
		ix = next
	}
	if late == 0 {
		t.Error("nothing stood behind the base")
	}
}

// TestLettersAfterAChange spells words that an entry brought in just now, and no longer
// those of one that is gone.
func TestLettersAfterAChange(t *testing.T) {
	ix := assemble([]Entry{
		{Number: 1, Question: "银证转账失败", Similar: []string{"银证转账转不了", "银证转账限额"}},
		{Number: 2, Question: "对账单下载", Similar: []string{"对账单怎么打印"}},
	}, builtin)
	first := func(ix *index, text string) int64 {
		res := ix.answer(Query{Text: text})
		if res.Band == Refuse || len(res.Hits) == 0 {
			return 0
		}
		return res.Hits[0].Entry.Number
	}
	if a, b := first(ix, "yzzz"), first(ix, "rzrq"); a != 1 || b != 0 {
		t.Errorf("at first yzzz finds %d, rzrq %d", a, b)
	}
	ix = ix.with([]Entry{{Number: 1, State: Retired}, {Number: 3, Question: "融资融券怎么开通", Similar: []string{"融资融券条件", "开融资融券"}}})
	if a, b := first(ix, "yzzz"), first(ix, "rzrq"); a != 0 || b != 3 {
		t.Errorf("after the change yzzz finds %d, rzrq %d", a, b)
	}
}
