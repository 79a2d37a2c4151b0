package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// A monitor is paused once and let go once; who did is in the audit log.
func TestMonitorHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		now := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		ctx := context.Background()
		hold := func() error {
			return s.InTx(ctx, func(tx *store.Tx) error { return tx.HoldMonitor("a", "wang", "在升级") })
		}
		release := func() error {
			return s.InTx(ctx, func(tx *store.Tx) error { return tx.ReleaseMonitor("a", "li") })
		}
		if err := release(); !errors.Is(err, store.ErrStale) {
			t.Errorf("let go what runs: %v", err)
		}
		if err := hold(); err != nil {
			t.Fatal(err)
		}
		if err := hold(); !errors.Is(err, store.ErrStale) {
			t.Errorf("paused twice: %v", err)
		}
		all, err := s.MonitorHolds(ctx)
		if err != nil || len(all) != 1 || all["a"].By != "wang" || all["a"].Why != "在升级" || !all["a"].Since().Equal(now) {
			t.Errorf("%+v %v", all, err)
		}
		if held, err := s.MonitorHeld(ctx, "a"); err != nil || !held {
			t.Errorf("%v %v", held, err)
		}
		if err := release(); err != nil {
			t.Fatal(err)
		}
		if held, err := s.MonitorHeld(ctx, "a"); err != nil || held {
			t.Errorf("%v %v", held, err)
		}
		log, err := s.ListAudit(ctx, store.AuditQuery{Action: "monitor.", N: 10})
		if err != nil || len(log) != 2 || log[0].Actor != "li" || log[1].Actor != "wang" {
			t.Errorf("%+v %v", log, err)
		}
	})
}
