package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
)

// A subscriber hears of a ticket's life in order, each thing once, without what
// identifies a customer; one that chose hears only that.
func TestEvents(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		d.Subscribers = chat.Subscribers{{Name: "itsm"}, {Name: "wall", Events: []string{"ticket.resolved"}}}
		var n int64
		d.in(func(tx *store.Tx) error {
			tk := store.Ticket{Title: "持仓页白屏", Reporter: "lin", Class: "program", Phone: store.Personal{Value: "13800138000", Mask: "138****8000"}}
			err := d.Open(tx, reporter, &tk)
			n = tk.Number
			return err
		})
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.Claim(tx, gu, tk) })
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.Reply(tx, gu, tk, "在查", nil) })
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.Reply(tx, gu, tk, "还在查", nil) })
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error { return d.Note(tx, gu, tk, "内部的话", "", nil, "") })
		d.on(n, func(tx *store.Tx, tk *store.Ticket) error {
			return d.Resolve(tx, gu, tk, Resolution{Method: "已修复"})
		})
		all, err := d.Store.ListDelivered(context.Background(), store.LedgerQuery{N: 200})
		if err != nil {
			t.Fatal(err)
		}
		heard := map[string][]string{}
		for i := len(all) - 1; i >= 0; i-- {
			o := all[i].Said
			if o.To.Kind != chat.Hook {
				continue
			}
			var data struct {
				By     string
				Ticket TicketJSON
				Entry  *TicketEntryJSON
			}
			if err := json.Unmarshal(o.Body.Event.Data, &data); err != nil {
				t.Fatal(err)
			}
			if raw := string(o.Body.Event.Data); strings.Contains(raw, "13800138000") || strings.Contains(raw, "内部的话") {
				t.Errorf("an event tells too much: %s", raw)
			}
			words := ""
			if data.Entry != nil {
				words = data.Entry.Text
			}
			heard[o.To.ID] = append(heard[o.To.ID], fmt.Sprint(o.Body.Event.Type, " ", data.By, " ", data.Ticket.State, " ", words))
		}
		want := "ticket.created lin new |ticket.changed gu in_progress |ticket.commented gu in_progress 在查|ticket.commented gu in_progress 还在查|ticket.resolved gu resolved "
		if got := strings.Join(heard["itsm"], "|"); got != want {
			t.Errorf("heard %s\nwant  %s", got, want)
		}
		if got := strings.Join(heard["wall"], "|"); got != "ticket.resolved gu resolved " {
			t.Errorf("the one that chose heard %s", got)
		}
	})
}
