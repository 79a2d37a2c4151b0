package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
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
