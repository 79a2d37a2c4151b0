package handlers

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"frontline/store"
)

// Job is work by the clock. Of all replicas one runs it.
type Job struct {
	Name string
	Next func(now time.Time) time.Time // the next run after one that is due now
	Run  func(ctx context.Context) error
}

// NewJobs is the one list of jobs.
func NewJobs(d *Desk, keep time.Duration) []Job {
	s := d.Store
	list := []Job{
		{Name: "sweep", Next: every(time.Hour), Run: func(ctx context.Context) error {
			_, err := s.Sweep(ctx, keep)
			return err
		}},
		{Name: "roster", Next: daily(0, 5), Run: d.LayRoster},
		{Name: "handover", Next: nextHandover, Run: d.Handover},
		{Name: "alert day", Next: daily(17, 30), Run: d.TellAlertDay},
		{Name: "reviews", Next: daily(9, 0), Run: d.RemindReviews},
		{Name: "gaps", Next: weekly(time.Monday, 9, 0), Run: d.ReportGaps},
		{Name: "sharing topics", Next: weekly(time.Monday, 9, 20), Run: d.ProposeSharing},
		{Name: "sharings", Next: every(jobLook), Run: d.TickSharings},
		{Name: "making", Next: weekly(time.Monday, 9, 5), Run: d.ReportMaking},
		{Name: "digest_day", Next: daily(17, 35), Run: d.ReportPeriod("daily")},
		{Name: "digest_week", Next: weekly(time.Monday, 9, 10), Run: d.ReportPeriod("weekly")},
		{Name: "digest_month", Next: monthly(1, 9, 15), Run: d.ReportPeriod("monthly")},
		{Name: "publish", Next: every(jobLook), Run: d.PublishDue},
		{Name: "gap_events", Next: every(gapLook), Run: d.TellGaps},
		{Name: "awaited", Next: every(jobLook), Run: d.TellAwaited},
		{Name: "tickets", Next: every(jobLook), Run: d.Tick},
		{Name: "quiet hours", Next: every(jobLook), Run: d.LetGo},
		// What an older version wrote is counted bit by bit: the other jobs wait for this one.
		{Name: "figures", Next: every(jobLook), Run: func(ctx context.Context) error {
			_, err := s.FillFigures(ctx, 2*time.Second)
			return err
		}},
	}
	if d.Monitors != nil {
		list = append(list, Job{Name: "monitor_hours", Next: every(time.Hour), Run: d.Monitors.KeepHours})
	}
	if d.Directory != nil {
		list = append(list, Job{Name: "members", Next: daily(3, 30), Run: func(ctx context.Context) error {
			_, err := d.SyncMembers(ctx, "job")
			return err
		}})
	}
	return list
}

// NewSlowJobs are jobs that may take long, beside which the others go on.
func NewSlowJobs(d *Desk) (list []Job) {
	if d.Embedding != nil {
		// The next run is set far off, so that one replica works at a time, and
		// brought back at the end.
		list = append(list, Job{Name: "vectors", Next: every(vectorsLease), Run: func(ctx context.Context) error {
			short, cancel := context.WithTimeout(ctx, vectorsLease-time.Minute)
			defer cancel()
			err := d.Embedding.Run(short)
			return errors.Join(err, d.Store.HastenJob(ctx, "vectors", d.Store.Now().Add(jobLook)))
		}})
	}
	return list
}

const vectorsLease = 5 * time.Minute

// daily is every day at a time of the clock's own zone.
func daily(hour, minute int) func(time.Time) time.Time {
	return func(now time.Time) time.Time {
		at := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, now.Location())
		if !at.After(now) {
			at = at.AddDate(0, 0, 1)
		}
		return at
	}
}

// monthly is every month on a day that all months have.
func monthly(day, hour, minute int) func(time.Time) time.Time {
	return func(now time.Time) time.Time {
		at := time.Date(now.Year(), now.Month(), day, hour, minute, 0, 0, now.Location())
		if !at.After(now) {
			at = at.AddDate(0, 1, 0)
		}
		return at
	}
}

func every(d time.Duration) func(time.Time) time.Time {
	return func(now time.Time) time.Time { return now.Add(d) }
}

// Jobs runs what is due.
type Jobs struct {
	Store *store.Store
	Log   *slog.Logger
	List  []Job
}

const (
	jobLook = 10 * time.Second // how often the due times are looked at
	jobTime = 10 * time.Minute
)

// Run looks for due jobs until ctx ends.
func (j *Jobs) Run(ctx context.Context) error {
	tick := time.NewTicker(jobLook)
	defer tick.Stop()
	for {
		for _, job := range j.List {
			j.look(ctx, job)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (j *Jobs) look(ctx context.Context, job Job) {
	won, err := j.Store.TakeJob(ctx, job.Name, job.Next)
	if err != nil {
		if ctx.Err() == nil {
			j.Log.Warn("look at a job", "job", job.Name, "err", err)
		}
		return
	}
	if !won {
		return
	}
	run, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	err = job.Run(run)
	if err != nil && ctx.Err() == nil {
		j.Log.Error("job failed", "job", job.Name, "err", err)
	}
	if err := j.Store.EndJob(context.WithoutCancel(ctx), job.Name, err); err != nil {
		j.Log.Warn("record a job", "job", job.Name, "err", err)
	}
}
