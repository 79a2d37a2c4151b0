package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// The weekly report goes to leaders and to the support group once, to who
// subscribed, not to who cancelled; and not at all when nothing happened.
func TestWeeklyReport(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		d.Announce = "support"
		d.in(func(tx *store.Tx) error {
			for _, id := range []string{"lead1", "lead2", "lead3"} {
				if err := tx.SetRoles("t", id, chat.RoleSet{chat.Reporter, chat.Leader}); err != nil {
					return err
				}
			}
			if err := tx.Subscribe(person("lead2"), "weekly", "lead2", false); err != nil {
				return err
			}
			if err := tx.Subscribe(person("nobody"), "weekly", "nobody", true); err != nil {
				return err
			}
			return tx.Subscribe(chat.Address{Kind: chat.Group, ID: "chat-1", Via: chat.App}, "weekly", "lead1", true)
		})
		report := func() {
			t.Helper()
			for range 2 {
				if err := d.ReportPeriod("weekly")(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		report()
		if got := d.allSaid(); strings.Contains(got, "运营小结") {
			t.Fatalf("a week without anything was reported: %s", got)
		}
		for i := range 25 {
			d.opened("lin", fmt.Sprintf("行情不刷新 %d", i))
		}
		d.wait(7 * 24 * time.Hour)
		report()
		for id, n := range map[string]int{"lead1": 1, "lead2": 0, "lead3": 1, "nobody": 0} {
			if got := strings.Count(d.heardBy(id), "运营小结"); got != n {
				t.Errorf("%s heard %d reports, not %d", id, got, n)
			}
		}
		list, err := d.Store.ListDelivered(ctx, store.LedgerQuery{N: 200})
		if err != nil {
			t.Fatal(err)
		}
		places := map[string]int{}
		for _, x := range list {
			if strings.Contains(x.Said.Body.Text+x.Said.Body.Markdown, "运营小结") {
				places[x.Said.To.String()]++
			}
		}
		if len(places) != 5 || places["app/group/chat-1"] != 1 || places["/robot/support"] != 1 {
			t.Errorf("reported to %v", places)
		}
	})
}

// Findings come from rules: what rose, what was late, what was rated badly.
func TestFindings(t *testing.T) {
	f := func(reported, before int64) SubclassFigures {
		return SubclassFigures{Class: "program", Name: "登录", Reported: reported, Before: before}
	}
	for _, x := range []struct {
		name string
		a    Analysis
		want string
	}{
		{"rose by half and five", Analysis{Subclasses: []SubclassFigures{f(15, 10)}}, "risen"},
		{"rose by four", Analysis{Subclasses: []SubclassFigures{f(6, 2)}}, ""},
		{"rose by a tenth", Analysis{Subclasses: []SubclassFigures{f(110, 100)}}, ""},
		{"late", Analysis{Tickets: store.TicketFigures{Answered: 50, Solved: 50, AnswerLate: 4, SolveLate: 2}}, "late"},
		{"five percent is not late yet", Analysis{Tickets: store.TicketFigures{Answered: 50, Solved: 50, AnswerLate: 5}}, ""},
		{"too few to tell", Analysis{Tickets: store.TicketFigures{Answered: 5, Solved: 5, AnswerLate: 5}}, ""},
		{"reopened", Analysis{Tickets: store.TicketFigures{Solved: 18, Open: 2, Reopened: 2}}, "reopened"},
	} {
		list := append(risen(x.a), slow(x.a)...)
		got := ""
		for _, f := range list {
			got += f.Rule
		}
		if got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

func TestShareNeedsTwenty(t *testing.T) {
	if _, ok := Share(1, 19); ok {
		t.Error("a share of 19")
	}
	if s, ok := Share(5, 20); !ok || s != 25 {
		t.Errorf("%v %v", s, ok)
	}
}

// What a group asks for regularly comes by its robot, which alone may speak
// unasked; a group without one is told so, and one that has it may cancel it.
func TestGroupSubscribes(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		d.Announce = "support"
		d.in(func(tx *store.Tx) error {
			for _, g := range []store.Group{{Name: "ops", Title: "运维群", ChatID: "wrOps"}, {Name: "support", Title: "支持群", ChatID: "wrSupport"}} {
				if err := tx.PutGroup("t", g, "0a6f3e2c-1111-4222-8333-444455556666"); err != nil {
					return err
				}
			}
			return tx.SetRoles("t", "lead1", chat.RoleSet{chat.Reporter, chat.Leader})
		})
		ask := func(wanted bool, chatID string) (Result, error) {
			t.Helper()
			res, err := d.subscribe(wanted)(ctx, Request{Args: "周报", Actor: chat.User{ID: "lead1", Roles: chat.RoleSet{chat.Leader}}, Msg: chat.Message{From: chat.Address{Kind: chat.Group, ID: chatID, Via: chat.Bot}}})
			if err == nil && res.Write != nil {
				d.in(func(tx *store.Tx) error { return res.Write(tx, &res) })
			}
			return res, err
		}
		if _, err := ask(true, "wrElsewhere"); err == nil || !strings.Contains(err.Error(), "群机器人") {
			t.Errorf("a group without a robot: %v", err)
		}
		if _, err := ask(true, "wrOps"); err != nil {
			t.Fatal(err)
		}
		want := func(want ...string) {
			t.Helper()
			to, err := d.subscribers(ctx, "weekly")
			if err != nil {
				t.Fatal(err)
			}
			got := []string{}
			for _, p := range to {
				if p.Kind == chat.Robot {
					got = append(got, p.ID)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("the groups %v, not %v", got, want)
			}
		}
		want("ops", "support")
		for _, x := range []string{"wrOps", "wrSupport"} {
			if _, err := ask(false, x); err != nil {
				t.Fatal(err)
			}
		}
		want()
	})
}
