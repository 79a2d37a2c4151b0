package kb

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

const (
	evalBase = "\ufeff" + `{"id":"a7","question":"怎么开户","answer":"带证件","similar":["开立账户要什么资料"]}` + "\n\n" +
		`{"id":"b","question":"对账单在哪里下载"}` + "\n"
	evalAsked = `{"id":"q1","text":"怎么开户","answers":["a7"],"kind":"in"}` + "\n" +
		`{"id":"q2","text":"开立账户要什么资料"}` + "\n" + `{"id":"q3","text":"你好"}` + "\n"
)

func TestEval(t *testing.T) {
	for track, second := range map[string]bool{"": true, "warm": true, "cold": false} {
		var out bytes.Buffer
		sum, err := Eval(strings.NewReader(evalBase), strings.NewReader(evalAsked), &out, track)
		if err != nil || sum.Entries != 2 || sum.Queries != 3 {
			t.Fatalf("%+v %v", sum, err)
		}
		var got []evalResult
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			var r evalResult
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			got = append(got, r)
		}
		if len(got) != 3 || !got[0].Answered || got[0].Hits[0].ID != "a7" || got[1].Answered != second || got[2].Answered || got[2].Hits == nil {
			t.Errorf("%s: %s", track, out.String())
		}
	}
}

// Queries with known answers show how far the stated probabilities hold.
func TestEvalLabelled(t *testing.T) {
	sum, err := Eval(strings.NewReader(evalBase), strings.NewReader(`{"id":"q1","text":"怎么开户","answers":["a7"]}`+"\n"+`{"id":"q2","text":"对账单在哪里下载","answers":["a7"]}`+"\n"+`{"id":"q3","text":"对账单","answers":[]}`+"\n"+`{"id":"q4","text":"开户"}`), &bytes.Buffer{}, "")
	r := sum.Labelled
	if err != nil || r.N != 3 || r.Bins[len(r.Bins)-1].N != 2 || r.Bins[len(r.Bins)-1].Right != 0.5 || r.Error <= 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestEvalErrors(t *testing.T) {
	for _, c := range [][3]string{{evalBase, evalAsked, "hot"}, {"{", evalAsked, ""}, {evalBase, "x", ""}} {
		if _, err := Eval(strings.NewReader(c[0]), strings.NewReader(c[1]), &bytes.Buffer{}, c[2]); err == nil {
			t.Errorf("%q: no error", c)
		}
	}
}
