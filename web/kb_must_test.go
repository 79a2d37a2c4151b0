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

// asked keeps questions that were answered by an entry and helped.
func (c *console) helped(entry int64, texts ...string) {
	c.t.Helper()
	err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		for i, text := range texts {
			id := "h" + strconv.FormatInt(entry, 10) + "-" + strconv.Itoa(i)
			if err := tx.KeepQuestion(store.Question{Message: id, Asker: id, Text: text, Band: "answer", Entry: entry}); err != nil {
				return err
			}
			if err := tx.JudgeQuestion(id, id, "useful", 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// What must find its entry is asked before something is published, by the form
// and by the moves; publishing all the same is a second click.
func TestMustFind(t *testing.T) {
	c := startConsole(t, nil)
	c.put(kb.Entry{Question: "打新股要多少市值", Answer: "一万元市值起。", Similar: []string{"新股申购市值门槛"}})
	c.helped(2, "新股申购市值门槛")
	b := c.as(chat.Curator)
	if _, body := b.get("/kb/2"); !strings.Contains(sectionOf(body, "musts"), "有人说过有用") {
		t.Error("a question that helped is not offered")
	}
	for _, q := range []string{"新股申购市值门槛", "手机 13800138000 打新市值"} {
		if code, body := b.post("/kb/2/must", url.Values{"do": {"add"}, "question": {q}}); code != http.StatusSeeOther {
			t.Fatalf("%d %s", code, body)
		}
	}
	_, body := b.get("/kb/2")
	if list := sectionOf(body, "musts"); !strings.Contains(list, "现在直接回答") || strings.Contains(list, "有人说过有用") || strings.Contains(list, "13800138000") {
		t.Errorf("the list: %s", list)
	}
	if code, body := b.post("/kb/2/must", url.Values{"do": {"drop"}, "question": {"手机 138****8000 打新市值"}}); code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, body)
	}
	thief := entryValues("新股申购市值门槛", "别的答案。", 0, "publish")
	code, body := b.post("/kb/new", thief)
	if code != http.StatusOK || !strings.Contains(body, "还没有发布：1 个必中的问法会变差") || !strings.Contains(body, "答 K2") || !strings.Contains(body, `value="publish_anyway"`) {
		t.Fatalf("a new entry takes a question away: %d %s", code, body)
	}
	thief.Set("do", "save")
	if code, _ := b.post("/kb/new", thief); code != http.StatusSeeOther {
		t.Fatal("a draft is kept without asking")
	}
	if code, body := b.post("/kb/3/move", url.Values{"do": {"publish"}}); code != http.StatusOK || !strings.Contains(body, `form="moves"`) || c.entry(3).State != kb.Draft {
		t.Fatalf("by the moves: %d %s", code, body)
	}
	if code, body := b.post("/kb/3/move", url.Values{"do": {"publish_anyway"}}); code != http.StatusSeeOther || c.entry(3).State != kb.Published {
		t.Fatalf("all the same: %d %s", code, body)
	}
	own := entryValues("打新股要多少市值", "两万元。", 1, "publish")
	if code, body := b.post("/kb/2", own); code != http.StatusOK || !strings.Contains(body, "<del>答 K2</del>") {
		t.Fatalf("an entry loses its own wording: %d %s", code, body)
	}
	own.Set("similar", "新股申购市值门槛")
	if code, body := b.post("/kb/2", own); code != http.StatusSeeOther {
		t.Errorf("with its wording: %d %s", code, body)
	}
	if code, _ := c.as(chat.Responder).post("/kb/2/must", url.Values{"do": {"add"}, "question": {"x"}}); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
}

func TestReplay(t *testing.T) {
	c := startConsole(t, nil)
	c.put(kb.Entry{Question: "打新股要多少市值", Answer: "一万元市值起。"})
	c.helped(1, "新股中签怎么缴款", "新股中签怎么缴款？")
	c.ask("g1", "zhou", "两融合同补签在哪里")
	c.ask("g2", "zhou", "打新股要多少市值")
	b := c.as(chat.Curator)
	form := entryValues("新股中签怎么缴款", "改过的答案。", 1, "")
	form.Set("similar", "两融合同补签在哪里")
	code, body := b.post("/kb/1/replay", form)
	for _, want := range []string{"这次发布会改变 1 个已有问题的答案", "两融合同补签在哪里", "<del>答不上</del>", "<ins>答 K1</ins>", "重放了最近一个月问过的 4 种问法", "2 种仍由它回答，用新内容"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, no %q: %s", code, want, body)
		}
	}
	code, body = b.post("/kb/new/replay", entryValues("火星上怎么种土豆", "不种。", 0, ""))
	if code != http.StatusOK || !strings.Contains(body, "不会改变已有问题的答案") {
		t.Errorf("a new entry: %d %s", code, body)
	}
	if e := c.entry(1); len(e.Similar) != 0 {
		t.Error("a replay stored something")
	}
}
