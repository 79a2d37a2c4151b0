package kb

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTwins(t *testing.T) {
	e := engineOf(t,
		Entry{Number: 1, Question: "新股中签后怎么缴款", Answer: "a"},
		Entry{Number: 2, Question: "新股中签怎么缴款", Answer: "a"},
		Entry{Number: 3, Question: "可转债权限多久生效", Answer: "a", Similar: []string{"转债什么时候可以交易"}},
		Entry{Number: 4, Question: "回售怎么操作", Answer: "a", Similar: []string{"转债什么时候可以交易？"}},
		Entry{Number: 5, Question: "基金定投怎么停", Answer: "a"},
		Entry{Number: 6, Question: "基金定投怎么停呢", Answer: "a", State: Retired},
	)
	list, total, err := e.Twins(t.Context())
	if err != nil || total != 2 || len(list) != 2 {
		t.Fatalf("%d %+v %v", total, list, err)
	}
	if x := list[0]; x.A.Number != 3 || x.B.Number != 4 || x.Like != 1 || x.Shared != "转债什么时候可以交易" {
		t.Errorf("a wording in both: %+v", x)
	}
	if x := list[1]; x.A.Number != 1 || x.B.Number != 2 || x.Like < twinLike || x.Shared != "" {
		t.Errorf("alike: %+v", x)
	}
}

// The filter leaves out nothing that comparing everything with everything finds.
func TestTwinsMissNothing(t *testing.T) {
	entries := made(400)
	r := rand.New(rand.NewPCG(5, 6))
	for i := 0; i < len(entries); i += 4 { // every fourth is another one with a character less
		text := []rune(entries[(i+7)%len(entries)].Question)
		k := r.IntN(len(text))
		entries[i].Question, entries[i].Similar = string(append(text[:k:k], text[k+1:]...)), nil
	}
	e := engineOf(t, entries...)
	ix := e.live.Load()
	found, err := ix.nearPairs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for a := range ix.items {
		for b := a + 1; b < len(ix.items); b++ {
			if l := cosineOf(ix.items[a].questions[0].vec, ix.items[b].questions[0].vec); l >= twinLike {
				n++
				if found[pair{int32(a), int32(b)}] == 0 {
					t.Errorf("missed %q and %q, %.3f", ix.items[a].entry.Question, ix.items[b].entry.Question, l)
				}
			}
		}
	}
	if n < 20 || len(found) != n {
		t.Errorf("%d pairs, %d found", n, len(found))
	}
}

func TestTwinsOfALargeBase(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a large base")
	}
	entries := made(20_000)
	ix := assemble(entries, builtin)
	start := time.Now()
	list, err := ix.findTwins(t.Context())
	took := time.Since(start)
	t.Logf("%d pairs in %v", len(list), took)
	if err != nil || took > 5*time.Second { // some tenths of a second; the rest is for a busy machine
		t.Errorf("%v, %v", took, err)
	}
}
