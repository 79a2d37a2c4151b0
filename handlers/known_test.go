package handlers

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Two reports are alike by what they are about, not by how they fail.
func TestAlike(t *testing.T) {
	var r rareness
	for _, text := range []string{"银证转账页打不开", "登录提示设备未绑定", "持仓页白屏", "行情不刷新", "验证码收不到", "两融合同打不开"} {
		r.add(gist(text))
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"安卓 9.2 银证转账页打不开", "客户点银证转账一直转圈", true},
		{"客户收不到短信验证码", "验证码收不到", true},
		{"登录提示设备未绑定", "换机后登录提示设备没绑定", true},
		{"行情不刷新", "客户反映行情刷不出来了", true},
		{"持仓页白屏", "银证转账页白屏", false},
		{"持仓页打不开", "两融合同打不开", false},
		{"登录提示设备未绑定", "登录后行情不刷新", false},
		{"验证码收不到", "对账单收不到", false},
		{"麻烦看下客户打不开", "客户今天又打不开了", false}, // nothing to go by
	} {
		a, b := gist(c.a), gist(c.b)
		if got := r.alike(a, b); (got >= knownAlike && len(a) > 1) != c.same {
			t.Errorf("%s / %s: %.2f", c.a, c.b, got)
		}
	}
}

// The guess begins with the configured words and follows what people corrected.
func TestGuessLearns(t *testing.T) {
	r := DefaultRules()
	m := r.bayes(nil)
	for text, want := range map[string]string{"持仓成本价不对，和对账单对不上": "data", "登录白屏闪退": "program", "佣金是多少，怎么调整": "consult"} {
		if got, sure := m.guess(gist(text)); got != want || sure < 0.4 || sure > 1 {
			t.Errorf("%s: %s %.2f", text, got, sure)
		}
	}
	text := "新股中签结果没有推送"
	before, _ := m.guess(gist(text))
	if before == "data" {
		t.Fatal("the sample shows nothing")
	}
	var done []store.Ticket
	for range 6 {
		done = append(done, store.Ticket{Title: "中签结果没推送", Class: "data"})
	}
	if got, sure := r.bayes(done).guess(gist(text)); got != "data" || sure < 0.5 {
		t.Errorf("not learned: %s %.2f", got, sure)
	}
}

func (d *clockDesk) opened(who, title string) int64 {
	d.t.Helper()
	var n int64
	d.in(func(tx *store.Tx) error {
		t := store.Ticket{Title: title, Reporter: who, Class: "program"}
		err := d.Open(tx, chat.User{ID: who}, &t)
		n = t.Number
		return err
	})
	return n
}

// allSaid is what was said to anybody.
func (d *clockDesk) allSaid() string {
	d.t.Helper()
	all, err := d.Store.ListDelivered(context.Background(), store.LedgerQuery{N: 200})
	if err != nil {
		d.t.Fatal(err)
	}
	var out []string
	for _, l := range all {
		out = append(out, bodyText(l.Said.Body))
	}
	return strings.Join(out, "\n")
}

// Joining counts everybody once, tells the group at 3 and 5, and everybody when
// it is solved; joining what is over changes nothing.
func TestJoin(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.Announce = "support"
		n := d.opened("lin", "银证转账页打不开")
		same, alike, err := d.known(context.Background(), "p0", Fields{Symptom: "点银证转账一直转圈"}, d.Store.Now())
		if err != nil || same.Number != n || alike < knownAlike {
			t.Fatalf("T%d %.2f %v", same.Number, alike, err)
		}
		if same, _, _ := d.known(context.Background(), "lin", Fields{Symptom: "点银证转账一直转圈"}, d.Store.Now()); same.Number != 0 {
			t.Error("one's own ticket is offered as a known problem")
		}
		for i := range 4 {
			for range 2 { // said twice
				d.on(n, func(tx *store.Tx, tk *store.Ticket) error {
					_, err := d.Join(tx, chat.User{ID: fmt.Sprint("p", i)}, tk, "****3371", "我这也是", nil, fmt.Sprint("m", i))
					return err
				})
			}
		}
		tk, err := d.Store.FindTicket(context.Background(), n)
		if err != nil || tk.Joined != 4 {
			t.Errorf("joined %d, %v", tk.Joined, err)
		}
		if told := d.allSaid(); strings.Count(told, "人受影响") != 2 || !strings.Contains(told, "已有 3 人受影响") || !strings.Contains(told, "已有 5 人受影响") {
			t.Errorf("the group heard:\n%s", told)
		}
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error {
			return d.Resolve(tx, gu, tk, Resolution{Method: "已修复"})
		})
		if told := d.allSaid(); strings.Count(told, "【已恢复】") != 4 {
			t.Errorf("not everybody heard:\n%s", told)
		}
		err = d.Store.InTx(context.Background(), func(tx *store.Tx) error {
			tk, err := tx.FindTicket(n)
			if err != nil {
				return err
			}
			_, err = d.Join(tx, chat.User{ID: "late"}, &tk, "", "", nil, "")
			return err
		})
		if _, refused := err.(chat.Refusal); !refused {
			t.Errorf("joined a ticket that is over: %v", err)
		}
	})
}

// The third ticket alike within half an hour proposes a master.
func TestTwins(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.Announce = "support"
		a, b := d.opened("a", "银证转账页打不开"), d.opened("b", "银证转账打不开")
		d.opened("c", "持仓页白屏")
		like, err := d.twinsOf(context.Background(), "银证转账页面白屏", d.Store.Now())
		if err != nil || len(like) != 2 {
			t.Fatalf("%v %v", like, err)
		}
		n := d.opened("e", "银证转账页面白屏")
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.twins(tx, *tk, like) })
		if told := d.allSaid(); !strings.Contains(told, fmt.Sprintf("回「并 T%d T%d 到 T%d」", n, b, a)) {
			t.Errorf("the group heard:\n%s", told)
		}
		d.mu.Lock()
		d.now = d.now.Add(31 * time.Minute)
		d.mu.Unlock()
		if like, _ := d.twinsOf(context.Background(), "银证转账页面白屏", d.Store.Now()); len(like) != 0 {
			t.Errorf("old ones still count: %v", like)
		}
	})
}

// The weekly roster becomes shifts; who stands in hides who is away.
func TestRoster(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) { // a Wednesday at ten, a trading day
		hour := time.Hour
		d.Rules.Groups = []ServiceGroup{{Name: "trading", Title: "交易支持组", Duty: []DutyLine{
			{Trading: true, From: 9 * hour, To: 17*hour + hour/2, Members: []string{"gu"}},
			{Days: [7]bool{false, false, true, true}, From: 17*hour + hour/2, To: 9 * hour, Members: []string{"fang"}},
		}}}
		ctx := context.Background()
		d.mu.Lock()
		d.now = d.now.Add(-3 * hour) // at seven
		d.mu.Unlock()
		for range 2 { // laid again it is the same
			if err := d.LayRoster(ctx); err != nil {
				t.Fatal(err)
			}
		}
		at := func(day, h int) string {
			d.mu.Lock()
			d.now = time.Date(2026, 11, day, h, 0, 0, 0, d.now.Location())
			d.mu.Unlock()
			now, err := d.Store.OnDuty(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var who []string
			for _, s := range now {
				who = append(who, s.Member)
			}
			return strings.Join(who, " ")
		}
		for _, c := range []struct {
			day, hour int
			want      string
		}{{25, 10, "gu"}, {25, 8, "fang"}, {25, 20, "fang"}, {26, 3, "fang"}, {26, 10, "gu"}, {26, 20, ""}, {28, 10, ""}, {30, 10, "gu"}} {
			if got := at(c.day, c.hour); got != c.want {
				t.Errorf("on %d at %d: %q, want %q", c.day, c.hour, got, c.want)
			}
		}
		at(25, 10)
		d.in(func(tx *store.Tx) error {
			return tx.AddShift(&store.Shift{Group: "trading", Member: "fang", From: tx.Now(), Until: tx.Now().Add(2 * hour), Stands: "gu"})
		})
		if got := at(25, 11); got != "fang" {
			t.Errorf("with a stand-in: %q", got)
		}
		if err := d.LayRoster(ctx); err != nil {
			t.Fatal(err)
		}
		if got := at(25, 13); got != "gu" {
			t.Errorf("after the stand-in: %q", got)
		}
	})
}
