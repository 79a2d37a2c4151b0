package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestPairs(t *testing.T) {
	if got := pairs("ＡＢ买入9.2，卖 出中国"); !reflect.DeepEqual(got, []string{"ab", "买入", "9", "2", "卖", "出中", "中国"}) {
		t.Errorf("%q", got)
	}
}

func TestScore(t *testing.T) {
	yes, no := true, false
	queries := []query{{ID: "1", Answers: []string{"a"}}, {ID: "2", Answers: []string{"b"}}, {ID: "3", Answers: []string{"c"}}, {ID: "4", Kind: "near"}, {ID: "5", Kind: "far"}}
	f := score(queries, []result{
		{ID: "1", Hits: []hit{{"a", 9}}, Answered: &yes},
		{ID: "2", Hits: []hit{{"x", 5}, {"b", 4}}, Answered: &no},
		{ID: "3", Hits: []hit{{"c", 8}}, Answered: &no},
		{ID: "4", Hits: []hit{{"a", 8}}, Answered: &yes},
	})
	for name, x := range map[string][2]float64{
		"hit@1": {f.hit1, 2. / 3}, "hit@3": {f.hit3, 1}, "auroc": {f.auroc, (2 + 1 + 1.5) / 6}, "near": {f.near, (1 + 0 + 0.5) / 3},
		"cov@p95": {f.cov95, 1. / 3}, "cov@p60": {coverage([]row{{9, true}, {8, true}, {8, false}}, 3, 0.6), 2. / 3},
		"own precision": {f.ownPrecision, 0.5}, "own coverage": {f.ownCoverage, 1. / 3}, "own false": {f.ownFalse, 0.5},
	} {
		if math.Abs(x[0]-x[1]) > 1e-9 {
			t.Errorf("%s is %v, want %v", name, x[0], x[1])
		}
	}
}

// Every system answers a small base in which the questions stand.
func TestSystems(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kb.jsonl":      `{"id":"a","question":"怎么重置交易密码","answer":"x","similar":["交易密码忘了"]}` + "\n" + `{"id":"b","question":"银证转账几点截止","answer":"y"}` + "\n" + `{"id":"c","question":"创业板开通条件","answer":"z"}` + "\n",
		"queries.jsonl": `{"id":"1","text":"怎么重置交易密码","answers":["a"],"kind":"in"}` + "\n" + `{"id":"2","text":"银证转账几点截止？","answers":["b"],"kind":"in"}` + "\n" + `{"id":"3","text":"火星种土豆","answers":[],"kind":"far"}` + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := run(dir, []string{"warm", "cold"}, &out); err != nil {
		t.Fatal(err)
	}
	for _, s := range systems {
		if strings.Count(out.String(), s.name+" ") != 2 {
			t.Errorf("%s is not on both tracks:\n%s", s.name, &out)
		}
	}
	if n := strings.Count(out.String(), "100.0"); n < 2*len(systems)*2 {
		t.Errorf("somebody misses what stands in the base:\n%s", &out)
	}
}

// A base for speed has the size that was asked for, is the same each time, and
// each of its questions has one entry.
func TestLarge(t *testing.T) {
	sets := []set{{entries: []entry{{ID: "1", Question: "开通港股通要什么条件", Similar: []string{"怎么开港股通"}}, {ID: "2", Question: "银证转账失败怎么办"}}}}
	a, b := large(sets, 400), large(sets, 400)
	if len(a.entries) != 100 || len(a.queries) != askedMost || !reflect.DeepEqual(a, b) {
		t.Errorf("%d entries, %d questions", len(a.entries), len(a.queries))
	}
}
