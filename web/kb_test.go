package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// form is an entry as its page posts it.
func entryValues(question, answer string, version int, do string) url.Values {
	return url.Values{"question": {question}, "answer": {answer}, "version": {strconv.Itoa(version)}, "change": {"0"}, "do": {do}}
}

func (c *console) entry(n int64) kb.Entry {
	c.t.Helper()
	e, err := c.store.FindEntry(context.Background(), n)
	if err != nil {
		c.t.Fatal(err)
	}
	return e
}

func TestKnowledgePages(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	for path, want := range map[string]string{"/kb": "新股中签怎么缴款", "/kb/1": "中签当日 16:00", "/kb?q=" + url.QueryEscape("新股中签怎么缴款"): "会直接回答 K1", "/kb?q=" + url.QueryEscape("火星上怎么种土豆"): "会说没有可靠的答案", "/kb?state=draft": "没有符合条件的知识", "/kb/1/versions": "第一版", "/kb/new": "存下并发布"} {
		if code, body := b.get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, no %q", path, code, want)
		}
	}
	if code, where := b.get("/kb?q=k1"); code != http.StatusSeeOther || where != "" && !strings.Contains(where, "/kb/1") {
		t.Errorf("a number leads to its entry: %d %s", code, where)
	}
	if code, _ := b.get("/kb/9"); code != http.StatusNotFound {
		t.Errorf("an entry that is not there: %d", code)
	}
	if code, _ := c.as(chat.Reporter).get("/kb"); code != http.StatusForbidden {
		t.Errorf("a reporter: %d", code)
	}
	if _, body := c.as(chat.Tester).get("/kb/1"); strings.Contains(body, `value="save"`) {
		t.Error("a tester is offered to write")
	}
}

// A published entry goes on answering as it was until the change is published;
// who may only propose sends it to review.
func TestChangeOfAPublishedEntry(t *testing.T) {
	c := startConsole(t, nil)
	gu := c.as(chat.Responder)
	if code, body := gu.post("/kb/1", entryValues("新股中签怎么缴款", "中签后两天内补足。", 1, "publish")); code != http.StatusUnprocessableEntity || !strings.Contains(body, "由知识管理员来做") || !strings.Contains(body, "中签后两天内补足。") {
		t.Fatalf("a responder publishes: %d %s", code, body)
	}
	if code, body := gu.post("/kb/1", entryValues("新股中签怎么缴款", "T+2 日 16:00 前留足资金。", 1, "submit")); code != http.StatusSeeOther {
		t.Fatalf("submit: %d %s", code, body)
	}
	if e := c.entry(1); e.Answer != "中签当日 16:00 前留足资金。" || e.Version != 1 {
		t.Fatalf("the change is live before anybody looked: %+v", e)
	}
	zhao := c.as(chat.Curator)
	_, body := zhao.get("/kb/1")
	if !strings.Contains(body, "<ins>T&#43;2 </ins>") || !strings.Contains(body, "<del>中签当</del>") || !strings.Contains(body, "修改待复核") {
		t.Error("no comparison")
	}
	if said := c.saidTo("curator"); !strings.Contains(said, "待复核") || !strings.Contains(said, "T+2") {
		t.Errorf("the curator heard %q", said)
	}
	if code, body := zhao.post("/kb/1/move", url.Values{"do": {"return"}, "note": {"写上时间"}}); code != http.StatusSeeOther {
		t.Fatalf("send back: %d %s", code, body)
	}
	if said := c.saidTo("responder"); !strings.Contains(said, "写上时间") {
		t.Errorf("the author heard %q", said)
	}
	if code, body := zhao.post("/kb/1/move", url.Values{"do": {"publish"}, "version": {"1"}}); code != http.StatusSeeOther {
		t.Fatalf("publish: %d %s", code, body)
	}
	if e := c.entry(1); e.Answer != "T+2 日 16:00 前留足资金。" || e.Version != 2 || e.Editor != "responder" {
		t.Errorf("after publishing: %+v", e)
	}
	if code, body := zhao.post("/kb/1/restore", url.Values{"to": {"1"}}); code != http.StatusSeeOther || c.entry(1).Answer != "中签当日 16:00 前留足资金。" {
		t.Errorf("roll back: %d %s", code, body)
	}
}

// Two curators at once: the later one loses nothing, and wins by saving again.
func TestTwoCuratorsAtOnce(t *testing.T) {
	c := startConsole(t, nil)
	a, b := c.as(chat.Curator), c.as(chat.Leader)
	if code, body := a.post("/kb/1", entryValues("新股中签怎么缴款", "甲的答案。", 1, "publish")); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	code, body := b.post("/kb/1", entryValues("新股中签怎么缴款", "乙的答案。", 1, "publish"))
	if code != http.StatusConflict || !strings.Contains(body, "乙的答案。") || !strings.Contains(body, "现在是：甲的答案。") || !strings.Contains(body, `name="version" value="2"`) {
		t.Fatalf("the second: %d %s", code, body)
	}
	if code, _ := b.post("/kb/1", entryValues("新股中签怎么缴款", "乙的答案。", 2, "publish")); code != http.StatusSeeOther || c.entry(1).Answer != "乙的答案。" {
		t.Errorf("saving again: %d, %s", code, c.entry(1).Answer)
	}
	if code, body := b.post("/kb/1", entryValues("", "x", 3, "save")); code != http.StatusUnprocessableEntity || !strings.Contains(body, "不能为空") {
		t.Errorf("no question: %d %s", code, body)
	}
	if code, body := b.post("/kb/1", entryValues("新股中签怎么缴款", "稳赚不赔。", 3, "publish")); code != http.StatusUnprocessableEntity || !strings.Contains(body, "承诺性的说法「稳赚」") {
		t.Errorf("a promise: %d %s", code, body)
	}
}

// With the rule of the second person nobody publishes their own words.
func TestSecondPerson(t *testing.T) {
	c := startConsole(t, func(o *Options) { o.Desk.SecondPerson = true })
	zhao, chen := c.as(chat.Curator), c.as(chat.Leader)
	if code, body := zhao.post("/kb/new", entryValues("两融合同补签在哪里", "业务办理里补签。", 0, "publish")); code != http.StatusUnprocessableEntity || !strings.Contains(body, "最后是你改的") {
		t.Fatalf("publish at once: %d %s", code, body)
	}
	if code, body := zhao.post("/kb/new", entryValues("两融合同补签在哪里", "业务办理里补签。", 0, "submit")); code != http.StatusSeeOther {
		t.Fatalf("submit: %d %s", code, body)
	}
	if code, _ := zhao.post("/kb/2/move", url.Values{"do": {"publish"}}); code != http.StatusConflict || c.entry(2).State != kb.Review {
		t.Errorf("own review: %d, %s", code, c.entry(2).State)
	}
	// Moving it is not writing it: the words are still the first one's.
	for _, do := range []string{"return", "submit"} {
		if code, body := chen.post("/kb/2/move", url.Values{"do": {do}}); code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", do, code, body)
		}
	}
	if _, body := zhao.get("/kb/2"); strings.Contains(body, `value="publish"`) {
		t.Error("the author is offered to publish")
	}
	if code, body := chen.post("/kb/2/move", url.Values{"do": {"publish"}}); code != http.StatusSeeOther || c.entry(2).State != kb.Published {
		t.Errorf("the second person: %d %s", code, body)
	}
}

func TestTryAnEntry(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	form := entryValues("新股中签怎么缴款", "中签当日留足资金。", 1, "")
	form.Set("similar", "打新中了钱什么时候扣")
	form.Set("try", "打新中了钱什么时候扣")
	code, body := b.post("/kb/1/try", form)
	if code != http.StatusOK || !strings.Contains(body, "会直接回答 K1") || !strings.Contains(body, "线上现在：") {
		t.Errorf("%d %s", code, body)
	}
	if e := c.entry(1); len(e.Similar) != 0 {
		t.Error("trying stored something")
	}
}

func (c *console) saidTo(id string) string {
	c.t.Helper()
	lines, err := c.store.SaidTo(context.Background(), chat.Address{Kind: chat.Person, ID: id, Via: chat.App}, c.store.Now().AddDate(0, 0, -1), 50)
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, l := range lines {
		all = append(all, l.Body.Text)
	}
	return strings.Join(all, "\n")
}

// ask keeps a question that had no answer, of somebody.
func (c *console) ask(message, who, text string) {
	c.t.Helper()
	err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.KeepQuestion(store.Question{Message: message, Asker: who, Text: text, Band: "refuse"})
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestGapsPage(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	for i, who := range []string{"a", "b", "c", "c"} {
		c.ask("bond"+strconv.Itoa(i), who, "可转债怎么开通权限"+strings.Repeat("呢", i%2))
	}
	c.ask("two1", "a", "新版对账单口径变了吗")
	_, body := b.get("/kb/gaps")
	for _, want := range []string{"4 问 / 3 人", "没答上或没解决的 5 问，归成 2 类", "不足 3 人问过的 1 类", "/kb/new?gap=bond"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	lead := regexp.MustCompile(`/kb/new\?gap=(bond\d)`).FindStringSubmatch(body)[1]
	if _, body := b.get("/kb/new?gap=" + lead); !strings.Contains(body, "可转债怎么开通权限") || !strings.Contains(body, `name="gap" value="`+lead) {
		t.Error("the draft does not begin with the questions")
	}
	form := entryValues("可转债怎么开通权限", "业务办理里开通。", 0, "publish")
	form.Set("gap", lead)
	if code, where := b.post("/kb/new", form); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, where)
	}
	if code, _ := b.post("/kb/gaps", url.Values{"gap": {lead}, "do": {"ignore"}}); code != http.StatusConflict {
		t.Errorf("a settled gap: %d", code)
	}
	if code, _ := b.post("/kb/gaps", url.Values{"gap": {"two1"}, "do": {"similar"}, "entry": {"第一条"}}); code != http.StatusUnprocessableEntity {
		t.Error("no number is taken for an entry")
	}
	if code, where := b.post("/kb/gaps", url.Values{"gap": {"two1"}, "do": {"negative"}, "entry": {"k1"}}); code != http.StatusSeeOther || len(c.entry(1).Negative) != 1 {
		t.Errorf("not meant: %d %s", code, where)
	}
	if _, body := b.get("/kb/gaps"); !strings.Contains(body, "归成 0 类") {
		t.Error("something is left")
	}
	if code, _ := c.as(chat.Responder).get("/kb/gaps"); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
}

// An entry is published at a time from its page, and that can be taken back.
func TestPublishAtATime(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Curator)
	var n int64
	if err := c.store.InTx(context.Background(), func(tx *store.Tx) (err error) {
		n, err = tx.NewEntry("author", kb.Entry{Question: "夜市委托几点开始", Answer: "二十点。", State: kb.Draft})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	page := fmt.Sprint("/kb/", n)
	e, err := c.store.FindEntry(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	send := func(do, at string, code int) {
		t.Helper()
		b.wantPost(page+"/move", url.Values{"do": {do}, "at": {at}, "version": {fmt.Sprint(e.Version)}}, code)
	}
	send("schedule", "", 422)
	send("schedule", "2001-01-01T09:00", 422)
	at := c.web.opt.Now().AddDate(0, 0, 2)
	send("schedule", at.Format("2006-01-02T15:04"), 303)
	b.want(page, 200, "定在", "取消定时")
	c.as(chat.Responder).wantPost(page+"/move", url.Values{"do": {"unschedule"}, "version": {fmt.Sprint(e.Version)}}, 422)
	send("unschedule", "", 303)
	b.want(page, 200, "定时发布")
	send("unschedule", "", 422)
}
