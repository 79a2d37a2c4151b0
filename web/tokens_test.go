package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
)

func cookie(name, value string) *http.Cookie { return &http.Cookie{Name: name, Value: value} }

func TestTokens(t *testing.T) {
	c := startConsole(t, nil)
	mine, other, admin := c.as(chat.Tester), c.as(chat.Leader), c.as(chat.Admin)
	if code, body := mine.post("/tokens", url.Values{"name": {""}, "scope": {"read"}, "days": {"30"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, `aria-invalid="true"`) {
		t.Errorf("a token without a name: %d", code)
	}
	if code, _ := mine.post("/tokens", url.Values{"name": {"x"}, "scope": {"all"}, "days": {"30"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("an unknown scope: %d", code)
	}
	if code, _ := mine.post("/tokens", url.Values{"name": {"x"}, "scope": {"read"}, "days": {"9999"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("a token for ever: %d", code)
	}
	code, body := mine.post("/tokens", url.Values{"name": {"夜班"}, "scope": {"write"}, "days": {"30"}})
	value := regexp.MustCompile(`fl_[A-Za-z0-9_-]+`).FindString(body)
	if code != http.StatusOK || value == "" {
		t.Fatalf("%d %s", code, body)
	}
	got, err := c.store.FindAPIToken(t.Context(), value)
	if err != nil || got.Member != "tester" || got.Scope != "write" || time.Until(got.Until) > 31*24*time.Hour {
		t.Errorf("%+v %v", got, err)
	}
	if _, body := mine.get("/tokens"); strings.Contains(body, value) || !strings.Contains(body, "夜班") {
		t.Error("the value is shown twice, or the token is not listed")
	}
	if _, body := other.get("/tokens"); strings.Contains(body, "夜班") {
		t.Error("somebody else sees the token")
	}
	if _, body := admin.get("/tokens"); !strings.Contains(body, "夜班") {
		t.Error("an administrator does not see the token")
	}
	_, body = mine.get("/tokens")
	revoke := regexp.MustCompile(`/tokens/\d+/revoke`).FindString(body)
	if code, _ := other.post(revoke, nil); code != http.StatusNotFound {
		t.Errorf("somebody else revokes: %d", code)
	}
	if code, _ := mine.post(revoke, nil); code != http.StatusSeeOther {
		t.Errorf("revoking: %d", code)
	}
	if _, err := c.store.FindAPIToken(t.Context(), value); err == nil {
		t.Error("a revoked token still works")
	}
}

// A conflict keeps what was chosen and shows what is there now.
func TestRoleConflictKeepsTheChoice(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Admin)
	code, body := b.post("/users/tester/roles", url.Values{"role": {"curator", "leader"}, "before": {"reporter"}})
	if code != http.StatusConflict {
		t.Fatal(code)
	}
	if !strings.Contains(body, "刚被别人改过，没有保存") || !strings.Contains(body, "现在的角色：报障人、造数") {
		t.Error("the page does not say what is there now")
	}
	form := regexp.MustCompile(`(?s)action="/users/tester/roles".*?</form>`).FindString(body)
	if !strings.Contains(form, `value="curator" checked`) || strings.Contains(form, `value="tester" checked`) {
		t.Errorf("the choice is lost: %s", form)
	}
	if !strings.Contains(form, `name="before" value="reporter,tester"`) {
		t.Error("saving again would clash again")
	}
}

func TestForbiddenNamesTheRole(t *testing.T) {
	c := startConsole(t, nil)
	code, body := c.as(chat.Curator).get("/users")
	if code != http.StatusForbidden || !strings.Contains(body, "需要的角色：管理员") {
		t.Errorf("%d %s", code, body)
	}
	code, body = c.as(chat.Admin).get("/audit?action=ticket.reveal")
	if code != http.StatusForbidden || !strings.Contains(body, "需要的角色：管理者。") {
		t.Errorf("the log of unmasked look-ups: %d", code)
	}
	b := c.as(chat.Admin)
	if code, body := b.post("/logout", url.Values{"csrf": {"guess"}}); code != http.StatusForbidden || strings.Contains(body, "需要的角色") || !strings.Contains(body, "已过期") {
		t.Errorf("a stale page: %d", code)
	}
}
