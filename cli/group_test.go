package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontline/bot/standin"
	"frontline/config"
	"frontline/store"
)

// desktop is an administrator's browser without scripts.
type desktop struct {
	t    *testing.T
	base string
	http *http.Client
	csrf string
}

func (r *running) desktop(t *testing.T, user string) *desktop {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &desktop{t: t, base: r.where.URL, http: &http.Client{Jar: jar}}
	page := d.post("/login/demo", url.Values{"user": {user}})
	m := regexp.MustCompile(`name="csrf" content="([^"]+)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("%s is not signed in:\n%s", user, page)
	}
	d.csrf = m[1]
	return d
}

// post sends a form and returns the page that it leads to.
func (d *desktop) post(path string, form url.Values) string {
	d.t.Helper()
	form.Set("csrf", d.csrf)
	resp, err := d.http.PostForm(d.base+path, form)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %d\n%s", path, resp.StatusCode, body)
	}
	return string(body)
}

// hears waits until somebody heard something so many times, in a group or,
// without one, from the app. It does not wait for words that have to wait.
func (r *running) hears(t *testing.T, user, group, text string, times int) (heard string) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		heard = ""
		for _, e := range r.standin.Feed(context.Background(), standin.FeedQuery{User: user, Group: group}).Entries {
			heard += strings.Join(entryLines(e), "\n") + "\n"
		}
		if strings.Count(heard, text) >= times {
			return heard
		}
	}
	t.Errorf("%q was not heard %d times in\n%s", text, times, heard)
	return heard
}

// A group that is added in the console speaks at once, and so does its next
// robot when the key is changed.
func TestGroupAddedInTheConsole(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	chatID := demoGroups[0].chat
	const first, second = "693a91f6-7aab-4bc4-97a0-0ec2a1fa5aaa", "0b1f6d1e-24c8-4d09-a9a5-6a0f3d1c9bbb"
	r.standin.AddRobot(standin.Robot{Key: first, Name: "新机器人", Group: chatID})
	d := r.desktop(t, "zhoulan")
	page := d.post("/groups", url.Values{"name": {"night-shift"}, "title": {"夜班群"}, "owners": {"zhoulan"}, "robot_key": {r.where.Platform + "/cgi-bin/webhook/send?key=" + first}})
	if !strings.Contains(page, "夜班群") || !strings.Contains(page, "…5aaa") || strings.Contains(page, first) {
		t.Errorf("the page says\n%s", page)
	}
	d.post("/groups/night-shift/test", url.Values{})
	r.hears(t, "guyuan", chatID, "测试消息", 1)

	r.standin.RemoveRobot(first)
	d.post("/groups/night-shift/test", url.Values{})
	if told := r.hears(t, "zhoulan", "", "群「夜班群」的机器人发不出消息", 1); strings.Contains(told, first) {
		t.Errorf("the owner was told %q", told)
	}
	r.standin.AddRobot(standin.Robot{Key: second, Name: "再一个", Group: chatID})
	d.post("/groups/night-shift", url.Values{"title": {"夜班群"}, "owners": {"zhoulan"}, "robot_key": {second}, "version": {"1"}})
	r.hears(t, "guyuan", chatID, "测试消息", 2) // the one that waited, without waiting on
	if page := d.post("/users/sync", url.Values{}); !strings.Contains(page, "通讯录已同步") {
		t.Errorf("the address list:\n%s", page)
	}
}

// New tickets may be told in a group of the console.
func TestAnnouncementsGoToAConsoleGroup(t *testing.T) {
	r := startTestDemo(t, t.TempDir())
	chatID := demoGroups[0].chat
	r.standin.AddRobot(standin.Robot{Key: "another-key-1234", Name: "新机器人", Group: chatID})
	d := r.desktop(t, "zhoulan")
	d.post("/groups", url.Values{"name": {"night-shift"}, "title": {"夜班群"}, "robot_key": {"another-key-1234"}})
	r.engine.worker.Desk.Announce = "night-shift"
	r.as(t, "linxiaowen").say("报障 行情不刷新")
	r.hears(t, "guyuan", chatID, "新工单 T1", 1)
}

// One name in the file and in the console stops the start, and is named.
func TestGroupInBothPlaces(t *testing.T) {
	dir := t.TempDir()
	r := startTestDemo(t, dir)
	put := func(s *store.Store, name string) {
		t.Helper()
		err := s.InTx(context.Background(), func(tx *store.Tx) error {
			return tx.PutGroup("test", store.Group{Name: name, Title: "重名"}, "another-key-1234")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(r.engine.store, demoGroups[0].name)
	r.stop()
	_, err := startDemo(context.Background(), Env{Stdout: io.Discard, Stderr: io.Discard}, demoOptions{dir: dir, listen: "127.0.0.1:0"})
	var faults config.Faults
	if !errors.As(err, &faults) || len(faults) != 1 || !strings.Contains(faults[0], `"`+demoGroups[0].name+`"`) {
		t.Errorf("the demo starts: %v", err)
	}

	dir = t.TempDir()
	writeTestFile(t, filepath.Join(dir, "frontline.yaml"), "listen: 127.0.0.1:0\nwecom:\n  corp_id: ww1\n  app: {agent_id: 7, secret: topsecret}\ngroups:\n  - name: support\n    robot_key: topsecret-key\ntickets:\n  group: elsewhere\n")
	if code, out, errText := run(t, dir, nil, "config", "check"); code != 0 || !strings.Contains(errText, `no group "elsewhere"`) {
		t.Errorf("config check: %d %s%s", code, out, errText)
	}
	t.Chdir(dir)
	s, _, err := Env{Stderr: io.Discard}.openStore(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	put(s, "support")
	put(s, "elsewhere")
	s.Close()
	code, out, errText := run(t, dir, nil, "serve")
	if code != 2 || !strings.Contains(errText, `"support"`) || strings.Contains(out+errText, "topsecret") {
		t.Errorf("serve: %d %s%s", code, out, errText)
	}
	code, out, _ = run(t, dir, nil, "doctor")
	if code != 1 || !strings.Contains(out, "不能同名") || strings.Contains(out, "elsewhere") {
		t.Errorf("doctor: %d %s", code, out)
	}
}

// addGroup fills in the form as somebody does, and returns the page of the new group.
func (b *tab) addGroup() string {
	b.t.Helper()
	b.open("/groups/new")
	look[bool](b, `(() => {
		for (const [id, value] of Object.entries({name: "from-browser", title: "浏览器群", robot_key: "a-key-of-the-browser", owners: "zhoulan"})) document.getElementById(id).value = value
		document.querySelector('form[action="/groups"]').requestSubmit()
		return true
	})()`)
	b.until(`location.pathname === "/groups" && document.body.innerText.includes("浏览器群")`)
	return "/groups/from-browser/edit"
}
