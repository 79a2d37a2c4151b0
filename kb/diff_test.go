package kb

import (
	"strings"
	"testing"
)

func shownParts(p []Part) string {
	var b strings.Builder
	for _, x := range p {
		if x.Op == '=' {
			b.WriteString(x.Text)
		} else {
			b.WriteString("[" + string(x.Op) + x.Text + "]")
		}
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	old := Entry{Question: "怎么开户", Answer: "到柜台，9:00 起", Similar: []string{"开户", "办户"}, State: Draft, Group: "账户组"}
	got := map[string]string{}
	for _, d := range Diff(old, Entry{Question: "怎么开户", Answer: "手机上，8:30 起", Similar: []string{"开户", "开个户"}, State: Published}) {
		got[d.Key] = shownParts(d.Parts)
	}
	want := map[string]string{"answer": "[-到柜台][+手机上]，[-9][+8]:[-0][+3]0 起", "similar": "开户\n[-办户\n][+开个户\n]", "state": "[-草稿][+已发布]", "group": "[-账户组]"}
	for k, w := range want {
		if got[k] != w {
			t.Errorf("%s: %q, want %q", k, got[k], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	long := strings.Repeat("很长的一行答案\n", 900)
	for _, d := range Diff(Entry{Answer: long + "甲"}, Entry{Answer: strings.Repeat("另一行\n", 900) + long + "乙"}) {
		back := ""
		for _, p := range d.Parts {
			if p.Op != '+' {
				back += p.Text
			}
		}
		if back != long+"甲" {
			t.Error("a long text does not come back from its parts")
		}
	}
}

func TestSameWords(t *testing.T) {
	a := Entry{Number: 1, Question: "怎么开户", Answer: "到柜台", Similar: []string{}, State: Draft, Version: 3}
	b := Entry{Number: 1, Question: "怎么开户 ", Answer: "到柜台", State: Published}
	if !SameWords(a, b) {
		t.Error("state, version and empty lists are no words")
	}
	if b.Answer = "手机上"; SameWords(a, b) {
		t.Error("another answer")
	}
}
