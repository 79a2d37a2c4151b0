package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/store"
)

// fire makes a sender report something.
func (c *console) fire(name string) {
	c.t.Helper()
	kind, _ := alert.FindKind("alertmanager")
	del := alert.Delivery{Signals: []alert.Signal{{ID: name, Name: name, Title: name + `<script>`, State: alert.Firing, Severity: alert.Major, Labels: map[string]string{"system": "柜台"}}}}
	if _, err := c.web.opt.Desk.Alerts.Take(context.Background(), alert.Source{Name: "am", Kind: kind}, del, []byte("{}"), nil); err != nil {
		c.t.Fatal(err)
	}
}

func TestAlertPages(t *testing.T) {
	c := startConsole(t, nil)
	c.fire("委托失败率")
	b, other := c.as(chat.Responder), c.as(chat.Leader)
	if _, body := b.get("/alerts"); !strings.Contains(body, "A1") || strings.Contains(body, "委托失败率<script>") {
		t.Error(body)
	}
	if code, _ := c.as(chat.Reporter).get("/alerts/1"); code != http.StatusForbidden {
		t.Errorf("a reporter got %d", code)
	}
	act := func(b *browser, form url.Values, want int, words string) {
		t.Helper()
		code, body := b.post("/alerts/1/act", form)
		if code == http.StatusSeeOther {
			code, body = b.get(body)
		}
		if code != want || !strings.Contains(body, words) {
			t.Errorf("%v: %d, without %q in %s", form, code, words, body)
		}
	}
	group := func() store.AlertGroup {
		g, err := c.store.FindAlertGroup(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	act(b, url.Values{"do": {"claim"}}, http.StatusOK, "已认领")
	act(other, url.Values{"do": {"claim"}}, http.StatusUnprocessableEntity, "已由")
	act(b, url.Values{"do": {"silence"}, "length": {"until"}, "until": {"2099-01-01T10:00"}, "why": {"换网关"}}, http.StatusUnprocessableEntity, "换网关") // three days at most, typed words kept
	act(b, url.Values{"do": {"silence"}, "length": {"until"}, "until": {"soon"}, "why": {"x"}}, http.StatusUnprocessableEntity, "静默到什么时候")
	act(b, url.Values{"do": {"dance"}}, http.StatusUnprocessableEntity, "没有这个操作")
	act(b, url.Values{"do": {"silence"}, "length": {"30"}, "why": {"换网关 13812345678"}}, http.StatusOK, "解除静默")
	if _, body := b.get("/alerts"); !strings.Contains(body, "正在静默") || strings.Contains(body, "13812345678") {
		t.Error(body)
	}
	act(b, url.Values{"do": {"note"}, "text": {"已切 2 号网关"}}, http.StatusOK, "已切 2 号网关")
	act(b, url.Values{"do": {"ticket"}}, http.StatusOK, "/tickets/1")
	act(b, url.Values{"do": {"false"}, "why": {"门槛太低"}}, http.StatusOK, "误报")
	if g := group(); g.Outcome != "false" || g.Ticket != 1 || g.Solution != "门槛太低" {
		t.Errorf("%+v", g)
	}
	for _, path := range []string{"/alerts/99", "/alerts/x", "/alerts/-1"} {
		if code, _ := b.get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if _, body := b.get("/alerts/wall"); !strings.Contains(body, "A1") {
		t.Error(body)
	}
	if _, body := b.get("/search?q=a1"); !strings.Contains(body, `href="/alerts/1"`) {
		t.Error(body)
	}
}

// What nobody understood is on a page, masked, and can be read again.
func TestUnreadAlerts(t *testing.T) {
	c := startConsole(t, nil)
	ctx := context.Background()
	b := c.as(chat.Responder)
	b.want("/alerts/unread", 200, "都看懂了")
	var id int64
	err := c.store.InTx(ctx, func(tx *store.Tx) (err error) {
		id, err = tx.AddAlertDelivery(store.AlertDelivery{Source: "zabbix", Kind: "zabbix", State: store.DeliveryDead, Fault: "没有 <b>trigger</b>", Body: []byte(`{"phone":"13800138000"}`)}, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.want("/alerts", 200, "没看懂的 1")
	if page := b.want("/alerts/unread", 200, "zabbix", "&lt;b&gt;trigger"); strings.Contains(page, "13800138000") {
		t.Errorf("a phone number is shown: %s", page)
	}
	c.as(chat.Reporter).wantPost(fmt.Sprintf("/alerts/unread/%d/retry", id), nil, 403)
	b.wantPost(fmt.Sprintf("/alerts/unread/%d/retry", id), nil, 303)
	list, err := c.store.WaitingAlertDeliveries(ctx, 10)
	if err != nil || len(list) != 1 || list[0].ID != id {
		t.Errorf("%+v, %v", list, err)
	}
	b.wantPost(fmt.Sprintf("/alerts/unread/%d/retry", id), nil, 303)
}
