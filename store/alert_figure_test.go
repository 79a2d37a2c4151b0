package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// What a group of alerts counts for is what its list has: two ways of saying
// the same, one in Go for the figures and one in SQL for the lists.
func TestAlertFiguresAreTheirLists(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		zone := time.FixedZone("X", 8*3600)
		now := time.Date(2026, 11, 20, 15, 0, 0, 0, zone)
		s := open(store.Options{Now: func() time.Time { return now }})
		ctx := context.Background()
		n := 0
		for _, state := range []string{store.GroupOpen, store.GroupClosed} {
			for _, firing := range []int{0, 2} {
				for _, claimed := range []bool{false, true} {
					for _, outcome := range []string{"", "false"} {
						for _, ticket := range []int64{0, 7} {
							n++
							now = now.Add(3 * time.Hour) // over several days
							g := store.AlertGroup{Route: "r", Key: fmt.Sprint("k", n), Title: fmt.Sprint("规则", n%5), Source: []string{"monitor", "am"}[n%2], State: state, Firing: firing, Opens: n, Opened: now, Changed: now.Add(time.Minute), Outcome: outcome, Ticket: ticket}
							if claimed {
								g.ClaimedBy, g.Claimed = "gu", now.Add(time.Second)
							}
							if state == store.GroupClosed {
								g.Closed = now.Add(10 * time.Minute)
							}
							if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.AddAlertGroup(&g) }); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
			}
		}
		from := time.Date(2026, 11, 21, 0, 0, 0, 0, zone)
		for day := from; day.Before(now); day = day.AddDate(0, 0, 1) {
			sums, rules := store.AlertFigures{}, map[string]int64{}
			err := s.EachAlert(ctx, day, day.AddDate(0, 0, 1), func(r store.AlertRow) {
				sums.Add(r.AlertFigures)
				rules[r.Title]++
				if r.Day != s.DayKey(day) {
					t.Errorf("a group of %d is among those of %s", r.Day, day)
				}
			})
			if err != nil || sums.Groups == 0 {
				t.Fatal(sums, err)
			}
			count := func(q store.AlertGroupQuery) int64 {
				q.Since, q.Until = day, day.AddDate(0, 0, 1)
				n, err := s.CountAlertGroups(ctx, q)
				list, err2 := s.ListAlertGroups(ctx, store.AlertGroupQuery{Since: q.Since, Until: q.Until, Kind: q.Kind, Title: q.Title, N: 100})
				if err != nil || err2 != nil || int64(len(list)) != n {
					t.Fatal(n, len(list), err, err2)
				}
				return n
			}
			want := map[string]int64{"": sums.Groups, "claimed": sums.Claimed, "false": sums.False, "ticketed": sums.Ticketed, "untouched": sums.Untouched, "over": sums.Over, "handled": sums.Handled, "firing": sums.Open}
			for _, kind := range append([]string{""}, store.AlertKinds...) {
				if got := count(store.AlertGroupQuery{Kind: kind}); got != want[kind] {
					t.Errorf("%s %q: the list has %d, the figure is %d", day.Format(time.DateOnly), kind, got, want[kind])
				}
			}
			for title, n := range rules {
				if got := count(store.AlertGroupQuery{Title: title}); got != n {
					t.Errorf("%s: the list has %d, the figure is %d", title, got, n)
				}
			}
		}
	})
}
