package standin

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestMedia(t *testing.T) {
	w := newWorld(t)
	tok := "access_token=" + w.token("app-secret")
	for _, c := range []struct {
		kind string
		data []byte
		code int
	}{
		{"image", png, 0}, {"image", []byte("not a picture"), 40004}, {"voice", amr(60), 0}, {"voice", amr(61), 45007},
		{"file", []byte("12345"), 40006}, {"file", []byte("123456"), 0}, {"poem", []byte("123456"), 40004}, {"image", append([]byte(png), make([]byte, 10<<20)...), 45001},
	} {
		if g := w.upload("media/upload?"+tok+"&type="+c.kind, "f", c.data); g.code() != c.code {
			t.Errorf("%s of %d bytes: %d, want %d", c.kind, len(c.data), g.code(), c.code)
		}
	}
	wantCode(t, w.post("media/upload?"+tok+"&type=file", "{}"), 44001)
	g := w.upload("media/upload?"+tok+"&type=file", "截图 1.txt", []byte("0123456789"))
	id := fmt.Sprint(g["media_id"])
	if _, isText := g["created_at"].(string); !isText {
		t.Error("created_at is a string on the platform")
	}
	req, _ := http.NewRequest("GET", w.url+"/cgi-bin/media/get?"+tok+"&media_id="+id, nil)
	req.Header.Set("Range", "bytes=2-4")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != 206 || string(data) != "234" || !strings.Contains(resp.Header.Get("Content-Disposition"), url.PathEscape("截图 1.txt")) {
		t.Errorf("%d %q %q", resp.StatusCode, data, resp.Header.Get("Content-Disposition"))
	}
	wantCode(t, w.get("media/get?"+tok+"&media_id=unknown"), 40007)
	wantCode(t, w.send(map[string]any{"touser": "zhaoyi", "agentid": testAgent, "msgtype": "image", "image": map[string]any{"media_id": id}}), 40004)
	wantCode(t, w.send(map[string]any{"touser": "zhaoyi", "agentid": testAgent, "msgtype": "file", "file": map[string]any{"media_id": id}}), 0)
	if u := w.upload("media/uploadimg?"+tok, "a.png", png); u.code() != 0 || !strings.HasPrefix(fmt.Sprint(u["url"]), w.url) {
		t.Errorf("uploadimg %v", u)
	}
	w.clock.add(72 * time.Hour)
	wantCode(t, w.get("media/get?access_token="+w.token("app-secret")+"&media_id="+id), 40007)
}

func TestAppChat(t *testing.T) {
	w := newWorld(t)
	api := func(name, secret string, body any) got {
		return w.post("appchat/"+name+"?access_token="+w.token(secret), body)
	}
	chat := func(name, owner, id string, users ...string) any {
		return map[string]any{"name": name, "owner": owner, "chatid": id, "userlist": users}
	}
	wantCode(t, api("create", "app-secret", chat("群", "", "", "zhaoyi")), 86006)
	wantCode(t, api("create", "app-secret", chat(strings.Repeat("群", 51), "", "", "zhaoyi", "qianer")), 86003)
	wantCode(t, api("create", "app-secret", chat("群", "", "a-b", "zhaoyi", "qianer")), 86001)
	wantCode(t, api("create", "app-secret", chat("群", "", "", "zhaoyi", "nobody")), 86216)
	wantCode(t, api("create", "app-secret", chat("群", "sunsan", "", "zhaoyi", "qianer")), 86217)
	wantCode(t, api("create", "other-secret", chat("群", "", "", "zhaoyi", "qianer")), 48002)
	wantCode(t, api("create", "app-secret", chat("群", "zhaoyi", "duty1", "zhaoyi", "qianer")), 0)
	wantCode(t, api("create", "app-secret", chat("群", "zhaoyi", "duty1", "zhaoyi", "qianer")), 86215)
	g := w.get("appchat/get?chatid=duty1&access_token=" + w.token("app-secret"))
	if info, _ := g["chat_info"].(map[string]any); info["owner"] != "zhaoyi" || fmt.Sprint(info["userlist"]) != "[zhaoyi qianer]" {
		t.Errorf("get %v", g)
	}
	send := func(secret, id, kind string, part any) got {
		return api("send", secret, map[string]any{"chatid": id, "msgtype": kind, kind: part})
	}
	text := map[string]any{"content": "大家好"}
	wantCode(t, send("app-secret", "unknown", "text", text), 40050)
	wantCode(t, send("other-secret", "duty1", "text", text), 86008)
	wantCode(t, send("app-secret", "wrGroup1", "text", text), 86008)
	wantCode(t, send("app-secret", "duty1", "template_card", map[string]any{"card_type": "text_notice"}), 40008)
	chats := func() int { return len(w.s.State("qianer").Chats) }
	before := chats()
	wantCode(t, send("app-secret", "duty1", "markdown", text), 0)
	if chats() != before+1 {
		t.Error("the chat shows itself with its first message")
	}
	wantCode(t, api("update", "app-secret", map[string]any{"chatid": "duty1", "add_user_list": []string{"sunsan"}, "del_user_list": []string{"qianer"}}), 0)
	wantCode(t, api("update", "app-secret", map[string]any{"chatid": "duty1", "del_user_list": []string{"sunsan"}}), 86006)
	if e := w.group("duty1", ""); len(e) != 1 || e[0].Text != "大家好" {
		t.Errorf("feed %v", e)
	}
}

func TestAddressList(t *testing.T) {
	w := newWorld(t)
	tok := "access_token=" + w.token("app-secret")
	u := w.get("user/get?userid=sunsan&" + tok)
	if u["name"] != "孙三" || u["main_department"] != 3.0 || u["mobile"] != nil || fmt.Sprint(u["direct_leader"]) != "[zhaoyi]" {
		t.Errorf("user/get %v", u)
	}
	wantCode(t, w.get("user/get?userid=nobody&"+tok), 60111)
	wantCode(t, w.get("user/get?userid=qianer&access_token="+w.token("other-secret")), 60111)
	names := func(g got) string {
		var out []string
		list, _ := g["userlist"].([]any)
		for _, p := range list {
			out = append(out, fmt.Sprint(p.(map[string]any)["userid"]))
		}
		return strings.Join(out, ",")
	}
	if l := names(w.get("user/simplelist?department_id=2&" + tok)); l != "zhaoyi,sunsan" {
		t.Errorf("department 2: %s", l)
	}
	if l := names(w.get("user/simplelist?department_id=2&fetch_child=1&" + tok)); l != "zhaoyi,qianer,sunsan" {
		t.Errorf("department 2 and below: %s", l)
	}
	wantCode(t, w.get("user/simplelist?department_id=99&"+tok), 60003)
	wantCode(t, w.post("user/list_id?"+tok, "{}"), 48002)
	contact := "access_token=" + w.token("contact-secret")
	page := w.post("user/list_id?"+contact, `{"limit":2}`)
	if list, _ := page["dept_user"].([]any); len(list) != 2 || page["next_cursor"] == "" {
		t.Errorf("list_id %v", page)
	}
	wantCode(t, w.post("message/send?"+contact, textTo("zhaoyi", "x")), 48002)
	if g := w.post("user/getuserid?"+tok, `{"mobile":"13800000002"}`); g["userid"] != "qianer" {
		t.Errorf("getuserid %v", g)
	}
	if g := w.post("user/get_userid_by_email?"+tok, `{"email":"zhaoyi@example.com","email_type":1}`); g["userid"] != "zhaoyi" {
		t.Errorf("by email %v", g)
	}
	if g := w.get("department/list?" + tok); len(g["department"].([]any)) != 3 {
		t.Errorf("department/list %v", g)
	}
	if g := w.get("department/simplelist?id=2&" + tok); len(g["department_id"].([]any)) != 2 {
		t.Errorf("department/simplelist %v", g)
	}
	if g := w.get("tag/list?" + tok); len(g["taglist"].([]any)) != 1 {
		t.Errorf("tag/list %v", g)
	}
	g := w.post("batch/openuserid_to_userid?"+tok, `{"open_userid_list":["wo-open-zhaoyi","qianer"]}`)
	wantCode(t, g, 0)
	if fmt.Sprint(g["invalid_open_userid_list"]) != "[qianer]" || !strings.Contains(fmt.Sprint(g["userid_list"]), "userid:zhaoyi") {
		t.Errorf("openuserid %v", g)
	}
	for _, api := range []string{"getcallbackip", "get_api_domain_ip"} {
		if g := w.get(api + "?" + tok); len(g["ip_list"].([]any)) == 0 {
			t.Errorf("%s %v", api, g)
		}
	}
}

func TestOAuth(t *testing.T) {
	w := newWorld(t)
	info := func(code string) got {
		return w.get("auth/getuserinfo?access_token=" + w.token("app-secret") + "&code=" + code)
	}
	wantCode(t, info("unknown"), 40029)
	code := w.s.OAuthCode("qianer", "snsapi_privateinfo")
	g := info(code)
	if g["userid"] != "qianer" || g["user_ticket"] == nil {
		t.Errorf("getuserinfo %v", g)
	}
	wantCode(t, info(code), 40029) // one use
	d := w.post("auth/getuserdetail?access_token="+w.token("app-secret"), map[string]any{"user_ticket": g["user_ticket"]})
	if d["mobile"] != "13800000002" {
		t.Errorf("getuserdetail %v", d)
	}
	if g := info(w.s.OAuthCode("outsider", "snsapi_base")); g["openid"] == nil || g["userid"] != nil {
		t.Errorf("outsider %v", g)
	}
	late := w.s.OAuthCode("qianer", "snsapi_base")
	w.clock.add(5*time.Minute + time.Second)
	wantCode(t, info(late), 42003)
}

func TestJSTickets(t *testing.T) {
	w := newWorld(t)
	tok := "access_token=" + w.token("app-secret")
	corp := w.get("get_jsapi_ticket?" + tok)
	if again := w.get("get_jsapi_ticket?" + tok); corp["ticket"] != again["ticket"] || corp["ticket"] == nil {
		t.Errorf("%v and %v", corp, again)
	}
	wantCode(t, w.get("ticket/get?type=poem&"+tok), 40058)
	for range 100 {
		wantCode(t, w.get("ticket/get?type=agent_config&"+tok), 0)
	}
	wantCode(t, w.get("ticket/get?type=agent_config&"+tok), 45009)
}
