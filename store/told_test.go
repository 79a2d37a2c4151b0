package store_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

func TestTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		put(t, s, entry("怎么开户", "到柜台"), entry("怎么销户", "到柜台"))
		asked := 0
		ask := func(band string, number int64, then ...func(tx *store.Tx, message, asker string) error) {
			asked++
			message, asker := fmt.Sprint("m", asked), fmt.Sprint("p", asked)
			now = now.Add(time.Second)
			inTx(t, s, func(tx *store.Tx) error {
				return tx.KeepQuestion(store.Question{Message: message, Asker: asker, Text: fmt.Sprint("问题", asked), Band: band, Entry: number})
			})
			for _, do := range then {
				inTx(t, s, func(tx *store.Tx) error { return do(tx, message, asker) })
			}
		}
		judge := func(feedback string) func(*store.Tx, string, string) error {
			return func(tx *store.Tx, m, p string) error { return tx.JudgeQuestion(m, p, feedback, 0) }
		}
		because := func(reason string) func(*store.Tx, string, string) error {
			return func(tx *store.Tx, m, p string) error { return tx.SayWhyUseless(m, p, reason) }
		}
		pick := func(number int64) func(*store.Tx, string, string) error {
			return func(tx *store.Tx, m, p string) error { return tx.PickEntry(m, p, number) }
		}
		other := func(tx *store.Tx, m, _ string) error { return tx.PickEntry(m, "somebody", 2) }

		ask("answer", 1)                                                 // 1: nothing said
		ask("answer", 1, judge("useful"))                                // 2
		ask("answer", 1, judge("useless"))                               // 3
		ask("answer", 1, judge("useless"), because(store.ReasonOff))     // 4
		ask("answer", 1, judge("useless"), because(store.ReasonUnclear)) // 5: asked for, not well said
		ask("answer", 1, judge("person"))                                // 6: says nothing of the entry
		ask("clarify", 1, pick(2))                                       // 7
		ask("clarify", 1, pick(2), pick(1))                              // 8: the last choice
		ask("clarify", 1, pick(2), judge("useless"))                     // 9
		ask("clarify", 1, judge("person"))                               // 10: none of them
		ask("clarify", 1, judge("useful"))                               // 11: of which?
		ask("clarify", 1, other)                                         // 12: somebody else's choice
		ask("answer", 1, pick(2))                                        // 13: nothing was offered
		ask("refuse", 0, judge("person"))                                // 14
		inTx(t, s, func(tx *store.Tx) error {
			_, err := tx.PutMust(store.Must{Entry: 2, Question: "不要账户了", Author: "zhao"})
			return err
		})
		want := []kb.Told{
			{Text: "问题10", By: "p10"}, {Text: "问题9", Entry: 2, By: "p9"}, {Text: "问题8", Entry: 1, Right: true, By: "p8"}, {Text: "问题7", Entry: 2, Right: true, By: "p7"},
			{Text: "问题5", Entry: 1, Right: true, By: "p5"}, {Text: "问题4", Entry: 1, By: "p4"}, {Text: "问题3", Entry: 1, By: "p3"}, {Text: "问题2", Entry: 1, Right: true, By: "p2"},
			{Text: "不要账户了", Entry: 2, Right: true, Confirmed: true},
		}
		got, err := s.Told(context.Background(), 100)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
		}
		if got, err := s.Told(context.Background(), 3); err != nil || len(got) != 2 || got[1].Text != "不要账户了" {
			t.Errorf("of the newest three rows one is a word: %v %+v", err, got)
		}
		now = now.Add(200 * 24 * time.Hour)
		if got, err := s.Told(context.Background(), 100); err != nil || len(got) != 1 || !got[0].Confirmed {
			t.Errorf("after half a year: %v %+v", err, got)
		}
	})
}

// TestPickMovesTheFigures has a choice count for the entry that was chosen.
func TestPickMovesTheFigures(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		put(t, s, entry("怎么开户", "到柜台"), entry("怎么销户", "到柜台"))
		inTx(t, s, func(tx *store.Tx) error {
			return tx.KeepQuestion(store.Question{Message: "m", Asker: "lin", Text: "户", Band: "clarify", Entry: 1})
		})
		inTx(t, s, func(tx *store.Tx) error { return tx.PickEntry("m", "lin", 2) })
		inTx(t, s, func(tx *store.Tx) error { return tx.JudgeQuestion("m", "lin", "useful", 0) })
		list, err := s.ListQuestions(context.Background(), store.QuestionQuery{Entry: 2, N: 9})
		if err != nil || len(list) != 1 || list[0].Feedback != "useful" {
			t.Errorf("%+v %v", list, err)
		}
		sums, err := s.SplitQuestions(context.Background(), store.ByEntry, s.Now().AddDate(0, 0, -1), s.Now().AddDate(0, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		for number, want := range map[string]int64{"1": 0, "2": 1} {
			if got := sums[number]; got.Useful != want || got.Asked != want {
				t.Errorf("K%s counts %+v, want %d", number, got, want)
			}
		}
	})
}
