package web

import (
	"context"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
)

func TestKnowledgeAPI(t *testing.T) {
	c := startConsole(t, nil)
	p := c.program("curator", "write")
	status, made := p.call("POST", "/kb/entries", map[string]any{"question": "怎么开通可转债", "answer": "业务办理里开通，客户手机 13800138000。", "similar": []string{"可转债权限怎么开"}, "group": "账户组"})
	if status != 201 || made["number"] != 2.0 || made["state"] != "published" || made["version"] != 2.0 {
		t.Fatalf("%d %v", status, made)
	}
	if strings.Contains(made["answer"].(string), "13800138000") {
		t.Error("a phone number stays in an answer")
	}
	if status, _ := p.call("POST", "/kb/entries", map[string]any{"question": " 怎么开通可转债", "answer": "x"}); status != 409 {
		t.Errorf("the same question: %d", status)
	}
	for body, want := range map[string]int{`{"question":"没有答案"}`: 422, `{"question":"q","answer":"a","colour":"red"}`: 400, `{"question":"q","answer":"a","state":"gone"}`: 422, `{"question":"q","answer":"a","number":7}`: 422, `{"question":"稳赚吗","answer":"稳赚。"}`: 422} {
		if status, out := p.call("POST", "/kb/entries", body); status != want {
			t.Errorf("%s: %d %v", body, status, out)
		}
	}
	if status, list := p.call("GET", "/kb/entries?group="+"账户组&n=1", nil); status != 200 || len(list["entries"].([]any)) != 1 || list["next"] != "2" {
		t.Errorf("list: %d %v", status, list)
	}
	if status, list := p.call("GET", "/kb/entries?before=2", nil); status != 200 || len(list["entries"].([]any)) != 1 || list["next"] != "" {
		t.Errorf("the page after: %d %v", status, list)
	}
	if err := c.web.opt.Knowledge.(*kb.Engine).Load(context.Background(), c.store); err != nil {
		t.Fatal(err)
	}
	status, found := c.program("reporter", "read").call("GET", "/kb/search?q=可转债权限怎么开", nil)
	if hits := found["hits"].([]any); status != 200 || found["band"] != "answer" || hits[0].(map[string]any)["number"] != 2.0 || hits[0].(map[string]any)["explanation"] == nil {
		t.Errorf("search: %d %v", status, found)
	}
	if status, _ := p.call("GET", "/kb/search", nil); status != 400 {
		t.Errorf("no question: %d", status)
	}
}

func TestKnowledgeAPIChanges(t *testing.T) {
	c := startConsole(t, nil)
	p := c.program("curator", "write")
	words := func(answer, state string, version int) map[string]any {
		out := map[string]any{"question": "新股中签怎么缴款", "answer": answer}
		if state != "" {
			out["state"] = state
		}
		if version > 0 {
			out["version"] = version
		}
		return out
	}
	if status, e := p.call("PUT", "/kb/entries/K1", words("T+2 日留足资金。", "", 1)); status != 200 || e["version"] != 2.0 || e["answer"] != "T+2 日留足资金。" {
		t.Fatalf("%d %v", status, e)
	}
	if status, e := p.call("PUT", "/kb/entries/1", words("T+2 日留足资金。", "", 0)); status != 200 || e["version"] != 2.0 {
		t.Errorf("the same again: %d %v", status, e)
	}
	if status, _ := p.call("PUT", "/kb/entries/1", words("旧的。", "", 1)); status != 409 {
		t.Errorf("an old version: %d", status)
	}
	if status, _ := p.call("PUT", "/kb/entries/1", words("旧的。", "", 0), "If-Match", `"1"`); status != 409 {
		t.Errorf("If-Match: %d", status)
	}
	if status, e := p.call("PUT", "/kb/entries/1", words("等一等。", "review", 0)); status != 200 || e["change"] != "review" || e["answer"] != "T+2 日留足资金。" {
		t.Errorf("a change that waits: %d %v", status, e)
	}
	if status, e := p.call("PUT", "/kb/entries/1", words("等一等。", "published", 0)); status != 200 || e["change"] != nil || e["answer"] != "等一等。" {
		t.Errorf("published: %d %v", status, e)
	}
	for range 2 {
		if status, e := p.call("DELETE", "/kb/entries/1", nil); status != 200 || e["state"] != "retired" {
			t.Errorf("delete: %d %v", status, e)
		}
	}
	if status, e := p.call("PUT", "/kb/entries/1", words("又要了。", "published", 0)); status != 200 || e["state"] != "published" || e["answer"] != "又要了。" {
		t.Errorf("brought back: %d %v", status, e)
	}
	if status, _ := p.call("PUT", "/kb/entries/9", words("x", "", 0)); status != 404 {
		t.Errorf("no such entry: %d", status)
	}
	gu := c.program(string(chat.Responder), "write")
	if status, _ := gu.call("PUT", "/kb/entries/1", words("顾的。", "", 0)); status != 422 {
		t.Errorf("a responder publishes: %d", status)
	}
	if status, e := gu.call("PUT", "/kb/entries/1", words("顾的。", "review", 0)); status != 200 || e["change"] != "review" {
		t.Errorf("a responder proposes: %d %v", status, e)
	}
	if status, _ := gu.call("DELETE", "/kb/entries/1", nil); status != 403 {
		t.Errorf("a responder deletes: %d", status)
	}
}
