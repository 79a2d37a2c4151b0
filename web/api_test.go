package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// program calls the API as a member's program.
type program struct {
	c     *console
	token string
}

func (c *console) program(member, scope string) program {
	c.t.Helper()
	token, err := c.store.NewAPIToken(context.Background(), member, "test", scope, time.Hour)
	if err != nil {
		c.t.Fatal(err)
	}
	return program{c, token}
}

// call sends body as JSON, or as it is when it is a string, and returns status
// and answer.
func (p program) call(method, path string, body any, headers ...string) (int, map[string]any) {
	p.c.t.Helper()
	var sent []byte
	switch b := body.(type) {
	case nil:
	case string:
		sent = []byte(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			p.c.t.Fatal(err)
		}
		sent = j
	}
	req, err := http.NewRequest(method, p.c.URL+"/api/v1"+path, bytes.NewReader(sent))
	if err != nil {
		p.c.t.Fatal(err)
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		p.c.t.Fatalf("%s %s answers %d with %q", method, path, resp.StatusCode, raw)
	}
	if want := "application/problem+json"; resp.StatusCode >= 400 && (resp.Header.Get("Content-Type") != want || out["status"] != float64(resp.StatusCode) || out["detail"] == "") {
		p.c.t.Errorf("%s %s: %d is no problem of RFC 9457: %s %v", method, path, resp.StatusCode, resp.Header.Get("Content-Type"), out)
	}
	asDescribed(p.c.t, req, sent, resp.StatusCode, resp.Header, raw)
	return resp.StatusCode, out
}

// Every call needs a token; one that writes needs one that may; roles count as
// everywhere. Nothing of a refused call happens.
func TestAPIRights(t *testing.T) {
	c := startConsole(t, nil)
	c.open("持仓页白屏", nil)
	fill := strings.NewReplacer("{number}", "1")
	for _, rt := range c.web.apiList() {
		path := fill.Replace(rt.path)
		if status, _ := (program{c, ""}).call(rt.method, path, nil); status != 401 {
			t.Errorf("%s %s without a token: %d", rt.method, path, status)
		}
		if status, _ := (program{c, "fl_wrong"}).call(rt.method, path, nil); status != 401 {
			t.Errorf("%s %s with a wrong token: %d", rt.method, path, status)
		}
		for _, role := range chat.Roles {
			for _, scope := range []string{"read", "write"} {
				status, _ := c.program(string(role), scope).call(rt.method, path, nil)
				has := chat.RoleSet{chat.Reporter, role}
				if allowed := has.Has(rt.roles...) && (!rt.write || scope == "write"); (status == 403) == allowed || status == 500 || status == 401 {
					t.Errorf("%s %s as %s with a %s token: %d, allowed %v", rt.method, path, role, scope, status, allowed)
				}
			}
		}
	}
}

// A ticket through its life by an other system's hands.
func TestAPITickets(t *testing.T) {
	c := startConsole(t, nil)
	desk, mine := c.program("responder", "write"), c.program("reporter", "write")
	status, made := mine.call("POST", "/tickets", map[string]any{"text": "银证转账页一直转圈 客户手机13800138000", "identity": "11010119900307002X", "customer": "10023371", "urgent": true, "app_version": "9.2.1"}, "Idempotency-Key", "a1")
	if status != 201 || made["number"] != 1.0 || made["state"] != "new" || made["priority"] != "P2" || made["customer"] != "****3371" {
		t.Fatalf("%d %v", status, made)
	}
	if all := fmt.Sprint(made); strings.Contains(all, "13800138000") || strings.Contains(all, "11010119900307002X") || strings.Contains(all, "10023371") {
		t.Errorf("personal data in clear: %s", all)
	}
	if status, again := mine.call("POST", "/tickets", map[string]any{"text": "银证转账页一直转圈"}, "Idempotency-Key", "a1"); status != 200 || again["number"] != 1.0 {
		t.Errorf("the same key again: %d %v", status, again)
	}
	if status, out := desk.call("POST", "/tickets", map[string]any{"text": "代报一张", "reporter": "tester", "class": "data", "subclass": "对账单"}); status != 201 || out["reporter"] != "tester" || out["subclass"] != "对账单" {
		t.Errorf("on behalf: %d %v", status, out)
	}
	for what, body := range map[string]any{"no text": map[string]any{}, "class": map[string]any{"text": "白屏了", "class": "x"}, "priority": map[string]any{"text": "白屏了", "priority": "P9"}, "identity": map[string]any{"text": "白屏了", "identity": "123"},
		"long": map[string]any{"text": strings.Repeat("长", 4001)}} {
		if status, out := mine.call("POST", "/tickets", body); status != 422 {
			t.Errorf("%s: %d %v", what, status, out)
		}
	}
	for what, body := range map[string]string{"not JSON": "{", "unknown key": `{"txt":"x"}`, "a list": `[]`, "more behind": `{"text":"白屏了"}{}`, "empty": ""} {
		if status, _ := mine.call("POST", "/tickets", body); status != 400 {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status, _ := mine.call("POST", "/tickets", `{"text":"`+strings.Repeat("x", 1<<20)+`"}`); status != 413 {
		t.Errorf("more than 1 MiB: %d", status)
	}
	if status, _ := mine.call("POST", "/tickets", map[string]any{"text": "替别人报", "reporter": "tester"}); status != 403 {
		t.Errorf("on behalf without the right: %d", status)
	}

	// Somebody else's ticket answers like an unknown one.
	for _, path := range []string{"/tickets/2", "/tickets/99", "/tickets/x"} {
		if status, _ := mine.call("GET", path, nil); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if _, out := mine.call("GET", "/tickets?n=200", nil); len(out["tickets"].([]any)) != 1 {
		t.Errorf("a reporter sees %v", out)
	}
	if _, out := desk.call("GET", "/tickets?state=open&n=1", nil); len(out["tickets"].([]any)) != 1 || out["next"] == "" {
		t.Errorf("a page of one: %v", out)
	} else if _, rest := desk.call("GET", "/tickets?state=open&n=1&before="+out["next"].(string), nil); rest["tickets"].([]any)[0].(map[string]any)["number"] != 1.0 {
		t.Errorf("the page behind it: %v", rest)
	}
	for _, path := range []string{"/tickets?state=x", "/tickets?n=x", "/tickets?from=x", "/tickets?before=x"} {
		if status, _ := desk.call("GET", path, nil); status != 400 {
			t.Errorf("%s: %d", path, status)
		}
	}

	status, out := desk.call("PATCH", "/tickets/1", map[string]any{"version": made["version"], "assignee": "responder", "class": "program", "subclass": "银证转账"})
	if status != 200 || out["state"] != "in_progress" || out["assignee"] != "responder" || out["subclass"] != "银证转账" {
		t.Fatalf("%d %v", status, out)
	}
	if status, _ := desk.call("PATCH", "/tickets/1", map[string]any{"priority": "P1"}, "If-Match", "1"); status != 409 {
		t.Errorf("a stale version: %d", status)
	}
	if status, out := desk.call("POST", "/tickets/1/comments", map[string]any{"text": "内部：切网关", "kind": "note"}); status != 201 {
		t.Errorf("%d %v", status, out)
	}
	desk.call("POST", "/tickets/1/comments", map[string]any{"text": "正在处理"})
	status, seen := mine.call("POST", "/tickets/1/comments", map[string]any{"text": "客户在等"})
	if all := fmt.Sprint(seen); status != 201 || strings.Contains(all, "切网关") || !strings.Contains(all, "正在处理") || !strings.Contains(all, "客户在等") {
		t.Errorf("%d %s", status, all)
	}
	if status, _ := desk.call("PATCH", "/tickets/1", map[string]any{"state": "resolved"}); status != 422 {
		t.Errorf("resolved without saying how: %d", status)
	}
	if status, out := desk.call("PATCH", "/tickets/1", map[string]any{"state": "resolved", "reason": "网关切换", "method": "退出重进"}); status != 200 || out["state"] != "resolved" {
		t.Errorf("%d %v", status, out)
	}
	if status, _ := desk.call("PATCH", "/tickets/1", map[string]any{"state": "waiting", "wait_for": "customer"}); status != 422 {
		t.Errorf("waits after it was resolved: %d", status)
	}
	for _, body := range []any{map[string]any{"state": "merged"}, map[string]any{}, map[string]any{"assignee": "nobody"}, map[string]any{"master": 77}, map[string]any{"wait_until": "x", "state": "waiting"}} {
		if status, out := desk.call("PATCH", "/tickets/2", body); status != 422 {
			t.Errorf("%v: %d %v", body, status, out)
		}
	}
	if tk := c.read(2); tk.Version != 1 {
		t.Errorf("refused changes changed it: version %d", tk.Version)
	}
}

// Of eight programs that claim at once one wins.
func TestAPIClaimsAtOnce(t *testing.T) {
	c := startConsole(t, nil)
	c.open("行情不刷新", nil)
	a, b := c.program("responder", "write"), c.program("admin", "write")
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[string]int{}
	for i := range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p, name := a, "responder"
			if i%2 == 1 {
				p, name = b, "admin"
			}
			if status, _ := p.call("PATCH", "/tickets/1", map[string]any{"state": "in_progress"}); status == 200 {
				mu.Lock()
				won[name]++
				mu.Unlock()
			} else if status != 422 && status != 409 {
				t.Errorf("status %d", status)
			}
		}()
	}
	wg.Wait()
	tk := c.read(1)
	if len(won) != 1 || won[tk.Assignee] != 1 || tk.State != store.TicketInProgress {
		t.Errorf("won %v, it is %s's", won, tk.Assignee)
	}
}

// The general token is nobody: its tickets live as others do, nothing is said to
// it, and who closes one by the API is not taken for the reporter.
func TestAPITicketsOfNobody(t *testing.T) {
	c := startConsole(t, func(o *Options) { o.APIToken = "api-token-of-this-test" })
	p := program{c, "api-token-of-this-test"}
	if status, made := p.call("POST", "/tickets", map[string]any{"text": "对账差异 3 笔，对账系统自动上报"}); status != 201 || made["reporter"] != handlers.APIUser {
		t.Fatalf("%d %v", status, made)
	}
	desk := c.program("responder", "write")
	for _, patch := range []map[string]any{{"state": "in_progress"}, {"state": "resolved", "method": "已补记账"}, {"state": "closed"}} {
		if status, out := desk.call("PATCH", "/tickets/1", patch); status != 200 {
			t.Fatalf("%v: %d %v", patch, status, out)
		}
	}
	_, whole := desk.call("GET", "/tickets/1", nil)
	if all := fmt.Sprint(whole["entries"]); !strings.Contains(all, "关闭") || strings.Contains(all, "报障人确认") {
		t.Error(all)
	}
	said, err := c.store.ListDelivered(context.Background(), store.LedgerQuery{N: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range said {
		if w.Said.To.ID == handlers.APIUser {
			t.Errorf("said to nobody: %+v", w.Said)
		}
	}
}
