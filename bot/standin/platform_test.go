package standin

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestGetToken(t *testing.T) {
	w := newWorld(t)
	first := w.token("app-secret")
	if again := w.token("app-secret"); again != first {
		t.Error("a second call inside the life gives another token")
	}
	if other := w.token("other-secret"); other == first {
		t.Error("two apps share a token")
	}
	g := w.get("gettoken?corpid=" + testCorp + "&corpsecret=app-secret")
	if g["expires_in"] != 7200.0 {
		t.Errorf("expires_in %v", g["expires_in"])
	}
	wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=nonsense"), 40001)
	wantCode(t, w.get("gettoken?corpid=wwother&corpsecret=app-secret"), 40013)

	body := textTo("zhaoyi", "你好")
	wantCode(t, w.post("message/send", body), 41001)
	wantCode(t, w.post("message/send?access_token=nonsense", body), 40014)
	wantCode(t, w.post("message/send?access_token="+w.token("other-secret"), body), 301002)
	w.clock.add(7199 * time.Second)
	wantCode(t, w.post("message/send?access_token="+first, body), 0)
	w.clock.add(time.Second)
	wantCode(t, w.post("message/send?access_token="+first, body), 42001)
	second := w.token("app-secret")
	if second == first {
		t.Error("an expired token is given again")
	}
	w.s.RevokeTokens(testAgent)
	wantCode(t, w.post("message/send?access_token="+second, body), 40014)
	wantCode(t, w.send(body), 0)
}

func TestTokenThrottle(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.TokenFailures = 3 })
	for range 3 {
		wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=no"), 40001)
	}
	wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=app-secret"), 45009)
	w.clock.add(time.Hour)
	wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=app-secret"), 0)
}

func TestSendRefusals(t *testing.T) {
	w := newWorld(t)
	users := strings.Repeat("u|", 1000) + "u"
	with := func(change string, v any) map[string]any {
		m := textTo("zhaoyi", "x")
		if v == nil {
			delete(m, change)
		} else {
			m[change] = v
		}
		return m
	}
	kind := func(msgtype string, part any) map[string]any {
		return map[string]any{"touser": "zhaoyi", "agentid": testAgent, "msgtype": msgtype, msgtype: part}
	}
	md := func(n int) any { return map[string]any{"content": strings.Repeat("a", n)} }
	articles := func(n int) any {
		list := make([]any, n)
		for i := range list {
			list[i] = map[string]any{"title": "标题", "url": "https://example.com"}
		}
		return map[string]any{"articles": list}
	}
	for _, c := range []struct {
		name string
		body any
		code int
	}{
		{"text", textTo("zhaoyi", "x"), 0},
		{"agentid as a string", with("agentid", "1000002"), 0},
		{"safe as a string", with("safe", "0"), 0},
		{"unknown field", with("surprise", true), 0},
		{"everybody", with("touser", "@all"), 0},
		{"party", map[string]any{"toparty": "2", "agentid": testAgent, "msgtype": "text", "text": md(3)}, 0},
		{"tag", map[string]any{"totag": "9", "agentid": testAgent, "msgtype": "text", "text": md(3)}, 0},
		{"not JSON", `{"touser":`, 47001},
		{"a list", `[]`, 47001},
		{"not UTF-8", "{\"touser\":\"\xff\"}", 47001},
		{"agentid missing", with("agentid", nil), 41011},
		{"agentid unknown", with("agentid", 7), 40056},
		{"agentid no number", with("agentid", "x"), 40056},
		{"another app's agentid", with("agentid", otherAgent), 301002},
		{"touser a number", with("touser", 5), 40058},
		{"touser a list", with("touser", []string{"zhaoyi"}), 40058},
		{"nobody", with("touser", nil), 82001},
		{"all bad", with("touser", "nobody|lisi"), 81013},
		{"1001 users", with("touser", users), 40032},
		{"msgtype missing", with("msgtype", nil), 40008},
		{"msgtype unknown", kind("carrier_pigeon", md(1)), 40008},
		{"markdown_v2 is the robot's", kind("markdown_v2", md(1)), 40008},
		{"part missing", with("text", nil), 40058},
		{"part of a wrong type", with("text", "x"), 40058},
		{"content of a wrong type", with("text", map[string]any{"content": 5}), 40058},
		{"name in another case", map[string]any{"ToUser": "zhaoyi", "agentid": testAgent, "msgtype": "text", "text": md(1)}, 82001},
		{"empty text", with("text", map[string]any{"content": ""}), 44004},
		{"markdown 2048", kind("markdown", md(2048)), 0},
		{"markdown 2049", kind("markdown", md(2049)), 40058},
		{"empty markdown", kind("markdown", md(0)), 44004},
		{"picture without id", kind("image", map[string]any{}), 44001},
		{"picture unknown", kind("image", map[string]any{"media_id": "x"}), 40007},
		{"textcard", kind("textcard", map[string]any{"title": "t", "description": "d", "url": "https://e.com"}), 0},
		{"textcard without url", kind("textcard", map[string]any{"title": "t", "description": "d"}), 40058},
		{"textcard url 2049", kind("textcard", map[string]any{"title": "t", "description": "d", "url": strings.Repeat("u", 2049)}), 40058},
		{"news", kind("news", articles(8)), 0},
		{"news 0", kind("news", articles(0)), 45008},
		{"news 9", kind("news", articles(9)), 45008},
		{"miniprogram title short", kind("miniprogram_notice", map[string]any{"appid": "wx", "title": "abc"}), 40058},
		{"miniprogram", kind("miniprogram_notice", map[string]any{"appid": "wx", "title": "abcd"}), 0},
		{"interval too long", map[string]any{"touser": "zhaoyi", "agentid": testAgent, "msgtype": "text", "text": md(1), "enable_duplicate_check": 1, "duplicate_check_interval": 14401}, 40058},
	} {
		g := w.send(c.body)
		if g.code() != c.code {
			t.Errorf("%s: errcode %d, want %d: %v", c.name, g.code(), c.code, g["errmsg"])
		}
	}
	wantCode(t, w.get("message/send?access_token="+w.token("app-secret")), 43002)
}

func TestPartialFailure(t *testing.T) {
	w := newWorld(t)
	body := textTo("zhaoyi|nobody|lisi|qianer", "x")
	body["toparty"], body["totag"] = "77", "9|88"
	g := w.send(body)
	wantCode(t, g, 0)
	if g["invaliduser"] != "nobody|lisi" || g["invalidparty"] != "77" || g["invalidtag"] != "88" || g["msgid"] == "" {
		t.Errorf("answer %v", g)
	}
	for _, u := range []string{"zhaoyi", "qianer", "sunsan"} {
		if n := len(w.feed(u)); n != 1 {
			t.Errorf("%s sees %d messages", u, n)
		}
	}
	last := w.s.Ledger("message/send", 0).Entries[0]
	if fmt.Sprint(last.Delivered, last.Invalid) != "[zhaoyi qianer sunsan] [nobody lisi]" {
		t.Errorf("ledger %+v", last)
	}
}

func TestTextIsCutSilently(t *testing.T) {
	w := newWorld(t)
	wantCode(t, w.send(textTo("zhaoyi", strings.Repeat("一", 700))), 0) // 2100 bytes
	e := w.feed("zhaoyi")[0]
	if len(e.Text) != 2046 || !e.Cut || strings.Trim(e.Text, "一") != "" {
		t.Errorf("%d bytes, cut %v: the border must be a character's", len(e.Text), e.Cut)
	}
}

func TestDuplicateCheck(t *testing.T) {
	w := newWorld(t)
	body := textTo("zhaoyi", "告警")
	body["enable_duplicate_check"] = 1
	body["duplicate_check_interval"] = 600
	first := w.send(body)
	wantCode(t, first, 0)
	again := w.send(body)
	wantCode(t, again, 0)
	if n := len(w.feed("zhaoyi")); n != 1 || again["msgid"] != first["msgid"] {
		t.Errorf("%d messages, msgid %v and %v", n, first["msgid"], again["msgid"])
	}
	body["text"] = map[string]any{"content": "告警。"}
	wantCode(t, w.send(body), 0)
	w.clock.add(10 * time.Minute)
	body["text"] = map[string]any{"content": "告警"}
	wantCode(t, w.send(body), 0)
	if n := len(w.feed("zhaoyi")); n != 3 {
		t.Errorf("%d messages, want 3: other bytes, and after the interval", n)
	}
	if c := w.s.Counters(); c.Duplicates != 1 {
		t.Errorf("duplicates %d", c.Duplicates)
	}
}

func TestMemberFrequencyDropsSilently(t *testing.T) {
	w := newWorld(t)
	for i := range 31 {
		wantCode(t, w.send(textTo("zhaoyi|qianer", fmt.Sprint(i))), 0)
		w.clock.add(time.Second)
	}
	if n := len(w.feed("zhaoyi")); n != 30 {
		t.Errorf("%d messages in a minute", n)
	}
	w.clock.add(29 * time.Second) // the first is now 60 s old
	wantCode(t, w.send(textTo("zhaoyi", "later")), 0)
	if n := len(w.feed("zhaoyi")); n != 31 {
		t.Errorf("%d messages after the window moved on", n)
	}
	if c := w.s.Counters(); c.DroppedSilent != 2 {
		t.Errorf("dropped %d", c.DroppedSilent)
	}
	hour := newWorld(t, func(o *Options) { o.Limits.MemberMinute, o.Limits.MemberHour = -1, 50 })
	for i := range 60 {
		wantCode(t, hour.send(textTo("zhaoyi", fmt.Sprint(i))), 0)
	}
	if n := len(hour.feed("zhaoyi")); n != 50 {
		t.Errorf("%d messages in an hour", n)
	}
}

func TestCompanyFrequency(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.CorpMinute = 5 })
	for range 5 {
		wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=app-secret"), 0)
	}
	wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=app-secret"), 45009)
	w.clock.add(59 * time.Second) // closed for a minute
	wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=app-secret"), 45009)
	w.clock.add(2 * time.Second)
	wantCode(t, w.get("gettoken?corpid="+testCorp+"&corpsecret=app-secret"), 0)
	day := newWorld(t, func(o *Options) { o.Limits.AppDay = 3 })
	wantCode(t, day.send(textTo("@all", "x")), 0)
	wantCode(t, day.send(textTo("zhaoyi", "x")), 45009)
	day.clock.add(24 * time.Hour)
	wantCode(t, day.send(textTo("zhaoyi", "x")), 0)
}

func TestRecall(t *testing.T) {
	w := newWorld(t)
	id := w.send(textTo("zhaoyi|qianer", "x"))["msgid"]
	recall := func(id any, secret string) got {
		return w.post("message/recall?access_token="+w.token(secret), map[string]any{"msgid": id})
	}
	wantCode(t, recall("unknown", "app-secret"), 40058)
	wantCode(t, recall(id, "other-secret"), 40058)
	wantCode(t, recall(id, "app-secret"), 0)
	if e := w.feed("zhaoyi")[0]; !e.Recalled || e.Text != "" {
		t.Errorf("still there: %+v", e)
	}
	late := w.send(textTo("zhaoyi", "y"))["msgid"]
	w.clock.add(24*time.Hour + time.Second)
	wantCode(t, recall(late, "app-secret"), 40058)
}
