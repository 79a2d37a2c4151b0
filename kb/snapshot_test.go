package kb

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// manyEntries are n entries of four questions each, of words that a house has.
func manyEntries(n int) []Entry {
	r := rand.New(rand.NewPCG(3, 5))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	things := []string{"新股", "港股通", "融资融券", "可转债", "银证转账", "科创板", "创业板", "北交所", "国债逆回购", "ETF", "期权", "两融合约", "基金定投", "条件单", "打新", "存管银行", "密码", "身份证", "电子合同", "佣金"}
	acts := []string{"怎么开通", "为什么失败", "在哪里查", "多久到账", "要什么条件", "可以撤销吗", "收多少费用", "提示异常", "什么时候", "显示不对"}
	tails := []string{"", "啊", "呢", "，急", "请问", "客户在催", "手机上"}
	out := make([]Entry, n)
	for i := range out {
		code, thing, act := fmt.Sprint(600000+i), pick(things), pick(acts)
		e := Entry{Number: int64(i + 1), Question: thing + code + act, Answer: "请在「我的」里办理。", State: Published}
		for range 3 {
			e.Similar = append(e.Similar, pick(tails)+thing+pick(acts)+code+pick(tails))
		}
		out[i] = e
	}
	return out
}

func answersOf(t *testing.T, e *Engine, list []Entry) (out []string) {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	for range 200 {
		x := list[r.IntN(len(list))]
		res, err := e.Search(context.Background(), Query{Text: x.Similar[r.IntN(len(x.Similar))] + "吗"})
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint(res.Band)
		for _, h := range res.Hits {
			line += fmt.Sprintf(" %d %.9f", h.Entry.Number, h.Score)
		}
		out = append(out, line)
	}
	return out
}

// A base that was trained once answers the same after a restart without being
// trained again, knows what changed meanwhile, and is trained anew when the
// snapshot does not fit.
func TestSnapshot(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "knowledge.snapshot")
	list := manyEntries(1400) // 5 600 questions
	src := &changes{}
	src.put(list...)
	load := func(opt Options) *Engine {
		t.Helper()
		opt.Log, opt.Snapshot = quietLog, file
		e := NewEngine(opt)
		if err := e.Load(ctx, src); err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := load(Options{})
	want := answersOf(t, first, list)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("新股")) || bytes.Contains(data, []byte("我的")) {
		t.Error("the snapshot holds text")
	}
	kept, err := readSnapshot(file)
	if err != nil || len(kept.Numbers) != len(list) {
		t.Fatal(len(kept.Numbers), err)
	}
	fits := func(promise float64) (int, error) {
		return kept.restore(draft(published(mapOf(src)), builtin), promise)
	}
	if n, err := fits(defaultPromise); n != 0 || err != nil {
		t.Errorf("nothing changed, and %d are new, %v", n, err)
	}
	for i, got := range answersOf(t, load(Options{}), list) {
		if got != want[i] {
			t.Errorf("question %d: %s, was %s", i, got, want[i])
		}
	}
	if _, err := fits(0.8); err == nil {
		t.Error("a snapshot of another promise fits")
	}
	// One changed, one new, one gone.
	changed, gone := list[10], list[20]
	changed.Question = "夜市委托600010几点开始"
	gone.State = Retired
	src.put(changed, gone, Entry{Number: 9000, Question: "席位号在哪里看", Similar: []string{"席位号怎么查"}, Answer: "看报盘机。", State: Published})
	if n, err := fits(defaultPromise); n != 2 || err != nil {
		t.Errorf("%d are new, %v", n, err)
	}
	e := load(Options{})
	if !e.Trained() || !e.stale {
		t.Errorf("trained %v, to be trained again %v", e.Trained(), e.stale)
	}
	for q, number := range map[string]int64{"夜市委托600010几点开始": changed.Number, "席位号怎么查": 9000} {
		if res, err := e.Search(ctx, Query{Text: q}); err != nil || len(res.Hits) == 0 || res.Hits[0].Entry.Number != number {
			t.Errorf("%s: %+v, %v", q, res.Hits, err)
		}
	}
	if _, there := e.live.Load().find(gone.Number); there {
		t.Error("what is gone is found")
	}
	// A file that is damaged, cut off or of half another base is as good as none.
	for name, bad := range map[string][]byte{"damaged": append([]byte("x"), data[1:]...), "cut off": data[:len(data)/2], "empty": nil} {
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readSnapshot(file); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
	if e := load(Options{}); !e.Trained() || e.stale {
		t.Error("not trained anew")
	}
	if again, err := readSnapshot(file); err != nil || len(again.Numbers) != len(list) {
		t.Errorf("no new snapshot: %v", err)
	}
	for i := range list[:700] {
		list[i].Question, list[i].Similar = "完全不同的问题"+list[i].Question, []string{"又一个" + list[i].Question}
	}
	src.put(list[:700]...)
	if _, err := fits(defaultPromise); err == nil {
		t.Error("half another base fits")
	}
}

// mapOf are the entries of a source as they are now.
func mapOf(src *changes) map[int64]*Entry {
	entries := map[int64]*Entry{}
	list, _ := src.Changed(context.Background(), 0, 1<<30)
	for _, e := range list {
		entries[e.Number] = &e
	}
	return entries
}
