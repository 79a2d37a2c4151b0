package chat

import (
	"strings"
	"testing"
)

// The parts of an ID cannot run into one another, and it fits an index column.
func TestMessageID(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range [][4]string{{"c", "1", "ab", "c"}, {"c", "1", "a", "bc"}, {"c", "1a", "b", "c"}, {"c1", "", "ab", "c"}, {"", "", "", ""}, {"c", "1", "a", "m:7"}, {"c", "1", "b", "m:7"}, {"c", "1", "a", "m:8"}, {"c", "1", "a", "m:99999999999999999999"}} {
		for _, via := range []Via{App, Bot} {
			id := MessageID(via, k[0], k[1], k[2], k[3])
			if seen[id] || len(id) != 24 || strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" {
				t.Errorf("%v: %q", k, id)
			}
			seen[id] = true
		}
	}
	if first, again := MessageID(App, "c", "1", "a", "b"), MessageID(App, "c", "1", "a", "b"); first != again {
		t.Error("a repeat has another ID")
	}
	last := ""
	for _, n := range []string{"m:1", "m:63", "m:64", "m:7270254193428742175", "m:7270254193428742176", "m:18446744073709551615"} {
		id := MessageID(App, "c", "1", "a", n)
		if id <= last {
			t.Errorf("%s sorts before a smaller number", n)
		}
		last = id
	}
}

func TestThread(t *testing.T) {
	person := Message{Via: App, Sender: "a", From: Address{Kind: Person, ID: "a", Via: App}}
	group := Message{Via: Bot, Sender: "a", From: Address{Kind: Group, ID: "g", Via: Bot}}
	other := group
	other.Sender = "b"
	if person.Thread() == group.Thread() || group.Thread() == other.Thread() {
		t.Error("two threads are one")
	}
}

// Foreign text can mention nobody, link nowhere and colour nothing (B59).
func TestPlain(t *testing.T) {
	for _, evil := range []string{"<@all>", "<@zhoulan>", "@all 看", "[点我](javascript:alert(1))", `<font color="warning">红</font>`, "`code`", "# 标题", "  # 标题", "<a href=\"http://x\">x</a>"} {
		got := Plain(evil)
		if strings.ContainsAny(got, "<>[]`@") || strings.HasPrefix(strings.TrimSpace(got), "#") {
			t.Errorf("Plain(%q) = %q", evil, got)
		}
		if Plain(got) != got {
			t.Errorf("Plain is not stable: %q", got)
		}
	}
	if got := Plain("客户 138****8000 说：登录不了"); got != "客户 138****8000 说：登录不了" {
		t.Errorf("ordinary words changed: %q", got)
	}
	if got := PlainMarkdown("138****8000"); strings.Contains(got, "*") {
		t.Errorf("a mask would be read as marks: %q", got)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"一二三", 3, "一二三"}, {"一二三四", 3, "一二…"}, {"", 3, ""}, {"一二", 1, "…"}, {"👍👍👍", 2, "👍…"}} {
		if got := Cut(c.in, c.n); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestRoles(t *testing.T) {
	set, err := ParseRoles("tester, reporter，admin tester")
	if err != nil || set.String() != "reporter,tester,admin" {
		t.Errorf("%v, %v", set, err)
	}
	if _, err := ParseRoles("king"); err == nil {
		t.Error("an unknown role was taken")
	}
	if !set.Has() || !set.Has(Curator, Admin) || set.Has(Leader) {
		t.Error("Has")
	}
	for _, r := range Roles {
		if r.Title() == "" {
			t.Errorf("%s has no title", r)
		}
	}
}
