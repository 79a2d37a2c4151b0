package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// A member has one token at a time, of which only the hash is kept.
func TestCalendarToken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx, now := context.Background(), time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		first, err := s.NewCalendarToken(ctx, "gu")
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Count("SELECT COUNT(*) FROM calendar_token WHERE id_key LIKE '%" + first[4:12] + "%' OR member LIKE '%cal%' OR last_four LIKE '%" + first[:8] + "%'"); n != 0 {
			t.Error("kept in clear")
		}
		second, err := s.NewCalendarToken(ctx, "gu")
		if err != nil || second == first || len(second) < 30 {
			t.Fatalf("%s, %v", second, err)
		}
		for value, want := range map[string]error{first: store.ErrNotFound, second: nil, "": store.ErrNotFound, second[:len(second)-1]: store.ErrNotFound} {
			if got, err := s.FindCalendarToken(ctx, value); !errors.Is(err, want) || err == nil && got.Member != "gu" {
				t.Errorf("%q: %+v, %v", value, got, err)
			}
		}
		now = now.Add(90 * time.Minute)
		if _, err := s.FindCalendarToken(ctx, second); err != nil {
			t.Fatal(err)
		}
		if got, err := s.CalendarTokenOf(ctx, "gu"); err != nil || !got.Used.Equal(now) || got.Last != second[len(second)-4:] {
			t.Errorf("%+v, %v", got, err)
		}
		for range 2 {
			if err := s.DropCalendarToken(ctx, "gu"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.CalendarTokenOf(ctx, "gu"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}

// The shifts that concern somebody: their own, and those of who stands in for them.
func TestRosterOf(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		inTx(t, s, func(tx *store.Tx) error {
			for _, sh := range []store.Shift{{Member: "gu"}, {Member: "fang", Stands: "gu"}, {Member: "fang"}, {Member: "gu", Weekly: true}, {Member: "gu", From: now.AddDate(0, 1, 0)}} {
				if sh.From.IsZero() {
					sh.From = now
				}
				sh.Group, sh.Until = "trading", sh.From.Add(time.Hour)
				if err := tx.AddShift(&sh); err != nil {
					return err
				}
			}
			return nil
		})
		list, err := s.RosterOf(context.Background(), "gu", now.Add(-time.Hour), now.Add(24*time.Hour))
		if err != nil || len(list) != 2 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
