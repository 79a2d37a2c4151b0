package store

import (
	"context"
	"time"
)

// RunFigures are the sums over runs of data construction of one recipe that
// people of one department ordered. Runs that nobody said yes to are none.
type RunFigures struct {
	Recipe, Department string
	Runs               int64
	Done               int64 // that made everything, taken back since or not
	Good, Bad          int64 // pieces
}

// runDone is a run that made what was wanted.
const runDone = "bad = 0 AND good = wanted"

// RunFigures are the sums over the runs ordered in [from, to).
func (s *Store) RunFigures(ctx context.Context, from, to time.Time) (out []RunFigures, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT r.recipe, COALESCE(m.department, '') AS department, COUNT(*) AS runs, "+countIf(runDone)+" AS done, SUM(r.good) AS good, SUM(r.bad) AS bad FROM construct_run r LEFT JOIN member m ON m.id = r.requester WHERE r.id >= ? AND r.id < ? AND r.state NOT IN ? GROUP BY r.recipe, COALESCE(m.department, '') ORDER BY runs DESC, r.recipe, department",
		idAt(from), idAt(to), []string{RunWaiting, RunRejected}).Scan(&out).Error
	return out, err
}
