package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Who works here sees on every page what does not work, and what to do.
func TestStripTellsWhatDoesNotWork(t *testing.T) {
	for _, x := range []struct {
		h    Health
		want string
	}{
		{Health{}, ""},
		{Health{Waiting: 3, Oldest: time.Minute}, ""},
		{Health{Failing: "60020", Advice: "出口 IP 不可信"}, "接口连续失败（60020），要发的消息先排队。出口 IP 不可信"},
		{Health{Waiting: 3, Oldest: 72 * time.Minute}, "3 条消息没有发出，最早的已等 1 小时 12 分。"},
		{Health{Stuck: 2, StuckFor: 3 * time.Minute}, "2 条收到的消息还没有处理"},
		{Health{Unheard: true}, "对外心跳没有发出去"},
		{Health{Spooled: 100}, "点击先存在磁盘上"},
		{Health{Unlinked: 10 * time.Second}, ""},
		{Health{Unlinked: 5 * time.Minute}, "长连接断了，已 5 分"},
		{Health{Unlinked: time.Second, Kicked: true}, "长连接被顶掉了"},
	} {
		c := startConsole(t, func(o *Options) { o.Health = func(context.Context) Health { return x.h } })
		_, body := c.as(chat.Responder).get("/tokens")
		if strings.Contains(body, `class="strip" role="status">`) != (x.want != "") || !strings.Contains(body, x.want) {
			t.Errorf("%+v: no %q in the frame", x.h, x.want)
		}
		if _, body := c.as(chat.Reporter).get("/tokens"); x.want != "" && strings.Contains(body, x.want) {
			t.Errorf("a reporter sees %q", x.want)
		}
	}
}

// The frame shows who is on duty, the dead letters and the tickets that wait;
// it looks them up once for all pages of a moment.
func TestPulse(t *testing.T) {
	asked := 0
	c := startConsole(t, func(o *Options) {
		o.Health = func(context.Context) Health { asked++; return Health{Dead: 7} }
	})
	err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		for i := range 2 {
			if err := tx.CreateTicket(&store.Ticket{Title: "行情不动", Reporter: "reporter", Priority: "P3", Source: string(rune(65 + i))}); err != nil {
				return err
			}
		}
		now := tx.Now()
		if err := tx.AddShift(&store.Shift{Group: "交易组", Member: "responder", From: now.Add(-time.Hour), Until: now.Add(time.Hour)}); err != nil {
			return err
		}
		return tx.AddShift(&store.Shift{Group: "交易组", Member: "tester", From: now.Add(-2 * time.Hour), Until: now.Add(-time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	b := c.as(chat.Admin)
	_, body := b.get("/tokens")
	for _, want := range []string{"今日值班 某支持", `收发记录<em class="hot">7</em>`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in the frame", want)
		}
	}
	if strings.Contains(body, "某造数</") {
		t.Error("a shift that is over is shown")
	}
	for range 20 {
		b.get("/tokens")
	}
	if asked > 3 {
		t.Errorf("%d look-ups for some pages of one moment", asked)
	}
}

func TestNewRowsAreOffered(t *testing.T) {
	c := startConsole(t, nil)
	b := c.as(chat.Admin)
	_, body := b.get("/deliveries?side=out")
	if !strings.Contains(body, "/deliveries/fresh?after=0&amp;side=out") {
		t.Fatal("the list does not ask for what is new")
	}
	ask := "/deliveries/fresh?after=0&side=out"
	if _, body := b.get(ask); strings.Contains(body, "条新的") {
		t.Errorf("nothing is new, but: %s", body)
	}
	err := c.store.InTx(context.Background(), func(tx *store.Tx) error {
		return tx.Enqueue(chat.Outgoing{Key: "k", To: chat.Address{Kind: chat.Person, ID: "tester", Via: chat.App}, Body: chat.Body{Text: "你好"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, body := b.get(ask); !strings.Contains(body, "有 1 条新的") || !strings.Contains(body, `href="/deliveries?side=out"`) {
		t.Errorf("the new row is not offered: %s", body)
	}
}

// The examination does not hold the page up, and is there without a script.
func TestDoctorComesLater(t *testing.T) {
	asked := 0
	c := startConsole(t, func(o *Options) {
		o.Doctor = func(context.Context, string) []Finding {
			asked++
			return []Finding{{Check: "磁盘", State: "ok", Found: "够"}}
		}
	})
	b := c.as(chat.Admin)
	if _, body := b.get("/settings"); asked != 0 || !strings.Contains(body, `hx-get="/settings/doctor" hx-trigger="load"`) {
		t.Errorf("the page waited for %d examinations", asked)
	}
	for _, path := range []string{"/settings/doctor", "/settings?now"} {
		if _, body := b.get(path); !strings.Contains(body, "磁盘") || strings.Contains(body, "aria-busy") {
			t.Errorf("%s: %s", path, body)
		}
	}
}
