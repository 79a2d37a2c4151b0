package kb_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"frontline/kb"
	"frontline/kb/sample"
)

// TestLetters asks the sample knowledge by initials, by syllables and by both.
func TestLetters(t *testing.T) {
	e := load(t, sample.Entries(time.Now()))
	for _, x := range []struct{ band, title, text, from, to string }{
		{"answer", "收不到验证码", "yzm收不到", "yzm", "验证码"},
		{"answer", "收不到验证码", "yanzhengma shoubudao", "yanzhengma shoubudao", "验证码收不到"},
		{"answer", "收不到验证码", "验证码shoubudao", "shoubudao", "收不到"},
		{"answer", "收不到验证码", "YANZHENGMA收不到", "yanzhengma", "验证码"},
		{"answer", "银证转账失败", "yin zheng zhuan zhang 失败", "yin zheng zhuan zhang", "银证转账"},
		{"answer", "银证转账失败", "yin'zheng'zhuan'zhang失败", "yin'zheng'zhuan'zhang", "银证转账"},
		{"answer", "可转债权限生效时间", "kzz权限多久生效", "kzz", "可转债"},
		{"offer", "创业板开通条件", "cyb怎么开通", "cyb", "创业板"},
		{"answer", "创业板开通条件", "chuangyb权限", "chuangyb", "创业板"},
		{"offer", "忘记交易密码", "mm忘了", "mm", "密码"},
		{"offer", "逆回购资金何时可取", "gznhg什么时候可以取", "gznhg", "国债逆回购"},
		{"answer", "换号收不到验证码", "huanhao hou shou bu dao yanzhengma zenme ban", "", "换号后收不到验证码怎么办"},
		{"offer", "开户条件", "kaihu xuyao shenme cailiao", "", "开户需要什么 cailiao"}, // no 材料 in the base
	} {
		res, err := e.Search(t.Context(), kb.Query{Text: x.text})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(res.Hits, func(h kb.Hit) bool { return h.Entry.ShortTitle == x.title })
		if !fits(res, x.band, x.title) || at < 0 {
			t.Errorf("%s: want %s %s, got %s (%s) %v", x.text, x.band, x.title, res.Band, res.Reason, titles(res))
			continue
		}
		if at == 0 && !strings.Contains(res.Read, x.to) {
			t.Errorf("%s: read as %q", x.text, res.Read)
		}
		read := func(s kb.Synonym) bool {
			return strings.TrimSpace(s.To) == x.to && (s.From == x.from || x.from == "")
		}
		if !slices.ContainsFunc(res.Hits[at].Explanation.Synonyms, read) {
			t.Errorf("%s: the explanation says %v", x.text, res.Hits[at].Explanation.Synonyms)
		}
	}
}

func titles(res kb.Result) (out []string) {
	for _, h := range res.Hits {
		out = append(out, h.Entry.ShortTitle)
	}
	return out
}

// TestOtherLetters asks what spells nothing that the base knows.
func TestOtherLetters(t *testing.T) {
	e := load(t, sample.Entries(time.Now()))
	for text, want := range map[string]string{
		"what is the weather": "unknown", "hello": "chat", "nihao": "chat", "test abc": "unknown", "qwertyuiop": "unknown", "uuuuu": "unknown", "z": "unknown",
		"wo xiang chi hongshaorou": "unknown", strings.Repeat("zhuang", 40): "unknown",
	} {
		res, err := e.Search(t.Context(), kb.Query{Text: text})
		if err != nil || res.Band != kb.Refuse || res.Reason != want {
			t.Errorf("%s: %s (%s) %v, want a refusal (%s); %v", text, res.Band, res.Reason, titles(res), want, err)
		}
	}
}

// TestLettersOfTheBase has a word of letters in a question, one in an answer, and one
// among the house's synonyms: these are not read as characters, though they could be.
func TestLettersOfTheBase(t *testing.T) {
	entries := []kb.Entry{
		{Number: 1, Question: "平仓规则", Similar: []string{"平仓怎么算", "什么时候平仓", "平仓线"}, Answer: "维持担保比例低于平仓线"},
		{Number: 2, Question: "pc怎么装软件", Similar: []string{"软件在pc上怎么装"}, Answer: "a"},
		{Number: 3, Question: "账户怎么注销", Similar: []string{"账户注销", "账户不要了"}, Answer: "带上zh到营业部"},
		{Number: 4, Question: "客户等级", Similar: []string{"客户等级怎么算", "客户升级"}, Answer: "b"},
	}
	e := kb.NewEngine(kb.Options{Synonyms: [][]string{{"科创板", "kh"}}})
	if err := e.Load(t.Context(), fixed(entries)); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"pc规则", "zh规则", "kh规则"} {
		res, err := e.Search(t.Context(), kb.Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range res.Hits {
			if slices.ContainsFunc(h.Explanation.Synonyms, func(s kb.Synonym) bool { return s.From == text[:2] && s.To != "科创板" }) {
				t.Errorf("%s: read as %v", text, h.Explanation.Synonyms)
			}
		}
	}
	res, err := e.Search(t.Context(), kb.Query{Text: "khdj"})
	if err != nil || len(res.Hits) == 0 || res.Hits[0].Entry.Number != 4 {
		t.Errorf("khdj: %v %v", titles(res), err)
	}
}

// TestLettersReadTwoWays has one spelling for two words: both are offered, none is the answer.
func TestLettersReadTwoWays(t *testing.T) {
	e := load(t, []kb.Entry{
		{Number: 1, ShortTitle: "开户", Question: "开户", Similar: []string{"开户材料", "开户要带什么"}, Answer: "a"},
		{Number: 2, ShortTitle: "客户", Question: "客户", Similar: []string{"客户等级", "客户怎么分级"}, Answer: "b"},
		{Number: 3, ShortTitle: "对账单", Question: "对账单", Similar: []string{"对账单下载"}, Answer: "c"},
	})
	res, err := e.Search(t.Context(), kb.Query{Text: "kh"})
	if err != nil || res.Band != kb.Clarify || len(res.Hits) < 2 || !slices.Equal([]string{"客户", "开户"}, sorted(titles(res)[:2])) {
		t.Errorf("%s (%s) %v %v", res.Band, res.Reason, titles(res), err)
	}
}

func sorted(list []string) []string { slices.Sort(list); return list }

func FuzzSearch(f *testing.F) {
	e := load(f, sample.Entries(time.Now()))
	for _, text := range []string{"yzzz怎么弄", "yin'zheng' zhuan", "a' b' c", "验证码yzm验证码", "'''", "zh\x00ang", "\xff\xfeyzm", "ｙｚｍ收不到", "9.2.1 600519 abc", "lv lü nv"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		res, err := e.Search(t.Context(), kb.Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range res.Hits {
			if !(h.Score >= 0 && h.Score <= 1+1e-9) || math.IsNaN(h.Score) {
				t.Errorf("%q: hit %d has the probability %v", text, i, h.Score)
			}
		}
		if res.Band == kb.Answer && len(res.Hits) == 0 {
			t.Errorf("%q: an answer without a hit", text)
		}
	})
}
