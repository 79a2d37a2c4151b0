package store_test

import (
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// Times count runs that made everything, targets every call; both only since
// the instant that is asked for.
func TestRunReport(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		now := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		for i, c := range []struct {
			state string
			took  time.Duration
			at    time.Time
			step  string
		}{
			{store.RunDone, 3 * time.Second, now.AddDate(0, 0, -40), store.StepFailed},
			{store.RunDone, 5 * time.Second, now, store.StepDone},
			{store.RunUndone, 7 * time.Second, now, store.StepFailed},
			{store.RunFailed, 9 * time.Second, now, store.StepUndoFailed},
		} {
			at := now
			now = c.at
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				r := store.Run{Recipe: "open", Title: "开户", Env: "uat-2", State: store.RunQueued, Requester: "sun", Source: string(rune('a' + i)), Wanted: 1}
				if _, err := tx.CreateRun(&r); err != nil {
					return err
				}
				return tx.SaveStep(&store.RunStep{ItemID: r.ID, Path: "a", Title: "建档", Target: "account", State: c.step})
			})
			if err == nil {
				err = s.Exec("UPDATE construct_run SET state=?, started_at=1, ended_at=? WHERE source_key=?", c.state, 1+c.took.Milliseconds(), string(rune('a'+i)))
			}
			if err != nil {
				t.Fatal(err)
			}
			now = at
		}
		times, err := s.RunTimes(t.Context(), now.AddDate(0, 0, -30))
		if err != nil || len(times) != 2 || times[0].Took+times[1].Took != 12*time.Second {
			t.Errorf("times %v (%v)", times, err)
		}
		uses, err := s.TargetUses(t.Context(), now.AddDate(0, 0, -30))
		if err != nil || len(uses) != 1 || uses[0] != (store.TargetUse{Target: "account", Title: "建档", Calls: 3, Failed: 2}) {
			t.Errorf("targets %v (%v)", uses, err)
		}
	})
}
