package store

import (
	"context"
	"time"
)

// TakeJob wins the run of a job that is due, by compare-and-swap on its next
// time: of all replicas exactly one gets true. A job never seen before is due
// at once.
func (s *Store) TakeJob(ctx context.Context, name string, next func(now time.Time) time.Time) (bool, error) {
	won := false
	err := s.InTx(ctx, func(tx *Tx) error {
		won = false
		var due []int64
		if err := tx.db.Raw("SELECT next_at FROM job WHERE name=?", name).Scan(&due).Error; err != nil {
			return err
		}
		at := millis(next(tx.now))
		if len(due) == 0 {
			err := tx.db.Exec("INSERT INTO job (name, next_at, ran_at, err) VALUES (?,?,?,'')", name, at, millis(tx.now)).Error
			won = err == nil
			if isDuplicate(err) {
				return nil
			}
			return err
		}
		if due[0] > millis(tx.now) {
			return nil
		}
		u := tx.db.Exec("UPDATE job SET next_at=?, ran_at=? WHERE name=? AND next_at=?", at, millis(tx.now), name, due[0])
		won = u.RowsAffected == 1
		return u.Error
	})
	return won && err == nil, err
}

// JobRun is when a job ran and how its last run ended.
type JobRun struct {
	Name      string
	Ran, Next time.Time
	Err       string // "" for well, and while it runs
}

// ListJobs are the jobs that ever ran, by name.
func (s *Store) ListJobs(ctx context.Context) (map[string]JobRun, error) {
	var rows []struct {
		Name          string
		NextAt, RanAt int64
		Err           string
	}
	err := s.read.WithContext(ctx).Raw("SELECT name, next_at, ran_at, err FROM job").Scan(&rows).Error
	out := make(map[string]JobRun, len(rows))
	for _, r := range rows {
		out[r.Name] = JobRun{r.Name, fromMillis(r.RanAt), fromMillis(r.NextAt), r.Err}
	}
	return out, err
}

// EndJob records how a job's run ended.
func (s *Store) EndJob(ctx context.Context, name string, cause error) error {
	text := ""
	if cause != nil {
		text = clip(cause.Error(), 1000)
	}
	return s.InTx(ctx, func(tx *Tx) error { return tx.db.Exec("UPDATE job SET err=? WHERE name=?", text, name).Error })
}

// monitorKeep is how long results of monitors are kept: a quarter of a year to
// compare with.
const monitorKeep = 90 * 24 * time.Hour

// hoursKeep is how long their hours are kept.
const hoursKeep = 2 * 366 * 24 * time.Hour

// sweepBatch keeps one delete short, so that nothing waits long for it.
const sweepBatch = 500

// Sweep deletes finished messages, deliveries, what alert senders sent, answers of the page, calls of models, spent card codes, ended
// conversations, shifts that are over and expired tokens older than keep, and sessions that are over. Keys of messages stay at least as long as
// the platform could send one again, because keep is never under a week.
func (s *Store) Sweep(ctx context.Context, keep time.Duration) (n int64, err error) {
	keep = max(keep, 7*24*time.Hour)
	now := s.now()
	limit := idAt(now.Add(-keep))
	for _, q := range []struct {
		table, key, where string
		arg               int64
	}{
		{"inbox", "id", "id < ? AND state >= 2", limit},
		{"outbox", "id", "id < ? AND state >= 2", limit},
		{"card_code", "id", "id < ?", limit},
		{"alert_delivery", "id", "id < ?", limit},
		{"alert_waiting", "delivery", "delivery < ?", limit},
		{"alert_event", "id", "id < ?", limit},
		{"question_watch", "id", "id < ?", limit},
		{"page_answer", "id", "id < ?", limit},
		{"model_call", "id", "id < ?", limit},
		{"model_spent", "id", "id < ?", limit},
		{"monitor_result", "id", "id < ?", idAt(now.Add(-monitorKeep))},
		{"monitor_object", "day", "day < ?", dayNumber(now.Add(-monitorKeep))},
		{"monitor_hour", "hour", "hour < ?", now.Add(-hoursKeep).UnixMilli()},
		{"construct_step", "id", "id < ? AND item_id IN (SELECT id FROM construct_item WHERE run_id IN (SELECT id FROM construct_run WHERE state IN ('undone','rejected')))", limit},
		{"construct_item", "id", "id < ? AND run_id IN (SELECT id FROM construct_run WHERE state IN ('undone','rejected'))", limit},
		{"duty_shift", "id", "ends_at < ?", now.Add(-keep).UnixMilli()},
		{"survey", "member", "asked_at < ?", now.Add(-keep).UnixMilli()},
		{"conversation", "thread_key", "updated_at < ?", now.Add(-keep).UnixMilli()},
		{"session", "id_key", "seen_at < ?", now.Add(-SessionMost).UnixMilli()},
		{"login_state", "id_key", "until < ?", now.UnixMilli()},
		{"api_token", "id_key", "until < ?", now.Add(-keep).UnixMilli()},
	} {
		for ctx.Err() == nil {
			gone := int64(0)
			err := s.InTx(ctx, func(tx *Tx) error {
				// The inner select is wrapped: MySQL allows no LIMIT in IN directly.
				u := tx.db.Exec("DELETE FROM "+q.table+" WHERE "+q.key+" IN (SELECT k FROM (SELECT "+q.key+" AS k FROM "+q.table+" WHERE "+q.where+" LIMIT ?) x)", q.arg, sweepBatch)
				gone = u.RowsAffected
				return u.Error
			})
			if err != nil {
				return n, err
			}
			n += gone
			if gone < sweepBatch {
				break
			}
		}
	}
	return n, ctx.Err()
}
