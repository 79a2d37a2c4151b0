package handlers

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// A solved ticket whose matter the base knows goes to that entry: a responder's wording
// waits for a curator, a curator's counts at once.
func TestAbsorb(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		know := kb.NewEngine(kb.Options{})
		d.Knowledge = know
		var number int64
		d.in(func(tx *store.Tx) (err error) {
			if number, err = tx.NewEntry("zhao", kb.Entry{Question: "换号后收不到验证码怎么办", Similar: []string{"换了手机号没有验证码"}, Answer: "先改手机号。", State: kb.Published}); err != nil {
				return err
			}
			for i, text := range []string{"客户换号收不到验证码", "换号后验证码收不到", "对账单在哪里"} {
				if err := tx.KeepQuestion(store.Question{Message: fmt.Sprint("m", i), Asker: fmt.Sprint("p", i%2), Text: text, Band: "refuse"}); err != nil {
					return err
				}
			}
			return nil
		})
		if err := know.Load(ctx, d.Store); err != nil {
			t.Fatal(err)
		}
		wu := chat.User{ID: "wu", Roles: chat.RoleSet{chat.Responder}}
		zhao := chat.User{ID: "zhao", Roles: chat.RoleSet{chat.Responder, chat.Curator}}
		open := func(title string) int64 {
			t.Helper()
			tk := store.Ticket{Class: "consult", Title: title, Reporter: "lin"}
			d.in(func(tx *store.Tx) error { return d.Open(tx, chat.User{ID: "lin"}, &tk) })
			return tk.Number
		}
		run := func(fn func(context.Context, Request) (Result, error), who chat.User, args string) (Result, error) {
			t.Helper()
			res, err := fn(ctx, Request{Actor: who, Args: args, Msg: chat.Message{ID: aMessage}})
			if err == nil && res.Write != nil {
				err = d.Store.InTx(ctx, func(tx *store.Tx) error { return res.Write(tx, &res) })
			}
			return res, err
		}
		text := func(r Result) string {
			out := ""
			for _, s := range r.Say {
				out += s.Body.Text + s.Body.Markdown
			}
			return out
		}

		one := open("换号以后客户收不到验证码")
		if _, err := run(d.absorb, wu, fmt.Sprintf("T%d K%d", one, number)); !strings.Contains(refusalText(err), "解决以后再说") {
			t.Errorf("before it is solved: %v", err)
		}
		res, err := run(d.resolve, wu, fmt.Sprintf("%d 办法:让客户先在柜台改手机号再重新获取", one))
		want := []string{fmt.Sprintf("沉淀 T%d", one), fmt.Sprintf("并入 T%d K%d", one, number), fmt.Sprintf("不必 T%d", one)}
		if err != nil || fmt.Sprint(res.List) != fmt.Sprint(want) {
			t.Fatalf("%v %v, want %v", err, res.List, want)
		}
		for _, line := range []string{"最近 30 天有 2 人问过 2 次相近的", "1  沉淀为知识", fmt.Sprintf("2  已有 K%d 换号后收不到验证码怎么办（像", number), "3  不必"} {
			if !strings.Contains(text(res), line) {
				t.Errorf("no %q in\n%s", line, text(res))
			}
		}
		if res, err = run(d.absorb, wu, fmt.Sprintf("T%d K%d", one, number)); err != nil || !strings.Contains(text(res), "等知识管理员复核") {
			t.Errorf("%v %s", err, text(res))
		}
		if e, err := d.Store.FindEntry(ctx, number); err != nil || len(e.Similar) != 1 {
			t.Errorf("changed without a curator: %v %v", e.Similar, err)
		}
		if p, err := d.Store.FindProposal(ctx, number); err != nil || len(p.Entry.Similar) != 2 {
			t.Errorf("what waits for the curator: %+v %v", p, err)
		}
		if tk, err := d.Store.FindTicket(ctx, one); err != nil || tk.Outcome != "knowledge" {
			t.Errorf("%+v %v", tk, err)
		}

		two := open("验证码换号收不到了")
		if _, err := run(d.resolve, zhao, fmt.Sprintf("%d 办法:重新绑定手机号以后好了", two)); err != nil {
			t.Fatal(err)
		}
		if res, err = run(d.absorb, zhao, fmt.Sprintf("T%d K%d", two, number)); err != nil || !strings.Contains(text(res), "也加成了一种问法") {
			t.Errorf("%v %s", err, text(res))
		}
		if e, err := d.Store.FindEntry(ctx, number); err != nil || len(e.Similar) != 2 {
			t.Errorf("%v %v", e.Similar, err)
		}

		three := open("交易端下单卡死")
		if res, err = run(d.resolve, wu, fmt.Sprintf("%d 办法:升级到最新版本以后恢复", three)); err != nil || len(res.List) != 2 || strings.Contains(text(res), "问过") {
			t.Errorf("nothing like it: %v %v\n%s", err, res.List, text(res))
		}
		for _, args := range []string{"", fmt.Sprintf("T%d", two), "T9999 K1", fmt.Sprintf("T%d K9999", two)} {
			if _, err := run(d.absorb, wu, args); refusalText(err) == "" {
				t.Errorf("%q: %v", args, err)
			}
		}
	})
}
