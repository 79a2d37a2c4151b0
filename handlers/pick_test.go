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

// 有用 after a choice, in chat or on the page, says which entry it is about; on the page
// an entry that is not published says nothing.
func TestUsefulIsAboutWhatWasShown(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		var first, second, draft int64
		d.in(func(tx *store.Tx) (err error) {
			for _, x := range []struct {
				number *int64
				entry  kb.Entry
			}{{&first, kb.Entry{Question: "夜市委托几点开始", State: kb.Published}}, {&second, kb.Entry{Question: "夜市委托几点结束", State: kb.Published}}, {&draft, kb.Entry{Question: "夜市费用", State: kb.Draft}}} {
				x.entry.Answer = "二十点。"
				if *x.number, err = tx.NewEntry("zhao", x.entry); err != nil {
					return err
				}
			}
			for _, m := range []string{aMessage, "page1", "page2"} {
				if err := tx.KeepQuestion(store.Question{Message: m, Asker: "lin", Text: "夜市几点 " + m, Band: "clarify", Entry: first}); err != nil {
					return err
				}
			}
			return nil
		})
		lin := chat.User{ID: "lin"}
		res, err := d.useful(ctx, Request{Actor: lin, Topic: Topic{Message: aMessage, Entry: second}})
		if err != nil {
			t.Fatal(err)
		}
		d.in(func(tx *store.Tx) error { return res.Write(tx, &res) })
		for message, entry := range map[string]int64{"page1": second, "page2": draft} {
			if err := d.JudgeOnPage(ctx, lin, message, "useful", entry); err != nil {
				t.Fatal(err)
			}
		}
		list, err := d.Store.Told(ctx, 9)
		if err != nil || len(list) != 2 || list[0].Entry != second || list[1].Entry != second || !list[0].Right {
			t.Errorf("%+v %v", list, err)
		}
	})
}
