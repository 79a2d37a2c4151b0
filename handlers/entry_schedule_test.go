package handlers

import (
	"context"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// 发布 K1 明天9点 publishes what stood then, once and by that person; what was
// changed meanwhile is not published, and who scheduled it hears why.
func TestPublishOnTime(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		know := kb.NewEngine(kb.Options{})
		d.Desk.Knowledge = know
		var numbers []int64
		d.in(func(tx *store.Tx) error {
			if err := tx.SetRoles("t", zhao.ID, zhao.Roles); err != nil {
				return err
			}
			for _, q := range []string{"打新要多少市值", "夜市委托几点开始", "转托管收费吗", "港股通怎么开"} {
				n, err := tx.NewEntry("gu", kb.Entry{Question: q, Answer: "见公告。", State: kb.Draft})
				if err != nil {
					return err
				}
				numbers = append(numbers, n)
			}
			return nil
		})
		if err := know.Load(ctx, d.Store); err != nil {
			t.Fatal(err)
		}
		say := func(actor chat.User, args string) (text string) {
			t.Helper()
			res, err := d.publish(ctx, Request{Actor: actor, Args: args, Now: d.now})
			if err == nil && res.Write != nil {
				err = d.Store.InTx(ctx, func(tx *store.Tx) error { return res.Write(tx, &res) })
			}
			if err != nil {
				if text = refusalText(err); text == "" {
					t.Fatal(err)
				}
				return text
			}
			return res.Say[0].Body.Text
		}
		for args, want := range map[string]string{"K1 25点": "没看懂", "K99 明天9点": "没有找到", "K1 2020-01-01": "没看懂", "K1 取消": "没有定时发布", "K1 2027-12-31": "一年"} {
			if got := say(zhao, args); !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", args, got, want)
			}
		}
		if got := say(gu, "K1 明天9点"); !strings.Contains(got, "知识管理员") {
			t.Errorf("by somebody without the role: %q", got)
		}
		for _, x := range []string{"K1", "K2", "K3", "K4"} {
			if got := say(zhao, x+" 明天9点"); !strings.Contains(got, "11月26日 09:00") {
				t.Errorf("%s: %q", x, got)
			}
		}
		if got := say(zhao, "K3 取消"); !strings.Contains(got, "不再定时") {
			t.Errorf("taken back: %q", got)
		}
		d.in(func(tx *store.Tx) error {
			_, err := tx.ChangeEntry("gu", "改了", numbers[1], 0, func(e *kb.Entry) error { e.Answer = "二十点。"; return nil })
			return err
		})
		run := func() {
			t.Helper()
			for range 2 { // a second look has nothing to do
				if err := d.PublishDue(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		states := func() (out string) {
			for _, n := range numbers {
				e, err := d.Store.FindEntry(ctx, n)
				if err != nil {
					t.Fatal(err)
				}
				out += e.State + " "
			}
			return out
		}
		run()
		if got := states(); strings.Contains(got, kb.Published) {
			t.Errorf("before the time: %s", got)
		}
		d.wait(24 * time.Hour)
		run()
		if got := states(); got != "published draft draft published " {
			t.Errorf("after it: %s", got)
		}
		heard := d.heardBy(zhao.ID)
		if strings.Count(heard, "K1 已按时发布") != 1 || strings.Count(heard, "K4 已按时发布") != 1 || strings.Count(heard, "K2 没有按时发布：定时之后有人改过它") != 1 {
			t.Errorf("heard %s", heard)
		}
		// Who lost the role does not publish any more.
		if got := say(zhao, "K3 2小时"); !strings.Contains(got, "发布") {
			t.Fatal(got)
		}
		d.in(func(tx *store.Tx) error { return tx.SetRoles("t", zhao.ID, chat.RoleSet{chat.Reporter}) })
		d.wait(3 * time.Hour)
		run()
		if got := states(); got != "published draft draft published " || !strings.Contains(d.heardBy(zhao.ID), "K3 没有按时发布：发布由知识管理员来做") {
			t.Errorf("without the role: %s", got)
		}
	})
}
