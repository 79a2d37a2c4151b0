package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

func TestEntryHealth(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		due := entry("怎么开户", "到柜台")
		due.ReviewAt = "2026-05-01"
		gone := entry("夜市几点", "20 点")
		gone.ValidUntil = "2026-04-01"
		draft := entry("草稿", "x")
		draft.State = kb.Draft
		put(t, s, due, gone, draft, entry("手续费", "万三"))
		first := now
		now = now.AddDate(0, 2, 0)
		put(t, s, entry("新的", "x"))
		inTx(t, s, func(tx *store.Tx) error { // changed since, and as old as before
			_, err := tx.ChangeEntry("zhao", "", 4, 0, func(e *kb.Entry) error { e.Answer = "万二点五"; return nil })
			return err
		})
		if n, err := s.CountDueEntries(ctx, "2026-05-02"); err != nil || n != 2 {
			t.Errorf("due: %d, %v", n, err)
		}
		if list, err := s.OldEntries(ctx, first); err != nil || !slices.Equal(list, []int64{1, 2, 4}) {
			t.Errorf("old: %v, %v", list, err)
		}
		if list, err := s.OldEntries(ctx, now); err != nil || !slices.Equal(list, []int64{1, 2, 4, 5}) {
			t.Errorf("all: %v, %v", list, err)
		}
		if list, err := s.EntriesOf(ctx, []int64{2, 9, 4}); err != nil || len(list) != 2 || list[4].Answer != "万二点五" {
			t.Errorf("%v, %v", list, err)
		}
	})
}
