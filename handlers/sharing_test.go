package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// sharingDesk is a desk with two groups besides the support group's.
func sharingDesk(t *testing.T, fn func(t *testing.T, d *clockDesk)) {
	t.Helper()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.Announce = "support"
		d.Chats = []GroupChat{{Name: "support", Title: "支持群", Robot: true}, {Name: "north", Title: "城北营业部", Robot: true}, {Name: "south", Title: "城南营业部", Robot: true}, {Name: "mute", Title: "没有机器人的群"}}
		d.Knowledge = kb.NewEngine(kb.Options{})
		d.in(func(tx *store.Tx) error {
			return errors.Join(tx.MeetMember("gu", "顾远", ""), tx.SetRoles("t", "zhao", zhao.Roles), tx.MeetMember("zhao", "赵晴", ""))
		})
		fn(t, d)
	})
}

func (d *clockDesk) look(at time.Time) {
	d.t.Helper()
	d.mu.Lock()
	d.now = at
	d.mu.Unlock()
	for range 2 { // again changes nothing
		if err := d.TickSharings(context.Background()); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *clockDesk) planned(from time.Time) store.Sharing {
	d.t.Helper()
	s := store.Sharing{Title: "两融合同补签", Words: []string{"两融"}, Speaker: "gu", SpeakerName: "顾远", From: from, Until: from.Add(40 * time.Minute), Groups: []string{"north", "south"}}
	d.in(func(tx *store.Tx) error { return d.PlanSharing(tx, zhao, &s, d.Chats) })
	return s
}

func (d *clockDesk) sharing(n int64) store.Sharing {
	d.t.Helper()
	s, err := d.Store.FindSharing(context.Background(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// onS does something to a session as it is now.
func (d *clockDesk) onS(n int64, do func(tx *store.Tx, s *store.Sharing) error) error {
	return d.Store.InTx(context.Background(), func(tx *store.Tx) error {
		s, err := tx.FindSharing(n)
		if err != nil {
			return err
		}
		return do(tx, &s)
	})
}

func (d *clockDesk) announced(from time.Time) store.Sharing {
	d.t.Helper()
	s := d.planned(from)
	if err := d.onS(s.Number, func(tx *store.Tx, s *store.Sharing) error { _, err := d.AnnounceSharing(tx, zhao, s); return err }); err != nil {
		d.t.Fatal(err)
	}
	return s
}

// The whole life by the clock: reminded once, live, ended, counted; what was
// not answered is a gap that its asker waits for, answers become drafts.
func TestSharingLife(t *testing.T) {
	t.Parallel()
	sharingDesk(t, func(t *testing.T, d *clockDesk) {
		ctx, from := context.Background(), d.now.Add(6*time.Hour)
		d.in(func(tx *store.Tx) error {
			for i, text := range []string{"两融合同在哪补签", "两融展期", "别的问题"} {
				if err := tx.KeepQuestion(store.Question{Message: fmt.Sprintf("%024d", i), Asker: "lin", Text: text, Band: "refuse"}); err != nil {
					return err
				}
			}
			return tx.Subscribe(person("he"), "sharing", "he", true)
		})
		s := d.announced(from)
		ask := func(who, id, text string) (q store.SharingQuestion) {
			t.Helper()
			err := d.onS(s.Number, func(tx *store.Tx, s *store.Sharing) (err error) {
				q, err = d.AskSharing(tx, chat.User{ID: who}, s, id, text)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		first, second := ask("lin", "m1", "补签多久生效"), ask("he", "m2", "线上能补签吗，手机 13900000001")
		if again := ask("zhou", "m3", "补签多久生效"); again.Place != first.Place {
			t.Errorf("the same words are another question: %+v", again)
		}
		if strings.Contains(second.Text, "13900000001") {
			t.Errorf("kept in clear: %s", second.Text)
		}
		d.look(from.Add(-16 * time.Minute))
		if got := d.heard("zhou"); len(got) != 0 {
			t.Errorf("reminded too early: %q", got)
		}
		d.look(from.Add(-15 * time.Minute))
		d.wantHeard("zhou", "15 分钟后直播 S1")
		d.wantHeard("lin", "15 分钟后直播")
		d.wantHeard("he", "直播分享 S1：两融合同补签", "15 分钟后直播")
		d.wantHeard("north", "直播分享 S1", "15 分钟后直播")
		d.wantHeard("support")
		d.wantHeard("zhao", "15 分钟后直播", "还没有直播链接")
		d.look(from)
		if got := d.sharing(s.Number); got.State != store.SharingLive || got.Began.IsZero() {
			t.Errorf("%+v", got)
		}
		if err := d.onS(s.Number, func(tx *store.Tx, _ *store.Sharing) error {
			_, err := d.AnswerSharing(tx, gu, s.Number, 1, "次一交易日生效，重新登录就能看到", true)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		d.look(from.Add(40*time.Minute + 29*time.Minute))
		if got := d.sharing(s.Number); got.State != store.SharingLive {
			t.Error("ended while it may overrun")
		}
		d.look(from.Add(40*time.Minute + 30*time.Minute))
		list, err := d.Store.ListSharingQuestions(ctx, s.Number)
		if err != nil || list[0].Entry == 0 || list[1].State != store.SharingGap {
			t.Fatalf("%+v, %v", list, err)
		}
		if e := d.kbEntry(list[0].Entry); e.State != kb.Draft || e.Question != "补签多久生效" || e.Owner != "gu" {
			t.Errorf("drafted %+v", e)
		}
		gaps, err := d.Gaps(ctx)
		if err != nil || len(gaps) != 4 {
			t.Errorf("%d gaps, %v", len(gaps), err)
		}
		if watches, err := d.Store.ListWatches(ctx, 10); err != nil || len(watches) != 1 || watches[0].Member != "he" {
			t.Errorf("%+v, %v", watches, err)
		}
		d.wantHeard("gu", "15 分钟后直播", "还没有直播链接", "提问 2（已答 1）。1 个未答已进待补知识。1 问已起草成知识。")
		// What a session leaves behind is no question of the week after it.
		d.in(func(tx *store.Tx) error {
			return tx.KeepQuestion(store.Question{Message: fmt.Sprintf("%024d", 9), Asker: "lin", Text: "两融利率", Band: "refuse"})
		})
		d.look(d.now.Add(SharingEffect))
		if got := d.sharing(s.Number); got.Before != 2 || got.After != 1 || got.Counted.IsZero() || !got.Look.IsZero() {
			t.Errorf("%+v", got)
		}
		if got := d.heard("zhao"); !strings.Contains(got[len(got)-1], "咨询 2 → 1") {
			t.Errorf("%q", got)
		}
	})
}

// Nobody announces it: the organiser is asked, then it is called off.
func TestSharingLapses(t *testing.T) {
	t.Parallel()
	sharingDesk(t, func(t *testing.T, d *clockDesk) {
		s := d.planned(d.now.Add(time.Hour))
		d.look(s.From.Add(-10 * time.Minute))
		d.look(s.From)
		if got := d.sharing(s.Number); got.State != store.SharingPlanned {
			t.Errorf("%+v", got)
		}
		d.look(s.Until)
		if got := d.sharing(s.Number); got.State != store.SharingCancelled {
			t.Errorf("%+v", got)
		}
		d.wantHeard("zhao", "还没有预告", "已自动取消")
		d.wantHeard("north")
	})
}

// The program was down: who comes back late is told that it runs, not that it
// will; what was missed altogether just ends.
func TestSharingAfterAPause(t *testing.T) {
	t.Parallel()
	sharingDesk(t, func(t *testing.T, d *clockDesk) {
		s := d.announced(d.now.Add(time.Hour))
		d.look(s.From.Add(5 * time.Minute))
		d.wantHeard("north", "直播分享 S1", "正在直播")
		missed := d.announced(d.now.Add(time.Hour))
		d.look(missed.Until.Add(2 * time.Hour))
		if got := d.sharing(missed.Number); got.State != store.SharingEnded {
			t.Errorf("%+v", got)
		}
		if got := d.heard("north"); len(got) != 3 {
			t.Errorf("%q", got)
		}
	})
}

func TestSharingMovesAndCancel(t *testing.T) {
	t.Parallel()
	sharingDesk(t, func(t *testing.T, d *clockDesk) {
		s := d.announced(d.now.Add(30 * time.Hour))
		if err := d.onS(s.Number, func(tx *store.Tx, s *store.Sharing) error { return d.SignUp(tx, reporter, s, true) }); err != nil {
			t.Fatal(err)
		}
		later := s.From.Add(24 * time.Hour)
		move := func(tx *store.Tx, s *store.Sharing) error {
			return d.ChangeSharing(tx, zhao, s, d.Chats, func(s *store.Sharing) { s.From, s.Until = later, later.Add(time.Hour) })
		}
		if err := d.onS(s.Number, move); err != nil {
			t.Fatal(err)
		}
		d.wantHeard("lin", "直播分享改期（原 11-26 周四 16:00–16:40）")
		d.wantHeard("south", "直播分享 S1", "改期")
		d.wantHeard("gu", "改期")
		if err := d.onS(s.Number, move); err != nil { // nothing is other than it was
			t.Fatal(err)
		}
		d.look(s.From) // the old time is none any more
		if got := d.sharing(s.Number); got.State != store.SharingAnnounced || got.Edition != 1 {
			t.Errorf("%+v", got)
		}
		d.look(later.Add(-sharingRemind))
		if err := d.onS(s.Number, func(tx *store.Tx, s *store.Sharing) error {
			return d.CancelSharing(tx, zhao, s, "主讲人 13900000001 出差")
		}); err != nil {
			t.Fatal(err)
		}
		d.wantHeard("lin", "改期", "15 分钟后直播", "取消了（主讲人")
		if strings.Contains(d.allSaid(), "13900000001") {
			t.Error("said in clear")
		}
		for name, do := range map[string]func(tx *store.Tx, s *store.Sharing) error{
			"announce": func(tx *store.Tx, s *store.Sharing) error { _, err := d.AnnounceSharing(tx, zhao, s); return err },
			"begin":    func(tx *store.Tx, s *store.Sharing) error { return d.BeginSharing(tx, zhao, s) },
			"end":      func(tx *store.Tx, s *store.Sharing) error { return d.EndSharing(tx, zhao, s) },
			"cancel":   func(tx *store.Tx, s *store.Sharing) error { return d.CancelSharing(tx, zhao, s, "") },
			"change":   move,
			"ask": func(tx *store.Tx, s *store.Sharing) error {
				_, err := d.AskSharing(tx, reporter, s, "m", "还问")
				return err
			},
			"sign up": func(tx *store.Tx, s *store.Sharing) error { return d.SignUp(tx, reporter, s, true) },
			"viewers": func(tx *store.Tx, s *store.Sharing) error { _, err := d.NoteViewers(tx, zhao, s, 1, 1); return err },
			"remind":  func(tx *store.Tx, s *store.Sharing) error { return d.RemindSharing(tx, zhao, s) },
		} {
			var no chat.Refusal
			if err := d.onS(s.Number, do); !errors.As(err, &no) {
				t.Errorf("%s after the end: %v", name, err)
			}
		}
	})
}

// Who may not does not, whatever the session's state.
func TestSharingRoles(t *testing.T) {
	t.Parallel()
	sharingDesk(t, func(t *testing.T, d *clockDesk) {
		s := d.announced(d.now.Add(time.Hour))
		for name, do := range map[string]func(tx *store.Tx, s *store.Sharing) error{
			"announce": func(tx *store.Tx, s *store.Sharing) error { _, err := d.AnnounceSharing(tx, fang, s); return err },
			"begin":    func(tx *store.Tx, s *store.Sharing) error { return d.BeginSharing(tx, fang, s) },
			"end":      func(tx *store.Tx, s *store.Sharing) error { return d.EndSharing(tx, fang, s) },
			"cancel":   func(tx *store.Tx, s *store.Sharing) error { return d.CancelSharing(tx, gu, s, "") },
			"change": func(tx *store.Tx, s *store.Sharing) error {
				return d.ChangeSharing(tx, gu, s, d.Chats, func(*store.Sharing) {})
			},
			"viewers": func(tx *store.Tx, s *store.Sharing) error { _, err := d.NoteViewers(tx, gu, s, 1, 1); return err },
			"remind":  func(tx *store.Tx, s *store.Sharing) error { return d.RemindSharing(tx, fang, s) },
			"answer": func(tx *store.Tx, s *store.Sharing) error {
				_, err := d.AnswerSharing(tx, fang, s.Number, 1, "", true)
				return err
			},
			"plan":  func(tx *store.Tx, s *store.Sharing) error { return d.PlanSharing(tx, gu, s, d.Chats) },
			"pause": func(tx *store.Tx, s *store.Sharing) error { return d.PauseTopic(tx, gu, "两融") },
		} {
			var no chat.Refusal
			if err := d.onS(s.Number, do); !errors.As(err, &no) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := d.onS(s.Number, func(tx *store.Tx, s *store.Sharing) error { return d.BeginSharing(tx, gu, s) }); err != nil {
			t.Errorf("the speaker: %v", err)
		}
		early := d.announced(d.now.Add(3 * time.Hour))
		for name, do := range map[string]func(tx *store.Tx, s *store.Sharing) error{
			"begun hours before": func(tx *store.Tx, s *store.Sharing) error { return d.BeginSharing(tx, gu, s) },
			"ended unbegun":      func(tx *store.Tx, s *store.Sharing) error { return d.EndSharing(tx, gu, s) },
		} {
			var no chat.Refusal
			if err := d.onS(early.Number, do); !errors.As(err, &no) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestCheckSharing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	good := store.Sharing{Title: "两融合同补签", SpeakerName: "顾远", From: now.Add(time.Hour), Until: now.Add(2 * time.Hour), Link: "https://live.example.com/a(b)?x=1"}
	if s := good; checkSharing(&s, now) != nil || s.Link != "https://live.example.com/a%28b%29?x=1" || len(s.Words) != 1 {
		t.Errorf("%+v", s)
	}
	for want, change := range map[string]func(s *store.Sharing){
		"写上主题":       func(s *store.Sharing) { s.Title = " \n" },
		"最多 60 个字":   func(s *store.Sharing) { s.Title = strings.Repeat("长", 61) },
		"谁主讲":        func(s *store.Sharing) { s.SpeakerName = "" },
		"在现在之后":      func(s *store.Sharing) { s.From = now },
		"最多提前一年":     func(s *store.Sharing) { s.From = now.AddDate(2, 0, 0); s.Until = s.From.Add(time.Hour) },
		"5 分钟到 8 小时": func(s *store.Sharing) { s.Until = s.From },
		"https://":   func(s *store.Sharing) { s.Link = "javascript:alert(1)" },
		"https:// ":  func(s *store.Sharing) { s.Link = "https://user:pass@example.com" },
		"https://  ": func(s *store.Sharing) { s.Recording = "//example.com" },
		"2 到 20 个字":  func(s *store.Sharing) { s.Words = []string{"两"} },
		"最多 10 个": func(s *store.Sharing) {
			s.Words = strings.Fields("一一 二二 三三 四四 五五 六六 七七 八八 九九 十十 百百")
		},
	} {
		s := good
		change(&s)
		var no chat.Refusal
		if err := checkSharing(&s, now); !errors.As(err, &no) || !strings.Contains(no.Text, strings.TrimSpace(want)) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestReadViewers(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		content, fault  string
		people, minutes int64
	}{
		"plain":        {content: "姓名,观看时长\n甲,30\n乙,10\n", people: 2, minutes: 20},
		"came back":    {content: "导出时间 2026\n\n账号,时长\na,10分\nb,00:30:00\na,1小时\n", people: 2, minutes: 50},
		"names only":   {content: "姓名\n甲\n乙\n甲\n", people: 2},
		"bad time":     {content: "姓名,时长\n甲,很久\n", fault: "第 2 行：时长「很久」看不懂"},
		"negative":     {content: "姓名,时长\n甲,-3\n", fault: "看不懂"},
		"not a number": {content: "姓名,时长\n甲,NaN\n", fault: "看不懂"},
		"no column":    {content: "部门,时长\n甲,3\n", fault: "没有找到"},
		"empty":        {content: "姓名,时长\n", fault: "没有人"},
		"nothing":      {content: "", fault: "没有"},
	} {
		got, err := ReadViewers("a.csv", strings.NewReader(x.content))
		if x.fault != "" {
			if err == nil || !strings.Contains(err.Error(), x.fault) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || got.People != x.people || got.Minutes != x.minutes {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := ReadViewers("a.pdf", strings.NewReader("x")); err == nil {
		t.Error("a pdf was read")
	}
}

// A topic is what many asked in vain: a word of the house, or what the questions
// share; one person who asks often makes none.
func TestTopics(t *testing.T) {
	t.Parallel()
	sharingDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		n := 0
		ask := func(who, text string) {
			n++
			d.in(func(tx *store.Tx) error {
				return tx.KeepQuestion(store.Question{Message: fmt.Sprintf("%024d", n), Asker: who, Text: text, Band: "refuse"})
			})
		}
		for i, text := range []string{"两融合同补签在哪里", "怎么补签两融合同", "两融展期怎么办", "两融展期几次", "客户两融展期要什么条件"} {
			ask(fmt.Sprint("p", i), text)
		}
		for range 9 {
			ask("one", "港股通额度还剩多少")
		}
		topics, err := d.Topics(ctx)
		if err != nil || len(topics) != 1 || topics[0].Word != "两融" || topics[0].People != 5 || len(topics[0].Gaps) < 2 {
			t.Fatalf("%+v, %v", topics, err)
		}
		for range 2 {
			if err := d.ProposeSharing(ctx); err != nil {
				t.Fatal(err)
			}
		}
		d.wantHeard("zhao", "近 4 周「两融」缺口 5 问 / 5 人，建议做一场分享。")
		d.in(func(tx *store.Tx) error { return d.PauseTopic(tx, zhao, "两融") })
		if topics, err := d.Topics(ctx); err != nil || len(topics) != 0 {
			t.Errorf("put off: %+v, %v", topics, err)
		}
		d.mu.Lock()
		d.now = d.now.Add(topicPause - 24*time.Hour)
		d.mu.Unlock()
		for i := range 5 {
			ask(fmt.Sprint("q", i), "两融利率多少")
		}
		d.mu.Lock()
		d.now = d.now.Add(25 * time.Hour)
		d.mu.Unlock()
		if topics, err := d.Topics(ctx); err != nil || len(topics) == 0 || !strings.Contains(topics[0].Word, "两融") {
			t.Errorf("after the pause: %+v, %v", topics, err)
		}
		d.planned(d.now.Add(time.Hour))
		if topics, err := d.Topics(ctx); err != nil || len(topics) != 0 {
			t.Errorf("planned already: %+v, %v", topics, err)
		}
	})
}

// Of several sessions the one whose topic is named takes a question.
func TestMeantSharing(t *testing.T) {
	t.Parallel()
	a, b := store.Sharing{Number: 1, Words: []string{"两融"}, State: store.SharingAnnounced}, store.Sharing{Number: 2, Words: []string{"ETF"}, State: store.SharingLive}
	for text, want := range map[string]int64{"两融展期": 1, "etf 怎么申购": 2, "几点开始": 2, "两融和ETF": 2} {
		if s, ok := meantSharing([]store.Sharing{a, b}, text); !ok || s.Number != want {
			t.Errorf("%s: %d %v", text, s.Number, ok)
		}
	}
	b.State = store.SharingAnnounced
	if _, ok := meantSharing([]store.Sharing{a, b}, "几点开始"); ok {
		t.Error("guessed")
	}
}

func TestReadWish(t *testing.T) {
	t.Parallel()
	w := readWish("周四16:00 主讲 张工 主题 两融合同、补签与常见问题，时长：1小时 链接 https://live.example.com/a 群 城北营业部、south")
	for name, want := range map[string]string{"": "周四16:00", "主讲": "张工", "主题": "两融合同、补签与常见问题", "时长": "1小时", "链接": "https://live.example.com/a", "群": "城北营业部、south"} {
		if w[name] != want {
			t.Errorf("%q is %q", name, w[name])
		}
	}
}
