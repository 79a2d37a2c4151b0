package store

import (
	"context"
	"time"
)

// RunTime is how long a finished run took, for percentiles.
type RunTime struct {
	Recipe string
	Took   time.Duration
}

// RunTimes are the times of the runs since an instant that made everything they
// were asked for; of the newest 20 000.
func (s *Store) RunTimes(ctx context.Context, since time.Time) ([]RunTime, error) {
	var rows []struct {
		Recipe string
		Took   int64
	}
	err := s.read.WithContext(ctx).Raw("SELECT recipe, ended_at-started_at AS took FROM construct_run WHERE id >= ? AND state IN ? AND started_at > 0 AND ended_at >= started_at ORDER BY id DESC LIMIT 20000",
		idAt(since), []string{RunDone, RunUndone}).Scan(&rows).Error
	out := make([]RunTime, len(rows))
	for i, r := range rows {
		out[i] = RunTime{r.Recipe, time.Duration(r.Took) * time.Millisecond}
	}
	return out, err
}

// TargetUse is how often the steps of runs called a target, and how often the
// call failed for good.
type TargetUse struct {
	Target string
	Title  string // of the step
	Calls  int
	Failed int
}

// TargetUses counts the steps since an instant by target and title, the most
// failures first; at most 500.
func (s *Store) TargetUses(ctx context.Context, since time.Time) (out []TargetUse, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT target, title, COUNT(*) AS calls, SUM(CASE WHEN state = ? OR state = ? THEN 1 ELSE 0 END) AS failed FROM construct_step WHERE id >= ? AND target <> '' GROUP BY target, title ORDER BY failed DESC, calls DESC, target, title LIMIT 500",
		StepFailed, StepUndoFailed, idAt(since)).Scan(&out).Error
	return out, err
}
