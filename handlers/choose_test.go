package handlers

import (
	"context"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// A ticket goes to who has the skill for it, else to who has the fewest, in turn.
func TestChoose(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) { // Wednesday
		ctx := context.Background()
		d.Rules.Classes = []Class{{Name: "program", Title: "程序", Group: "trading"}}
		d.Rules.Groups = []ServiceGroup{{Name: "trading", Skills: map[string][]string{"wu": {"银证转账", "iOS"}},
			Duty: []DutyLine{{Trading: true, From: 0, To: 24 * time.Hour, Members: []string{"gu", "fang", "wu"}}}}}
		if err := d.LayRoster(ctx); err != nil {
			t.Fatal(err)
		}
		opened := func(subclass, system string) (tk store.Ticket) {
			err := d.Store.InTx(ctx, func(tx *store.Tx) error {
				tk = store.Ticket{Class: "program", Subclass: subclass, System: system, Title: "x", Reporter: "zhou"}
				return d.Open(tx, chat.User{ID: "zhou"}, &tk)
			})
			if err != nil {
				t.Fatal(err)
			}
			return tk
		}
		var list []store.Ticket
		for _, c := range []struct{ subclass, system, want string }{
			{"", "", "gu"}, {"", "", "fang"}, {"", "", "wu"}, {"银证转账", "", "wu"}, {"登录", "iOS", "wu"},
			{"", "", "gu"}, {"", "", "fang"}, {"", "", "gu"},
		} {
			tk := opened(c.subclass, c.system)
			if list = append(list, tk); tk.Assignee != c.want {
				t.Errorf("%d (%s %s) went to %s, want %s", tk.Number, c.subclass, c.system, tk.Assignee, c.want)
			}
		}
		// Everything is solved at once: who got one longest ago is next.
		for i := range list {
			err := d.Store.InTx(ctx, func(tx *store.Tx) error {
				tk, err := tx.FindTicket(list[i].Number)
				if err == nil {
					err = d.Resolve(tx, chat.User{ID: tk.Assignee, Roles: chat.RoleSet{chat.Responder}}, &tk, Resolution{Reason: "x", Method: "y"})
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"wu", "fang", "gu"} {
			if tk := opened("", ""); tk.Assignee != want {
				t.Errorf("in turn: %s, want %s", tk.Assignee, want)
			}
		}
	})
}
