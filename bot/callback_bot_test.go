package bot

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"frontline/bot/chat"
)

var botText = botJSON("", `"msgtype":"text","text":{"content":"查 1042"}`)

func said(text string) chat.Outgoing { return chat.Outgoing{Body: chat.Body{Text: text}} }

func testCard(task string) *chat.Card {
	return &chat.Card{TaskID: task, Title: "T1042 登录失败", Buttons: []chat.Button{{Text: "接", Key: "take"}}, Twin: "T1042 登录失败，回复“接 1042”"}
}

// reply is the union of what the smart bot answers.
type reply struct {
	MsgType      string   `json:"msgtype"`
	ResponseType string   `json:"response_type"`
	UserIDs      []string `json:"userids"`
	Text         struct{ Content string }
	Stream       struct {
		ID      string
		Finish  bool
		Content string
	}
	Card json.RawMessage `json:"template_card"`
}

func (r *rig) ask(t *testing.T, plain string) (got, reply) {
	t.Helper()
	g, text := r.sendBot(t, plain, testUnix)
	var v reply
	if text != "" {
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	return g, v
}

func TestBotAnswers(t *testing.T) {
	card := chat.Outgoing{Body: chat.Body{Card: testCard("T1042@1")}}
	second := chat.Outgoing{Body: chat.Body{Card: testCard("T1043@1")}}
	elsewhere := chat.Outgoing{To: chat.Address{Kind: chat.Robot, ID: "support"}, Body: chat.Body{Text: "到群里"}}
	progress := chat.Outgoing{Progress: true, Body: chat.Body{Text: "正在查…"}}
	for _, c := range []struct {
		name    string
		say     []chat.Outgoing
		done    bool
		msgtype string
		finish  bool
		content string
		card    bool
		left    int
	}{
		{"text", []chat.Outgoing{said("已受理"), {Body: chat.Body{Markdown: "**明天**"}}}, true, "stream", true, "已受理\n\n**明天**", false, 0},
		{"not yet", nil, false, "stream", false, "收到，正在处理…", false, 0},
		{"so far", []chat.Outgoing{said("第一步")}, false, "stream", false, "第一步", false, 0},
		{"card alone", []chat.Outgoing{card}, true, "template_card", false, "", true, 0},
		{"card with text", []chat.Outgoing{said("找到了"), card}, true, "stream_with_template_card", true, "找到了", true, 0},
		{"card before the end", []chat.Outgoing{card}, false, "stream", false, "T1042 登录失败，回复“接 1042”", false, 0},
		{"two cards", []chat.Outgoing{card, second}, true, "stream_with_template_card", true, "T1042 登录失败，回复“接 1042”", true, 0},
		{"elsewhere", []chat.Outgoing{said("好"), elsewhere}, true, "stream", true, "好", false, 1},
		{"file", []chat.Outgoing{said("好"), {Body: chat.Body{File: &chat.File{Kind: "file"}}}}, true, "stream", true, "好", false, 1},
		{"update", []chat.Outgoing{said("好"), {Body: chat.Body{Update: &chat.CardUpdate{TaskID: "T1"}}}}, true, "stream", true, "好", false, 1},
		{"sign of life", []chat.Outgoing{progress}, false, "stream", false, "正在查…", false, 0},
		{"sign of life and more", []chat.Outgoing{progress, said("好")}, true, "stream", true, "好", false, 0},
		{"sign of life and a card", []chat.Outgoing{progress, card}, true, "template_card", false, "", true, 0},
		{"foreign markup", []chat.Outgoing{said("[x](javascript:1) <@all> <font color=\"warning\">")}, true, "stream", true,
			"[x]\u200b(javascript:1) <\u200b@all> <\u200bfont color=\"warning\">", false, 0},
		{"too long for one", []chat.Outgoing{said(strings.Repeat("长", 5000)), said(strings.Repeat("长", 5000))}, true, "stream", true, strings.Repeat("长", 5000), false, 1},
	} {
		r := newRig(t)
		r.replies.say, r.replies.done = c.say, c.done
		g, v := r.ask(t, botText)
		if g.status != 200 || v.MsgType != c.msgtype || v.Stream.Content != c.content || v.Stream.Finish != c.finish || (v.Card != nil) != c.card || len(r.replies.left) != c.left {
			t.Errorf("%s: %d, %d left, %+v", c.name, g.status, len(r.replies.left), v)
		}
		id := r.inbox.only(t).ID
		if v.MsgType != "template_card" && v.Stream.ID != id {
			t.Errorf("%s: stream %q of message %q", c.name, v.Stream.ID, id)
		}
	}
}

func TestBotSaysNothing(t *testing.T) {
	r := newRig(t)
	if g, _ := r.ask(t, botText); g.status != 200 || g.body != "" {
		t.Errorf("nothing to say: %+v", g)
	}
	r.replies.say = []chat.Outgoing{said("谢谢")}
	for _, in := range []string{
		botJSON("", `"msgtype":"event","event":{"eventtype":"feedback_event","feedback_event":{"id":"f"}}`),
		botJSON("", `"msgtype":"event","event":{"eventtype":"tea"}`),
	} {
		if g, _ := r.ask(t, in); g.status != 200 || g.body != "" {
			t.Errorf("%s: %+v", in, g)
		}
	}
}

// A repeat, in time or late, gets the same answer.
func TestBotRepeatGetsTheSame(t *testing.T) {
	r := newRig(t)
	r.replies.say = []chat.Outgoing{said("已受理 T1042")}
	_, first := r.sendBot(t, botText, testUnix)
	_, again := r.sendBot(t, botText, testUnix+7)
	_, late := r.sendBot(t, botText, testUnix-400)
	if first == "" || again != first || late != first || len(r.inbox.rows) != 1 {
		t.Errorf("%s\n%s\n%s", first, again, late)
	}
	other := strings.Replace(botText, "m-1", "m-2", 1)
	if g, _ := r.sendBot(t, other, testUnix-400); g.status != 401 || g.body != "" {
		t.Errorf("unknown and late: %+v", g)
	}
}

func TestBotWelcome(t *testing.T) {
	enter := botJSON("", `"msgtype":"event","event":{"eventtype":"enter_chat"}`)
	r := newRig(t)
	if g, _ := r.ask(t, enter); g.status != 200 || g.body != "" {
		t.Errorf("no welcome: %+v", g)
	}
	r.replies.say = []chat.Outgoing{said("你好"), said("[帮助](x)"), {Body: chat.Body{Card: testCard("w")}}}
	if _, v := r.ask(t, enter); v.MsgType != "text" || v.Text.Content != "你好\n\n[帮助](x)" || len(r.replies.left) != 1 {
		t.Errorf("%+v, left %v", v, r.replies.left)
	}
	r.replies.say = []chat.Outgoing{{Body: chat.Body{Card: testCard("w")}}, said("你好")}
	if _, v := r.ask(t, enter); v.MsgType != "template_card" || v.Card == nil || len(r.replies.left) != 1 {
		t.Errorf("%+v, left %v", v, r.replies.left)
	}
	// Nothing was said in time: nothing is promised either.
	r.replies.say, r.replies.done = nil, false
	if g, _ := r.ask(t, enter); g.status != 200 || g.body != "" {
		t.Errorf("too late: %+v", g)
	}
}

var botClick = botJSON("", `"msgtype":"event","event":{"eventtype":"template_card_event","template_card_event":{"event_key":"take","task_id":"T1042@1"}}`)

func TestBotClick(t *testing.T) {
	update := func(u chat.CardUpdate) chat.Outgoing { return chat.Outgoing{Body: chat.Body{Update: &u}} }
	card := testCard("")
	r := newRig(t)
	r.replies.say = []chat.Outgoing{said("好"), update(chat.CardUpdate{TaskID: "T9", Card: card}), update(chat.CardUpdate{TaskID: "T1042@1", Done: "已接"}),
		update(chat.CardUpdate{TaskID: "T1042@1", Card: card}), update(chat.CardUpdate{TaskID: "T1042@1", Card: card})}
	_, v := r.ask(t, botClick)
	if v.ResponseType != "update_template_card" || !reflect.DeepEqual(v.UserIDs, []string{"zhoulan"}) || !strings.Contains(string(v.Card), `"task_id":"T1042@1"`) || len(r.replies.left) != 4 {
		t.Errorf("%+v, %d left", v, len(r.replies.left))
	}
	r.replies.say = []chat.Outgoing{update(chat.CardUpdate{TaskID: "T1042@1", Card: card, Users: []string{"a", "b"}})}
	if _, v := r.ask(t, botClick); !reflect.DeepEqual(v.UserIDs, []string{"a", "b"}) {
		t.Errorf("%+v", v)
	}
	inGroup := strings.Replace(botClick, `"chattype":"single"`, `"chatid":"wr1","chattype":"group"`, 1)
	r.replies.say = []chat.Outgoing{update(chat.CardUpdate{TaskID: "T1042@1", Card: card})}
	if _, v := r.ask(t, inGroup); v.ResponseType == "" || v.UserIDs != nil {
		t.Errorf("in a group: %+v", v)
	}
	r.replies.say = []chat.Outgoing{said("只有话")}
	if g, _ := r.ask(t, botClick); g.status != 200 || g.body != "" {
		t.Errorf("words only: %+v", g)
	}
}

func TestClickGoesToTheSpool(t *testing.T) {
	r := newRig(t)
	r.inbox.err = errors.New("database is away")
	if g, _ := r.ask(t, botClick); g.status != 200 || g.body != "" || len(r.spool.rows) != 1 || r.spool.rows[0].Click.Key != "take" {
		t.Errorf("%+v, spool %+v", g, r.spool.rows)
	}
	if g, _ := r.ask(t, botText); g.status != 0 || len(r.spool.rows) != 1 {
		t.Errorf("a text comes again by itself: %+v, spool %+v", g, r.spool.rows)
	}
	r.spool.err = errors.New("disk is full")
	if g, _ := r.ask(t, botClick); g.status != 0 {
		t.Errorf("neither stored nor spooled: %+v", g)
	}
}

// F46: the platform sends a click once and forgets it after five seconds.
func TestSlowDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.InlineWait, o.ClickWait = 0, 0 })
		r.inbox.block = true
		for _, c := range []struct {
			name   string
			in     string
			status int
			most   time.Duration
		}{{"click", botClick, 200, time.Second}, {"text", botText, 0, 2500 * time.Millisecond}} {
			began := time.Now()
			if g, _ := r.sendBot(t, c.in, testUnix); g.status != c.status || time.Since(began) > c.most {
				t.Errorf("%s: %+v after %v", c.name, g, time.Since(began))
			}
		}
		began := time.Now()
		if g := r.sendApp(textXML, testUnix); g.status != 0 || time.Since(began) > 4*time.Second {
			t.Errorf("app: %+v after %v", g, time.Since(began))
		}
	})
}

func TestWaitingForWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.InlineWait, o.ClickWait = 0, 0 })
		r.replies.done = false
		for _, c := range []struct {
			in   string
			want time.Duration
		}{{botText, 1200 * time.Millisecond}, {botClick, 2 * time.Second}} {
			began := time.Now()
			if g, _ := r.sendBot(t, c.in, testUnix); g.status != 200 || time.Since(began) != c.want {
				t.Errorf("%+v after %v, want %v", g, time.Since(began), c.want)
			}
		}
	})
}

func TestBotPolls(t *testing.T) {
	r := newRig(t)
	r.replies.done = false
	_, first := r.ask(t, botText)
	poll := func(id string) reply {
		t.Helper()
		g, v := r.ask(t, botJSON("", `"msgtype":"stream","stream":{"id":"`+id+`"}`))
		if g.status != 200 || len(r.inbox.rows) != 1 {
			t.Errorf("%+v, %d rows", g, len(r.inbox.rows))
		}
		if v.Stream.ID != id {
			t.Errorf("stream %q, asked for %q", v.Stream.ID, id)
		}
		return v
	}
	id := first.Stream.ID
	if v := poll(id); v.Stream.Finish || v.Stream.Content != sayWaiting {
		t.Errorf("not yet: %+v", v)
	}
	if v := poll("unknown"); !v.Stream.Finish || v.Stream.Content != sayUnknown {
		t.Errorf("unknown: %+v", v)
	}
	r.replies.err = errors.New("database is away")
	if v := poll(id); v.Stream.Finish || v.Stream.Content != sayWaiting {
		t.Errorf("database away: %+v", v)
	}
	r.replies.err, r.replies.done = nil, true
	if v := poll(id); !v.Stream.Finish || v.Stream.Content != sayNothing {
		t.Errorf("nothing said: %+v", v)
	}
	r.replies.say = []chat.Outgoing{{Body: chat.Body{Card: testCard("T1")}}}
	if v := poll(id); v.MsgType != "stream_with_template_card" || !v.Stream.Finish || v.Stream.Content != "T1042 登录失败" {
		t.Errorf("a card: %+v", v)
	}
	if v := poll(id); v.MsgType != "stream_with_template_card" {
		t.Errorf("the same again: %+v", v)
	}
	if g, _ := r.sendBot(t, botJSON("", `"msgtype":"stream","stream":{"id":"`+id+`"}`), testUnix-301); g.status != 401 {
		t.Errorf("an old poll: %+v", g)
	}
}

func TestBadBotCallbacks(t *testing.T) {
	r := newRig(t)
	cipher := r.bot.Encrypt([]byte(botText))
	q := query(r.bot, testUnix, rigNonce, cipher).Encode()
	app := r.app.Encrypt([]byte(botText))
	send := func(inner string) (string, string) {
		c := r.bot.Encrypt([]byte(inner))
		return query(r.bot, testUnix, rigNonce, c).Encode(), `{"encrypt":"` + c + `"}`
	}
	innerXML, innerXMLBody := send(textXML)
	twice, twiceBody := send(`{"msgid":"1","MSGID":"2","msgtype":"text"}`)
	for _, c := range []struct {
		name, q, body string
		status        int
	}{
		{"XML outside", q, appEnvelopeXML(testDoor.corp, testDoor.agent, cipher), 400},
		{"B71 two ciphers", q, `{"encrypt":"` + cipher + `","Encrypt":"x"}`, 400},
		{"no cipher", q, `{}`, 401},
		{"other cipher", q, `{"encrypt":"` + r.bot.Encrypt([]byte("{}")) + `"}`, 401},
		{"B25 with a receiver", query(r.bot, testUnix, rigNonce, app).Encode(), `{"encrypt":"` + app + `"}`, 401},
		{"B29 XML inside", innerXML, innerXMLBody, 400},
		{"B71 repeated key inside", twice, twiceBody, 400},
		{"B05", query(r.bot, testUnix-301, rigNonce, cipher).Encode(), `{"encrypt":"` + cipher + `"}`, 401},
		{"B17", q, "", 400},
	} {
		if g := r.do(chat.Bot, post(c.q, c.body)); g.status != c.status || g.body != "" {
			t.Errorf("%s: %+v, want %d", c.name, g, c.status)
		}
	}
	if r.inbox.calls != 0 {
		t.Errorf("%d of them were stored", r.inbox.calls)
	}
}

// The store may ask about the same words again when its transaction is repeated.
func TestFitsAnswersTheSameTwice(t *testing.T) {
	r := newRide(chat.Message{ID: "1", Kind: chat.KindText}, "")
	words := []chat.Outgoing{{Key: "a", Body: chat.Body{Text: strings.Repeat("x", 12000)}}, {Key: "b", Body: chat.Body{Card: testCard("b")}}, {Key: "c", Body: chat.Body{Text: strings.Repeat("x", 12000)}}}
	for range 3 {
		if !r.fits(words[0]) || !r.fits(words[1]) || r.fits(words[2]) {
			t.Fatal("the verdict changed")
		}
	}
}

func TestCutBytes(t *testing.T) {
	for n := 3; n < 40; n++ {
		got := cutBytes("一二三四五six七八九十", n)
		if len(got) > n || !utf8.ValidString(got) {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}

func FuzzBotCallback(f *testing.F) {
	f.Add(botText)
	f.Add(botClick)
	f.Add(botJSON("wr1", `"msgtype":"mixed","mixed":{"msg_item":[{"msgtype":"text","text":{"content":"a"}}]},"quote":{"msgtype":"text","text":{"content":"b"}}`))
	f.Add(botJSON("", `"msgtype":"stream","stream":{"id":"s"}`))
	f.Add(botJSON("", `"msgtype":"event","event":{"eventtype":"feedback_event","feedback_event":{"id":"f","type":1}}`))
	f.Fuzz(func(t *testing.T, body string) {
		r := newRig(t)
		r.replies.say = []chat.Outgoing{said("好"), {Body: chat.Body{Card: testCard("T1")}}}
		if g := r.do(chat.Bot, post("", body)); g.status == 200 || len(r.inbox.rows) != 0 {
			t.Fatalf("unsigned: %+v", g)
		}
		if body == "" {
			return
		}
		g, text := r.sendBot(t, body, testUnix)
		if g.status != 200 && g.status != 400 && g.status != 413 {
			t.Fatalf("%+v", g)
		}
		if text != "" && !json.Valid([]byte(text)) {
			t.Fatalf("answer %q", text)
		}
		for _, m := range r.inbox.rows {
			checkStored(t, m)
		}
	})
}
