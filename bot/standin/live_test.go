package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// liveClient is a bare connection.
type liveClient struct {
	t  *testing.T
	ws *websocket.Conn
	n  int
}

func dialLive(t *testing.T, w *world) *liveClient {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), w.wsURL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &liveClient{t: t, ws: ws}
}

func (c *liveClient) send(cmd, reqID string, body any) {
	c.t.Helper()
	f := liveFrame{Cmd: cmd, Headers: liveHeaders{reqID}}
	if body != nil {
		f.Body = json.RawMessage(asJSON(body))
	}
	if err := c.ws.Write(c.t.Context(), websocket.MessageText, []byte(asJSON(f))); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the next frame, or nil when the connection ended.
func (c *liveClient) read() *liveFrame {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := c.ws.Read(ctx)
	if ctx.Err() != nil {
		c.t.Fatal("nothing came")
	}
	if err != nil {
		return nil
	}
	var f liveFrame
	if err := json.Unmarshal(data, &f); err != nil {
		c.t.Fatal(err)
	}
	return &f
}

// call sends a frame under a req_id ("" a new one) and returns the code of its answer.
func (c *liveClient) call(cmd, reqID string, body any) int {
	c.t.Helper()
	if reqID == "" {
		c.n++
		reqID = fmt.Sprint(cmd, "-", c.n)
	}
	c.send(cmd, reqID, body)
	for {
		f := c.read()
		if f == nil {
			c.t.Fatalf("%s: the connection ended", cmd)
		}
		if f.Cmd == "" && f.Headers.ReqID == reqID {
			return *f.Errcode
		}
	}
}

func (c *liveClient) subscribe() {
	c.t.Helper()
	if code := c.call("aibot_subscribe", "", object{"bot_id": "aib-1", "secret": "bot-secret"}); code != 0 {
		c.t.Fatalf("subscribe: %d", code)
	}
}

func md(text string) object {
	return object{"msgtype": "markdown", "markdown": object{"content": text}}
}

func push(to string, body object) object {
	out := object{"chatid": to}
	for k, v := range body {
		out[k] = v
	}
	return out
}

func liveStreamBody(id string, finish bool, text string) object {
	return object{"msgtype": "stream", "stream": object{"id": id, "finish": finish, "content": text}}
}

func TestLiveSubscription(t *testing.T) {
	w := liveWorld(t, func(o *Options) {
		o.Limits.LiveSubscribeMinute, o.Limits.LiveGreeting, o.Limits.LiveSilence = 3, time.Second, time.Second
	})
	silent := dialLive(t, w)
	early := dialLive(t, w)
	if code := early.call("aibot_send_msg", "", push("zhaoyi", md("x"))); code != codeNotSubscribed {
		t.Errorf("before the subscription: %d", code)
	}
	wrong := dialLive(t, w)
	if code := wrong.call("aibot_subscribe", "", object{"bot_id": "aib-1", "secret": "no"}); code != codeBadBotSecret {
		t.Errorf("wrong secret: %d", code)
	}
	if f := wrong.read(); f != nil {
		t.Errorf("after a wrong secret comes %+v", f)
	}
	first, second := dialLive(t, w), dialLive(t, w)
	first.subscribe()
	second.subscribe()
	if f := first.read(); f == nil || f.Cmd != "aibot_event_callback" || !strings.Contains(string(f.Body), "disconnected_event") {
		t.Errorf("the older connection hears %+v", f)
	}
	if f := first.read(); f != nil {
		t.Errorf("and then %+v", f)
	}
	// Pings keep it alive for longer than the silence that ends it.
	for began := time.Now(); time.Since(began) < 1500*time.Millisecond; time.Sleep(20 * time.Millisecond) {
		if code := second.call("ping", "", nil); code != 0 {
			t.Errorf("ping: %d", code)
		}
	}
	if f := silent.read(); f != nil {
		t.Errorf("who never subscribes hears %+v", f)
	}
	second.subscribe()
	if code := second.call("aibot_subscribe", "", object{"bot_id": "aib-1", "secret": "bot-secret"}); code != codeTooFrequent {
		t.Errorf("a fourth subscription in a minute: %d", code)
	}
	third := dialLive(t, w)
	third.send("nonsense", "", nil)
	if f := third.read(); f != nil {
		t.Errorf("a frame without req_id is answered with %+v", f)
	}
	if c := w.s.Counters(); c.LiveKicked != 1 || c.LiveConnects != 3 {
		t.Errorf("counted %+v", c)
	}
}

func TestLiveSilenceEndsTheConnection(t *testing.T) {
	w := liveWorld(t, func(o *Options) { o.Limits.LiveSilence = 200 * time.Millisecond })
	c := dialLive(t, w)
	c.subscribe()
	if f := c.read(); f != nil {
		t.Errorf("who sends no ping hears %+v", f)
	}
	r, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "在吗", Wait: true})
	if err != nil || r.Outcome.Acknowledged || w.s.Counters().CallbackLost != 1 {
		t.Errorf("a message to nobody: %+v %v", r.Outcome, err)
	}
}

func TestLiveReplies(t *testing.T) {
	moved := &clock{now: time.Date(2025, 3, 10, 9, 30, 0, 0, time.UTC)}
	w := liveWorld(t, func(o *Options) { o.Now = moved.Now })
	c := dialLive(t, w)
	c.subscribe()
	ask := func() string {
		t.Helper()
		if _, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x"}); err != nil {
			t.Fatal(err)
		}
		f := c.read()
		if f == nil || f.Cmd != "aibot_msg_callback" || strings.Contains(string(f.Body), "response_url") {
			t.Fatalf("callback %+v", f)
		}
		return f.Headers.ReqID
	}
	id := ask()
	for _, step := range []struct {
		name string
		wait time.Duration
		cmd  string
		id   string
		body any
		want int
	}{
		{"unknown req_id", 0, "aibot_respond_msg", "nobody", liveStreamBody("s", false, "1"), codeBadReqID},
		{"first", 0, "aibot_respond_msg", id, liveStreamBody("s", false, "1"), 0},
		{"refresh", 5 * time.Minute, "aibot_respond_msg", id, liveStreamBody("s", false, "2"), 0},
		{"pictures", 0, "aibot_respond_msg", id, object{"msgtype": "stream", "stream": object{"id": "s", "finish": true, "content": "2", "msg_item": []any{}}}, codeBadParameter},
		{"with a card", 0, "aibot_respond_msg", id, object{"msgtype": "stream_with_template_card", "stream": object{"id": "s", "finish": true, "content": "2"}}, codeBadMsgType},
		{"text", 0, "aibot_respond_msg", id, object{"msgtype": "text", "text": object{"content": "x"}}, codeBadMsgType},
		{"too late", time.Minute, "aibot_respond_msg", id, liveStreamBody("s", true, "3"), codeStreamOver},
		{"another stream", 0, "aibot_respond_msg", id, liveStreamBody("s2", true, "4"), 0},
		{"after its end", 0, "aibot_respond_msg", id, liveStreamBody("s2", true, "5"), codeStreamOver},
		{"markdown", 0, "aibot_respond_msg", id, md("6"), 0},
		{"no welcome", 0, "aibot_respond_welcome_msg", id, object{"msgtype": "text", "text": object{"content": "x"}}, codeBadReqID},
		{"no update", 0, "aibot_respond_update_msg", id, object{"response_type": "update_template_card", "template_card": buttonCard("x")}, codeBadReqID},
		{"a day later", 25 * time.Hour, "aibot_respond_msg", id, md("7"), codeBadReqID},
		{"card", 0, "aibot_send_msg", "", push("zhaoyi", object{"msgtype": "template_card", "template_card": buttonCard("t1")}), 0},
		{"the same task again", 0, "aibot_send_msg", "", push("zhaoyi", object{"msgtype": "template_card", "template_card": buttonCard("t1")}), codeBadParameter},
		{"nobody spoke there", 0, "aibot_send_msg", "", push("wrGroup1", md("x")), codeNoRight},
		{"a member as a group", 0, "aibot_send_msg", "", object{"chatid": "zhaoyi", "chat_type": 2, "msgtype": "markdown", "markdown": object{"content": "x"}}, codeBadRobotChat},
		{"unknown cmd", 0, "aibot_dance", "", object{}, codeBadParameter},
	} {
		moved.add(step.wait)
		if got := c.call(step.cmd, step.id, step.body); got != step.want {
			t.Errorf("%s: %d, want %d", step.name, got, step.want)
		}
	}
	click := func() string {
		t.Helper()
		if _, err := w.s.Act(t.Context(), Action{Do: "click", User: "zhaoyi", To: BotPlace("aib-1"), TaskID: "t1", Key: "yes"}); err != nil {
			t.Fatal(err)
		}
		return c.read().Headers.ReqID
	}
	update := object{"response_type": "update_template_card", "template_card": buttonCard("t1")}
	id = click()
	if got := c.call("aibot_respond_msg", id, liveStreamBody("s3", true, "x")); got != codeBadReqID {
		t.Errorf("a click takes a stream: %d", got)
	}
	if got := c.call("aibot_respond_update_msg", id, update); got != 0 {
		t.Errorf("update: %d", got)
	}
	if got := c.call("aibot_respond_update_msg", id, update); got != codeBadReqID {
		t.Errorf("a second update: %d", got)
	}
	id = click()
	moved.add(6 * time.Second)
	if got := c.call("aibot_respond_update_msg", id, update); got != codeBadReqID {
		t.Errorf("an update after six seconds: %d", got)
	}
}

func TestLiveLimits(t *testing.T) {
	moved := &clock{now: time.Date(2025, 3, 10, 9, 30, 0, 0, time.UTC)}
	w := liveWorld(t, func(o *Options) { o.Now, o.Limits.LiveTalkHour, o.Bots[0].Known = moved.Now, 35, true })
	c := dialLive(t, w)
	c.subscribe()
	for i := range 30 {
		if code := c.call("aibot_send_msg", "", push("wrGroup1", md(fmt.Sprint(i)))); code != 0 {
			t.Fatalf("message %d: %d", i, code)
		}
	}
	if code := c.call("aibot_send_msg", "", push("wrGroup1", md("x"))); code != codeTooFrequent {
		t.Errorf("the 31st message of a minute: %d", code)
	}
	if code := c.call("aibot_send_msg", "", push("zhaoyi", md("x"))); code != 0 {
		t.Errorf("another conversation: %d", code)
	}
	moved.add(2 * time.Minute)
	for range 5 {
		c.call("aibot_send_msg", "", push("wrGroup1", md("x")))
	}
	if code := c.call("aibot_send_msg", "", push("wrGroup1", md("x"))); code != codeTooFrequent {
		t.Errorf("the 36th message of an hour: %d", code)
	}
	w.s.AddFault(Fault{API: "aibot_send_msg", Drop: DropAfter, Count: 1})
	moved.add(2 * time.Hour)
	c.send("aibot_send_msg", "lost", push("wrGroup1", md("答复丢了")))
	if code := c.call("ping", "", nil); code != 0 {
		t.Errorf("ping: %d", code)
	}
	e := w.group("wrGroup1", "zhaoyi")
	if e[len(e)-1].Text != "答复丢了" {
		t.Errorf("the message with the lost answer is not there: %+v", e[len(e)-1])
	}
	w.s.AddFault(Fault{API: "aibot_send_msg", Status: 1, Count: 1})
	c.send("aibot_send_msg", "cut", push("wrGroup1", md("x")))
	if f := c.read(); f != nil {
		t.Errorf("after the break comes %+v", f)
	}
}
