package handlers

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"frontline/bot/chat"
	"frontline/kb"
)

func TestShortened(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"  一句。\n", 10, "一句。"},
		{"第一行说这些。\n第二行说那些。\n第三行", 18, "第一行说这些。\n第二行说那些。……"},
		{"先到柜台办理。再登录手机端确认，然后等两天。最后看结果。", 20, "先到柜台办理。……"},
		{"甲乙丙丁戊己庚辛壬癸，子丑寅卯辰巳午未申酉戌亥", 18, "甲乙丙丁戊己庚辛壬癸……"},
		{"甲乙丙丁戊己庚辛壬癸子丑寅卯", 10, "甲乙丙丁戊己庚辛……"},
		{"先看**很重要的一点要记住。还有别的话**", 16, "先看**很重要的一点要记住。……**"},
		{"详见说明[办理指南](https://a.example.com/b)", 16, "详见说明……"},
	} {
		if got := shortened(c.text, c.n); got != c.want {
			t.Errorf("%q to %d: %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

// Whatever the text: short enough, whole characters, nothing but its beginning.
func TestShortenedAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("甲乙a*。，；\n []()"))).Draw(t, "text")
		n := rapid.IntRange(6, 60).Draw(t, "n")
		got := shortened(text, n)
		if utf8.RuneCountInString(got) > n+2 || strings.Count(text, "**")%2 == 0 && strings.Count(got, "**")%2 == 1 {
			t.Fatalf("%q", got)
		}
		if head := strings.TrimRight(got, "*…"); !strings.HasPrefix(strings.TrimSpace(text), head) {
			t.Fatalf("%q does not begin %q", got, text)
		}
	})
}

// A group gets the customer's words, short, and a link; who is alone with the
// desk, and a house without pages, gets all.
func TestAnswerInGroup(t *testing.T) {
	d := &Desk{PublicURL: "https://desk.example.com"}
	group := chat.Message{ID: "message-0000000001", From: chat.Address{Kind: chat.Group, ID: "g"}}
	alone := chat.Message{ID: "message-0000000001", From: chat.Address{Kind: chat.Person, ID: "lin"}}
	long := kb.Entry{Number: 7, Version: 2, Question: "换号收不到验证码", Answer: strings.Repeat("新号码约五分钟后生效，请稍后再试。", 20), Steps: "核对证件", Exceptions: "机构户走柜台"}
	shortSteps, shortOnly := long, long
	shortSteps.Answer, shortOnly.Answer = "稍后再试。", "稍后再试。"
	shortOnly.Steps = ""
	for _, c := range []struct {
		name string
		m    chat.Message
		e    kb.Entry
		has  []string
		not  []string
	}{
		{"long, in a group", group, long, []string{"**换号收不到验证码**", "请稍后再试。……\n", "还有内部步骤、例外", "> 依据 K7 第 2 版", "> [查看全文](https://desk.example.com/m/help/7)"}, []string{"核对证件", "机构户"}},
		{"with steps, in a group", group, shortSteps, []string{"稍后再试。\n例外：机构户走柜台", "还有内部步骤", "查看全文"}, []string{"核对证件", "……"}},
		{"short, in a group", group, shortOnly, []string{"稍后再试。\n例外：机构户走柜台"}, []string{"查看全文", "见全文"}},
		{"long, alone", alone, long, []string{long.Answer, "你这边：核对证件", "例外：机构户走柜台"}, []string{"查看全文"}},
	} {
		text := answerWords(c.m, c.e, "", wording{link: d.groupLink(c.m, c.e.Number)})[0].Body.Markdown
		for _, want := range c.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in %s", c.name, want, text)
			}
		}
		for _, bad := range c.not {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q in %s", c.name, bad, text)
			}
		}
	}
	if (&Desk{}).groupLink(group, 7) != "" {
		t.Error("a link without an address")
	}
	model := answerWords(group, long, "", wording{text: strings.Repeat("新号码约五分钟后生效〔K7〕。", 20), from: []kb.Entry{long}, by: "措辞由大模型按上面的条目组织", link: d.groupLink(group, 7)})[0].Body.Markdown
	if utf8.RuneCountInString(model) > 320 || !strings.Contains(model, "〔K7〕。……") || !strings.Contains(model, "查看全文") || !strings.Contains(model, "措辞由大模型") {
		t.Errorf("in a model's words: %s", model)
	}
}
