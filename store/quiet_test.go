package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

func TestQuietHoursEnd(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("CST", 8*3600)
	at := func(day, h, m int) time.Time { return time.Date(2026, 11, day, h, m, 0, 0, zone) }
	night, lunch := store.QuietHours{From: 22 * 60, Until: 7 * 60}, store.QuietHours{From: 12 * 60, Until: 13*60 + 30}
	for _, x := range []struct {
		q        store.QuietHours
		now, end time.Time
	}{
		{night, at(25, 21, 59), time.Time{}},
		{night, at(25, 22, 0), at(26, 7, 0)},
		{night, at(26, 0, 0), at(26, 7, 0)},
		{night, at(26, 6, 59), at(26, 7, 0)},
		{night, at(26, 7, 0), time.Time{}},
		{lunch, at(25, 12, 0), at(25, 13, 30)},
		{lunch, at(25, 13, 30), time.Time{}},
		{lunch, at(25, 0, 0), time.Time{}},
		{store.QuietHours{}, at(25, 0, 0), time.Time{}},
	} {
		if got := x.q.End(x.now); !got.Equal(x.end) {
			t.Errorf("%v at %v: %v, want %v", x.q, x.now, got, x.end)
		}
	}
}

// Words that nobody asked for wait; others pass them. Their key stays taken, so
// that they are said once, and what is let go of is sent.
func TestHeldWords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Date(2026, 11, 25, 23, 0, 0, 0, time.FixedZone("CST", 8*3600))
		s := open(store.Options{Serve: true, Now: func() time.Time { return now }})
		if err := s.TakeAll(ctx); err != nil {
			t.Fatal(err)
		}
		lin, group := chat.Address{Kind: chat.Person, ID: "lin", Via: chat.App}, chat.Address{Kind: chat.Robot, ID: "north"}
		inTx(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.SetQuietHours(lin, store.QuietHours{From: 22 * 60, Until: 7 * 60, By: "lin"}), tx.SetQuietHours(group, store.QuietHours{From: 22 * 60, Until: 7 * 60}))
		})
		say := func(key string, to chat.Address, change func(o *chat.Outgoing)) {
			t.Helper()
			o := chat.Outgoing{Key: key, To: to, Body: chat.Body{Text: key}}
			if change != nil {
				change(&o)
			}
			inTx(t, s, func(tx *store.Tx) error { return tx.Enqueue(o) })
		}
		claimed := func() (keys []string) {
			t.Helper()
			for {
				list, err := s.Claim(ctx, 10)
				if err != nil {
					t.Fatal(err)
				}
				if len(list) == 0 {
					return keys
				}
				for _, d := range list {
					keys = append(keys, d.Key)
					d.Parts = []chat.Part{{API: "x"}}
					if err := errors.Join(s.Freeze(ctx, d, d.Parts), s.Sent(ctx, d, chat.Receipt{Road: "app"})); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		say("a", lin, nil)
		say("a", lin, nil) // again is once
		say("b", chat.Address{Kind: chat.Person, ID: "lin", Via: chat.Bot}, nil)
		say("urgent", lin, func(o *chat.Outgoing) { o.Urgent = true })
		say("asked", lin, func(o *chat.Outgoing) { o.Asked = true })
		say("update", lin, func(o *chat.Outgoing) { o.Body = chat.Body{Update: &chat.CardUpdate{TaskID: "x", Done: "y"}} })
		say("g", group, nil)
		say("other", chat.Address{Kind: chat.Robot, ID: "south"}, nil)
		if got := claimed(); len(got) != 4 || got[0] == "a" {
			t.Errorf("sent in the quiet hours: %v", got)
		}
		list, err := s.ListDelivered(ctx, store.LedgerQuery{State: "held", N: 10})
		if err != nil || len(list) != 3 || !list[0].Due.Equal(time.Date(2026, 11, 26, 7, 0, 0, 0, now.Location())) {
			t.Errorf("%+v, %v", list, err)
		}
		if places, err := s.HeldPlaces(ctx, 10); err != nil || len(places) != 0 {
			t.Errorf("too early: %v, %v", places, err)
		}
		now = now.Add(8 * time.Hour)
		places, err := s.HeldPlaces(ctx, 10)
		if err != nil || fmt.Sprint(places) != "[app/person/lin bot/person/lin /robot/north]" {
			t.Fatalf("%v, %v", places, err)
		}
		say("a", lin, nil) // its key is taken still
		var held []store.Held
		inTx(t, s, func(tx *store.Tx) (err error) { held, err = tx.Held(lin); return err })
		if len(held) != 1 || held[0].Said.Body.Text != "a" {
			t.Fatalf("%+v", held)
		}
		inTx(t, s, func(tx *store.Tx) error { return tx.LetGo([]int64{held[0].ID}) })
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.LetGo([]int64{held[0].ID}) }); !errors.Is(err, store.ErrStale) {
			t.Errorf("let go of twice: %v", err)
		}
		inTx(t, s, func(tx *store.Tx) (err error) { held, err = tx.Held(group); return err })
		inTx(t, s, func(tx *store.Tx) error { return tx.SummedUp([]int64{held[0].ID}) })
		if got := fmt.Sprint(claimed()); got != "[a]" {
			t.Errorf("after the quiet hours: %v", got)
		}
		// Taking them away lets go at once.
		now = now.Add(15 * time.Hour)
		say("c", lin, nil)
		inTx(t, s, func(tx *store.Tx) error { return tx.SetQuietHours(lin, store.QuietHours{}) })
		if places, _ := s.HeldPlaces(ctx, 10); len(places) != 2 {
			t.Errorf("%v", places)
		}
		if q, err := s.QuietHours(ctx, lin); err != nil || q.Set() {
			t.Errorf("%+v, %v", q, err)
		}
	})
}
