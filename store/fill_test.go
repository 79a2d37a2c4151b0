package store_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// What a past that is written straight into the tables leaves as sums is what
// the store counts itself from the same rows.
func TestFilledSumsAreCounted(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, address string) {
		s := storetest.Open(t, address, store.Options{Serve: true})
		err := s.InTx(context.Background(), func(tx *store.Tx) error {
			if err := tx.CreateTicket(&store.Ticket{Title: "持仓页白屏", Reporter: "r1", Priority: "P3"}); err != nil {
				return err
			}
			return tx.KeepQuestion(store.Question{Message: "m", Asker: "x", Text: "怎么开户", Band: "refuse"})
		})
		if err != nil {
			t.Fatal(err)
		}
		storetest.FillStore(t, address, s, storetest.Fill{Tickets: 3000, Questions: 3000, Days: 40, Until: s.Now()})
		db := storetest.Raw(t, address)
		filled := dumpSums(t, db)
		if len(filled) < 5000 {
			t.Fatalf("%d sums", len(filled))
		}
		for _, statement := range []string{"DELETE FROM ticket_figure", "DELETE FROM time_figure", "DELETE FROM question_figure",
			"UPDATE figure_state SET count_no = count_no + 1, ticket_id = 0, question_id = 0, ticket_top = (SELECT MAX(id) FROM ticket), question_top = (SELECT MAX(id) FROM question)"} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		s = storetest.Open(t, address, store.Options{Serve: true})
		if done, err := s.FillFigures(context.Background(), time.Minute); err != nil || !done {
			t.Fatal(done, err)
		}
		counted := dumpSums(t, db)
		if !slices.Equal(filled, counted) {
			wrong := 0
			for i := range max(len(filled), len(counted)) {
				a, b := "", ""
				if i < len(filled) {
					a = filled[i]
				}
				if i < len(counted) {
					b = counted[i]
				}
				if a != b && wrong < 10 {
					wrong++
					t.Errorf("filled %s\ncounted %s", a, b)
				}
			}
			t.Errorf("%d sums filled, %d counted", len(filled), len(counted))
		}
	})
}

// dumpSums are all rows of the sums that are not nothing, as texts, sorted.
func dumpSums(t *testing.T, db *sql.DB) (out []string) {
	t.Helper()
	for table, keys := range map[string]int{"ticket_figure": 4, "time_figure": 5, "question_figure": 3} {
		rows, err := db.Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]sql.NullString, len(columns))
			to := make([]any, len(columns))
			for i := range values {
				to[i] = &values[i]
			}
			if err := rows.Scan(to...); err != nil {
				t.Fatal(err)
			}
			parts, any := []string{table}, false
			for i, v := range values {
				parts = append(parts, v.String)
				any = any || i >= keys && v.String != "0"
			}
			if any {
				out = append(out, strings.Join(parts, " "))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	slices.Sort(out)
	return out
}
