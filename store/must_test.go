package store_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

func TestMusts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		draft := entry("草稿", "x")
		draft.State = kb.Draft
		put(t, s, entry("怎么开户", "到柜台"), draft)
		add := func(e int64, q string) (fresh bool) {
			inTx(t, s, func(tx *store.Tx) (err error) {
				fresh, err = tx.PutMust(store.Must{Entry: e, Question: q, Author: "zhao"})
				return err
			})
			return fresh
		}
		if !add(1, "开户去哪里 办") || !add(1, "开户") || add(1, "开户去哪里  办") || !add(2, "开户") {
			t.Error("a question is kept once for each entry")
		}
		if list, err := s.ListMusts(ctx, 1); err != nil || len(list) != 2 || list[0].Author != "zhao" || list[0].At.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		if list, err := s.PublishedMusts(ctx, 9); err != nil || len(list) != 2 || list[0].Entry != 1 {
			t.Errorf("only what is published: %+v, %v", list, err)
		}
		for _, want := range []bool{true, false} {
			inTx(t, s, func(tx *store.Tx) error {
				done, err := tx.DropMust(1, "开户")
				if done != want {
					t.Errorf("dropped: %v, want %v", done, want)
				}
				return err
			})
		}
	})
}

func TestAskedTexts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		put(t, s, entry("怎么开户", "到柜台"))
		for i, text := range []string{"甲", "乙", "甲", "丙"} {
			inTx(t, s, func(tx *store.Tx) error {
				m := string(rune('a' + i))
				if err := tx.KeepQuestion(store.Question{Message: m, Asker: m, Text: text, Band: "answer", Entry: 1}); err != nil {
					return err
				}
				if text == "丙" {
					return nil
				}
				return tx.JudgeQuestion(m, m, "useful", 0)
			})
		}
		if got, err := s.RecentTexts(ctx, s.Now().Add(-time.Hour), 2); err != nil || !reflect.DeepEqual(got, []store.AskedText{{Text: "丙", Times: 1}, {Text: "甲", Times: 2}}) {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := s.RecentTexts(ctx, s.Now().Add(time.Hour), 2); err != nil || len(got) != 0 {
			t.Errorf("of the future: %v, %v", got, err)
		}
		if got, err := s.HelpedTexts(ctx, 1, 9); err != nil || !reflect.DeepEqual(got, []store.AskedText{{Text: "甲", Times: 2}, {Text: "乙", Times: 1}}) {
			t.Errorf("%v, %v", got, err)
		}
	})
}
