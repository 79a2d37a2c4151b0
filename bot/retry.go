package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"frontline/bot/chat"
)

func rawJSON(b []byte) json.RawMessage { return json.RawMessage(b) }

// waits is when a message that the platform did not take is tried again; the
// last one repeats.
var waits = []time.Duration{time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute}

const (
	rateWait  = 60 * time.Second // the penalty of a minute limit
	robotWait = 20 * time.Minute // a robot was removed: at most three tries an hour
	appWait   = 5 * time.Minute  // the app's set-up is wrong for all places: somebody is on it
	keepWords = 24 * time.Hour   // how long words wait for a better time
)

// failed records what becomes of a message whose attempt failed.
func (d *Deliverer) failed(ctx context.Context, a *attempt, cause error) {
	now := d.opt.Now()
	if wait, ok := errors.AsType[errWait](cause); ok {
		d.later(ctx, a, now.Add(wait.wait), a.Unknown, nil)
		return
	}
	if errors.Is(cause, chat.ErrFenced) {
		a.log.Info("delivery taken over", "err", cause)
		return
	}
	class := Classify(cause)
	a.log.Warn("send failed", "err", cause, "class", class.String())
	old := now.Sub(a.Since) > keepWords
	switch class {
	case ClassRate:
		d.hold(a, now.Add(rateWait))
		d.later(ctx, a, now.Add(rateWait), a.Unknown, cause)
	case ClassConfig:
		d.tell(a, cause)
		wait := appWait
		if a.road == roadRobot {
			wait = robotWait
			d.limit.hold(a.line, now.Add(wait)) // nor anything else for this place
			d.mu.Lock()
			d.refused[a.line] = a.robot
			d.mu.Unlock()
		}
		if cause = withAdvice(cause); old {
			d.never(ctx, a, cause)
			return
		}
		d.later(ctx, a, now.Add(wait), a.Unknown, cause)
	case ClassUnknown:
		if a.Attempt > len(waits) || old {
			d.never(ctx, a, fmt.Errorf("%w（%v）", errUnknown, cause))
			return
		}
		d.later(ctx, a, now.Add(d.backoff(a)), true, cause)
	case ClassRetry:
		if old {
			d.never(ctx, a, cause)
			return
		}
		d.later(ctx, a, now.Add(d.backoff(a)), a.Unknown, cause)
	default:
		d.never(ctx, a, withAdvice(cause))
	}
}

// backoff grows with the attempts; before the first one is frozen, and
// counted, with the age of the message. It is spread, so that what failed
// together does not come again together.
func (d *Deliverer) backoff(a *attempt) time.Duration {
	wait := waits[min(max(a.Attempt, 1), len(waits))-1]
	if a.Attempt == 0 {
		wait = min(max(d.opt.Now().Sub(a.Since)/2, waits[0]), waits[len(waits)-1])
	}
	return wait + time.Duration(rand.Int64N(int64(wait)/4+1))
}

// hold keeps further calls from a limit that was reached: a robot's is its own,
// that of the long connection the conversation's, any other is the company's.
func (d *Deliverer) hold(a *attempt, until time.Time) {
	if a.road == roadRobot || overLink(a.road) {
		d.limit.hold(a.line, until)
		return
	}
	d.limit.holdApp(until)
}

func (d *Deliverer) later(ctx context.Context, a *attempt, at time.Time, unknown bool, cause error) {
	d.last(ctx, a, func(ctx context.Context) error { return d.opt.Outbox.Again(ctx, a.Delivery, at, unknown, cause) })
}

func (d *Deliverer) never(ctx context.Context, a *attempt, cause error) {
	d.last(ctx, a, func(ctx context.Context) error { return d.opt.Outbox.Never(ctx, a.Delivery, cause) })
}

// recordTime bounds one try to record something.
const recordTime = 10 * time.Second

// last records the end of a call, however long that takes: a row that stays
// "being sent" would keep its place silent. When the process stops meanwhile,
// the next one finds the row and knows that it may have arrived.
func (d *Deliverer) last(ctx context.Context, a *attempt, record func(ctx context.Context) error) error {
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		err := record(try)
		cancel()
		if err == nil {
			return nil
		}
		if errors.Is(err, chat.ErrFenced) {
			a.log.Info("delivery taken over", "err", err)
			return err
		}
		a.log.Error("record a delivery", "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

// withAdvice adds what an operator can do.
func withAdvice(err error) error {
	var api *APIError
	if errors.As(err, &api) {
		if a := Advice(api.Code); a != "" {
			return fmt.Errorf("%w（%s）", err, a)
		}
	}
	return err
}

// tell reports what needs an operator, once an hour: for each robot, and for
// each code of the app, whose set-up is the same for all places.
func (d *Deliverer) tell(a *attempt, err error) {
	if d.opt.Trouble == nil {
		return
	}
	key := a.line.String()
	var api *APIError
	if a.road != roadRobot && errors.As(err, &api) {
		key = fmt.Sprint("app ", api.Code)
	}
	now := d.opt.Now()
	d.mu.Lock()
	at, told := d.trouble[key]
	due := !told || now.Sub(at) >= time.Hour
	if due {
		d.trouble[key] = now
	}
	d.mu.Unlock()
	if due {
		d.opt.Trouble(a.To, withAdvice(err))
	}
}
