package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

func TestSynonymsPage(t *testing.T) {
	c := startConsole(t, nil)
	c.put(kb.Entry{Question: "北向资金怎么看", Answer: "行情页。"}, kb.Entry{Question: "怎么销户", Answer: "营业部。"})
	c.ask("s1", "zhou", "外资净流入怎么看")
	b := c.as(chat.Curator)
	if _, body := b.get("/kb/synonyms"); !strings.Contains(body, "还没有。内置的") {
		t.Error("an empty list says nothing")
	}
	try := url.Values{"words": {"北向资金，外资净流入"}}
	code, body := b.post("/kb/synonyms/try", try)
	for _, want := range []string{"知识库里 0 条问法会换个读法", "最近问过的 1 种问法里有 1 种", "会改变 1 个最近问题的答案", "<ins>答 K2</ins>"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, no %q: %s", code, want, body)
		}
	}
	if list, _ := c.store.ListSynonyms(context.Background()); len(list) != 0 {
		t.Error("looking stored something")
	}
	if code, _ := b.post("/kb/synonyms/try", url.Values{"words": {"北向"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("one word: %d", code)
	}
	keep := func(do, id, words string) (int, string) {
		return b.post("/kb/synonyms", url.Values{"do": {do}, "id": {id}, "words": {words}})
	}
	if code, body := keep("add", "", "北向资金，外资净流入"); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := keep("add", "", "陆股通 外资净流入"); code != http.StatusUnprocessableEntity || !strings.Contains(body, "已经在「北向资金」那一组里") || !strings.Contains(body, `value="陆股通 外资净流入"`) {
		t.Errorf("a word in two groups: %d", code)
	}
	if err := c.web.opt.Knowledge.(*kb.Engine).Load(context.Background(), c.store); err != nil { // what following does
		t.Fatal(err)
	}
	if _, body := b.get("/kb?q=" + url.QueryEscape("外资净流入怎么看")); !strings.Contains(body, "会直接回答 K2") || !strings.Contains(body, "外资净流入 → 北向资金") {
		t.Error("the group is not used, or not explained")
	}
	list, err := c.store.ListSynonyms(context.Background())
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	id := strconv.FormatInt(list[0].ID, 10)
	if code, _ := keep("save", id, "北向资金 陆股通"); code != http.StatusSeeOther {
		t.Errorf("change: %d", code)
	}
	if _, body := b.get("/kb/synonyms"); !strings.Contains(sectionOf(body, "groups"), `value="北向资金 陆股通"`) {
		t.Error("the change is not there")
	}
	for _, want := range []int{http.StatusSeeOther, http.StatusNotFound} {
		if code, _ := keep("drop", id, ""); code != want {
			t.Errorf("drop: %d, want %d", code, want)
		}
	}
	audit, err := c.store.ListAudit(context.Background(), store.AuditQuery{N: 50})
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]bool{}
	for _, a := range audit {
		done[a.Action] = true
	}
	if !done["synonym.add"] || !done["synonym.change"] || !done["synonym.drop"] {
		t.Errorf("the audit log has %v", done)
	}
	if code, _ := c.as(chat.Responder).get("/kb/synonyms"); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
}
