package store_test

import (
	"fmt"
	"testing"

	"frontline/store"
	"frontline/store/storetest"
)

// Statements that are kept prepared, given up for others and prepared anew give
// what they gave before.
func TestStatementsStayRight(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	for round := range 4 {
		for n := range 300 {
			// A list of its own length is a text of its own.
			var fps []string
			var ids []int64
			for i := range n + 1 {
				fps, ids = append(fps, fmt.Sprintf("fp%d", i)), append(ids, int64(i))
			}
			err := s.InTx(t.Context(), func(tx *store.Tx) error {
				if round == 0 {
					return tx.AddAlerts([]*store.Alert{{FP: fps[n], Name: fmt.Sprint("name ", n), State: store.AlertFiring}})
				}
				groups, err := tx.AlertGroupsByID(ids)
				if err == nil && len(groups) != 0 {
					err = fmt.Errorf("%d groups out of nothing", len(groups))
				}
				known, e := tx.AlertsByFP(fps)
				if err == nil && e == nil && (len(known) != n+1 || known[fps[n]].Name != fmt.Sprint("name ", n)) {
					err = fmt.Errorf("%d alerts of %d", len(known), n+1)
				}
				if err == nil {
					err = e
				}
				return err
			})
			if err != nil {
				t.Fatalf("round %d, %d: %v", round, n, err)
			}
		}
	}
}
