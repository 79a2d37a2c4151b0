package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Somebody asks on a phone: the three bands, their judgement, and the way on to
// a person, all of it theirs alone.
func TestSelfService(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Reporter)
	if code, page := b.get("/m/help"); code != http.StatusOK || !strings.Contains(page, "新股中签怎么缴款") {
		t.Fatalf("%d %s", code, page)
	}
	ask := func(text string) (message, page string) {
		t.Helper()
		code, _ := b.post("/m/help", url.Values{"q": {text}})
		if code != http.StatusSeeOther {
			t.Fatalf("%q: %d", text, code)
		}
		list, err := c.store.ListQuestions(t.Context(), store.QuestionQuery{Asker: "reporter", N: 1})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		_, page = b.get("/m/help?asked=" + list[0].Message)
		return list[0].Message, page
	}
	known, page := ask("新股中签怎么缴款")
	if !strings.Contains(page, "16:00 前留足资金") || !strings.Contains(page, "最可能的答案") {
		t.Errorf("not answered: %s", page)
	}
	b.wantPost("/m/help/judge", url.Values{"message": {known}, "judgement": {"useful"}}, http.StatusSeeOther)
	q, err := c.store.FindQuestion(t.Context(), known)
	if err != nil || q.Feedback != "useful" || q.Band != "answer" || q.Entry != 1 {
		t.Errorf("%+v %v", q, err)
	}
	unknown, page := ask("量子计算机客户身份证 11010519491231002X 怎么登录")
	if !strings.Contains(page, "没有可靠的答案") || strings.Contains(page, "11010519491231002X") {
		t.Errorf("an unknown question: %s", page)
	}
	b.wantPost("/m/help/judge", url.Values{"message": {unknown}, "judgement": {"await"}}, http.StatusSeeOther)
	if list, err := c.store.ListWatches(t.Context(), 9); err != nil || len(list) != 1 || list[0].Member != "reporter" {
		t.Errorf("%v %v", list, err)
	}
	if _, form := b.get("/m/report?about=" + unknown); !regexp.MustCompile(`<textarea[^>]*>量子计算机`).MatchString(form) {
		t.Error("the report does not begin with what was asked")
	}
	for _, text := range []string{"", "   ", "你好", "谢谢"} {
		if code, page := b.post("/m/help", url.Values{"q": {text}}); code != http.StatusUnprocessableEntity || !strings.Contains(page, "askbar") {
			t.Errorf("%q: %d", text, code)
		}
	}
	if n, _ := c.store.CountQuestions(t.Context(), store.QuestionQuery{}); n != 2 {
		t.Errorf("%d questions are kept", n)
	}
	other := c.as(chat.Tester)
	if code, _ := other.get("/m/help?asked=" + unknown); code != http.StatusNotFound {
		t.Errorf("somebody else's question: %d", code)
	}
	if code, _ := other.post("/m/help/judge", url.Values{"message": {known}, "judgement": {"useless"}}); code != http.StatusNotFound {
		t.Errorf("judged by somebody else: %d", code)
	}
	if _, form := other.get("/m/report?about=" + unknown); strings.Contains(form, "量子计算机") {
		t.Error("somebody else's words")
	}
	if code, page := b.get("/m/help/1?asked=" + known); code != http.StatusOK || !strings.Contains(page, "第 1 版") || !strings.Contains(page, `value="useless"`) {
		t.Errorf("entry: %d %s", code, page)
	}
	if code, _ := b.get("/m/help/999"); code != http.StatusNotFound {
		t.Errorf("no such entry: %d", code)
	}
	if code, _ := b.get("/m/help?category=" + url.QueryEscape("没有的分类")); code != http.StatusOK {
		t.Errorf("empty category: %d", code)
	}
}

// The link of a group's answer leads to the entry on a phone: for whom signs in,
// and only what is published.
func TestLinkOfGroupAnswer(t *testing.T) {
	c := startConsole(t, nil)
	put := kb.Entry{Question: "换号收不到验证码", Answer: "五分钟后再试。", Steps: "核对证件", Exceptions: "机构户走柜台"}
	if err := c.store.InTx(t.Context(), func(tx *store.Tx) error { _, err := tx.PutEntries("test", []kb.Entry{put}); return err }); err != nil {
		t.Fatal(err)
	}
	resp, err := c.visitor().client.Get(c.URL + "/m/help/2")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if to := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || to != "/login?next=%2Fm%2Fhelp%2F2" {
		t.Errorf("nobody: %d %s", resp.StatusCode, to)
	}
	if code, page := c.as(chat.Reporter).get("/m/help/2"); code != http.StatusOK || !strings.Contains(page, "五分钟后再试") || !strings.Contains(page, "核对证件") || !strings.Contains(page, "机构户走柜台") {
		t.Errorf("a reporter: %d %s", code, page)
	}
	put.Number, put.State = 2, kb.Retired
	if err := c.store.InTx(t.Context(), func(tx *store.Tx) error { _, err := tx.PutEntries("test", []kb.Entry{put}); return err }); err != nil {
		t.Fatal(err)
	}
	if code, _ := c.as(chat.Reporter).get("/m/help/2"); code != http.StatusNotFound {
		t.Errorf("retired: %d", code)
	}
}
