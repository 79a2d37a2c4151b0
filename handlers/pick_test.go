package handlers

import (
	"context"
	"fmt"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Choosing one of several offered says which was meant; looking at an entry by its
// number says nothing.
func TestChoiceIsKept(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		var first, second int64
		d.in(func(tx *store.Tx) (err error) {
			if first, err = tx.NewEntry("zhao", kb.Entry{Question: "夜市委托几点开始", Answer: "二十点。", State: kb.Published}); err != nil {
				return err
			}
			if second, err = tx.NewEntry("zhao", kb.Entry{Question: "夜市委托几点结束", Answer: "次日九点。", State: kb.Published}); err != nil {
				return err
			}
			return tx.KeepQuestion(store.Question{Message: aMessage, Asker: "lin", Text: "夜市几点", Band: "clarify", Entry: first})
		})
		look := func(who string, number int64, topic Topic) {
			t.Helper()
			res, err := d.entry(ctx, Request{Actor: chat.User{ID: who}, Msg: chat.Message{ID: "zyxwvutsrqponmlkjihgfedc"}, Args: fmt.Sprint("K", number), Topic: topic})
			if err != nil {
				t.Fatal(err)
			}
			if res.Write != nil {
				d.in(func(tx *store.Tx) error { return res.Write(tx, &res) })
			}
		}
		told := func() []kb.Told {
			t.Helper()
			list, err := d.Store.Told(ctx, 9)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		look("lin", second, Topic{})
		look("wu", second, Topic{Message: aMessage, Question: "夜市几点"})
		if list := told(); len(list) != 0 {
			t.Errorf("nobody chose: %+v", list)
		}
		look("lin", second, Topic{Message: aMessage, Question: "夜市几点"})
		if list := told(); len(list) != 1 || list[0] != (kb.Told{Text: "夜市几点", Entry: second, Right: true, By: "lin"}) {
			t.Errorf("%+v", list)
		}
	})
}

const aMessage = "abcdefghijklmnopqrstuvwx"
