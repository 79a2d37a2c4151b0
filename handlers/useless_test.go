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

// 没用 counts at once, asks one reason and offers a person; the reason is counted
// with the entry, and only the asker's own.
func TestUseless(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		var n int64
		d.in(func(tx *store.Tx) (err error) {
			if n, err = tx.NewEntry("zhao", kb.Entry{Question: "夜市委托几点开始", Answer: "二十点。", State: kb.Published}); err != nil {
				return err
			}
			return tx.KeepQuestion(store.Question{Message: "abcdefghijklmnopqrstuvwx", Asker: "lin", Text: "夜市", Band: "answer", Entry: n})
		})
		say := func(who, args string, topic Topic) (Result, error) {
			t.Helper()
			res, err := d.useless(ctx, Request{Actor: chat.User{ID: who}, Args: args, Topic: topic})
			if err == nil && res.Write != nil {
				d.in(func(tx *store.Tx) error { return res.Write(tx, &res) })
			}
			return res, err
		}
		use := func() store.EntryUse {
			t.Helper()
			uses, err := d.Store.EntryUses(ctx, []int64{n}, d.now.Add(-time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			return uses[n]
		}
		if _, err := say("lin", "", Topic{}); refusalText(err) == "" {
			t.Errorf("about nothing: %v", err)
		}
		res, err := say("lin", "", Topic{Message: "abcdefghijklmnopqrstuvwx"})
		if err != nil || len(res.List) != 5 || res.List[2] != "没用 @abcdefghijklmnopqrstuvwx 过期了" || res.List[4] != "转人工 @abcdefghijklmnopqrstuvwx" || !strings.Contains(res.Say[0].Body.Text, "3  过期了") {
			t.Fatalf("%+v, %v", res, err)
		}
		if u := use(); u.Useless != 1 || len(u.Reasons()) != 0 {
			t.Errorf("without a reason: %+v", u)
		}
		if _, err := say("other", "@abcdefghijklmnopqrstuvwx 看不懂", Topic{}); err != nil {
			t.Fatal(err)
		}
		if _, err := say("lin", "@abcdefghijklmnopqrstuvwx 过期了", Topic{}); err != nil {
			t.Fatal(err)
		}
		if u := use(); u.Useless != 1 || u.Outdated != 1 || u.Unclear != 0 || u.Reasons()[0].Key != store.ReasonOutdated {
			t.Errorf("%+v", u)
		}
	})
}
