package kb

import (
	"reflect"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"銀證轉賬提示餘額不足": "银证转账提示余额不足",
		"ＧＣ００１　到期":   "gc001 到期",
		"ETF":        "etf",
		"转帐":         "转账",
		"㈱①":         "(株)1",
		"零\u200b宽":   "零宽",
		"Σ":          "σ",
	} {
		if got := string(normalize(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTraditionalTable(t *testing.T) {
	if n := len([]rune(strings.ReplaceAll(traditional, "\n", ""))); n%2 != 0 {
		t.Fatalf("%d characters: a pair lacks its half", n)
	}
	for from, to := range simplified {
		if again, ok := simplified[to]; ok && again != to && to != '帐' {
			t.Errorf("%c becomes %c, which becomes %c", from, to, again)
		}
	}
}

func TestCopy(t *testing.T) {
	for in, want := range map[string]string{
		"请问如何开通两融":       "怎么申请融资融券",
		"您好，客户问怎样更改手机号码": "怎么修改手机号",
		"你好":      "你好",
		"app闪退":   "软件闪退",
		"apple":   "apple",
		"打新要多少市值": "新股申购要多少市值",
	} {
		if got := bare(builtin.copyOf(normalize(in), nil)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestTokens(t *testing.T) {
	for in, want := range map[string][]string{
		"开户":         {"开", "开户", "户"},
		"开，户":        {"开", "户"},
		"升级9.2.1闪":   {"升", "升级", "级", "<9.2.1>", "闪"},
		"600519.":    {"<600519>"},
		"t+1":        {"<t>", "<1>"},
		".5 a.b":     {"<5>", "<a>", "<b>"},
		"":           nil,
		"！？ \n😀":     nil,
		"привет мир": {"<привет>", "<мир>"},
	} {
		var got []string
		for _, tok := range appendTokens(nil, normalize(in), 0) {
			text := tok.text()
			if tok.isWord() {
				for _, w := range want {
					if strings.HasPrefix(w, "<") && wordToken([]rune(strings.Trim(w, "<>"))) == tok {
						text = w
					}
				}
			}
			got = append(got, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

func TestLongTextIsBounded(t *testing.T) {
	e := engineOf(t, Entry{Number: 1, Question: "怎么开户", Answer: "a"})
	if res := search(t, e, strings.Repeat("开户很长的一段话", 100_000)); res.Band == Answer {
		t.Errorf("%+v", res)
	}
}

func TestSmallTalk(t *testing.T) {
	for text, want := range map[string]bool{"你好": true, "你好呀": true, "谢谢啦": true, "麻烦": true, "你好，怎么开户": false, "好": true, "开户": false, "滚": true} {
		ix := assemble(nil, builtin)
		if got := builtin.chats(ix.ask(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestSolve(t *testing.T) {
	x := solve([][]float64{{4, 2}, {2, 3}}, []float64{8, 7})
	if d := (x[0]-1.25)*(x[0]-1.25) + (x[1]-1.5)*(x[1]-1.5); d > 1e-18 {
		t.Errorf("%v", x)
	}
}
