package kb

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
)

// taught is a base in which 遗失 and 弄没 never stand in one question, but in
// questions of the same entries, and 涨停 with 封板 alike.
func taught() []Entry {
	things := []string{"股东卡", "资金卡", "存折", "密钥", "印章", "合同", "回单", "工牌", "钥匙", "账本", "令牌", "凭条"}
	var out []Entry
	for i, x := range things {
		out = append(out,
			Entry{Number: int64(2*i + 1), Question: x + "遗失", Similar: []string{x + "弄没", "把" + x + "弄没", x + "遗失补救"}},
			Entry{Number: int64(2*i + 2), Question: x + "涨价", Similar: []string{x + "变贵", x + "又变贵", "这个" + x + "涨价"}})
	}
	return out
}

func trainedOn(t *testing.T, list []Entry) *index {
	t.Helper()
	ix := assemble(list, builtin)
	if err := train(context.Background(), ix); err != nil {
		t.Fatal(err)
	}
	return ix
}

// like compares two texts by what their words were learned to mean.
func (ix *index) like(a, b string) float64 {
	var v [2][senseSize]float32
	for i, text := range []string{a, b} {
		q := ix.ask(text)
		ix.senses.read(&q.vec, v[i][:])
	}
	return float64(dotOf(v[0][:], v[1][:]))
}

func TestSensesBringTogetherWordsThatAskTheSame(t *testing.T) {
	ix := trainedOn(t, taught())
	if ix.senses == nil {
		t.Fatal("a base with similar questions has no senses")
	}
	same, apart := ix.like("遗失", "弄没"), ix.like("遗失", "变贵")
	if same < 0.3 || same < apart+0.3 {
		t.Errorf("遗失 is like 弄没 by %.2f and like 变贵 by %.2f", same, apart)
	}
	before := &senses{token: newSenseTrainer(ix).senses.token}
	ix.senses = before
	if untrained := ix.like("遗失", "弄没"); untrained > same-0.2 {
		t.Errorf("they were as like before: %.2f, then %.2f", untrained, same)
	}
}

// The right entry has the words of the other side only; senses tell it from the
// entries of the same thing.
func TestSensesFindAnEntryByAnotherWord(t *testing.T) {
	list := taught()
	list = append(list, Entry{Number: 99, Question: "护照遗失", Similar: []string{"护照遗失补救"}}, Entry{Number: 100, Question: "护照涨价", Similar: []string{"这个护照涨价"}})
	ix := trainedOn(t, list)
	q := ix.ask("护照弄没")
	found := ix.rank(newScratch(ix), q)
	at := slices.IndexFunc(found, func(c candidate) bool { return ix.items[c.item].entry.Number == 99 })
	other := slices.IndexFunc(found, func(c candidate) bool { return ix.items[c.item].entry.Number == 100 })
	if at < 0 || other < 0 {
		t.Fatalf("not among the candidates: %d, %d", at, other)
	}
	if a, b := found[at].x[fSense], found[other].x[fSense]; a < b+0.1 {
		t.Errorf("by sense the right one has %.2f, the other %.2f", a, b)
	}
}

func TestSensesAreTheSameEachTime(t *testing.T) {
	a, b := trainedOn(t, taught()), trainedOn(t, taught())
	if !reflect.DeepEqual(a.senses, b.senses) {
		t.Error("two trainings of one base differ")
	}
}

func TestSensesOfAChange(t *testing.T) {
	ix := trainedOn(t, taught())
	next := ix.with([]Entry{{Number: 99, Question: "护照遗失", Similar: []string{"护照弄没"}, State: Published}})
	n, _ := next.find(99)
	it := next.items[n]
	if next.senses != ix.senses || len(it.sense) != senseSize || len(it.questions[1].sense) != senseSize {
		t.Fatal("the entry that came has no senses")
	}
	if it.typicalSense < 0.3 {
		t.Errorf("its two questions are like each other by %.2f only", it.typicalSense)
	}
	if fresh := next.ask("遗失").sense; len(fresh) != senseSize {
		t.Error("a question has no sense after a change")
	}
}

func TestNoSensesWithoutSimilarQuestions(t *testing.T) {
	var list []Entry
	for i := range 50 {
		list = append(list, Entry{Number: int64(i + 1), Question: fmt.Sprintf("业务%d怎么办理", i)})
	}
	if ix := trainedOn(t, list); ix.senses != nil || ix.ask("业务3").sense != nil {
		t.Error("senses were learned of nothing")
	}
}

func TestUnitOfNothing(t *testing.T) {
	v := make([]float32, 3)
	if unit(v) || slices.ContainsFunc(v, func(x float32) bool { return math.IsNaN(float64(x)) || x != 0 }) {
		t.Error(v)
	}
}

// A base that is too large to be trained answers by the weights it begins with.
func TestTooLargeToTrain(t *testing.T) {
	defer func(n int) { trainedMost = n }(trainedMost)
	list := taught()
	trained := trainedOn(t, list)
	trainedMost = 20
	ix := trainedOn(t, list)
	if ix.rough {
		t.Error("it waits to be trained")
	}
	fresh := assemble(taught(), builtin)
	if !reflect.DeepEqual(ix.items[0].weights, fresh.items[0].weights) || reflect.DeepEqual(ix.items[0].weights, trained.items[0].weights) {
		t.Error("its weights were moved")
	}
	next := ix.with([]Entry{{Number: 99, Question: "护照遗失", Similar: []string{"护照弄没"}, State: Published}})
	if !reflect.DeepEqual(next.items[0].weights, fresh.items[0].weights) {
		t.Error("a change moved its weights")
	}
	if first := next.rank(newScratch(next), next.ask("护照遗失了"))[0]; next.items[first.item].entry.Number != 99 {
		t.Error("what came is not found")
	}
}
