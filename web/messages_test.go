package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
)

// The page of messages plays real ones and leaves nothing behind; what somebody
// tries is shown as text, and not sent.
func TestMessagesPage(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Admin)
	for about, words := range map[string][]string{"工单": {"接手", "T1", "请报障人评价", "又出现了"}, "告警": {"委托失败率", "认领", "已恢复"}, "提问": {"可转债", "没有答案"}} {
		_, body := b.get("/settings/messages?about=" + url.QueryEscape(about))
		for _, w := range words {
			if !strings.Contains(body, w) {
				t.Errorf("%s: without %q in %s", about, w, body)
			}
		}
	}
	if tickets, err := c.store.ListTickets(t.Context(), store.TicketQuery{N: 5}); err != nil || len(tickets) != 0 {
		t.Errorf("left behind: %+v, %v", tickets, err)
	}
	if groups, err := c.store.ListAlertGroups(t.Context(), store.AlertGroupQuery{N: 5}); err != nil || len(groups) != 0 {
		t.Errorf("left behind: %+v, %v", groups, err)
	}
	code, body := b.post("/settings/messages/try", url.Values{"text": {"**粗**<script>alert(1)</script>"}, "markdown": {"1"}})
	if code != http.StatusOK || !strings.Contains(body, "&lt;script&gt;") || strings.Contains(body, "<script>alert") {
		t.Errorf("%d %s", code, body)
	}
	said, err := c.store.ListDelivered(t.Context(), store.LedgerQuery{N: 5})
	if err != nil || len(said) != 0 {
		t.Errorf("sent: %+v, %v", said, err)
	}
}
