package kb

import (
	"math"
	"testing"
)

func TestLongestRun(t *testing.T) {
	var s scratch
	for _, c := range []struct {
		a, b string
		run  int
		sub  int
	}{
		{"", "", 0, 0}, {"开户", "", 0, 0}, {"怎么开户", "开户怎么", 2, 2}, {"港股通开通", "开通港股通", 3, 3}, {"abcabd", "abd", 3, 3}, {"开一个户", "开户", 1, 2},
	} {
		if got := s.longestRun([]rune(c.a), []rune(c.b)); got != c.run {
			t.Errorf("longest run of %q and %q: %d, not %d", c.a, c.b, got, c.run)
		}
		if got := s.subsequence([]rune(c.a), []rune(c.b)); got != c.sub {
			t.Errorf("longest subsequence of %q and %q: %d, not %d", c.a, c.b, got, c.sub)
		}
	}
}

// Two products of which each stands in half of the entries: an entry of the other
// product shows it, however little the name's rarity is worth.
func TestCompareCountsCommonWords(t *testing.T) {
	var list []Entry
	for i, x := range []string{"额度怎么提升", "怎么还款", "利息多少", "逾期怎么办", "什么时候到账", "可以分期吗"} {
		list = append(list, Entry{Number: int64(2*i + 1), Question: "融易借" + x}, Entry{Number: int64(2*i + 2), Question: "优享贷" + x})
	}
	ix := trainedOn(t, list)
	q := ix.ask("融易借怎样还款")
	for _, c := range ix.rank(newScratch(ix), q) {
		switch ix.items[c.item].entry.Number {
		case 3: // the same but for 怎样, which is read as 怎么
			if c.x[fFlat] != 1 || c.x[fCharLack] != 0 || c.x[fCharExtra] != 0 || c.x[fCommonExtra] != 0 || c.x[fRun] != 1 || c.x[fOrderCopy] != 1 {
				t.Errorf("the same question: %v", c.x)
			}
		case 4:
			if c.x[fCommonExtra] == 0 || c.x[fCharLack] < 0.3 || c.x[fCharExtra] < 0.3 {
				t.Errorf("the other product: %v", c.x)
			}
		}
	}
	if first := ix.rank(newScratch(ix), q)[0]; ix.items[first.item].entry.Number != 3 {
		t.Error("the other product comes first")
	}
}

func TestTypicalOf(t *testing.T) {
	ix := assemble([]Entry{{Number: 1, Question: "怎么开户", Similar: []string{"开户怎么开", "如何开户"}}, {Number: 2, Question: "银证转账", Similar: []string{"怎么改手机号"}}, {Number: 3, Question: "逆回购"}}, builtin)
	if a, b := ix.items[0].typical, ix.items[1].typical; a < b+0.3 {
		t.Errorf("questions that are alike: %.2f, that are not: %.2f", a, b)
	}
	if ix.items[2].typical != 0 || math.IsNaN(ix.items[1].typical) {
		t.Error("a single question is typical of nothing")
	}
}
