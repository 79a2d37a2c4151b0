package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"frontline/store"
	"frontline/store/storetest"
)

func TestSynonyms(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		none, edition, err := s.Synonyms(ctx, 0)
		if err != nil || none != nil || edition == 0 {
			t.Fatalf("at first: %v, %d, %v", none, edition, err)
		}
		var id int64
		inTx(t, s, func(tx *store.Tx) error {
			if err := tx.LockSynonyms(); err != nil {
				return err
			}
			if id, err = tx.PutSynonyms(store.SynonymGroup{Words: []string{"可转债", "转债"}, Author: "zhao"}); err != nil {
				return err
			}
			_, err := tx.PutSynonyms(store.SynonymGroup{Words: []string{"北向", "沪股通"}, Author: "zhao"})
			return err
		})
		groups, next, err := s.Synonyms(ctx, edition)
		if err != nil || next <= edition || fmt.Sprint(groups) != "[[可转债 转债] [北向 沪股通]]" {
			t.Errorf("%v, %d, %v", groups, next, err)
		}
		if groups, again, err := s.Synonyms(ctx, next); err != nil || groups != nil || again != next {
			t.Errorf("nothing new: %v, %d, %v", groups, again, err)
		}
		inTx(t, s, func(tx *store.Tx) error {
			_, err := tx.PutSynonyms(store.SynonymGroup{ID: id, Words: []string{"可转债", "转换债"}, Author: "qian"})
			return err
		})
		if list, err := s.ListSynonyms(ctx); err != nil || len(list) != 2 || list[0].Words[1] != "转换债" || list[0].Author != "qian" || list[0].At.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		for _, want := range []error{nil, store.ErrNotFound} {
			if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.DropSynonyms(id) }); !errors.Is(err, want) {
				t.Errorf("drop: %v, want %v", err, want)
			}
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.PutSynonyms(store.SynonymGroup{ID: id, Words: []string{"甲", "乙"}})
			return err
		}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a group that is gone: %v", err)
		}
	})
}
