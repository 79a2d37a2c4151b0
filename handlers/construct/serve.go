package construct

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Runs are worked on in the background by whoever holds them.

// Close lets go of the targets.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.callers {
		c.close()
	}
	e.callers = map[string]*caller{}
}

// Wake makes the runner look at once.
func (e *Engine) Wake() {
	select {
	case e.bell <- struct{}{}:
	default:
	}
}

const (
	runLook  = 250 * time.Millisecond
	textLook = time.Second // how soon a recipe written at another replica counts here
	runsOnce = 4
)

// Run works on what waits until ctx ends. What it has in hands then goes on with
// the next process, at the step where it stopped.
func (e *Engine) Run(ctx context.Context) error {
	tick := time.NewTicker(runLook)
	defer tick.Stop()
	var looked time.Time
	defer e.Close()
	slots := make(chan struct{}, runsOnce)
	var busy sync.WaitGroup
	defer busy.Wait()
	nextSweep := time.Time{}
	for {
		if now := time.Now(); now.After(nextSweep) {
			nextSweep = now.Add(time.Minute)
			if err := e.sweep(ctx); err != nil && ctx.Err() == nil {
				e.Log.Warn("look at the age of test data", "err", err)
			}
		}
		runs, err := e.Store.ClaimRuns(ctx, e.name, 0, runsOnce-len(slots), e.lease, e.started)
		if err != nil && ctx.Err() == nil {
			e.Log.Warn("claim runs", "err", err)
		}
		if time.Since(looked) > textLook {
			looked = time.Now()
			if err := e.Refresh(ctx); err != nil && ctx.Err() == nil {
				e.Log.Warn("read the recipes of the console", "err", err)
			}
		}
		for _, r := range runs {
			slots <- struct{}{}
			busy.Go(func() {
				defer func() { <-slots }()
				e.work(ctx, r)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-e.bell:
		}
	}
}

// Finish works on one run until it has ended, or waits while another process does.
func (e *Engine) Finish(ctx context.Context, number int64) (store.Run, error) {
	for {
		claimed, err := e.Store.ClaimRuns(ctx, e.name, number, 1, e.lease, e.started)
		if err != nil {
			return store.Run{}, err
		}
		for _, r := range claimed {
			e.work(ctx, r)
		}
		r, err := e.Store.FindRun(ctx, number)
		if err != nil || r.State != store.RunQueued && r.State != store.RunRunning && r.State != store.RunUndoing {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(runLook):
		}
	}
}

func (e *Engine) work(ctx context.Context, r store.Run) {
	defer func() {
		if p := recover(); p != nil {
			e.Log.Error("panic in a run", "err", fmt.Sprint(p))
			r.Why = "程序内部错误"
			r.State = store.RunAttention
			e.end(context.WithoutCancel(ctx), r, nil)
		}
	}()
	if err := e.Perform(ctx, r); err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrFenced) {
		e.Log.Warn("run of data construction", "err", err)
	}
}

// sweep sends to be taken back what has had its time, warns the owners before,
// and ends what nobody approved.
func (e *Engine) sweep(ctx context.Context) error {
	late, err := e.Store.LateApprovals(ctx, 50)
	if err != nil {
		return err
	}
	for _, r := range late {
		r.Why = "没有人在时间内批"
		err := e.Store.InTx(ctx, func(tx *store.Tx) error {
			if err := e.reject(tx, jobActor, &r); err != nil {
				return err
			}
			return tx.Enqueue(e.say(r, "late", fmt.Sprintf("R%d 没有人在时间内批，已作废。要用请重新造。", r.Number)))
		})
		if err != nil && !errors.Is(err, store.ErrStale) {
			return err
		}
	}
	old, err := e.Store.ExpiredRuns(ctx, 48*time.Hour, 100)
	if err != nil {
		return err
	}
	now := e.Store.Now()
	for _, r := range old {
		rec := e.Library().Find(r.Recipe)
		err = nil
		switch {
		case !r.Expires.After(now):
			r.Why = "到期"
			err = e.Store.InTx(ctx, func(tx *store.Tx) error {
				return tx.MoveRun(jobActor, &r, store.RunUndoing, store.RunDone, store.RunPartly, store.RunFailed, store.RunAttention)
			})
		case !r.Warned && rec != nil && rec.Warn > 0 && r.Expires.Sub(now) < rec.Warn:
			err = e.Store.InTx(ctx, func(tx *store.Tx) error {
				if err := tx.WarnedRun(r.ID); err != nil {
					return err
				}
				return tx.Enqueue(e.say(r, "warn", fmt.Sprintf("R%d「%s」的数据 %s 到期清理。", r.Number, chat.Plain(r.Title), r.Expires.In(now.Location()).Format("1月2日 15:04"))))
			})
		}
		if err != nil && !errors.Is(err, store.ErrStale) {
			return err
		}
	}
	return nil
}

func (e *Engine) say(r store.Run, what, text string) chat.Outgoing {
	return chat.Outgoing{Key: fmt.Sprintf("run/%d/%s/%d", r.ID, what, r.Epoch), To: r.Place, ReplyTo: r.ReplyTo, Body: chat.Body{Text: text}}
}
