package standin

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/util"
	"github.com/silenceper/wechat/v2/work"
	"github.com/silenceper/wechat/v2/work/addresslist"
	"github.com/silenceper/wechat/v2/work/config"
	"github.com/silenceper/wechat/v2/work/message"
	groupbot "github.com/silenceper/wechat/v2/work/robot"
)

// redirect sends what the outside library sends to the platform to the stand-in
// of the running test. The library's client is process-wide, so it is set once.
type redirect struct {
	mu     sync.Mutex
	target string
}

func (d *redirect) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	target := d.target
	d.mu.Unlock()
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", strings.TrimPrefix(target, "http://")
	r.Host = ""
	return http.DefaultTransport.RoundTrip(r)
}

var outside = &redirect{}

func TestMain(m *testing.M) {
	util.DefaultHTTPClient = &http.Client{Transport: outside, Timeout: 10 * time.Second}
	os.Exit(m.Run())
}

// mapCache is the library's token cache, with a lock.
type mapCache struct{ sync.Map }

func (c *mapCache) Get(key string) interface{} { v, _ := c.Load(key); return v }
func (c *mapCache) Set(key string, v interface{}, _ time.Duration) error {
	c.Store(key, v)
	return nil
}
func (c *mapCache) IsExist(key string) bool { _, ok := c.Load(key); return ok }
func (c *mapCache) Delete(key string) error { c.Map.Delete(key); return nil }

// TestOutsideLibrary drives the stand-in with silenceper/wechat, which was
// written against the real platform.
func TestOutsideLibrary(t *testing.T) {
	w := newWorld(t)
	outside.mu.Lock()
	outside.target = w.url
	outside.mu.Unlock()
	client := func(secret, agent string) *work.Work {
		return work.NewWork(&config.Config{CorpID: testCorp, CorpSecret: secret, AgentID: agent, Cache: &mapCache{}})
	}
	wk := client("app-secret", "1000002")
	t.Run("message", func(t *testing.T) { outsideMessages(t, w, wk) })
	t.Run("robot", func(t *testing.T) { outsideRobot(t, w, wk) })
	t.Run("address list", func(t *testing.T) { outsideAddresses(t, wk, client("contact-secret", "0")) })
	t.Run("material", func(t *testing.T) { outsideMaterial(t, wk) })
	t.Run("login", func(t *testing.T) {
		u, err := wk.GetOauth().GetUserInfo(w.s.OAuthCode("qianer", "snsapi_base"))
		if err != nil || u.UserID != "qianer" {
			t.Errorf("%+v %v", u, err)
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		_, err := client("nonsense", "1000002").GetMessage().SendText(message.SendTextRequest{SendRequestCommon: &message.SendRequestCommon{}})
		if err == nil || !strings.Contains(err.Error(), "40001") {
			t.Errorf("%v", err)
		}
	})
}

func outsideMessages(t *testing.T, w *world, wk *work.Work) {
	m := wk.GetMessage()
	common := func(kind string) *message.SendRequestCommon {
		return &message.SendRequestCommon{ToUser: "zhaoyi|nobody", MsgType: kind, AgentID: "1000002"}
	}
	res, err := m.SendText(message.SendTextRequest{SendRequestCommon: common("text"), Text: message.TextField{Content: "a < b & c"}})
	if err != nil || res.MsgID == "" || res.InvalidUser != "nobody" {
		t.Fatalf("%+v %v", res, err)
	}
	type markdown struct {
		*message.SendRequestCommon
		Markdown message.TextField `json:"markdown"`
	}
	if _, err := m.Send("MessageSendMarkdown", markdown{common("markdown"), message.TextField{Content: "**粗**"}}); err != nil {
		t.Error(err)
	}
	type card struct {
		*message.SendRequestCommon
		Card object `json:"template_card"`
	}
	res, err = m.Send("MessageSendCard", card{common("template_card"), buttonCard("lib-1")})
	if err != nil || res.ResponseCode == "" {
		t.Errorf("card %+v %v", res, err)
	}
	if _, err := m.Send("MessageSendCard", card{common("template_card"), buttonCard("lib-1")}); err == nil || !strings.Contains(err.Error(), "40058") {
		t.Errorf("a task_id used twice: %v", err)
	}
	e := w.feed("zhaoyi")
	if len(e) != 3 || e[0].Text != "a < b & c" || e[1].MsgType != "markdown" || e[2].Card.TaskID != "lib-1" {
		t.Errorf("zhaoyi sees %+v", e)
	}
}

func outsideRobot(t *testing.T, w *world, wk *work.Work) {
	info, err := wk.GetRobot().RobotBroadcast(robotKey, groupbot.WebhookSendTextOption{MsgType: "text", Text: struct {
		Content             string   `json:"content"`
		MentionedList       []string `json:"mentioned_list"`
		MentionedMobileList []string `json:"mentioned_mobile_list"`
	}{Content: "告警", MentionedList: []string{"@all"}}})
	if err != nil || info.ErrCode != 0 {
		t.Errorf("%+v %v", info, err)
	}
	info, err = wk.GetRobot().RobotBroadcast("wrong", object{"msgtype": "text", "text": object{"content": "x"}})
	if err != nil || info.ErrCode != 93000 {
		t.Errorf("a wrong key: %+v %v", info, err)
	}
	if e := w.group("wrGroup1", ""); len(e) != 1 || e[0].Text != "告警" || e[0].From.Name != "告警机器人" {
		t.Errorf("the group sees %+v", e)
	}
}

func outsideAddresses(t *testing.T, wk, contact *work.Work) {
	a := wk.GetAddressList()
	if u, err := a.UserGet("sunsan"); err != nil || u.Name != "孙三" || u.MainDepartment != 3 || u.Mobile != "" {
		t.Errorf("%+v %v", u, err)
	}
	if l, err := a.UserSimpleList(3); err != nil || len(l) != 2 {
		t.Errorf("%+v %v", l, err)
	}
	if l, err := a.DepartmentSimpleList(1); err != nil || len(l) != 3 {
		t.Errorf("%+v %v", l, err)
	}
	if l, err := a.DepartmentList(); err != nil || len(l) != 3 || l[1].DepartmentLeader[0] != "zhaoyi" {
		t.Errorf("%+v %v", l, err)
	}
	if r, err := a.GetUserid(&addresslist.GetUseridRequest{Mobile: "13800000001"}); err != nil || r.Userid != "zhaoyi" {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := a.UserListID(&addresslist.UserListIDRequest{Limit: 10}); err == nil {
		t.Error("an app may call user/list_id")
	}
	if r, err := contact.GetAddressList().UserListID(&addresslist.UserListIDRequest{Limit: 10}); err != nil || len(r.DeptUser) != 5 {
		t.Errorf("%+v %v", r, err)
	}
}

func outsideMaterial(t *testing.T, wk *work.Work) {
	file := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(file, []byte("hello world"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := wk.GetMaterial()
	up, err := m.UploadTempFile(file, "file")
	if err != nil || up.MediaID == "" || up.CreateAt == "" {
		t.Fatalf("%+v %v", up, err)
	}
	data, err := m.GetTempFile(up.MediaID)
	if err != nil || string(data) != "hello world" {
		t.Errorf("%q %v", data, err)
	}
	if _, err := m.UploadImgFromReader("a.png", strings.NewReader(string(png))); err != nil {
		t.Error(err)
	}
}
