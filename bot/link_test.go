package bot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"frontline/bot"
	"frontline/bot/chat"
	"frontline/bot/standin"
)

const botSecret = "canary-bot-secret-91ac"

var (
	botGroup = chat.Address{Kind: chat.Group, ID: group, Via: chat.Bot}
	botZhao  = chat.Address{Kind: chat.Person, ID: "zhaoyi", Via: chat.Bot}
)

// quickPace is a long connection for tests.
var quickPace = bot.LinkPace{Beat: 200 * time.Millisecond, Ack: time.Second, First: 20 * time.Millisecond, Most: 100 * time.Millisecond,
	Refused: 100 * time.Millisecond, Kicked: 300 * time.Millisecond, Look: 10 * time.Millisecond}

func longBot(o *standin.Options, _ *bot.ClientOptions) {
	o.Bots[0].CallbackURL, o.Bots[0].Secret = "", botSecret
}

func noApp(_ *standin.Options, c *bot.ClientOptions) { c.AgentID, c.Secret = 0, "" }

func (w *world) linkOptions() bot.LinkOptions {
	return bot.LinkOptions{URL: "ws" + strings.TrimPrefix(w.url, "http") + "/standin/ws", BotID: botID, Secret: botSecret, Corp: corpID,
		Inbox: inbox{w.box, w.got}, Owner: w.box.SpeaksForBot, Log: w.logger(), Now: w.clock.Now, Pace: quickPace}
}

// runLink holds a link until the test, or stop, ends it.
func runLink(t *testing.T, l *bot.Link) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.Run(ctx)
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// until waits for the real world.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("it never came that %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func newLinkWorld(t *testing.T, change ...func(*standin.Options, *bot.ClientOptions)) (w *world, stop func()) {
	t.Helper()
	w = newWorld(t, append([]func(*standin.Options, *bot.ClientOptions){longBot}, change...)...)
	w.link = bot.NewLink(w.linkOptions())
	w.deliver = bot.NewDeliverer(w.options(w.box))
	stop = runLink(t, w.link)
	until(t, "the bot is connected", func() bool { return w.link.State().Up })
	return w, stop
}

// heard lets somebody say something and returns it as it was stored.
func (w *world) heard(r standin.SayRequest) chat.Message {
	w.t.Helper()
	r.Wait = true
	if _, err := w.plat.Say(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
	return w.next()
}

func (w *world) next() chat.Message {
	w.t.Helper()
	select {
	case m := <-w.got:
		return m
	case <-time.After(10 * time.Second):
		w.t.Fatal("nothing arrived")
	}
	return chat.Message{}
}

func (w *world) zhaoSays(words string) chat.Message {
	w.t.Helper()
	return w.heard(standin.SayRequest{User: "zhaoyi", To: standin.BotPlace(botID), Text: words})
}

func reply(m chat.Message, b chat.Body) chat.Outgoing {
	return chat.Outgoing{To: m.From, ReplyTo: m.ID, Body: b}
}

func words(s string) chat.Body { return chat.Body{Text: s} }

func alertCard(task string) *chat.Card {
	return &chat.Card{TaskID: task, Title: "A7 委托积压", Text: "33 笔", Buttons: []chat.Button{{Text: "认领", Key: "claim", Style: 1}, {Text: "静默", Key: "mute"}}, Twin: "A7 委托积压，回「认领 A7」"}
}

// The first words to a message end its stream, all others go as messages of
// their own; a sign of life is what the words after it replace.
func TestLinkAnswers(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	m := w.zhaoSays("报障 委托失败")
	if !m.Live() || m.Text != "报障 委托失败" || m.From != botZhao || m.Sender != "zhaoyi" {
		t.Fatalf("received %+v", m)
	}
	w.say(reply(m, words("已受理 T1 [点](http://x)")), reply(m, chat.Body{Markdown: "**第二段**<font color=\"info\">绿</font>"}), reply(m, chat.Body{Card: alertCard("t1")}), text(botZhao, "后来的话"))
	w.run(0)
	w.wantSeen("zhaoyi", "已受理 T1 ]\u200b("[:len("已受理 T1 ")]+"[点]\u200b(http://x)", "**第二段**绿", "", "后来的话")
	w.wantStates("sent\nsent\nsent\nsent")
	if n := len(w.calls("aibot_respond_msg")); n != 1 {
		t.Errorf("%d answers", n)
	}

	m = w.zhaoSays("慢的")
	w.say(chat.Outgoing{To: m.From, ReplyTo: m.ID, Body: words("收到，正在处理…"), Progress: true, AtMostOnce: true})
	w.run(0)
	seen := w.seen("zhaoyi")
	if seen[len(seen)-1] != "收到，正在处理…" {
		t.Errorf("sign of life: %q", seen)
	}
	w.say(reply(m, words("好了")))
	w.run(0)
	if now := w.seen("zhaoyi"); len(now) != len(seen) || now[len(now)-1] != "好了" {
		t.Errorf("after the end: %q", now)
	}

	// A card after a sign of life: the stream ends with its title.
	m = w.zhaoSays("再来")
	w.say(chat.Outgoing{To: m.From, ReplyTo: m.ID, Body: words("收到，正在处理…"), Progress: true, AtMostOnce: true}, reply(m, chat.Body{Card: alertCard("t2")}))
	w.run(0)
	if now := w.seen("zhaoyi"); fmt.Sprintf("%q", now[len(now)-2:]) != `["A7 委托积压" ""]` {
		t.Errorf("card after a sign of life: %q\n%s", now, w.states())
	}

	// In a group the group is answered.
	m = w.heard(standin.SayRequest{User: "qianer", To: standin.GroupPlace(group), Text: "@一线助手 在吗"})
	if m.From != botGroup || m.Sender != "qianer" {
		t.Errorf("from the group: %+v", m)
	}
	w.say(reply(m, words("在")))
	w.run(0)
	w.wantSeen(group, "在")
}

func TestLinkEvents(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	if _, err := w.plat.EnterBot(t.Context(), "sunsan", botID); err != nil {
		t.Fatal(err)
	}
	m := w.next()
	if m.Kind != chat.KindEnter {
		t.Fatalf("%+v", m)
	}
	w.say(reply(m, words("你好，我是一线助手")))
	w.run(0)
	w.wantSeen("sunsan", "你好，我是一线助手")

	w.heard(standin.SayRequest{User: "qianer", To: standin.GroupPlace(group), Text: "@一线助手 告警"})
	w.say(text(botGroup, "占位"), chat.Outgoing{To: botGroup, Body: chat.Body{Card: alertCard("a7")}}, chat.Outgoing{To: botGroup, Body: chat.Body{Card: alertCard("a8")}})
	w.run(0)
	press := func(task string) chat.Message {
		t.Helper()
		if _, err := w.plat.Click(t.Context(), "zhaoyi", standin.GroupPlace(group), task, "claim"); err != nil {
			t.Fatal(err)
		}
		return w.next()
	}
	m = press("a7")
	if m.Kind != chat.KindClick || m.Click.TaskID != "a7" || m.From != botGroup || m.Sender != "zhaoyi" {
		t.Fatalf("click %+v", m)
	}
	done := alertCard("a7")
	done.Title, done.Buttons, done.URL = "赵一已认领", nil, "https://desk.example.com/alerts/7"
	update := chat.Body{Update: &chat.CardUpdate{TaskID: "a7", Card: done, Text: "A7 赵一已认领"}}
	w.say(reply(m, words("你认领了 A7")), reply(m, update))
	w.run(0)
	titles := func() (out []string) {
		for _, e := range w.plat.Feed(t.Context(), standin.FeedQuery{Group: group, User: "qianer"}).Entries {
			if e.Card != nil {
				out = append(out, e.Card.Title)
			}
		}
		return out
	}
	if got := fmt.Sprint(titles()); !strings.Contains(got, "赵一已认领") {
		t.Errorf("cards %s\n%s", got, w.states())
	}
	// An update of another card than the clicked one, and one that comes too late, are words.
	m = press("a8")
	other := chat.Body{Update: &chat.CardUpdate{TaskID: "a7", Card: done, Text: "另一张"}}
	w.say(reply(m, other))
	w.run(0)
	m = press("a8")
	w.clock.add(6 * time.Second)
	late := chat.Body{Update: &chat.CardUpdate{TaskID: "a8", Card: alertCard("a8"), Text: "来晚了"}}
	w.say(reply(m, late))
	w.run(time.Second)
	if got := strings.Join(w.seen(group), "|"); !strings.Contains(got, "另一张") || !strings.Contains(got, "来晚了") {
		t.Errorf("in the group: %s\n%s", got, w.states())
	}
	if _, err := w.plat.Act(t.Context(), standin.Action{Do: "feedback", User: "zhaoyi", To: standin.BotPlace(botID), FeedbackID: "f1", Type: 2, Content: "不对"}); err != nil {
		t.Fatal(err)
	}
	if m = w.next(); m.Kind != chat.KindFeedback || m.Live() {
		t.Errorf("feedback %+v", m)
	}
}

// A receipt that does not come means "unknown": the message may have arrived.
func TestLinkReceiptLost(t *testing.T) {
	for _, c := range []struct {
		name   string
		out    func(m chat.Message) chat.Outgoing
		api    string
		lost   int
		seen   int
		states string
	}{
		{"answer", func(m chat.Message) chat.Outgoing { return reply(m, words("话")) }, "aibot_respond_msg", 1, 2, "sent"},
		{"answer, at most once", func(m chat.Message) chat.Outgoing {
			o := reply(m, words("话"))
			o.AtMostOnce = true
			return o
		}, "aibot_respond_msg", 1, 1, "dead"},
		{"push", func(chat.Message) chat.Outgoing { return text(botZhao, "话") }, "aibot_send_msg", 1, 2, "sent"},
		{"push, at most once", func(chat.Message) chat.Outgoing {
			return chat.Outgoing{To: botZhao, Body: words("话"), AtMostOnce: true}
		}, "aibot_send_msg", 1, 1, "dead"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := newLinkWorld(t, noApp)
			m := w.zhaoSays("x")
			w.plat.AddFault(standin.Fault{API: c.api, Drop: standin.DropAfter, Count: c.lost})
			w.say(c.out(m))
			w.run(time.Minute)
			if got := w.seen("zhaoyi"); len(got) != c.seen {
				t.Errorf("seen %q", got)
			}
			if got := w.states(); !strings.HasPrefix(got, c.states) || c.states == "dead" && !strings.Contains(got, "可能已送达") {
				t.Errorf("states %s", got)
			}
		})
	}
}

// A request that was lost on the way there is repeated, and seen once.
func TestLinkRequestLost(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	m := w.zhaoSays("x")
	w.plat.AddFault(standin.Fault{API: "aibot_respond_msg", Drop: standin.DropBefore, Count: 1})
	w.say(reply(m, words("答")))
	w.run(time.Minute)
	w.wantSeen("zhaoyi", "答")
	w.wantStates("sent")
}

// The process dies after the call and before the record of it.
func TestLinkCrashAfterTheCall(t *testing.T) {
	w, stop := newLinkWorld(t, noApp)
	m := w.zhaoSays("x")
	w.say(reply(m, words("答")), text(botZhao, "后"))
	w.deliver = bot.NewDeliverer(w.options(forgetful{w.box}))
	list, err := w.box.Claim(t.Context(), 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	w.deliver.Deliver(ctx, list[0])
	w.wantSeen("zhaoyi", "答")
	stop()
	w.crash()
	w.link = bot.NewLink(w.linkOptions())
	w.deliver = bot.NewDeliverer(w.options(w.box))
	runLink(t, w.link)
	until(t, "the bot is connected again", func() bool { return w.link.State().Up })
	w.run(time.Minute)
	// The stream was ended already, so the repeat comes as a message: better twice than never.
	w.wantSeen("zhaoyi", "答", "答", "后")
	w.wantStates("sent\nsent")
}

// forgetful dies before it records that something arrived.
type forgetful struct{ bot.Outbox }

func (forgetful) Sent(context.Context, chat.Delivery, chat.Receipt) error { return errors.New("dead") }
func (forgetful) SpendReplyURL(context.Context, string) error             { return errors.New("dead") }

// The connection breaks: words wait without counting as failed, and nothing of
// what was said meanwhile is lost.
func TestLinkBreaks(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	w.zhaoSays("x")
	for i := range 3 {
		before := w.link.State().Connects
		if !w.plat.BreakLive(botID) {
			t.Fatal("there was no connection")
		}
		w.say(text(botZhao, fmt.Sprint("话", i)))
		w.run(0)
		until(t, "the bot came back", func() bool { s := w.link.State(); return s.Up && s.Connects > before })
		w.run(20 * time.Second)
	}
	w.wantSeen("zhaoyi", "话0", "话1", "话2")
	for _, r := range w.rows() {
		if r.State != "sent" || r.Attempt > 2 {
			t.Errorf("row %+v", r)
		}
	}
	// In the middle of a call: it may have arrived.
	w.plat.AddFault(standin.Fault{API: "aibot_send_msg", Status: 1, Count: 1})
	w.say(text(botZhao, "断"))
	w.run(0)
	until(t, "the bot came back", func() bool { return w.link.State().Up })
	w.run(time.Minute)
	if got := w.seen("zhaoyi"); got[len(got)-1] != "断" {
		t.Errorf("seen %q", got)
	}
	// The platform forgets the subscription while the connection stands.
	before := w.link.State().Connects
	w.plat.AddFault(standin.Fault{API: "aibot_send_msg", Errcode: 846609, Count: 1})
	w.say(text(botZhao, "忘了"))
	w.run(0)
	until(t, "the bot subscribed again", func() bool { s := w.link.State(); return s.Up && s.Connects > before })
	w.run(time.Minute)
	if got := w.seen("zhaoyi"); got[len(got)-1] != "忘了" {
		t.Errorf("seen %q", got)
	}
}

// A platform that is silent, although the connection stands, is left.
func TestLinkSilentPlatform(t *testing.T) {
	w, _ := newLinkWorld(t)
	before := w.link.State().Connects
	w.plat.AddFault(standin.Fault{API: "ping", Drop: standin.DropBefore, Count: 2})
	until(t, "a new connection stands", func() bool { s := w.link.State(); return s.Up && s.Connects > before })
	if !strings.Contains(w.log.String(), "no heartbeat") {
		t.Error("the log does not say why")
	}
}

// While it is down for long, a person's words leave by the app; a group's wait.
func TestLinkDown(t *testing.T) {
	w, stop := newLinkWorld(t)
	w.zhaoSays("x")
	w.heard(standin.SayRequest{User: "qianer", To: standin.GroupPlace(group), Text: "@一线助手 在吗"})
	stop()
	w.say(text(botZhao, "给人"), text(botGroup, "给群"))
	w.run(10 * time.Second)
	w.wantSeen("zhaoyi")
	w.run(40 * time.Second)
	w.wantSeen("zhaoyi", "给人")
	w.wantSeen(group)
	w.link = bot.NewLink(w.linkOptions())
	w.deliver = bot.NewDeliverer(w.options(w.box))
	runLink(t, w.link)
	until(t, "the bot is connected", func() bool { return w.link.State().Up })
	w.run(20 * time.Second)
	w.wantSeen(group, "给群")
	for _, r := range w.rows() {
		if r.Attempt > 1 || r.State != "sent" {
			t.Errorf("row %+v", r)
		}
	}
}

// A stream whose time is over, or whose req_id is unknown, becomes a message.
func TestLinkTooLate(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	m := w.zhaoSays("慢")
	w.say(chat.Outgoing{To: m.From, ReplyTo: m.ID, Body: words("收到，正在处理…"), Progress: true, AtMostOnce: true})
	w.run(0)
	w.clock.add(7 * time.Minute)
	w.say(reply(m, words("做完了")), reply(m, words("还有")))
	w.run(time.Second)
	w.wantSeen("zhaoyi", "收到，正在处理…", "做完了", "还有")
	m = w.zhaoSays("丢")
	w.plat.AddFault(standin.Fault{API: "aibot_respond_msg", Errcode: 846605, Count: 1})
	w.say(reply(m, words("换条路")))
	w.run(time.Second)
	if got := w.seen("zhaoyi"); got[len(got)-1] != "换条路" {
		t.Errorf("seen %q", got)
	}
}

// What a conversation's limit refuses waits; other conversations do not.
func TestLinkLimit(t *testing.T) {
	w, _ := newLinkWorld(t, noApp, func(o *standin.Options, _ *bot.ClientOptions) { o.Bots[0].Known = true })
	w.plat.AddFault(standin.Fault{API: "aibot_send_msg", Match: group, Errcode: 45009, Count: 1})
	w.say(text(botGroup, "群一"), text(botGroup, "群二"), text(botZhao, "人"))
	w.run(0)
	w.wantSeen("zhaoyi", "人")
	w.wantSeen(group)
	w.run(2 * time.Minute)
	w.wantSeen(group, "群一", "群二")
	for i := range 40 {
		w.say(text(botGroup, fmt.Sprint(i)))
	}
	w.run(3 * time.Minute)
	if got := w.seen(group); len(got) != 42 {
		t.Errorf("%d messages: %s", len(got), w.states())
	}
	if n := w.plat.Counters().Errors["aibot_send_msg 45009"]; n != 1 {
		t.Errorf("the platform refused %d", n)
	}
}

// In a chat where nobody has spoken to the bot, words wait until somebody does.
func TestLinkNobodySpoke(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	w.say(text(botGroup, "告警"))
	w.run(0)
	w.wantSeen(group)
	if len(w.trouble) != 1 || !strings.Contains(w.trouble[0], "60011") {
		t.Errorf("told %q", w.trouble)
	}
	w.heard(standin.SayRequest{User: "qianer", To: standin.GroupPlace(group), Text: "@一线助手 在吗"})
	w.run(10 * time.Minute)
	w.wantSeen(group, "告警")
}

func TestLinkFiles(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	m := w.heard(standin.SayRequest{User: "zhaoyi", To: standin.BotPlace(botID), File: &standin.File{Kind: "file", Name: "日志.txt", Data: []byte("line one")}})
	if m.Kind != chat.KindMedia || len(m.Media) != 1 || m.Media[0].Key == "" {
		t.Fatalf("received %+v", m)
	}
	f, err := bot.NewMediaFetcher(1<<20, true).Fetch(t.Context(), m.Media[0], nil)
	if err != nil || string(f.Body) != "line one" || f.Name != "日志.txt" {
		t.Errorf("fetched %+v %v", f, err)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 80<<10) // three pieces
	w.files["f1"] = big
	w.plat.AddFault(standin.Fault{API: "aibot_upload_media_chunk", Drop: standin.DropAfter, Count: 1}) // the same piece goes twice
	w.say(chat.Outgoing{To: botZhao, Body: chat.Body{File: &chat.File{Kind: "file", Name: "造数.csv", Path: "f1"}}})
	w.run(time.Minute)
	w.wantStates("sent")
	e := w.plat.Feed(t.Context(), standin.FeedQuery{User: "zhaoyi"}).Entries
	if last := e[len(e)-1]; last.Media == nil || last.Media.Size != len(big) || last.Media.Name != "造数.csv" {
		t.Errorf("shown %+v", last)
	}
}

// sickInbox does not take messages, or dies at it.
type sickInbox struct {
	bot.Inbox
	sick atomic.Bool
}

func (b *sickInbox) Accept(ctx context.Context, m chat.Message) (bool, error) {
	if b.sick.Load() {
		<-ctx.Done()
		return false, ctx.Err()
	}
	return b.Inbox.Accept(ctx, m)
}

type memSpool struct {
	mu   sync.Mutex
	list []chat.Message
	full bool
}

func (s *memSpool) Append(m chat.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errors.New("no room")
	}
	s.list = append(s.list, m)
	return nil
}

func (s *memSpool) texts() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, m := range s.list {
		out = append(out, m.Text)
	}
	return strings.Join(out, " ")
}

// Every message comes once, so the spool takes what the database cannot, in
// order. Nothing is answered before it is kept; what is lost, its sender hears of.
func TestLinkKeepsBeforeItAnswers(t *testing.T) {
	w := newWorld(t, longBot, noApp)
	opt := w.linkOptions()
	sick, spool := &sickInbox{Inbox: opt.Inbox}, &memSpool{}
	var results sync.Map
	opt.Inbox, opt.Spool = sick, spool
	opt.Arrived = func(r bot.CallbackResult) {
		n, _ := results.LoadOrStore(r.Result, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
	}
	w.link = bot.NewLink(opt)
	w.deliver = bot.NewDeliverer(w.options(w.box))
	runLink(t, w.link)
	until(t, "the bot is connected", func() bool { return w.link.State().Up })
	sick.sick.Store(true)
	began := time.Now()
	for i := range 4 {
		if _, err := w.plat.Say(t.Context(), standin.SayRequest{User: "zhaoyi", To: standin.BotPlace(botID), Text: fmt.Sprint("存", i), Wait: true}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "all are in the spool", func() bool { return spool.texts() == "存0 存1 存2 存3" })
	if took := time.Since(began); took > 7*time.Second {
		t.Errorf("it took %s", took)
	}
	w.wantSeen("zhaoyi") // nothing was said
	if !w.link.State().Up {
		t.Error("the connection did not stand")
	}
	spool.mu.Lock()
	spool.full = true
	spool.mu.Unlock()
	if _, err := w.plat.Say(t.Context(), standin.SayRequest{User: "zhaoyi", To: standin.BotPlace(botID), Text: "丢", Wait: true}); err != nil {
		t.Fatal(err)
	}
	until(t, "the sender hears of it", func() bool { return strings.Contains(strings.Join(w.seen("zhaoyi"), ""), "没有存下来") })
	sick.sick.Store(false)
	if m := w.zhaoSays("好"); m.Text != "好" {
		t.Errorf("%+v", m)
	}
	for r, want := range map[bot.Result]int64{bot.ResultSpooled: 4, bot.ResultNotStored: 1, bot.ResultAccepted: 1} {
		if n, ok := results.Load(r); !ok || n.(*atomic.Int64).Load() != want {
			t.Errorf("%s is not %d", r, want)
		}
	}
}

// The process dies between the receipt of a message and its row: nobody was
// told that it had arrived.
func TestLinkCrashBeforeTheRow(t *testing.T) {
	w := newWorld(t, longBot, noApp)
	opt := w.linkOptions()
	got, over := make(chan struct{}), make(chan struct{})
	opt.Inbox = dyingInbox{opt.Inbox, got, over}
	w.link = bot.NewLink(opt)
	runLink(t, w.link)
	t.Cleanup(func() { close(over) })
	until(t, "the bot is connected", func() bool { return w.link.State().Up })
	if _, err := w.plat.Say(t.Context(), standin.SayRequest{User: "zhaoyi", To: standin.BotPlace(botID), Text: "报障", Wait: true}); err != nil {
		t.Fatal(err)
	}
	<-got
	w.run(time.Minute)
	w.wantSeen("zhaoyi")
	if n := len(w.calls("aibot_respond_msg")) + len(w.calls("aibot_send_msg")); n != 0 {
		t.Errorf("%d answers to what was not stored", n)
	}
}

type dyingInbox struct {
	bot.Inbox
	got, over chan struct{}
}

func (b dyingInbox) Accept(context.Context, chat.Message) (bool, error) {
	close(b.got)
	<-b.over // nothing more is ever done
	return true, nil
}

// Of two replicas one holds the connection; when it goes, the other one does.
// They never throw each other out.
func TestLinkTwoReplicas(t *testing.T) {
	w := newWorld(t, longBot)
	var owner atomic.Int64
	links := make([]*bot.Link, 2)
	for i := range links {
		opt := w.linkOptions()
		opt.Owner = func() bool { return owner.Load() == int64(i) }
		links[i] = bot.NewLink(opt)
		runLink(t, links[i])
	}
	up := func(i int) func() bool {
		return func() bool { return links[i].State().Up && !links[1-i].State().Up }
	}
	for turn := range 6 {
		i := turn % 2
		owner.Store(-1) // a lease is never held by two
		until(t, "nobody is connected", func() bool { return !w.plat.Live(botID) && !links[0].State().Up && !links[1].State().Up })
		owner.Store(int64(i))
		until(t, fmt.Sprintf("replica %d alone is connected", i), up(i))
		if m := w.zhaoSays(fmt.Sprint("第", turn)); m.Text != fmt.Sprint("第", turn) {
			t.Errorf("heard %+v", m)
		}
	}
	if c := w.plat.Counters(); c.LiveKicked != 0 || c.LiveConnects < 6 {
		t.Errorf("connects %d, kicked %d", c.LiveConnects, c.LiveKicked)
	}
}

// A store that let go of its shards does not speak for the bot.
func TestLinkOwner(t *testing.T) {
	w := newWorld(t, longBot)
	if !w.box.SpeaksForBot() {
		t.Error("the only replica does not speak for the bot")
	}
	w.box.Close()
	if w.box.SpeaksForBot() {
		t.Error("a closed store speaks for the bot")
	}
}

// Somebody else connects as this bot: we do not fight, say so, and come back
// after a while.
func TestLinkKicked(t *testing.T) {
	w, _ := newLinkWorld(t)
	ws, _, err := websocket.Dial(t.Context(), w.linkOptions().URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	frame, _ := json.Marshal(map[string]any{"cmd": "aibot_subscribe", "headers": map[string]string{"req_id": "other"}, "body": map[string]string{"bot_id": botID, "secret": botSecret}})
	if err := ws.Write(t.Context(), websocket.MessageText, frame); err != nil {
		t.Fatal(err)
	}
	until(t, "we were thrown out", func() bool { s := w.link.State(); return !s.Up && s.Kicked && s.Mine && s.Kicks == 1 })
	thrown := time.Now()
	until(t, "we are back", func() bool { return w.link.State().Up })
	if away := time.Since(thrown); away < quickPace.Kicked/3 { // it waits for half the pace at least, and that began before we saw it
		t.Errorf("we fight: back after %v", away)
	}
	if n := w.plat.Counters().LiveKicked; n != 2 {
		t.Errorf("kicked %d times", n)
	}
}

func TestLinkWrongSecret(t *testing.T) {
	w := newWorld(t, longBot)
	opt := w.linkOptions()
	opt.Secret = "wrong-canary-secret"
	l := bot.NewLink(opt)
	runLink(t, l)
	until(t, "the refusal is known", func() bool {
		var api *bot.APIError
		return errors.As(l.State().Problem, &api) && api.Code == 853000
	})
	calls := func() int64 { return w.plat.Counters().Calls["aibot_subscribe"] }
	before, n := time.Now(), calls()
	until(t, "it tries again", func() bool { return calls() >= n+3 })
	// Three more tries took two waits at least, each half of its length or more: 100 ms, and twice that.
	if took := time.Since(before); took < 3*quickPace.Refused/2 {
		t.Errorf("three subscriptions in %v: it is rate-protected", took)
	}
	if text := w.log.String(); strings.Contains(text, "wrong-canary") || !strings.Contains(text, "853000") {
		t.Errorf("the log: %s", text)
	}
}

// What goes on with a stream is no new message: thirty slow answers in a minute
// need thirty places, not sixty.
func TestLinkRefreshesAreFree(t *testing.T) {
	w, _ := newLinkWorld(t, noApp)
	for i := range 20 {
		m := w.zhaoSays(fmt.Sprint(i))
		w.say(chat.Outgoing{To: m.From, ReplyTo: m.ID, Body: words("收到，正在处理…"), Progress: true, AtMostOnce: true}, reply(m, words(fmt.Sprint("答", i))))
		w.run(0)
	}
	if got := w.seen("zhaoyi"); len(got) != 20 || got[19] != "答19" {
		t.Errorf("seen %d: %q", len(got), got)
	}
}
