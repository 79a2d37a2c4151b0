package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// What a day's table is made from: the groups of the day in order, the first
// claim of each, and a label of one of its alerts.
func TestAlertDayReads(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		now := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		ctx := context.Background()
		in := func(do func(tx *store.Tx) error) {
			t.Helper()
			if err := s.InTx(ctx, do); err != nil {
				t.Fatal(err)
			}
		}
		var ids []int64
		for i := range 3 {
			g := store.AlertGroup{Route: "default", Key: fmt.Sprint("k", i), Title: "a", State: store.GroupOpen, Opened: now, Changed: now}
			in(func(tx *store.Tx) error { return tx.AddAlertGroup(&g) })
			a := &store.Alert{FP: fmt.Sprint("fp", i), Source: "am", Name: "a", State: store.AlertFiring, Labels: map[string]string{"system": fmt.Sprint("s", i)}, GroupID: g.ID}
			in(func(tx *store.Tx) error { return tx.AddAlerts([]*store.Alert{a}) })
			ids = append(ids, g.ID)
			now = now.Add(12 * time.Hour)
		}
		for _, after := range []time.Duration{time.Minute, time.Hour} { // claimed, given back, claimed again
			in(func(tx *store.Tx) error {
				return tx.AddAlertEvents(store.AlertEvent{Group: ids[0], Kind: "claimed", Actor: "wang"}, store.AlertEvent{Group: ids[1], Kind: "note"})
			})
			now = now.Add(after)
		}
		day := time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)
		groups, err := s.AlertGroupsOpened(ctx, day, day.AddDate(0, 0, 1))
		if err != nil || len(groups) != 2 || groups[0].ID != ids[0] {
			t.Errorf("%+v %v", groups, err)
		}
		claims, err := s.FirstClaims(ctx, ids)
		if err != nil || len(claims) != 1 || !claims[ids[0]].Equal(time.Date(2026, 3, 4, 21, 0, 0, 0, time.UTC)) {
			t.Errorf("%v %v", claims, err)
		}
		systems, err := s.LabelOfGroups(ctx, "system", ids)
		if err != nil || len(systems) != 3 || systems[ids[2]] != "s2" {
			t.Errorf("%v %v", systems, err)
		}
		firing, err := s.FiringGroups(ctx, "am", "")
		if err != nil || len(firing) != 3 {
			t.Errorf("%v %v", firing, err)
		}
		if none, err := s.FirstClaims(ctx, nil); err != nil || len(none) != 0 {
			t.Errorf("%v %v", none, err)
		}
	})
}
