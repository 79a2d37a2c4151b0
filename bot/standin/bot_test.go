package standin

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestBotRetriesMessagesButNotClicks(t *testing.T) {
	got := map[string]int{}
	bubble(t, func(r *http.Request) (*http.Response, error) {
		in := receive(t, r)
		if in.json["msgtype"] == "event" {
			got[in.json["event"].(object)["eventtype"].(string)]++
			return respond(500, ""), nil
		}
		got["message"]++
		if got["message"] == 1 {
			return respond(200, in.answer(asJSON(object{"msgtype": "template_card", "template_card": buttonCard("b1")}))), nil
		}
		return respond(500, ""), nil
	}, func(t *testing.T, s *Server) {
		at := BotPlace("aib-1")
		_, _ = s.Say(t.Context(), SayRequest{User: "zhaoyi", To: at, Text: "one", Wait: true})
		_, _ = s.Say(t.Context(), SayRequest{User: "zhaoyi", To: at, Text: "two", Wait: true})
		r, err := s.Click(t.Context(), "zhaoyi", at, "b1", "yes")
		if err != nil || r.Outcome.Tries != 1 || r.Outcome.Acknowledged {
			t.Errorf("click %+v, %v", r.Outcome, err)
		}
		if _, err := s.EnterBot(t.Context(), "zhaoyi", "aib-1"); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(got) != "map[enter_chat:3 message:4 template_card_event:1]" {
			t.Errorf("received %v", got)
		}
	})
}

func TestBotRepliesThatAreRefused(t *testing.T) {
	sum := md5.Sum(png)
	item := []any{object{"msgtype": "image", "image": object{"base64": base64.StdEncoding.EncodeToString(png), "md5": hex.EncodeToString(sum[:])}}}
	for _, c := range []struct{ name, reply, want string }{
		{"text on a message", `{"msgtype":"text","text":{"content":"x"}}`, "is no reply to text"},
		{"too long", streamReply("s", true, strings.Repeat("a", 20481)), "20480"},
		{"no id", streamReply("", true, "x"), "stream.id missing"},
		{"finish of a wrong type", `{"msgtype":"stream","stream":{"id":"s","finish":"true","content":"x"}}`, "boolean"},
		{"picture before the end", asJSON(object{"msgtype": "stream", "stream": object{"id": "s", "finish": false, "msg_item": item}}), "finish=true"},
		{"feedback id", asJSON(object{"msgtype": "stream", "stream": object{"id": "s", "finish": true, "feedback": object{"id": strings.Repeat("f", 257)}}}), "256"},
		{"bad card", asJSON(object{"msgtype": "template_card", "template_card": object{"card_type": "button_interaction"}}), "task_id"},
		{"update without a click", asJSON(object{"response_type": "update_template_card", "template_card": buttonCard("x")}), "is no reply"},
		{"good", streamReply("s", true, strings.Repeat("a", 20480)), ""},
		{"picture at the end", asJSON(object{"msgtype": "stream", "stream": object{"id": "s", "finish": true, "content": "图", "msg_item": item}}), ""},
		{"stream with card", asJSON(object{"msgtype": "stream_with_template_card", "stream": object{"id": "s", "finish": true, "content": "图"}, "template_card": buttonCard("c1")}), ""},
	} {
		w := newWorld(t, answering(t, func(*incoming) string { return c.reply }))
		r, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == "" && r.Outcome.Err != "" || c.want != "" && !strings.Contains(r.Outcome.Err, c.want) {
			t.Errorf("%s: %q, want %q", c.name, r.Outcome.Err, c.want)
		}
		if shown := len(w.feed("zhaoyi")) > 1; shown != (c.want == "") {
			t.Errorf("%s: shown %v", c.name, shown)
		}
	}
}

func TestBotEnvelopeIsChecked(t *testing.T) {
	for name, spoil := range map[string]func(string) string{
		"signature": func(s string) string { return strings.Replace(s, `"msgsignature":"`, `"msgsignature":"0`, 1) },
		"nonce":     func(s string) string { return strings.Replace(s, `"nonce":"`, `"nonce":"9`, 1) },
		"timestamp": func(s string) string {
			return strings.Replace(strings.Replace(s, `"timestamp":`, `"timestamp":"`, 1), `,"nonce"`, `","nonce"`, 1)
		},
		"encrypted": func(s string) string { return strings.Replace(s, `"encrypt":"`, `"encrypt":"A`, 1) },
	} {
		w := newWorld(t, func(o *Options) {
			o.Callbacks = roundTrip(func(r *http.Request) (*http.Response, error) {
				in := receive(t, r)
				return respond(200, spoil(in.answer(streamReply("s", true, "x")))), nil
			})
		})
		r, _ := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true})
		if r.Outcome.Err == "" || len(w.feed("zhaoyi")) != 1 {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWelcomeAndFeedback(t *testing.T) {
	var last *incoming
	reply := `{"msgtype":"text","text":{"content":"我是一线助手"}}`
	w := newWorld(t, answering(t, func(in *incoming) string { last = in; return reply }))
	if _, err := w.s.EnterBot(t.Context(), "zhaoyi", "aib-1"); err != nil {
		t.Fatal(err)
	}
	if e := w.feed("zhaoyi"); len(e) != 1 || e[0].Text != "我是一线助手" || last.json["create_time"] == nil {
		t.Errorf("welcome %+v, %s", e, last.inner)
	}
	if r, _ := w.s.EnterBot(t.Context(), "zhaoyi", "aib-1"); r.Callback != "" {
		t.Error("enter_chat comes only with the first entry of the day")
	}
	w.clock.add(24 * time.Hour)
	if r, _ := w.s.EnterBot(t.Context(), "zhaoyi", "aib-1"); r.Callback == "" {
		t.Error("the next day has a first entry too")
	}
	reply = asJSON(object{"msgtype": "stream", "stream": object{"id": "s", "finish": true, "content": "答案", "feedback": object{"id": "fb-1"}}})
	if _, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true}); err != nil {
		t.Fatal(err)
	}
	e := w.feed("zhaoyi")
	reply = ""
	if _, err := w.s.Feedback(t.Context(), "zhaoyi", BotPlace("aib-1"), e[len(e)-1].ID, 2, "不对"); err != nil {
		t.Fatal(err)
	}
	if ev := last.json["event"].(object)["feedback_event"].(object); ev["id"] != "fb-1" || ev["type"] != 2.0 || ev["content"] != "不对" {
		t.Errorf("feedback %s", last.inner)
	}
}

func TestGroupTalk(t *testing.T) {
	var last *incoming
	reply := streamReply("s", true, "收到")
	w := newWorld(t, answering(t, func(in *incoming) string { last = in; return reply }))
	at := GroupPlace("wrGroup1")
	say := func(r SayRequest) (Receipt, error) { r.To, r.Wait = at, true; return w.s.Say(t.Context(), r) }
	if r, err := say(SayRequest{User: "zhaoyi", Text: "大家早"}); err != nil || r.Callback != "" || last != nil {
		t.Errorf("group talk without @ reached the bot: %+v %v", r, err)
	}
	if _, err := say(SayRequest{User: "sunsan", Text: "x"}); err == nil {
		t.Error("an outsider can talk")
	}
	first := w.group("wrGroup1", "")[0]
	r, err := say(SayRequest{User: "qianer", Text: "行情卡住了", Mention: []string{"aib-1"}, Quote: first.ID})
	if err != nil {
		t.Fatal(err)
	}
	j := last.json
	if j["text"].(object)["content"] != "@一线助手 行情卡住了" || j["chatid"] != "wrGroup1" || j["chattype"] != "group" || j["from"].(object)["userid"] != "qianer" || j["quote"].(object)["text"].(object)["content"] != "大家早" {
		t.Errorf("message %s", last.inner)
	}
	if _, err := say(SayRequest{User: "qianer", Mention: []string{"aib-1"}, File: &File{Kind: "voice", Name: "v.amr", Data: amr(1)}}); err == nil {
		t.Log("a voice without a mention in its text stays in the group")
	}
	// response_url: one use, an hour, in a group only markdown, which quotes the question.
	address := strings.TrimPrefix(j["response_url"].(string), w.url+"/cgi-bin/")
	wantCode(t, w.post(address, object{"msgtype": "template_card", "template_card": buttonCard("g1")}), 40008)
	wantCode(t, w.post(address, object{"msgtype": "markdown", "markdown": object{"content": strings.Repeat("x", 20481)}}), 40058)
	wantCode(t, w.post(address, object{"msgtype": "markdown", "markdown": object{"content": "**已恢复**"}}), 0)
	wantCode(t, w.post(address, object{"msgtype": "markdown", "markdown": object{"content": "x"}}), 60140)
	var answer Entry
	for _, e := range w.group("wrGroup1", "zhaoyi") {
		if e.MsgType == "markdown" {
			answer = e
		}
	}
	if answer.Quote == nil || answer.Quote.Entry != r.Entry {
		t.Errorf("the late answer quotes %+v, not entry %d", answer.Quote, r.Entry)
	}
	single, _ := w.s.Say(t.Context(), SayRequest{User: "qianer", To: BotPlace("aib-1"), Text: "x", Wait: true})
	address = strings.TrimPrefix(last.json["response_url"].(string), w.url+"/cgi-bin/")
	wantCode(t, w.post(address, object{"msgtype": "template_card", "template_card": buttonCard("g2")}), 0)
	if single.Entry == 0 || last.json["chatid"] != nil {
		t.Errorf("single chat %s", last.inner)
	}
	_, _ = w.s.Say(t.Context(), SayRequest{User: "qianer", To: BotPlace("aib-1"), Text: "y", Wait: true})
	address = strings.TrimPrefix(last.json["response_url"].(string), w.url+"/cgi-bin/")
	w.clock.add(time.Hour + time.Second)
	wantCode(t, w.post(address, object{"msgtype": "markdown", "markdown": object{"content": "x"}}), 60140)
}

func TestGroupCardUpdateForSomeMembers(t *testing.T) {
	reply := asJSON(object{"msgtype": "template_card", "template_card": buttonCard("g1")})
	w := newWorld(t, answering(t, func(*incoming) string { return reply }))
	at := GroupPlace("wrGroup1")
	if _, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: at, Text: "@一线助手 告警", Wait: true}); err != nil {
		t.Fatal(err)
	}
	done := buttonCard("g1")
	done["replace_text"] = "赵一已认领"
	reply = asJSON(object{"response_type": "update_template_card", "userids": []string{"zhaoyi"}, "template_card": done})
	if r, err := w.s.Click(t.Context(), "zhaoyi", at, "g1", "yes"); err != nil || r.Outcome.Err != "" {
		t.Fatalf("%+v %v", r.Outcome, err)
	}
	active := func(as string) bool { e := w.group("wrGroup1", as); return e[len(e)-1].Card.Active }
	if active("zhaoyi") || !active("qianer") {
		t.Errorf("zhaoyi active %v, qianer active %v", active("zhaoyi"), active("qianer"))
	}
	reply = asJSON(object{"response_type": "update_template_card", "template_card": buttonCard("other")})
	if r, _ := w.s.Click(t.Context(), "qianer", at, "g1", "yes"); !strings.Contains(r.Outcome.Err, "task_id") {
		t.Errorf("another task_id is accepted: %+v", r.Outcome)
	}
	reply = asJSON(object{"response_type": "update_template_card", "template_card": done})
	if _, err := w.s.Click(t.Context(), "qianer", at, "g1", "no"); err != nil || active("qianer") {
		t.Errorf("an update without userids is for all: %v", err)
	}
}

func TestBotMediaIsEncryptedAndShortLived(t *testing.T) {
	var last *incoming
	w := newWorld(t, answering(t, func(in *incoming) string { last = in; return "" }))
	at := BotPlace("aib-1")
	say := func(r SayRequest) { t.Helper(); r.User, r.To, r.Wait = "zhaoyi", at, true; must(t, w, r) }
	say(SayRequest{File: &File{Kind: "file", Name: "日志.txt", Data: []byte("line one")}})
	address := last.json["file"].(object)["url"].(string)
	fetch := func() (*http.Response, []byte) {
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		data, _ := io.ReadAll(resp.Body)
		return resp, data
	}
	resp, data := fetch()
	key, _ := parseAESKey(testBotKey)
	if plain, err := decryptCBC(key, data); err != nil || string(plain) != "line one" || !strings.Contains(resp.Header.Get("Content-Disposition"), "filename") {
		t.Errorf("%q %v %v", plain, err, resp.Header)
	}
	w.clock.add(5 * time.Minute)
	if resp, _ := fetch(); resp.StatusCode == 200 {
		t.Error("the address lives longer than five minutes")
	}
	say(SayRequest{Text: "看图", File: &File{Kind: "image", Name: "a.png", Data: png}})
	if items := last.json["mixed"].(object)["msg_item"].([]any); len(items) != 2 || items[1].(object)["image"].(object)["url"] == "" {
		t.Errorf("mixed %s", last.inner)
	}
	say(SayRequest{File: &File{Kind: "voice", Name: "a.amr", Data: amr(2), Transcript: "行情不刷新"}})
	if last.json["voice"].(object)["content"] != "行情不刷新" {
		t.Errorf("voice %s", last.inner)
	}
	if _, err := w.s.Say(t.Context(), SayRequest{User: "zhaoyi", To: at, Location: &Location{}}); err == nil {
		t.Error("a bot receives no location")
	}
}

func must(t *testing.T, w *world, r SayRequest) {
	t.Helper()
	if _, err := w.s.Say(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

func TestAtMostThreeExchangesInFlight(t *testing.T) {
	bubble(t, botReceiver(t, func(in *incoming) string { return streamReply("s-"+in.nonce, false, "…") }), func(t *testing.T, s *Server) {
		for i := range 4 {
			r, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: fmt.Sprint(i), Wait: true})
			if err != nil || (r.Callback == "") != (i == 3) {
				t.Errorf("message %d: %+v %v", i, r, err)
			}
		}
		if r, _ := s.Say(t.Context(), SayRequest{User: "qianer", To: BotPlace("aib-1"), Text: "x", Wait: true}); r.Callback == "" {
			t.Error("another member is held up")
		}
		time.Sleep(7 * time.Minute)
		if r, _ := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true}); r.Callback == "" {
			t.Error("the exchanges never end")
		}
	})
}

func TestEncryptedUserIDs(t *testing.T) {
	var last *incoming
	w := newWorld(t, answering(t, func(in *incoming) string { last = in; return "" }), func(o *Options) { o.Bots[0].EncryptUserIDs = true })
	must(t, w, SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true})
	if id := last.json["from"].(object)["userid"]; id != "wo-open-zhaoyi" {
		t.Errorf("from %v", id)
	}
}
