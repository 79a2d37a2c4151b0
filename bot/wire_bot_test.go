package bot

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"frontline/bot/chat"
)

// botJSON writes a callback of a single chat, or of a group when chatID is set.
func botJSON(chatID, rest string) string {
	where := `"chattype":"single"`
	if chatID != "" {
		where = `"chatid":"` + chatID + `","chattype":"group"`
	}
	return `{"msgid":"m-1","aibotid":"bot1",` + where + `,"from":{"userid":"zhoulan"},"response_url":"https://qyapi.weixin.qq.com/cgi-bin/aibot/response?response_code=X",` + rest + `}`
}

func TestDecodeBotKinds(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     chat.Message
	}{
		{"text", botJSON("", `"msgtype":"text","text":{"content":"报障"}`), chat.Message{Kind: chat.KindText, Text: "报障"}},
		{"image", botJSON("", `"msgtype":"image","image":{"url":"https://x/1"}`), chat.Message{Kind: chat.KindMedia, Media: []chat.Media{{Kind: "image", URL: "https://x/1"}}}},
		{"file", botJSON("", `"msgtype":"file","file":{"url":"https://x/2"}`), chat.Message{Kind: chat.KindMedia, Media: []chat.Media{{Kind: "file", URL: "https://x/2"}}}},
		{"video", botJSON("", `"msgtype":"video","video":{"url":"https://x/3","aeskey":"k"}`), chat.Message{Kind: chat.KindMedia, Media: []chat.Media{{Kind: "video", URL: "https://x/3", Key: "k"}}}},
		{"voice", botJSON("", `"msgtype":"voice","voice":{"content":"我登录不上"}`), chat.Message{Kind: chat.KindText, Text: "我登录不上"}},
		{"mixed", botJSON("", `"msgtype":"mixed","mixed":{"msg_item":[{"msgtype":"text","text":{"content":"看图"}},{"msgtype":"image","image":{"url":"https://x/4"}},{"msgtype":"text","text":{"content":"完"}}]}`),
			chat.Message{Kind: chat.KindMedia, Text: "看图\n完", Media: []chat.Media{{Kind: "image", URL: "https://x/4"}}}},
		{"mixed of texts", botJSON("", `"msgtype":"mixed","mixed":{"msg_item":[{"msgtype":"text","text":{"content":"a"}}]}`), chat.Message{Kind: chat.KindText, Text: "a"}},
		{"quote", botJSON("", `"msgtype":"text","text":{"content":"同上"},"quote":{"msgtype":"mixed","mixed":{"msg_item":[{"msgtype":"text","text":{"content":"原话"}},{"msgtype":"image","image":{"url":"https://x/5"}}]}}`),
			chat.Message{Kind: chat.KindText, Text: "同上", Quote: &chat.Quote{Text: "原话", Media: []chat.Media{{Kind: "image", URL: "https://x/5"}}}}},
		{"enter", botJSON("", `"create_time":1788000000,"msgtype":"event","event":{"eventtype":"enter_chat"}`), chat.Message{Kind: chat.KindEnter, Event: "enter_chat"}},
		{"click", botJSON("", `"msgtype":"event","event":{"eventtype":"template_card_event","template_card_event":{"card_type":"vote_interaction","event_key":"submit","task_id":"T1","selected_items":{"selected_item":[{"question_key":"q","option_ids":{"option_id":["a","b"]}}]}}}`),
			chat.Message{Kind: chat.KindClick, Event: "template_card_event", Click: &chat.Click{TaskID: "T1", Key: "submit", CardType: "vote_interaction", Selected: map[string][]string{"q": {"a", "b"}}}}},
		{"feedback", botJSON("", `"msgtype":"event","event":{"eventtype":"feedback_event","feedback_event":{"id":"f1","type":2,"content":"不对","inaccurate_reason_list":[1,4]}}`),
			chat.Message{Kind: chat.KindFeedback, Event: "feedback_event", Fields: map[string]string{"id": "f1", "type": "2", "content": "不对", "reasons": "1,4"}}},
		{"unknown event", botJSON("", `"msgtype":"event","event":{"eventtype":"tea","n":[1]}`),
			chat.Message{Kind: chat.KindOther, Event: "tea", Fields: map[string]string{"msgid": "m-1", "aibotid": "bot1", "chattype": "single", "from.userid": "zhoulan", "msgtype": "event", "event.eventtype": "tea", "event.n": "[1]"}}},
		{"event without its part", botJSON("", `"msgtype":"event","event":{"eventtype":"template_card_event"}`),
			chat.Message{Kind: chat.KindOther, Event: "template_card_event", Fields: map[string]string{"msgid": "m-1", "aibotid": "bot1", "chattype": "single", "from.userid": "zhoulan", "msgtype": "event", "event.eventtype": "template_card_event"}}},
	} {
		m, poll, err := decodeBot([]byte(c.in), testDoor)
		if err != nil || poll != "" {
			t.Errorf("%s: %q, %v", c.name, poll, err)
			continue
		}
		got := chat.Message{Kind: m.Kind, Text: m.Text, Event: m.Event, Media: m.Media, Quote: m.Quote, Click: m.Click, Fields: m.Fields}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
		if m.Via != chat.Bot || m.Agent != "bot1" || m.Sender != "zhoulan" || len(m.ID) != 24 || !strings.Contains(m.ReplyURL, "response_code=X") ||
			m.From != (chat.Address{Kind: chat.Person, ID: "zhoulan", Via: chat.Bot}) {
			t.Errorf("%s: head %+v", c.name, m)
		}
	}
}

func TestDecodeBotGroup(t *testing.T) {
	m, _, err := decodeBot([]byte(botJSON("wrAbC_1", `"msgtype":"text","text":{"content":"@一线助手 待接"}`)), testDoor)
	if err != nil || m.From != (chat.Address{Kind: chat.Group, ID: "wrAbC_1", Via: chat.Bot}) || m.Text != "@一线助手 待接" || m.Sender != "zhoulan" {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []string{"a b", "a|b", "../x", strings.Repeat("x", 129)} {
		m, _, err := decodeBot([]byte(botJSON(bad, `"msgtype":"text","text":{"content":"a"}`)), testDoor)
		if err != nil || m.Kind != chat.KindOther || m.From != (chat.Address{}) {
			t.Errorf("chat id %q: %+v, %v", bad, m, err)
		}
	}
	odd := strings.Replace(botJSON("", `"msgtype":"text","text":{"content":"a"}`), `"zhoulan"`, `"@all"`, 1)
	if m, _, err := decodeBot([]byte(odd), testDoor); err != nil || m.Kind != chat.KindOther || m.From != (chat.Address{}) || m.Sender != "@all" {
		t.Errorf("B48 sender @all: %+v, %v", m, err)
	}
}

func TestDecodeBotPoll(t *testing.T) {
	m, poll, err := decodeBot([]byte(`{"msgid":"x","aibotid":"bot1","chatid":"wr1","chattype":"group","from":{"userid":"zhoulan"},"msgtype":"stream","stream":{"id":"S1"}}`), testDoor)
	if err != nil || poll != "S1" || m.From.ID != "wr1" {
		t.Errorf("%+v, %q, %v", m, poll, err)
	}
	if _, _, err := decodeBot([]byte(`{"msgtype":"stream","from":{"userid":"a"}}`), testDoor); !errors.Is(err, errMalformed) {
		t.Errorf("a poll without an id: %v", err)
	}
}

func TestBotMessageID(t *testing.T) {
	id := func(in string) string {
		t.Helper()
		m, _, err := decodeBot([]byte(in), testDoor)
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	event := func(msgid, code, key string) string {
		return `{` + msgid + `"create_time":1788000000,"aibotid":"b","chattype":"single","from":{"userid":"u"},"response_url":"https://x/` + code +
			`","msgtype":"event","event":{"eventtype":"template_card_event","template_card_event":{"event_key":"` + key + `","task_id":"t"}}}`
	}
	if id(event(`"msgid":"1",`, "a", "k")) != id(event(`"msgid":"1",`, "b", "k2")) {
		t.Error("one msgid is two messages")
	}
	if id(event("", "a", "k")) != id(event("", "b", "k")) {
		t.Error("a repeat with a new reply address is a new message")
	}
	if id(event("", "a", "k")) == id(event("", "a", "k2")) {
		t.Error("two buttons in a second are one message")
	}
}

func TestStrictJSONRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17)
	for _, c := range []struct{ name, in string }{
		{"empty", ""},
		{"XML", "<xml/>"},
		{"list", "[]"},
		{"null", "null"},
		{"string", `"x"`},
		{"trailing data", `{} {}`},
		{"trailing garbage", `{}x`},
		{"B71 repeated key", `{"a":1,"a":2}`},
		{"B71 repeated key in another case", `{"msgid":"a","MSGID":"b"}`},
		{"repeated key that folds", `{"msgtype":"a","m\u017fgtype":"b"}`},
		{"repeated key inside", `{"x":[{"a":1,"A":2}]}`},
		{"too deep", deep},
		{"far too deep", strings.Repeat("[", 20000)},
		{"invalid UTF-8", "{\"a\":\"\xc3\x28\"}"},
		{"wrong type", `{"msgid":{"a":1}}`},
		{"open end", `{"a":1`},
		{"comment", `{/**/}`},
	} {
		var v botCallback
		if err := strictJSON([]byte(c.in), &v); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var v map[string]any
	if err := strictJSON([]byte(strings.Repeat(`{"a":`, 16)+"1"+strings.Repeat("}", 16)+" \n"), &v); err != nil {
		t.Errorf("16 deep: %v", err)
	}
}

func TestJSONFieldsHidesTheReplyAddress(t *testing.T) {
	text, err := json.Marshal(jsonFields([]byte(`{"RESPONSE_URL":"https://secret","a":{"b":true,"c":null},"n":12345678901234567890}`)))
	if err != nil || string(text) != `{"a.b":"true","a.c":"null","n":"12345678901234567890"}` {
		t.Errorf("%s, %v", text, err)
	}
}
