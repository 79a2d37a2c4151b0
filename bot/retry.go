package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"frontline/bot/chat"
)

func rawJSON(b []byte) json.RawMessage { return json.RawMessage(b) }

// waits is when a message that the platform did not take is tried again; after
// the last one it is dead.
var waits = []time.Duration{time.Second, 3 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour}

const (
	rateWait   = 60 * time.Second // the penalty of a minute limit
	configWait = 20 * time.Minute // an operator is needed: at most three tries an hour
	keepWords  = 24 * time.Hour   // how long words wait for an operator
)

// failed decides what becomes of a message whose attempt failed.
func (d *Deliverer) failed(ctx context.Context, x chat.Delivery, cause error, log *slog.Logger) error {
	box, now := d.opt.Outbox, d.opt.Now()
	class := Classify(cause)
	log.Warn("send failed", "err", cause, "class", int(class))
	switch class {
	case ClassRate:
		d.limit.hold(x.To, now.Add(rateWait))
		return box.Again(ctx, x, now.Add(rateWait), false, cause)
	case ClassConfig:
		d.tell(x.To, cause)
		if now.Sub(x.Since) > keepWords {
			return box.Never(ctx, x, withAdvice(cause))
		}
		return box.Again(ctx, x, now.Add(configWait), false, withAdvice(cause))
	case ClassMedia, ClassCard:
		// Other bytes are needed: a new upload, or a new message in place of the card.
		if x.Attempt < 3 {
			return d.again(ctx, x, cause)
		}
		return box.Never(ctx, x, withAdvice(cause))
	case ClassFinal:
		return box.Never(ctx, x, withAdvice(cause))
	}
	i := max(0, x.Attempt-1)
	if i >= len(waits) {
		return box.Never(ctx, x, cause)
	}
	return box.Again(ctx, x, now.Add(waits[i]), class == ClassUnknown, cause)
}

// again renders anew at once, because the frozen bytes can never succeed.
func (d *Deliverer) again(ctx context.Context, x chat.Delivery, cause error) error {
	way, _, err := d.way(ctx, x)
	if err != nil {
		return d.opt.Outbox.Never(ctx, x, err)
	}
	list, code, err := d.parts(ctx, x, way.road)
	if err != nil {
		return d.opt.Outbox.Never(ctx, x, errors.Join(cause, err))
	}
	if err := d.opt.Outbox.Freeze(ctx, x, list); err != nil {
		return err
	}
	x.Parts, x.Sent = list, 0
	x.Attempt++
	return d.send(ctx, x, "", code, d.opt.Log.With("delivery_id", x.ID, "attempt", x.Attempt))
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

// tell reports a place that needs an operator, once an hour.
func (d *Deliverer) tell(to chat.Address, err error) {
	if d.opt.Trouble == nil {
		return
	}
	d.mu.Lock()
	due := d.opt.Now().Sub(d.trouble[to.String()]) > time.Hour
	if due {
		d.trouble[to.String()] = d.opt.Now()
	}
	d.mu.Unlock()
	if due {
		d.opt.Trouble(to, withAdvice(err))
	}
}

// distinct makes sure that two messages that people are meant to see both are
// not taken for one: within the window of its duplicate check the platform
// swallows a request that equals an earlier one.
func (d *Deliverer) distinct(to, text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.opt.Now()
	if len(d.said) > 20000 {
		for k, at := range d.said {
			if now.Sub(at) > duplicateWindow*time.Second {
				delete(d.said, k)
			}
		}
	}
	key := to + "\x00" + text
	if at, ok := d.said[key]; ok && now.Sub(at) <= duplicateWindow*time.Second {
		text += now.Format("（15:04:05）")
	}
	d.said[key] = now
	return text
}
