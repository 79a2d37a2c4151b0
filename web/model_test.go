package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

func TestModelPage(t *testing.T) {
	until := time.Now().Add(20 * time.Second)
	c := startConsole(t, func(o *Options) {
		o.Model = func() *ModelState {
			return &ModelState{Model: "qwen-plus", EmbeddingModel: "bge-m3", Answers: "word", RestsUntil: until, Limits: kb.ModelLimits{Calls: 900, Cost: 12_500_000}, Vectors: kb.VectorState{Want: 8, Have: 5, Dim: 1024}}
		}
	})
	b := c.as(chat.Admin)
	if _, body := b.get("/settings/model"); !strings.Contains(body, "本月还没有调用") || !strings.Contains(body, "向量 5 / 8") || !strings.Contains(body, "歇到 "+until.Format("15:04:05")) || !strings.Contains(body, "最多花 12.50") {
		t.Errorf("%s", body)
	}
	ctx := context.Background()
	for i, k := range []kb.ModelCall{
		{Purpose: "word", Version: "1", Model: "qwen-plus", Person: "hejun", PromptTokens: 900, CompletionTokens: 100, Cost: 2_600, Outcome: "ok", Took: 700 * time.Millisecond},
		{Purpose: "word", Version: "1", Model: "qwen-plus", Outcome: "status_429", Took: 100 * time.Millisecond},
		{Purpose: "word", Version: "1", Model: "qwen-plus", Outcome: "budget"},
		{Purpose: "embed", Model: "bge-m3", PromptTokens: 30, Outcome: "ok"},
	} {
		outcome := k.Outcome
		if outcome != "budget" {
			k.Outcome = ""
		}
		id, err := c.store.BeginModelCall(ctx, k, kb.ModelLimits{})
		if err != nil {
			t.Fatal(err)
		}
		k.ID, k.Outcome = id, outcome
		if err := c.store.EndModelCall(ctx, k); err != nil {
			t.Fatal(i, err)
		}
	}
	_, body := b.get("/settings/model")
	for id, want := range map[string]string{"today": `<b class="big">3</b><p class="sm mut">成功 2 · 没调用 1`, "month": `<b class="big">1030</b>`} {
		if !strings.Contains(sectionOf(body, id), want) {
			t.Errorf("%s: no %q in %s", id, want, sectionOf(body, id))
		}
	}
	for _, want := range []string{"组织回答", "应答 429", "超预算，没调用", `<td class="num">900</td><td class="num">100</td><td class="num">0.0026</td><td class="num">400</td>`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(body, "hejun") {
		t.Error("a person is named")
	}
	for _, role := range []chat.Role{chat.Leader, chat.Curator, chat.Reporter} {
		if code, _ := c.as(role).get("/settings/model"); code != http.StatusForbidden {
			t.Errorf("%s: %d", role, code)
		}
	}
	none := startConsole(t, nil)
	if _, body := none.as(chat.Admin).get("/settings/model"); !strings.Contains(body, "没有接大模型") {
		t.Error("nothing says that there is no model")
	}
}

// drafter is a model that only drafts.
type drafter struct {
	handlers.Model
	answer string
	seen   kb.Drafting
}

func (d *drafter) Draft(_ context.Context, _ string, from kb.Drafting) (kb.Entry, error) {
	d.seen = from
	return kb.Entry{Question: "合同补签", Answer: d.answer}, nil
}

// A gap whose question became a solved ticket is drafted on its page.
func TestGapDraft(t *testing.T) {
	m := &drafter{answer: "手机端「业务办理 > 两融 > 合同补签」办理，客户 13800135521。"}
	c := startConsole(t, func(o *Options) { o.Desk.Model = m })
	b := c.as(chat.Curator)
	c.ask("ask1", "reporter", "两融合同补签页面在哪")
	if _, body := b.get("/kb/gaps"); strings.Contains(body, "让大模型起草") {
		t.Error("offered without a ticket")
	}
	if code, body := b.post("/kb/gaps", url.Values{"gap": {"ask1"}, "do": {"draft"}}); code != http.StatusConflict || !strings.Contains(body, "没有解决了的工单") {
		t.Errorf("%d %s", code, body)
	}
	ticket := c.open("两融合同补签", func(t *store.Ticket) { t.Assignee = "responder" })
	err := c.store.InTx(t.Context(), func(tx *store.Tx) error {
		ticket.Method = "手机端「业务办理 > 两融 > 合同补签」办理，客户 13800135521"
		for _, to := range []store.TicketState{store.TicketAssigned, store.TicketResolved} {
			if ticket.State == to {
				continue
			}
			if err := tx.ChangeTicket(&ticket, to); err != nil {
				return err
			}
		}
		return tx.JudgeQuestion("ask1", "reporter", "person", ticket.Number)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, body := b.get("/kb/gaps"); !strings.Contains(body, "让大模型起草") {
		t.Error("not offered")
	}
	if code, _ := c.as(chat.Responder).post("/kb/gaps", url.Values{"gap": {"ask1"}, "do": {"draft"}}); code != http.StatusForbidden {
		t.Errorf("a responder: %d", code)
	}
	code, where := b.post("/kb/gaps", url.Values{"gap": {"ask1"}, "do": {"draft"}})
	if code != http.StatusSeeOther || where != "/kb/2" {
		t.Fatalf("%d %s", code, where)
	}
	e := c.entry(2)
	if e.State != kb.Draft || e.Question != "两融合同补签页面在哪" || len(e.Tags) != 1 || e.Tags[0] != handlers.MachineTag || strings.Contains(e.Answer, "13800135521") || strings.Contains(m.seen.Method, "13800135521") {
		t.Errorf("%+v, seen %+v", e, m.seen)
	}
	if _, body := b.get("/kb/gaps"); !strings.Contains(body, "归成 0 类") {
		t.Error("the gap is still open")
	}
}
