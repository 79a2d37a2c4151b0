package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"frontline/handlers/alert"
	"frontline/store"
)

// Self looks at the program itself and reports what does not go on, as alerts of
// the source frontline. It has a clock of its own: what it watches may hang.
type Self struct {
	Store  *store.Store
	Alerts Taker
	Runner *Runner
	Jobs   []string // names of the jobs that must go on
	Log    *slog.Logger
}

// SelfSource is the sender of alerts about the program itself.
const SelfSource = "frontline"

var selfSource = alert.Source{Name: SelfSource, Kind: alert.Kind{Name: SelfSource}}

// How long something may wait before it counts as stuck.
const (
	selfLook   = 15 * time.Second
	outboxLate = 5 * time.Minute
	inboxLate  = 2 * time.Minute
	jobLate    = 12 * time.Minute // a run may take ten, and the others wait for it
)

// finding is one thing that does not go on.
type finding struct{ id, name, title, text string }

// Run looks until ctx ends. Of all replicas one looks at a time.
func (s *Self) Run(ctx context.Context) error {
	began := s.Store.Now()
	tick := time.NewTicker(selfLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		won, err := s.Store.TakeJob(ctx, "self", func(now time.Time) time.Time { return now.Add(selfLook - time.Second) })
		if err == nil && won {
			err = s.Look(ctx, began)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("look at the program itself", "err", err)
		}
	}
}

// Look reports what changed since the last look. What was late already when the
// program began is given the time to catch up.
func (s *Self) Look(ctx context.Context, began time.Time) error {
	found, err := s.find(ctx, began)
	if err != nil {
		return err
	}
	open, err := s.Store.ListAlerts(ctx, store.AlertQuery{Source: SelfSource, State: store.AlertFiring, N: 100})
	if err != nil {
		return err
	}
	now := s.Store.Now()
	var signals []alert.Signal
	for _, f := range found {
		if !slices.ContainsFunc(open, func(a store.Alert) bool { return a.UpstreamID == f.id }) {
			signals = append(signals, alert.Signal{ID: f.id, Name: f.name, Title: f.title, Text: f.text, Severity: alert.Major, State: alert.Firing, Labels: map[string]string{"check": f.id}, Started: now})
		}
	}
	for _, a := range open {
		if !slices.ContainsFunc(found, func(f finding) bool { return a.UpstreamID == f.id }) {
			signals = append(signals, alert.Signal{ID: a.UpstreamID, Name: a.Name, Title: a.Name + " 正常了", State: alert.Resolved, Labels: a.Labels, Ended: now})
		}
	}
	if len(signals) == 0 {
		return nil
	}
	_, err = s.Alerts.Take(ctx, selfSource, alert.Delivery{Signals: signals}, []byte("{}"), nil)
	return err
}

func (s *Self) find(ctx context.Context, began time.Time) (out []finding, err error) {
	d, err := s.Store.OutboxDepth(ctx)
	if err != nil {
		return nil, err
	}
	if d.Oldest > outboxLate {
		out = append(out, finding{"outbox", "一线 发件箱", fmt.Sprintf("一线 发件箱不动：%d 条没有发出，最早的已等 %s", d.Waiting, alert.Span(d.Oldest)), "收发记录里有每一条没有发出的原因；群机器人失效、企业微信接口不通时会这样。"})
	}
	if d, err = s.Store.InboxDepth(ctx); err != nil {
		return nil, err
	}
	if d.Oldest > inboxLate {
		out = append(out, finding{"inbox", "一线 收件箱", fmt.Sprintf("一线 收件箱不动：%d 条没有处理，最早的已等 %s", d.Waiting, alert.Span(d.Oldest)), "消息都存着，处理它的那一步没有进展；看日志里的 component=desk。"})
	}
	jobs, err := s.Store.ListJobs(ctx)
	if err != nil {
		return nil, err
	}
	held, err := s.Store.MonitorHolds(ctx)
	if err != nil {
		return nil, err
	}
	if late := s.lateItems(jobs, held, began); len(late) > 0 {
		out = append(out, finding{"monitors", "一线 监控调度", "一线 监控没有按时跑：" + strings.Join(late[:min(len(late), 5)], "、") + more(len(late)-5), "已过了两个周期还没有检查；检查可能都卡住了。"})
	}
	var late []string
	for _, name := range s.Jobs {
		if j, ran := jobs[name]; ran && s.Store.Now().Sub(after(j.Next, began)) > jobLate {
			late = append(late, name)
		}
	}
	if len(late) > 0 {
		out = append(out, finding{"jobs", "一线 定时任务", "一线 定时任务没有按时跑：" + strings.Join(late, "、"), "一次任务最多 10 分钟；看日志里的 component=desk。"})
	}
	return out, nil
}

// lateItems are the monitors that nobody has begun to check for two of their
// intervals.
func (s *Self) lateItems(jobs map[string]store.JobRun, held map[string]store.MonitorHold, began time.Time) (late []string) {
	now := s.Store.Now()
	items, _ := s.Runner.Items()
	for _, i := range items {
		j, ran := jobs[job(i.Name)]
		if _, paused := held[i.Name]; paused || i.Beat != nil || !ran || !i.When.Allowed(s.Runner.Checker.Calendar, now) {
			continue
		}
		if now.Sub(after(j.Next, began)) > max(2*i.When.gap(now), time.Minute) {
			late = append(late, i.Title)
		}
	}
	return late
}

func after(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" 等，另有 %d 项", n)
}
