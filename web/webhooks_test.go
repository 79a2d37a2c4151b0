package web

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/alert"
	"frontline/handlers/construct"
	"frontline/kb"
	"frontline/store"
)

// eventBodies are the bodies of the events that wait for a subscriber, in the
// order in which they happened.
func (c *console) eventBodies(name string) (out []map[string]any) {
	c.t.Helper()
	list, err := c.store.ListDelivered(context.Background(), store.LedgerQuery{To: []chat.Address{{Kind: chat.Hook, ID: name}}, N: 200})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range slices.Backward(list) {
		raw, err := json.Marshal(map[string]any{"id": "evt_1", "type": d.Said.Body.Event.Type, "timestamp": d.Said.Body.Event.At, "data": d.Said.Body.Event.Data})
		if err != nil {
			c.t.Fatal(err)
		}
		var body map[string]any
		if err := json.Unmarshal(raw, &body); err != nil {
			c.t.Fatal(err)
		}
		out = append(out, body)
	}
	return out
}

func types(bodies []map[string]any) (out []string) {
	for _, b := range bodies {
		out = append(out, b["type"].(string))
	}
	return out
}

// eventFits compares the body of an event with what the description says of it.
func eventFits(t *testing.T, doc *openapi3.T, body map[string]any) {
	t.Helper()
	event, _ := body["type"].(string)
	schema := doc.Components.Schemas[eventSchema(event)]
	if schema == nil {
		t.Errorf("%q is not described", event)
		return
	}
	if err := schema.Value.VisitJSON(body, openapi3.EnableFormatValidation()); err != nil {
		t.Errorf("%s is not as described: %v", event, err)
	}
}

func description(t *testing.T) *openapi3.T {
	t.Helper()
	raw, err := json.Marshal((&Server{opt: Options{Version: "test"}}).describeAPI())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Everything that can be subscribed to happens here once, and each body is as
// the description says, without what identifies a customer.
func TestEventsAreAsDescribed(t *testing.T) {
	c, u := startMaking(t)
	desk := c.web.opt.Desk
	all := chat.Subscribers{{Name: "all"}}
	desk.Subscribers, desk.Alerts.Subscribers, desk.Construct.Subscribers = all, all, all
	c.everythingHappens(u.Close)
	doc := description(t)
	bodies := c.eventBodies("all")
	for _, b := range bodies {
		eventFits(t, doc, b)
		if raw, _ := json.Marshal(b); strings.Contains(string(raw), "13800138000") || strings.Contains(string(raw), "内部的话") {
			t.Errorf("an event tells too much: %s", raw)
		}
	}
	happened := types(bodies)
	for _, e := range append([]string{chat.HookTest}, chat.EventTypes...) {
		if eventAbout[e] == "" {
			t.Errorf("nothing is said about %s", e)
		}
		if e != chat.HookTest && !slices.Contains(happened, e) {
			t.Errorf("%s did not happen", e)
		}
	}
	if file := os.Getenv("FRONTLINE_EVENTS"); file != "" { // for the examples of docs/api.md
		raw, _ := json.MarshalIndent(bodies, "", "  ")
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// The examples of the documentation are as the description says, one for each event.
func TestEventExamples(t *testing.T) {
	raw, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := description(t)
	var shown []string
	for _, m := range regexp.MustCompile("(?s)```json\n(.*?)\n```").FindAllSubmatch(raw, -1) {
		var body map[string]any
		if err := json.Unmarshal(m[1], &body); err != nil {
			t.Errorf("%v in %s", err, m[1])
			continue
		}
		eventFits(t, doc, body)
		shown = append(shown, body["type"].(string))
	}
	if want := append([]string{chat.HookTest}, chat.EventTypes...); len(shown) != len(want) || slices.ContainsFunc(want, func(e string) bool { return !slices.Contains(shown, e) }) {
		t.Errorf("%d examples for %d events: %v", len(shown), len(want), shown)
	}
}

// everythingHappens makes everything happen that subscribers hear of.
func (c *console) everythingHappens(away func()) {
	desk, by := c.web.opt.Desk, chat.User{ID: "responder", Name: "某处理人", Roles: chat.RoleSet{chat.Responder, chat.Leader, chat.Curator}}
	in := func(steps ...func(tx *store.Tx) error) {
		c.t.Helper()
		for i, step := range steps {
			if err := c.store.InTx(context.Background(), step); err != nil {
				c.t.Fatal(i, err)
			}
		}
	}
	ticket := c.open("持仓页白屏，客户 13800138000", func(t *store.Ticket) {
		t.Title, t.Phone = "持仓页白屏", store.Personal{Value: "13800138000", Mask: "138****8000"}
	})
	on := func(do func(tx *store.Tx, t *store.Ticket) error) func(tx *store.Tx) error {
		return func(tx *store.Tx) error {
			t, err := tx.FindTicket(ticket.Number)
			if err != nil {
				return err
			}
			return do(tx, &t)
		}
	}
	in(on(func(tx *store.Tx, t *store.Ticket) error { return desk.Claim(tx, by, t) }),
		on(func(tx *store.Tx, t *store.Ticket) error { return desk.Note(tx, by, t, "内部的话", "", nil, "") }),
		on(func(tx *store.Tx, t *store.Ticket) error { return desk.Reply(tx, by, t, "已定位，正在修", nil) }),
		on(func(tx *store.Tx, t *store.Ticket) error {
			return desk.Resolve(tx, by, t, handlers.Resolution{Method: "9.2.1 已修复"})
		}))
	c.alertsHappen(in, by)
	entry := int64(0)
	in(func(tx *store.Tx) error {
		e, err := desk.CreateEntry(tx, by, kb.Entry{Question: "可转债权限多久生效", Answer: "次一交易日。"}, handlers.MovePublish)
		entry = e.Number
		return err
	}, func(tx *store.Tx) error {
		_, _, err := desk.AddWordings(tx, by, entry, []string{"可转债什么时候能买"}, nil, false)
		return err
	}, func(tx *store.Tx) error { _, err := desk.RestoreEntry(tx, by, entry, 2); return err },
		func(tx *store.Tx) error {
			_, err := desk.MoveEntry(tx, by, entry, 0, handlers.MoveRetire, "")
			return err
		})
	for _, who := range []string{"a", "b", "c"} {
		c.ask("gap"+who, who, "新版对账单口径变了吗")
	}
	if err := desk.TellGaps(context.Background()); err != nil {
		c.t.Fatal(err)
	}
	g, err := desk.GapOf(context.Background(), "gapa")
	if err != nil {
		c.t.Fatal(err)
	}
	in(func(tx *store.Tx) error { return desk.IgnoreGap(tx, by, g) })
	c.runsHappen(in, away)
}

func (c *console) alertsHappen(in func(...func(tx *store.Tx) error), by chat.User) {
	d, page := c.web.opt.Desk.Alerts, chat.Address{}
	kind, _ := alert.FindKind("alertmanager")
	d.Rules.Routes[0].Wait, d.Rules.Routes[0].Interval = 0, 0
	say := func(severity string, state alert.State) {
		c.t.Helper()
		del := alert.Delivery{Signals: []alert.Signal{{ID: severity, Name: "委托失败率", Title: "委托失败率 7.1 %", State: state, Severity: severity, Labels: map[string]string{"system": "柜台", "phone": "13800138000"}}}}
		if _, err := d.Take(context.Background(), alert.Source{Name: "am", Kind: kind}, del, []byte("{}"), nil); err != nil {
			c.t.Fatal(err)
		}
	}
	say(alert.Warning, alert.Firing)
	say(alert.Critical, alert.Firing)
	tick := func() {
		c.t.Helper()
		if err := d.Tick(context.Background()); err != nil {
			c.t.Fatal(err)
		}
	}
	tick()
	until := c.store.Now().Add(time.Hour)
	in(func(tx *store.Tx) error { _, err := d.Claim(tx, by, 1, page); return err },
		func(tx *store.Tx) error { _, err := d.Note(tx, by, 1, "已切 2 号网关"); return err },
		func(tx *store.Tx) error { _, err := d.Silence(tx, by, 1, until, "观察", false, page); return err },
		func(tx *store.Tx) error { _, err := d.Unsilence(tx, by, 1, page); return err },
		func(tx *store.Tx) error {
			return d.SilenceMatching(tx, by, []string{"system=三方存管"}, until, "例行切换", false)
		},
		func(tx *store.Tx) error { _, _, err := c.web.opt.Desk.TicketOf(tx, by, 1, "", page); return err },
		func(tx *store.Tx) error { _, err := d.Escalate(tx, by, 1, "网关仍在丢包"); return err },
		func(tx *store.Tx) error { _, err := d.Release(tx, by, 1, page); return err },
		func(tx *store.Tx) error { _, err := d.FalseAlarm(tx, by, 1, "压测", page); return err })
	say(alert.Warning, alert.Resolved)
	say(alert.Critical, alert.Resolved)
	tick()
	say(alert.Warning, alert.Firing)
}

// runsHappen makes a run end well and be taken back, one be refused, and one
// fail because the systems are away.
func (c *console) runsHappen(in func(...func(tx *store.Tx) error), away func()) {
	e := c.web.opt.Desk.Construct
	order := func(count int, source string) store.Run {
		c.t.Helper()
		r, err := c.web.orderRun(context.Background(), construct.Order{Recipe: e.Library().Find("open-account"), Env: "uat", Count: count, Params: map[string]any{"branch": "3001"}, Source: source,
			Requester: chat.User{ID: "tester", Roles: chat.RoleSet{chat.Tester}}})
		if err != nil {
			c.t.Fatal(err)
		}
		c.ended()
		return r
	}
	leader := chat.User{ID: "leader", Roles: chat.RoleSet{chat.Leader}}
	good := order(1, "good")
	in(func(tx *store.Tx) error { _, err := e.Undo(tx, leader, good.Number); return err })
	c.ended()
	many := order(30, "many")
	in(func(tx *store.Tx) error { _, err := e.Approve(tx, leader, many.Number, false); return err })
	away()
	order(1, "bad")
}

func TestWebhooksPage(t *testing.T) {
	c := startConsole(t, func(o *Options) {
		o.Hooks = []HookInfo{{Name: "itsm", URL: "https://u:p@itsm.example.com/hook/0123456789abcdef0123456789?token=geheim", Events: []string{"alert.*"}}, {Name: "wall", URL: "http://127.0.0.1:9/in"}}
	})
	b := c.as(chat.Admin)
	code, page := b.get("/webhooks")
	if code != http.StatusOK || !strings.Contains(page, "itsm.example.com/hook/…") || !strings.Contains(page, "alert.*") || !strings.Contains(page, "还没有事件") {
		t.Errorf("%d %s", code, page)
	}
	for _, secret := range []string{"geheim", "u:p@", "0123456789abcdef"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page shows %s", secret)
		}
	}
	b.wantPost("/webhooks/itsm/test", nil, http.StatusSeeOther)
	bodies := c.eventBodies("itsm")
	if len(bodies) != 1 || len(c.eventBodies("wall")) != 0 {
		t.Fatal(bodies)
	}
	eventFits(t, description(t), bodies[0])
	_, page = b.get("/webhooks?name=itsm")
	if !strings.Contains(page, "webhook.test") {
		t.Error("the test event is not in the list")
	}
	lead(t, c.store)
	// One that the subscriber refused for good has its answer, and is sent again.
	ctx := context.Background()
	for range 2 {
		list, err := c.store.Claim(ctx, 1)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if err := c.store.Never(ctx, list[0], refused(418)); err != nil {
			t.Fatal(err)
		}
		if _, page = b.get("/webhooks?state=dead"); !strings.Contains(page, "HTTP 418") || !strings.Contains(page, "失败的全部重发") || !strings.Contains(page, "不要") {
			t.Error(page)
		}
		b.wantPost("/webhooks/itsm/retry", nil, http.StatusSeeOther)
		if _, page = b.get("/webhooks?state=dead"); strings.Contains(page, "webhook.test") {
			t.Error("it is still dead")
		}
	}
	b.wantPost("/webhooks/nobody/test", nil, http.StatusNotFound)
	b.wantPost("/webhooks/nobody/retry", nil, http.StatusNotFound)
	if code, _ := c.as(chat.Leader).get("/webhooks"); code != http.StatusForbidden {
		t.Errorf("a leader got %d", code)
	}
	c.as(chat.Leader).wantPost("/webhooks/itsm/test", nil, http.StatusForbidden)
	b.get("/webhooks/itsm/test")
	if n := len(c.eventBodies("itsm")); n != 1 {
		t.Errorf("reading sent something: %d events", n)
	}
}

// refused is an answer as package bot hands it on.
type refused int

func (r refused) Error() string     { return "不要" }
func (r refused) AnswerStatus() int { return int(r) }
