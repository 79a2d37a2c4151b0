package handlers

import (
	"context"
	"strings"
	"testing"

	"frontline/kb"
	"frontline/store"
)

// 发布 asks first when it would spoil a question that must find its entry, and
// does it when told so.
func TestPublishInChatAsksFirst(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		know := kb.NewEngine(kb.Options{})
		d.Desk.Knowledge = know
		var draft int64
		d.in(func(tx *store.Tx) error {
			n, err := tx.NewEntry("zhao", kb.Entry{Question: "打新要多少市值", Similar: []string{"新股申购市值门槛"}, Answer: "一万元市值起。", State: kb.Published})
			if err != nil {
				return err
			}
			if draft, err = tx.NewEntry("zhao", kb.Entry{Question: "新股申购市值门槛", Answer: "别的答案。", State: kb.Draft}); err != nil {
				return err
			}
			return d.AddMust(tx, zhao, n, "新股申购 市值门槛")
		})
		if err := know.Load(ctx, d.Store); err != nil {
			t.Fatal(err)
		}
		publish := func(args string) (Result, error) {
			return d.publish(ctx, Request{Actor: zhao, Args: args, Now: d.Store.Now()})
		}
		res, err := publish("K2")
		if err != nil || res.Write != nil || !strings.Contains(res.Say[0].Body.Text, "1 个必中的问法变差") || !strings.Contains(res.Say[0].Body.Text, "应该找到 K1：现在答 K1，发布后让选 ") {
			t.Fatalf("%+v, %v", res, err)
		}
		if len(res.List) != 1 || res.List[0] != "发布 K2 仍要发布" {
			t.Errorf("1 means %v", res.List)
		}
		if _, err := publish("K2 随便"); refusalText(err) == "" {
			t.Errorf("other words: %v", err)
		}
		if res, err = publish("K2 仍要发布"); err != nil || res.Write == nil {
			t.Fatalf("all the same: %+v, %v", res, err)
		}
		d.in(func(tx *store.Tx) error { return res.Write(tx, &res) })
		if e, err := d.Store.FindEntry(ctx, draft); err != nil || e.State != kb.Published {
			t.Errorf("%+v, %v", e, err)
		}
	})
}
