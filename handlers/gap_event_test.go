package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// A subscriber hears once of a gap that three people have, and once of its end,
// whatever ends it; without one, nothing is looked at.
func TestGapEvents(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		asked := 0
		ask := func(text string, people ...string) (messages []string) {
			for _, who := range people {
				asked++
				m := fmt.Sprint("q", asked)
				d.in(func(tx *store.Tx) error {
					return tx.KeepQuestion(store.Question{Message: m, Asker: who, Text: text, Band: "refuse"})
				})
				messages = append(messages, m)
			}
			return messages
		}
		look := func(want string) {
			t.Helper()
			for range 2 { // the second look finds nothing new
				if err := d.TellGaps(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			list, err := d.Store.ListDelivered(context.Background(), store.LedgerQuery{To: []chat.Address{{Kind: chat.Hook, ID: "wall"}}, N: 50})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := len(list) - 1; i >= 0; i-- {
				var e GapEvent
				if err := json.Unmarshal(list[i].Said.Body.Event.Data, &e); err != nil {
					t.Fatal(err)
				}
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %d %s %d", list[i].Said.Body.Event.Type, e.Gap.Question, e.Gap.People, e.Why, e.Entry)))
			}
			if all := strings.Join(got, "|"); all != want {
				t.Errorf("heard %s\nwant  %s", all, want)
			}
		}
		bond := ask("可转债怎么开通权限", "a", "b", "c")
		ask("新版对账单口径变了吗", "a", "b")
		look("") // nobody subscribed
		d.Subscribers = chat.Subscribers{{Name: "wall", Events: []string{"gap.*"}}}
		said := "gap.opened 可转债怎么开通权限 3  0"
		look(said)
		ask("新版对账单口径变了吗", "c")
		said += "|gap.opened 新版对账单口径变了吗 3  0"
		look(said)
		var entry int64
		d.in(func(tx *store.Tx) (err error) {
			entry, err = tx.NewEntry("t", kb.Entry{Question: "可转债权限", Answer: "业务办理里开通。", State: kb.Published})
			return err
		})
		d.in(func(tx *store.Tx) error {
			_, _, err := d.AddWordings(tx, chat.User{ID: "cur", Roles: chat.RoleSet{chat.Curator}}, entry, []string{"可转债怎么开通权限"}, bond, false)
			return err
		})
		said += fmt.Sprintf("|gap.closed 可转债怎么开通权限 3 learned %d", entry)
		look(said)
		d.wait((GapDays + 1) * 24 * time.Hour)
		look(said + "|gap.closed 新版对账单口径变了吗 3 gone 0")
	})
}
