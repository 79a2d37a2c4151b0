package bot

import (
	"encoding/json"
	"strings"
	"testing"

	"frontline/bot/chat"
)

func TestReadFrame(t *testing.T) {
	for _, c := range []struct {
		name, text string
		cmd        string
		code       int64
		kicked, ok bool
	}{
		{name: "answer", text: `{"headers":{"req_id":"a"},"errcode":0,"errmsg":"ok"}`, ok: true},
		{name: "refusal", text: `{"headers":{"req_id":"a"},"errcode":853000,"errmsg":"invalid bot_id or secret"}`, code: 853000, ok: true},
		{name: "message", text: `{"cmd":"aibot_msg_callback","headers":{"req_id":"a"},"body":{"msgid":"m"}}`, cmd: cmdMessage, ok: true},
		{name: "bare control characters", text: "{\"cmd\":\"aibot_msg_callback\",\"headers\":{\"req_id\":\"a\"},\"body\":{\"x\":\"a\x01b\nc\"}}", cmd: cmdMessage, ok: true},
		{name: "kicked", text: `{"cmd":"aibot_event_callback","headers":{"req_id":"a"},"body":{"msgtype":"event","event":{"eventtype":"disconnected_event"}}}`, cmd: cmdEvent, kicked: true, ok: true},
		{name: "no req_id", text: `{"errcode":0}`},
		{name: "long req_id", text: `{"headers":{"req_id":"` + strings.Repeat("x", 513) + `"},"errcode":0}`},
		{name: "neither", text: `{"headers":{"req_id":"a"}}`},
		{name: "a key twice", text: `{"cmd":"ping","CMD":"x","headers":{"req_id":"a"}}`},
		{name: "a list", text: `[1]`},
		{name: "not UTF-8", text: "{\"headers\":{\"req_id\":\"\xff\"},\"errcode\":0}"},
		{name: "cut", text: `{"headers":{"req_id":"a"`},
		{name: "deep", text: `{"headers":{"req_id":"a"},"errcode":0,"body":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`},
	} {
		f, err := readFrame([]byte(c.text))
		if (err == nil) != c.ok || f.Cmd != c.cmd || f.kicked() != c.kicked || c.ok && c.cmd == "" && *f.ErrCode != c.code {
			t.Errorf("%s: %+v %v", c.name, f, err)
		}
	}
}

func TestLiveReply(t *testing.T) {
	for _, c := range []struct {
		m    chat.Message
		want liveReply
		ok   bool
	}{
		{chat.Message{Kind: chat.KindText}, liveReply{cmd: cmdRespond, reqID: "r&?=行"}, true},
		{chat.Message{Kind: chat.KindOther}, liveReply{cmd: cmdRespond, reqID: "r&?=行"}, true},
		{chat.Message{Kind: chat.KindEnter, Event: "enter_chat"}, liveReply{cmd: cmdWelcome, reqID: "r&?=行"}, true},
		{chat.Message{Kind: chat.KindClick, Event: "template_card_event", Click: &chat.Click{TaskID: "T1@a"}}, liveReply{cmd: cmdUpdate, reqID: "r&?=行", task: "T1@a"}, true},
		{chat.Message{Kind: chat.KindFeedback, Event: "feedback_event"}, liveReply{}, false},
	} {
		c.m.ReplyURL = replyTo(c.m, "r&?=行")
		got, ok := parseLiveReply(c.m.ReplyURL)
		if got != c.want || ok != c.ok || c.m.Live() != c.ok {
			t.Errorf("%s: %+v %v, live %v", c.m.Kind, got, ok, c.m.Live())
		}
	}
	if _, ok := parseLiveReply("https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=x"); ok {
		t.Error("an answer address of HTTP is no req_id")
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(`{"headers":{"req_id":"a"},"errcode":0,"errmsg":"ok"}`)
	f.Add(`{"cmd":"aibot_msg_callback","headers":{"req_id":"a"},"body":` + botText + `}`)
	f.Add(`{"cmd":"aibot_event_callback","headers":{"req_id":"a"},"body":` + botClick + `}`)
	f.Add(`{"cmd":"aibot_event_callback","headers":{"req_id":"a"},"body":{"event":{"eventtype":"disconnected_event"}}}`)
	f.Add("{\"cmd\":\"x\",\"headers\":{\"req_id\":\"\x00\"},\"body\":null}")
	f.Fuzz(func(t *testing.T, text string) {
		fr, err := readFrame([]byte(text))
		if err != nil {
			return
		}
		if fr.Headers.ReqID == "" || fr.Cmd == "" && fr.ErrCode == nil {
			t.Fatalf("taken: %+v", fr)
		}
		fr.kicked()
		m, _, err := decodeBot(fr.Body, testDoor)
		if err != nil {
			return
		}
		m.ReplyURL = replyTo(m, fr.Headers.ReqID)
		if r, ok := parseLiveReply(m.ReplyURL); ok && r.reqID != fr.Headers.ReqID {
			t.Fatalf("the req_id %q came back as %q", fr.Headers.ReqID, r.reqID)
		}
		out, err := writeFrame(cmdRespond, fr.Headers.ReqID, json.RawMessage(`{}`))
		if err != nil || !json.Valid(out) {
			t.Fatalf("%q %v", out, err)
		}
	})
}
