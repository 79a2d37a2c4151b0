package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
)

const hookKey = "693a91f6-7aab-4bc4-97a0-0ec2a1fa5aaa"

func groupsConsole(t *testing.T) *console {
	return startConsole(t, func(o *Options) {
		o.Groups = []GroupInfo{{Name: "from-file", Title: "配置里的群", HasRobot: true}}
		o.Desk.Announce = "announced"
	})
}

func groupValues(change ...string) url.Values {
	f := url.Values{"name": {"ops"}, "title": {"运维群"}, "robot_key": {hookKey}, "owners": {"admin，leader admin"}}
	for i := 0; i < len(change); i += 2 {
		f.Set(change[i], change[i+1])
	}
	return f
}

// want opens a page and looks at the status and the words of the answer.
func (b *browser) want(path string, code int, words ...string) string {
	b.c.t.Helper()
	got, body := b.get(path)
	if got != code {
		b.c.t.Errorf("%s: %d, want %d\n%s", path, got, code, body)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			b.c.t.Errorf("%s: %q is missing in\n%s", path, w, body)
		}
	}
	return body
}

// wantPost posts a form and looks at the status and the words of the answer.
func (b *browser) wantPost(path string, form url.Values, code int, words ...string) string {
	b.c.t.Helper()
	got, body := b.post(path, form)
	if got != code {
		b.c.t.Errorf("%s: %d, want %d\n%s", path, got, code, body)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			b.c.t.Errorf("%s: %q is missing in\n%s", path, w, body)
		}
	}
	if strings.Contains(body, hookKey) {
		b.c.t.Errorf("%s shows the key", path)
	}
	return body
}

func TestGroupIsAddedChangedAndDeleted(t *testing.T) {
	c := groupsConsole(t)
	ctx := context.Background()
	b := c.as(chat.Admin)
	b.wantPost("/groups", groupValues("robot_key", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="+hookKey), http.StatusSeeOther, "/groups")
	if key, err := c.store.RobotKey(ctx, "ops"); key != hookKey || err != nil {
		t.Fatalf("the key is %q, %v", key, err)
	}
	g, err := c.store.FindGroup(ctx, "ops")
	if err != nil || g.Title != "运维群" || fmt.Sprint(g.Owners) != "[admin leader]" {
		t.Errorf("%+v, %v", g, err)
	}
	_, list := b.get("/groups")
	for _, want := range []string{"运维群", "…5aaa", "控制台添加", "配置里的群", "来自配置", `href="/groups/ops/edit"`, `action="/groups/from-file/test"`} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q", want)
		}
	}
	if strings.Contains(list, "/groups/from-file/edit") || strings.Contains(list, hookKey) {
		t.Error("the list offers to change what the file says, or shows a key")
	}
	// The name stays, an empty key leaves the robot alone.
	b.wantPost("/groups/ops", groupValues("name", "other", "title", "运维一群", "robot_key", "", "version", "1"), http.StatusSeeOther)
	if key, _ := c.store.RobotKey(ctx, "ops"); key != hookKey {
		t.Errorf("the key is now %q", key)
	}
	b.wantPost("/groups/ops", groupValues("robot_key", "a-new-key-9876", "version", "2"), http.StatusSeeOther)
	if key, _ := c.store.RobotKey(ctx, "ops"); key != "a-new-key-9876" {
		t.Errorf("the key is now %q", key)
	}
	if _, edit := b.get("/groups/ops/edit"); !strings.Contains(edit, "以 9876 结尾") || strings.Contains(edit, "a-new-key-9876") {
		t.Errorf("the form:\n%s", edit)
	}
	// A group with waiting words stays.
	b.wantPost("/groups/ops/test", nil, http.StatusSeeOther)
	b.wantPost("/groups/ops/delete", url.Values{"version": {"3"}}, http.StatusConflict, "排队")
	lead(t, c.store)
	list1, err := c.store.Claim(ctx, 5)
	if err != nil || len(list1) != 1 || list1[0].To.ID != "ops" {
		t.Fatalf("%+v, %v", list1, err)
	}
	if err := c.store.Never(ctx, list1[0], errors.New("enough")); err != nil {
		t.Fatal(err)
	}
	b.wantPost("/groups/ops/delete", url.Values{"version": {"2"}}, http.StatusConflict)
	b.wantPost("/groups/ops/delete", url.Values{"version": {"3"}}, http.StatusSeeOther)
	if _, err := c.store.FindGroup(ctx, "ops"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after deleting: %v", err)
	}
	log, err := c.store.ListAudit(ctx, store.AuditQuery{Action: "group.", N: 50})
	if err != nil || len(log) != 5 {
		t.Errorf("%d lines in the log, %v", len(log), err)
	}
	for _, l := range log {
		if strings.Contains(l.Detail, hookKey) || l.Actor != "admin" {
			t.Errorf("the log has %+v", l)
		}
	}
}

func lead(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Lead(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Each fault stands beside its field, what was typed stays, nothing is stored.
func TestGroupFaults(t *testing.T) {
	c := groupsConsole(t)
	b := c.as(chat.Admin)
	for _, x := range []struct{ field, value, says string }{
		{"name", "", "小写字母"}, {"name", "A B", "小写字母"}, {"name", "-x", "小写字母"}, {"name", strings.Repeat("a", 65), "小写字母"}, {"name", "../x", "小写字母"},
		{"name", "from-file", "配置文件里已有"},
		{"title", "", "大家认得的群名"}, {"title", strings.Repeat("群", 41), "最多 40"}, {"title", "a\u202eb", "看不见"}, {"title", "a\x00b", "看不见"}, {"title", "a\xffb", "看不见"},
		{"robot_key", "", "只用智能机器人"}, {"robot_key", "short", "不像"}, {"robot_key", "有汉字的一个钥匙", "不像"}, {"robot_key", "https://evil.example/?key=" + hookKey, "不像"},
		{"robot_key", "https://oapi.dingtalk.com/robot/send?access_token=1234567890", "不像"}, {"robot_key", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send", "不像"},
		{"chat_id", "有 空格", "字母和数字"}, {"chat_id", strings.Repeat("x", 129), "字母和数字"},
		{"owners", "nobody", "没有账号是「nobody」"}, {"owners", strings.Repeat("x", 900), "没有账号"},
	} {
		body := b.wantPost("/groups", groupValues(x.field, x.value), http.StatusUnprocessableEntity, x.says, `aria-invalid="true"`)
		if i, j := strings.Index(body, `id="`+x.field+`-note"`), strings.Index(body, x.says); i < 0 || j < i || j-i > 200 {
			t.Errorf("%s %q: the fault does not stand beside its field", x.field, x.value)
		}
		if x.field != "title" && !strings.Contains(body, `value="运维群"`) {
			t.Errorf("%s %q: what was typed is gone", x.field, x.value)
		}
	}
	if all, _ := c.store.ListGroups(context.Background()); len(all) != 0 {
		t.Errorf("stored %+v", all)
	}
	b.wantPost("/groups", groupValues("robot_key", "", "chat_id", "wrAbc_1"), http.StatusSeeOther)
	b.wantPost("/groups", groupValues(), http.StatusUnprocessableEntity, "已经有叫 ops 的群", "再粘贴一次")
	b.wantPost("/groups/ops/test", nil, http.StatusNotFound) // it has no robot
	b.wantPost("/groups/ops", groupValues(), http.StatusUnprocessableEntity)
	b.wantPost("/groups/from-file", groupValues("version", "1"), http.StatusNotFound)
	b.wantPost("/groups/from-file/delete", url.Values{"version": {"1"}}, http.StatusNotFound)
	b.wantPost("/groups/from-file/test", nil, http.StatusSeeOther)
}

// Who was slower sees what is there now beside what they typed, and may then decide.
func TestGroupChangedMeanwhile(t *testing.T) {
	c := groupsConsole(t)
	b := c.as(chat.Admin)
	b.wantPost("/groups", groupValues(), http.StatusSeeOther)
	b.wantPost("/groups/ops", groupValues("title", "甲改的", "robot_key", "", "version", "1"), http.StatusSeeOther)
	body := b.wantPost("/groups/ops", groupValues("title", "乙改的", "robot_key", "key-of-the-slower", "version", "1"), http.StatusConflict,
		`value="乙改的"`, "现在是：甲改的", `name="version" value="2"`, "刚被别人改过", "再粘贴一次")
	if strings.Contains(body, "key-of-the-slower") {
		t.Error("the typed key came back")
	}
	b.wantPost("/groups/ops", groupValues("title", "乙改的", "robot_key", "", "version", "2"), http.StatusSeeOther)
	if g, err := c.store.FindGroup(context.Background(), "ops"); err != nil || g.Title != "乙改的" || g.Version != 3 {
		t.Errorf("%+v, %v", g, err)
	}
}

// The group of the announcements is not deleted under them.
func TestAnnouncedGroupStays(t *testing.T) {
	c := groupsConsole(t)
	b := c.as(chat.Admin)
	b.wantPost("/groups", groupValues("name", "announced"), http.StatusSeeOther)
	if _, list := b.get("/groups"); !strings.Contains(list, "播报新工单") {
		t.Error("the list does not say where new tickets are told")
	}
	if _, edit := b.get("/groups/announced/edit"); strings.Contains(edit, "/groups/announced/delete") || !strings.Contains(edit, "tickets.group") {
		t.Error("the form offers to delete it")
	}
	b.wantPost("/groups/announced/delete", url.Values{"version": {"1"}}, http.StatusConflict, "tickets.group")
}

func TestGroupTextIsText(t *testing.T) {
	c := groupsConsole(t)
	b := c.as(chat.Admin)
	evil := `<script>alert(1)</script>"'>`
	b.wantPost("/groups", groupValues("title", evil), http.StatusSeeOther)
	pages := map[string]string{
		"a fault": b.wantPost("/groups", groupValues("name", evil, "title", evil, "chat_id", evil, "owners", evil), http.StatusUnprocessableEntity),
		"a clash": b.wantPost("/groups/ops", groupValues("title", evil+"2", "version", "9"), http.StatusConflict),
	}
	for _, path := range []string{"/groups", "/groups/ops/edit"} {
		_, pages[path] = b.get(path)
	}
	for name, body := range pages {
		if strings.Contains(body, "<script>alert") || strings.Contains(body, `"'>`) || !strings.Contains(body, "&lt;script&gt;") {
			t.Errorf("%s lets foreign text be markup", name)
		}
	}
}

// addressList is the platform's, with everybody or an error.
type addressList struct {
	all  []store.Listed
	fail error
}

func (addressList) Person(context.Context, string) (string, string, error) { return "", "", nil }
func (addressList) PlainUserIDs(context.Context, []string) (map[string]string, error) {
	return nil, nil
}
func (l *addressList) Everybody(context.Context) ([]store.Listed, error) { return l.all, l.fail }

func TestSyncMembers(t *testing.T) {
	list := &addressList{}
	c := startConsole(t, nil)
	b := c.as(chat.Admin)
	b.wantPost("/users/sync", nil, http.StatusConflict, "没有设置企业微信应用")
	c.web.opt.Desk.Directory = list
	b.wantPost("/users/sync", nil, http.StatusConflict, "不到现有同事的一半")
	list.fail = errors.New("errcode 60020 secret-address")
	if body := b.wantPost("/users/sync", nil, http.StatusBadGateway, "设置与体检"); strings.Contains(body, "60020") {
		t.Error("an inner text is shown")
	}
	list.fail = nil
	for _, r := range chat.Roles {
		if r != chat.Tester {
			list.all = append(list.all, store.Listed{ID: string(r), Name: "某" + r.Title(), Department: "示例部门"})
		}
	}
	list.all = append(list.all, store.Listed{ID: "newcomer", Name: "新人"})
	list.all[0].Department = "别的部门"
	b.wantPost("/users/sync", nil, http.StatusSeeOther, "/users")
	if _, body := b.get("/users"); !strings.Contains(body, "新增 1 人，更新 1 人，离开 1 人，恢复 0 人") || !strings.Contains(body, "newcomer") {
		t.Errorf("the page says\n%s", body)
	}
}
