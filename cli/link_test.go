package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"frontline/bot"
	"frontline/bot/standin"
)

// With the long connection the whole desk works without a callback of the bot:
// pictures with a key of their own, a restart, metrics, the doctor.
func TestLongConnectionWhole(t *testing.T) {
	opt := demoOptions{dir: t.TempDir(), long: true}
	r := startTestDemoWith(t, opt)
	a := r.as(t, "linxiaowen").bot()
	if got := a.say("报障 客户林一登录后行情不刷新"); !strings.Contains(got, "T1") {
		t.Fatalf("heard %s", got)
	}
	got, err := r.standin.Say(context.Background(), standin.SayRequest{User: a.user, To: a.place, Wait: true, File: &standin.File{Kind: "image", Name: "a.png", Data: pngBytes(t)}})
	if err != nil {
		t.Fatal(err)
	}
	a.arrived(got)
	if heard := a.listen(); strings.Contains(heard, "没有取到") || heard == "" {
		t.Errorf("the picture: %s", heard)
	}
	body := metricsOf(t, r)
	for _, want := range []string{"frontline_link_up 1", "frontline_link_owner 1", "frontline_link_connects_total 1", `frontline_callback_seconds_count{result="accepted",via="bot"} 2`, `api="aibot_respond_msg",code="0"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	found := ""
	for _, f := range r.engine.doctor(context.Background(), "zh") {
		if f.Check == "长连接" {
			found = f.State + " " + f.Found
		}
	}
	if !strings.HasPrefix(found, "ok 已连上") {
		t.Errorf("the doctor says %q", found)
	}
	for _, f := range checkLink(context.Background(), r.engine.cfg, "zh") {
		if f.State != "ok" {
			t.Errorf("from outside: %+v", f)
		}
	}
	if s := r.standin.Counters(); s.LiveKicked != 0 || s.LiveConnects != 1 {
		t.Errorf("the doctor threw the program out: %+v", s)
	}
	r.stop()
	r = startTestDemoWith(t, opt)
	b := r.as(t, "linxiaowen").bot()
	if got := b.say("查 1"); !strings.Contains(got, "T1") {
		t.Errorf("after a restart: %s", got)
	}
}

func metricsOf(t *testing.T, r *running) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+r.listener.Addr().String()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, resp.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDoctorOnTheLongConnection(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		s           bot.LinkState
		state, want string
	}{
		{bot.LinkState{Mine: true, Up: true, Since: now.Add(-time.Minute)}, "ok", "1m0s"},
		{bot.LinkState{}, "ok", "另一个进程"},
		{bot.LinkState{Mine: true}, "warn", "正在连接"},
		{bot.LinkState{Mine: true, Kicked: true, Problem: errors.New("x")}, "fail", "顶掉"},
		{bot.LinkState{Mine: true, Problem: &bot.APIError{API: "aibot_subscribe", Code: 853000}}, "fail", "853000"},
		{bot.LinkState{Mine: true, Problem: errors.New("connect: refused")}, "fail", "refused"},
	} {
		f := linkFinding(c.s, now, "zh")
		if f.State != c.state || !strings.Contains(f.Found, c.want) || c.state == "fail" && f.Advice == "" {
			t.Errorf("%+v: %+v", c.s, f)
		}
	}
}

// An alert comes into a group that has the smart bot with buttons; who presses
// one sees the card as it is then, and everybody can type the same.
func TestAlertCardInTheGroup(t *testing.T) {
	r := startTestDemoWith(t, demoOptions{dir: t.TempDir(), long: true})
	a := r.as(t, "guyuan").in("trading-support")
	r.postAlert(t, []string{"firing", "委托失败率", "委托失败率 6.3%（门槛 5%）"})
	card := func() standin.Entry {
		t.Helper()
		var last standin.Entry
		for _, e := range r.standin.Feed(context.Background(), standin.FeedQuery{Group: a.group, User: "fangyichen"}).Entries {
			if e.Card != nil {
				last = e
			}
		}
		return last
	}
	for end := time.Now().Add(20 * time.Second); card().Card == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no card came:\n%s", a.listen())
		}
	}
	if heard := a.listen(); !strings.Contains(heard, "委托失败率 6.3%") || !strings.Contains(heard, "回「认领 A1」") {
		t.Errorf("the robot says %s", heard)
	}
	c := card().Card
	if len(c.Buttons) != 3 || c.Buttons[0].Key != "认领 A1" || c.Buttons[1].Key != "静默 A1 30分" || c.Buttons[2].Key != "建单 A1" || !strings.Contains(c.Title, "A1 委托失败率") {
		t.Fatalf("card %+v", c)
	}
	a.cards = []standin.Entry{card()}
	if heard := a.press(1); !strings.Contains(heard, "A1 归你") {
		t.Errorf("heard %s", heard)
	}
	c = card().Card
	if len(c.Buttons) != 2 || c.Buttons[0].Key != "静默 A1 30分" {
		t.Errorf("after the claim the card is %+v", c)
	}
	a.cards = []standin.Entry{card()}
	if heard := a.press(2); !strings.Contains(heard, "A1 已建单 T1") {
		t.Errorf("heard %s", heard)
	}
	if c = card().Card; len(c.Buttons) != 1 {
		t.Errorf("after the ticket the card is %+v", c)
	}
	if heard := r.as(t, "fangyichen").in("trading-support").say("认领 A1"); !strings.Contains(heard, "A1 已由") {
		t.Errorf("the typed twin: %s", heard)
	}
}
