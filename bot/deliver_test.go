package bot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"frontline/bot"
	"frontline/bot/chat"
	"frontline/bot/standin"
	"frontline/store"
)

func TestDeliver(t *testing.T) {
	w := newWorld(t)
	w.say(text(qianer, "一"), text(robot, "二"), text(qianer, "三"), chat.Outgoing{To: robot, Body: chat.Body{Markdown: "**四**"}, Mention: []string{"qianer"}})
	w.run(0)
	w.wantSeen("qianer", "一", "三")
	w.wantSeen(group, "二", "**四** <@qianer>")
	w.wantStates("sent\nsent\nsent\nsent")
}

// Two messages with the same words are both wanted, at once or later, and
// after a restart, when nothing is in memory.
func TestEqualWordsAreBothSeen(t *testing.T) {
	w := newWorld(t)
	w.say(text(qianer, "已收到"), text(qianer, "已收到"))
	w.run(0)
	w.clock.add(5 * time.Second)
	w.crash()
	w.say(text(qianer, "已收到"))
	w.run(0)
	w.clock.add(25 * time.Minute)
	w.say(text(qianer, "已收到"), text(qianer, "已收到"))
	w.run(time.Minute)
	w.wantSeen("qianer", "已收到", "已收到", "已收到", "已收到", "已收到")
	if n := w.plat.Counters().Duplicates; n != 0 {
		t.Errorf("the platform swallowed %d", n)
	}
}

func TestAnswerLost(t *testing.T) {
	tests := []struct {
		name   string
		out    chat.Outgoing
		api    string
		lost   int // answers
		seen   int
		states string
	}{
		{"app", text(qianer, "话"), "message/send", 3, 1, "sent"},
		{"app, at most once", chat.Outgoing{To: qianer, Body: chat.Body{Text: "话"}, AtMostOnce: true}, "message/send", 3, 1, "sent"},
		{"robot", text(robot, "话"), "webhook/send", 1, 2, "sent"},
		{"robot, at most once", chat.Outgoing{To: robot, Body: chat.Body{Text: "话"}, AtMostOnce: true}, "webhook/send", 1, 1,
			"dead rejected: 没有收到企业微信的回应，可能已送达；为避免重复不再发送"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.plat.AddFault(standin.Fault{API: tt.api, Drop: standin.DropAfter, Count: tt.lost})
			w.say(tt.out)
			w.run(2 * time.Minute)
			who := "qianer"
			if tt.out.To.Kind == chat.Robot {
				who = group
			}
			if got := w.seen(who); len(got) != tt.seen {
				t.Errorf("seen %d times, want %d", len(got), tt.seen)
			}
			w.wantStates(tt.states)
			bodies := map[string]bool{}
			for _, e := range w.calls(tt.api) {
				bodies[e.Body] = true
			}
			if len(bodies) != 1 {
				t.Errorf("a repeat had other bytes: %d forms", len(bodies))
			}
		})
	}
}

// What is known not to have arrived is sent, even at most once: a token that
// did not come, a connection that was refused, an upload whose answer is lost.
func TestNotSentIsNotUnknown(t *testing.T) {
	for _, f := range []standin.Fault{
		{API: "gettoken", Drop: standin.DropAfter, Count: 1},
		{API: "gettoken", Status: 502, Count: 2},
		{API: "media/upload", Drop: standin.DropAfter, Count: 1},
		{API: "message/send", Errcode: -1, Count: 3},
		{API: "message/send", Status: 404, Count: 1},
	} {
		t.Run(fmt.Sprint(f.API, f.Status, f.Errcode), func(t *testing.T) {
			w := newWorld(t)
			w.files["f"] = []byte("eine Datei")
			w.plat.AddFault(f)
			w.say(chat.Outgoing{To: qianer, AtMostOnce: true, Body: chat.Body{File: &chat.File{Kind: "file", Name: "a.txt", Path: "f"}}})
			w.run(5 * time.Minute)
			w.wantStates("sent")
		})
	}
}

// Beyond the hours for which the platform recognises a repeat, none is made.
func TestDoubtOutlivesTheDuplicateCheck(t *testing.T) {
	w := newWorld(t)
	w.plat.AddFault(standin.Fault{API: "message/send", Drop: standin.DropAfter, Count: 1})
	w.say(text(qianer, "话"))
	w.run(0)
	// A later attempt that is known not to have arrived does not take the doubt away.
	w.plat.AddFault(standin.Fault{API: "message/send", Status: 404, Count: 1})
	w.run(2 * time.Second)
	if n := len(w.calls("message/send")); n != 2 {
		t.Fatalf("%d calls, want 2", n)
	}
	w.clock.add(4 * time.Hour)
	w.run(time.Second)
	w.wantSeen("qianer", "话")
	w.wantStates("dead rejected: 没有收到企业微信的回应，可能已送达；为避免重复不再发送")
}

func TestCrashBetweenCallAndRecord(t *testing.T) {
	for _, tt := range []struct {
		out    chat.Outgoing
		seen   int
		states string
	}{
		{text(qianer, "话"), 1, "sent"},
		{text(robot, "话"), 2, "sent"},
		{chat.Outgoing{To: robot, Body: chat.Body{Text: "话"}, AtMostOnce: true}, 1, "dead rejected: 没有收到企业微信的回应，可能已送达；为避免重复不再发送"},
	} {
		t.Run(fmt.Sprint(tt.out.To.Kind, tt.out.AtMostOnce), func(t *testing.T) {
			w := newWorld(t)
			w.say(tt.out)
			dying, cancel := context.WithCancel(t.Context())
			box := &brokenBox{Outbox: w.box, sent: func() error { cancel(); return errors.New("killed") }}
			d := bot.NewDeliverer(w.options(box))
			list, err := w.box.Claim(t.Context(), 1)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			d.Deliver(dying, list[0])
			w.crash()
			w.run(time.Minute)
			who := "qianer"
			if tt.out.To.Kind == chat.Robot {
				who = group
			}
			if got := w.seen(who); len(got) != tt.seen {
				t.Errorf("seen %q", got)
			}
			w.wantStates(tt.states)
		})
	}
}

// brokenBox is an outbox whose records fail.
type brokenBox struct {
	bot.Outbox
	sent func() error
}

func (b *brokenBox) Sent(ctx context.Context, d chat.Delivery, r chat.Receipt) error {
	if err := b.sent(); err != nil {
		return err
	}
	return b.Outbox.Sent(ctx, d, r)
}

// A database that is away for a moment neither doubles a message nor leaves
// its place silent for ever.
func TestRecordLasts(t *testing.T) {
	w := newWorld(t)
	fails := 2
	box := &brokenBox{Outbox: w.box, sent: func() error {
		if fails--; fails >= 0 {
			return errors.New("the database is away")
		}
		return nil
	}}
	w.deliver = bot.NewDeliverer(w.options(box))
	w.say(text(robot, "一"), text(robot, "二"))
	w.run(time.Minute)
	w.wantSeen(group, "一", "二")
	w.wantStates("sent\nsent")
}

// What another replica has taken over is let go at once.
func TestFenced(t *testing.T) {
	w := newWorld(t)
	w.say(text(robot, "一"))
	list, err := w.box.Claim(t.Context(), 1)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	box := &brokenBox{Outbox: w.box, sent: func() error { return fmt.Errorf("sent: %w", chat.ErrFenced) }}
	bot.NewDeliverer(w.options(box)).Deliver(t.Context(), list[0])
	if n := len(w.calls("webhook/send")); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestRobotRate(t *testing.T) {
	w := newWorld(t)
	// Somebody else uses the robot as well, so that our own count is not enough.
	w.plat.AddFault(standin.Fault{API: "webhook/send", Errcode: 45009, Skip: 3, Count: 2})
	var want []string
	for i := range 40 {
		want = append(want, fmt.Sprint("告警 ", i))
		w.say(text(robot, want[i]))
	}
	w.run(8 * time.Minute)
	w.wantSeen(group, want...)
	var refused []time.Time
	for _, e := range w.calls("webhook/send") {
		if e.Errcode == 45009 {
			refused = append(refused, e.At)
		}
	}
	if len(refused) != 2 || refused[1].Sub(refused[0]) < time.Minute {
		t.Errorf("refused at %v", refused)
	}
}

// In no minute, wherever it begins, does a robot get more than eighteen, nor
// more than fourteen that are not urgent; also with messages of many parts,
// slow answers and a restart in the middle.
func TestRobotBudget(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("一条很长的告警。\n", 1000) // 12 parts
	for i := range 3 {
		w.say(text(robot, fmt.Sprint(i, long)))
	}
	for i := range 30 {
		w.say(text(robot, fmt.Sprint("普通 ", i)))
	}
	w.run(90 * time.Second)
	for i := range 30 {
		w.say(chat.Outgoing{To: robot, Body: chat.Body{Text: fmt.Sprint("紧急 ", i)}, Urgent: true})
	}
	w.run(20 * time.Second)
	w.crash()
	w.run(15 * time.Minute)
	calls := w.calls("webhook/send")
	var at []time.Time
	for i, e := range calls {
		if e.Errcode != 0 {
			t.Fatalf("call %d was refused: %+v", i, e)
		}
		at = append(at, e.At)
	}
	if most := densest(at, time.Minute); most > 18 || most < 16 {
		t.Errorf("%d in a minute", most)
	}
	if got := w.states(); strings.Contains(got, "due") || strings.Contains(got, "dead") {
		t.Errorf("states %s", got)
	}
	if n := len(calls); n < 30+30+3*11 {
		t.Errorf("%d calls", n)
	}
	var urgent []int
	for i, s := range w.seen(group) {
		if strings.HasPrefix(s, "紧急 29") {
			urgent = append(urgent, i)
		}
	}
	if len(urgent) != 1 || urgent[0] > 80 {
		t.Errorf("the last urgent one came as number %v of %d", urgent, len(calls))
	}
}

// densest is the most that fall into one window.
func densest(at []time.Time, window time.Duration) (most int) {
	for i := range at {
		n := 0
		for _, b := range at[i:] {
			if b.Sub(at[i]) < window {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestMemberBudget(t *testing.T) {
	w := newWorld(t)
	for i := range 70 {
		w.say(text(qianer, fmt.Sprint("话 ", i)))
	}
	// The smart bot's chat with the same member uses the same budget.
	for i := range 30 {
		w.say(text(chat.Address{Kind: chat.Person, ID: "qianer", Via: chat.Bot}, fmt.Sprint("机器人 ", i)))
	}
	w.run(time.Minute)
	w.crash()
	w.run(10 * time.Minute)
	if got := len(w.seen("qianer")); got != 100 {
		t.Errorf("seen %d of 100", got)
	}
	if n := w.plat.Counters().DroppedSilent; n != 0 {
		t.Errorf("%d were dropped in silence", n)
	}
	var at []time.Time
	for _, e := range w.calls("message/send") {
		at = append(at, e.At)
	}
	if most := densest(at, time.Minute); most > 28 {
		t.Errorf("%d in a minute", most)
	}
}

func TestRobotRemoved(t *testing.T) {
	w := newWorld(t)
	w.plat.RemoveRobot(robotKey)
	w.say(text(robot, "一"), text(robot, "二"), chat.Outgoing{To: robot, Body: chat.Body{Text: "急"}, Urgent: true})
	w.run(3 * time.Hour)
	var at []time.Time
	for _, e := range w.calls("webhook/send") {
		at = append(at, e.At)
	}
	if most := densest(at, time.Hour); most > 3 || most < 2 {
		t.Errorf("%d tries an hour, %v", most, at)
	}
	if len(w.trouble) < 2 || len(w.trouble) > 4 || !strings.Contains(w.trouble[0], "重新添加") {
		t.Errorf("told %q", w.trouble)
	}
	w.wantStates("due\ndue\ndue")
	w.plat.AddRobot(standin.Robot{Key: robotKey, Name: "告警机器人", Group: group})
	w.run(time.Hour)
	w.wantSeen(group, "急", "一", "二")
	w.wantStates("sent\nsent\nsent")

	w.plat.RemoveRobot(robotKey)
	w.say(text(robot, "三"))
	w.run(25 * time.Hour)
	if got := w.rows()[3]; got.State != "dead" || !strings.Contains(got.Reason, "93000") || !strings.Contains(got.Reason, "重新添加") {
		t.Errorf("row is %+v", got)
	}
}

// A new key counts at once: nobody waits until the hold of the old one is over.
func TestRobotReplaced(t *testing.T) {
	w := newWorld(t)
	w.plat.RemoveRobot(robotKey)
	w.say(text(robot, "一"), text(robot, "二"))
	w.run(time.Minute)
	w.wantStates("due\ndue")
	w.plat.AddRobot(standin.Robot{Key: "another-key", Name: "新机器人", Group: group})
	w.run(time.Minute)
	w.wantStates("due\ndue")
	w.robots[robot.ID] = "another-key"
	err := w.box.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.PutGroup("test", store.Group{Name: robot.ID, Title: "支持群"}, "another-key")
	})
	if err != nil {
		t.Fatal(err)
	}
	w.run(time.Minute)
	w.wantSeen(group, "一", "二")
	w.wantStates("sent\nsent")
}

// A key that cannot be looked up costs time, not the words.
func TestRobotKeyNotFoundNow(t *testing.T) {
	var down atomic.Bool
	w := newWorld(t, func(_ *standin.Options, c *bot.ClientOptions) {
		find := c.Robot
		c.Robot = func(ctx context.Context, group string) (string, error) {
			if down.Load() {
				return "", errors.New("the database is away")
			}
			return find(ctx, group)
		}
	})
	down.Store(true)
	w.say(text(robot, "一"), text(chat.Address{Kind: chat.Robot, ID: "无此群"}, "二"))
	w.run(time.Minute)
	w.wantStates("due\ndue")
	down.Store(false)
	w.run(5 * time.Minute)
	w.wantSeen(group, "一")
	w.wantStates("sent\ndead rejected: the group \"无此群\" has no robot")
}

func TestAppNotTrusted(t *testing.T) {
	w := newWorld(t)
	id := w.plat.AddFault(standin.Fault{API: "message/send", Errcode: 60020})
	w.say(text(qianer, "一"), text(chat.Address{Kind: chat.Person, ID: "zhaoyi", Via: chat.App}, "二"))
	w.run(50 * time.Minute)
	if len(w.trouble) != 1 || !strings.Contains(w.trouble[0], "可信 IP") {
		t.Errorf("told %q, want once for the whole app", w.trouble)
	}
	w.plat.ClearFaults(id)
	w.run(6 * time.Minute)
	w.wantSeen("qianer", "一")
	w.wantSeen("zhaoyi", "二")
}

// A wrong secret is not asked about with each message: the platform closes
// gettoken for an hour after 2000 failures.
func TestWrongSecret(t *testing.T) {
	w := newWorld(t, func(_ *standin.Options, c *bot.ClientOptions) { c.Secret = "canary-wrong" })
	for i := range 50 {
		w.say(text(chat.Address{Kind: chat.Person, ID: fmt.Sprint("u", i), Via: chat.App}, "话"))
	}
	w.run(time.Hour)
	if n := w.plat.Counters().Calls["gettoken"]; n > 125 {
		t.Errorf("%d gettoken calls in an hour", n)
	}
	if !strings.Contains(w.trouble[0], "Secret") {
		t.Errorf("told %q", w.trouble)
	}
}

func TestInvalidReceivers(t *testing.T) {
	w := newWorld(t)
	who := func(id string) chat.Address { return chat.Address{Kind: chat.Person, ID: id, Via: chat.App} }
	for _, id := range []string{"nobody", "qianer|zhaoyi", "@all", "a b"} {
		w.say(text(who(id), "话"))
	}
	w.say(text(chat.Address{Kind: chat.Robot, ID: "没有的群"}, "话"), text(qianer, "话"))
	w.run(time.Minute)
	for i, want := range []string{"81013", "not one member", "not one member", "not one member", "has no robot"} {
		if r := w.rows()[i]; r.State != "dead" || !strings.Contains(r.Reason, want) {
			t.Errorf("%s is %s: %s, want dead: %s", r.Said.To.ID, r.State, r.Reason, want)
		}
	}
	if got := w.seen("zhaoyi"); len(got) != 0 {
		t.Errorf("somebody else sees %q", got)
	}
	w.wantSeen("qianer", "话")
}

// Errcode 0 with the receiver in invaliduser: nobody got it.
func TestInvalidUserWithoutErrcode(t *testing.T) {
	w := newWorld(t)
	answer := `{"errcode":0,"errmsg":"ok","invaliduser":"qianer","msgid":"m"}`
	other := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/gettoken") {
			fmt.Fprint(rw, `{"errcode":0,"access_token":"t","expires_in":7200}`)
			return
		}
		fmt.Fprint(rw, answer)
	})
	w.url = other
	change := w.change
	w.change = func(o *bot.ClientOptions) { change(o); o.APIBase = other }
	w.crash()
	w.say(text(qianer, "话"))
	w.run(0)
	if r := w.rows()[0]; r.State != "dead" || !strings.Contains(r.Reason, "可见范围") {
		t.Errorf("row is %s: %s", r.State, r.Reason)
	}
}

// A part in the middle fails: it goes on there, nothing is seen twice.
func TestPartsGoOn(t *testing.T) {
	for _, to := range []chat.Address{qianer, robot} {
		for _, f := range []standin.Fault{{Errcode: -1, Skip: 2, Count: 2}, {Drop: standin.DropBefore, Skip: 2, Count: 1}, {Status: 500, Skip: 1, Count: 1}} {
			w := newWorld(t)
			f.API = "webhook/send"
			who := group
			if to == qianer {
				f.API, who = "message/send", "qianer"
			}
			w.plat.AddFault(f)
			w.say(text(to, strings.Repeat("长文。\n", 950)), text(to, "之后"))
			w.run(2 * time.Minute)
			got := w.seen(who)
			if len(got) != 6 || got[5] != "之后" {
				t.Fatalf("%v: %d messages: %.60q", to, len(got), got)
			}
			for i, s := range got[:5] {
				if !strings.HasPrefix(s, fmt.Sprintf("(%d/5)\n", i+1)) {
					t.Errorf("%v: message %d is %.20q", to, i, s)
				}
			}
			w.wantStates("sent\nsent")
		}
	}
}

func cardTo(to chat.Address, task string) chat.Outgoing {
	return chat.Outgoing{To: to, Body: chat.Body{Card: &chat.Card{TaskID: task, Title: "标题", Twin: "标题", Buttons: []chat.Button{{Text: "好", Key: "ok"}}}}}
}

func TestCardUpdate(t *testing.T) {
	w := newWorld(t)
	update := func(task, done, text string) chat.Outgoing {
		return chat.Outgoing{To: qianer, Body: chat.Body{Update: &chat.CardUpdate{TaskID: task, Done: done, Text: text}}}
	}
	w.say(cardTo(qianer, "T1"), update("T1", "已选：好", "改不了"), update("T1", "又选", "第二次改不了"), update("T1", "又选", ""))
	w.run(time.Minute)
	w.wantSeen("qianer", "", "第二次改不了") // the card's entry has no text
	w.wantStates("sent\nsent\nsent\ndead rejected: 卡片已不能更新，也没有要另说的话")
	if n := len(w.calls("message/update_template_card")); n != 1 {
		t.Errorf("%d updates, want 1", n)
	}

	// The platform says that the code is spent: said as a new message.
	w.plat.AddFault(standin.Fault{API: "message/update_template_card", Errcode: 60140, Count: 1})
	w.say(cardTo(qianer, "T2"), update("T2", "已选", "新的一条"))
	w.run(time.Minute)
	w.wantSeen("qianer", "", "第二次改不了", "", "新的一条")

	// The answer to an update is lost: the repeat is told 60140, because the
	// first one did arrive, so nothing more is said.
	w.plat.AddFault(standin.Fault{API: "message/update_template_card", Drop: standin.DropAfter, Count: 1})
	w.say(cardTo(qianer, "T3"), update("T3", "已选", "不该说"))
	w.run(time.Minute)
	w.wantSeen("qianer", "", "第二次改不了", "", "新的一条", "")
	if r := w.rows()[7]; r.State != "sent" {
		t.Errorf("update is %s: %s", r.State, r.Reason)
	}
}

func TestReplyURL(t *testing.T) {
	person := standin.BotPlace(botID)
	answer := func(m chat.Message, s string) chat.Outgoing {
		return chat.Outgoing{To: m.From, ReplyTo: m.ID, Body: chat.Body{Text: s}}
	}
	const gone = "dead rejected: 智能机器人的回复时限已过，没有别的路能到这里"
	t.Run("once, then the app", func(t *testing.T) {
		w := newWorld(t)
		m := w.ask("qianer", person, "你好")
		w.say(answer(m, "第一"), answer(m, "第二"))
		w.run(time.Minute)
		w.wantStates("sent\nsent")
		if len(w.calls("aibot/response")) != 1 || len(w.calls("message/send")) != 1 {
			t.Errorf("calls %v", w.plat.Counters().Calls)
		}
	})
	t.Run("after an hour the app", func(t *testing.T) {
		w := newWorld(t)
		m := w.ask("qianer", person, "你好")
		w.clock.add(61 * time.Minute)
		w.say(answer(m, "晚了"))
		w.run(time.Minute)
		w.wantStates("sent")
		if n := len(w.calls("aibot/response")); n != 0 {
			t.Errorf("%d calls of a dead address", n)
		}
	})
	t.Run("group", func(t *testing.T) {
		w := newWorld(t)
		m := w.ask("qianer", standin.GroupPlace(group), "@一线助手 你好")
		w.say(answer(m, "第一"), answer(m, "第二"))
		w.run(time.Minute)
		w.wantStates("sent\n" + gone)
	})
	t.Run("busy platform", func(t *testing.T) {
		w := newWorld(t)
		w.plat.AddFault(standin.Fault{API: "aibot/response", Errcode: -1, Count: 2})
		m := w.ask("qianer", standin.GroupPlace(group), "@一线助手 你好")
		w.say(answer(m, "第一"))
		w.run(time.Minute)
		w.wantStates("sent")
	})
	t.Run("answer lost", func(t *testing.T) {
		for _, place := range []standin.Place{person, standin.GroupPlace(group)} {
			w := newWorld(t)
			w.plat.AddFault(standin.Fault{API: "aibot/response", Drop: standin.DropAfter, Count: 1})
			m := w.ask("qianer", place, "@一线助手 你好")
			out := answer(m, "第一")
			out.AtMostOnce = true // the platform itself takes no second one
			w.say(out)
			w.run(time.Minute)
			w.wantStates("sent")
			if n := len(w.calls("message/send")); n != 0 {
				t.Errorf("said again by the app")
			}
		}
	})
	t.Run("spent elsewhere", func(t *testing.T) {
		w := newWorld(t)
		w.plat.AddFault(standin.Fault{API: "aibot/response", Errcode: 60140, Count: 1})
		m := w.ask("qianer", person, "你好")
		w.say(answer(m, "第一"))
		w.run(time.Minute)
		w.wantStates("sent")
		w.wantSeen("qianer", "第一")
	})
}

func TestFiles(t *testing.T) {
	png := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 500)...)
	file := func(to chat.Address, kind, name string) chat.Outgoing {
		return chat.Outgoing{To: to, Body: chat.Body{File: &chat.File{Kind: kind, Name: name, Path: name}}}
	}
	w := newWorld(t)
	w.files["a.png"], w.files["b.txt"] = png, []byte("报表内容")
	w.files["big.png"] = append(png, make([]byte, 3<<20)...)
	w.say(file(robot, "image", "a.png"), file(robot, "file", "b.txt"), file(robot, "image", "big.png"), file(qianer, "image", "a.png"), file(qianer, "file", "b.txt"), file(qianer, "file", "missing"))
	w.run(time.Minute)
	w.wantStates("sent\nsent\nsent\nsent\nsent\ndead rejected: read the file: no such file")
	var types []string
	for _, e := range append(w.calls("webhook/send"), w.calls("message/send")...) {
		types = append(types, e.MsgType)
	}
	if got := strings.Join(types, " "); got != "image file file image file" {
		t.Errorf("sent %s", got)
	}

	// The frozen upload is gone when its turn comes: uploaded again, once.
	uploads := len(w.calls("media/upload"))
	w.plat.AddFault(standin.Fault{API: "message/send", Errcode: 40007, Count: 1})
	w.say(file(qianer, "file", "b.txt"))
	w.run(time.Minute)
	if n := len(w.calls("media/upload")) - uploads; n != 2 {
		t.Errorf("%d uploads, want 2", n)
	}
	w.plat.AddFault(standin.Fault{API: "message/send", Errcode: 40007})
	w.say(file(qianer, "file", "b.txt"))
	w.run(time.Minute)
	if n := len(w.calls("media/upload")) - uploads; n != 4 {
		t.Errorf("%d uploads, want 4", n)
	}
	if r := w.rows()[7]; r.State != "dead" || !strings.Contains(r.Reason, "40007") {
		t.Errorf("row is %s: %s", r.State, r.Reason)
	}
}

// One receiver whose calls take their time does not hold up the others.
func TestSlowReceiver(t *testing.T) {
	w := newWorld(t)
	w.robots["慢群"] = "slow-key"
	w.plat.AddRobot(standin.Robot{Key: "slow-key", Name: "慢", Group: group})
	w.plat.AddFault(standin.Fault{API: "webhook/send", Match: "slow-key", DelayMS: 60_000})
	w.say(text(chat.Address{Kind: chat.Robot, ID: "慢群"}, "慢一"), text(chat.Address{Kind: chat.Robot, ID: "慢群"}, "慢二"))
	for i := range 14 {
		w.say(text(robot, fmt.Sprint("快 ", i)), text(qianer, fmt.Sprint("快 ", i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { w.deliver.Run(ctx) })
	for began := time.Now(); len(w.seen(group)) < 14 || len(w.seen("qianer")) < 14; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the others wait: %d in the group, %d at the member", len(w.seen(group)), len(w.seen("qianer")))
		}
	}
	cancel()
	w.plat.Close() // the slow call ends now
	done.Wait()
	if n := len(w.calls("webhook/send")); n > 15 {
		t.Errorf("%d calls of robots: the slow one's second word must wait for the first", n)
	}
}

// A panic costs one message, not the process.
func TestPanic(t *testing.T) {
	w := newWorld(t)
	box := &brokenBox{Outbox: w.box, sent: func() error { panic("poison") }}
	w.deliver = bot.NewDeliverer(w.options(box))
	w.say(text(robot, "一"))
	w.run(0)
	w.wantStates("dead 内部错误")
}

func TestStopBetweenParts(t *testing.T) {
	w := newWorld(t)
	w.say(text(qianer, strings.Repeat("长文。\n", 950)))
	list, err := w.box.Claim(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	parts := 0
	box := &brokenBox{Outbox: w.box, sent: func() error {
		if parts++; parts == 2 {
			stop()
		}
		return nil
	}}
	bot.NewDeliverer(w.options(box)).Deliver(ctx, list[0])
	if n := len(w.seen("qianer")); n != 2 {
		t.Errorf("%d parts after the stop, want 2", n)
	}
	w.crash()
	w.run(time.Minute)
	if n := len(w.seen("qianer")); n != 5 {
		t.Errorf("%d parts in all, want 5", n)
	}
	w.wantStates("sent")
}

func TestAppCompanyLimit(t *testing.T) {
	w := newWorld(t)
	w.plat.AddFault(standin.Fault{API: "message/send", Errcode: 45009, Count: 1})
	for _, u := range []string{"zhaoyi", "qianer", "sunsan"} {
		w.say(text(chat.Address{Kind: chat.Person, ID: u, Via: chat.App}, "话"))
	}
	w.say(text(robot, "群"))
	w.run(30 * time.Second)
	if n := len(w.calls("message/send")); n != 1 {
		t.Errorf("%d calls into a closed limit", n)
	}
	w.wantSeen(group, "群")
	w.run(time.Minute)
	w.wantStates("sent\nsent\nsent\nsent")
}

var _ bot.Outbox = (*store.Store)(nil)
