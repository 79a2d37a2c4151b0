package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"frontline/store"
)

// A delivery is kept first and applied in its turn: a sender waits for the disk
// only, and a storm of them is not slowed down by what follows from it.

const (
	batchMost   = 200 // alerts that are applied in one commit, unless one delivery alone holds more
	batchReads  = 32  // deliveries
	queueLook   = time.Second
	throng      = 4                      // requests at once, from which those who send go first
	throngWait  = 100 * time.Millisecond // and for how long
	buriedAfter = 5                      // failures of one delivery
)

// errGone is that a delivery does not wait any more.
var errGone = errors.New("it does not wait any more")

// request is what a kind may read besides the body.
type request struct {
	Form   url.Values  `json:"form,omitempty"`
	Query  url.Values  `json:"query,omitempty"`
	Header http.Header `json:"header,omitempty"`
}

// delivery is a request as it is kept.
func delivery(src Source, in Input, raw []byte) (d store.AlertDelivery, err error) {
	d = store.AlertDelivery{Source: src.Name, Kind: src.Kind.Name, State: store.DeliveryDone, Body: raw}
	more := request{Form: in.Form}
	if in.Mapping != nil { // which may name any of it
		more.Query, more.Header = in.Query, in.Header
	}
	if more.Form != nil || in.Mapping != nil {
		d.Request, err = json.Marshal(more)
	}
	return d, err
}

// keep stores a delivery that was understood.
func (h *Hooks) keep(ctx context.Context, src Source, in Input, alerts int, raw []byte) error {
	d, err := delivery(src, in, raw)
	if err != nil {
		return err
	}
	d.Alerts = alerts
	h.storing.Add(1)
	err = h.Desk.Store.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.AddAlertDelivery(d, true)
		return err
	})
	h.storing.Add(-1)
	if err == nil {
		h.ring()
	}
	return err
}

// dead keeps a body that is well-formed and not understood, and tells the
// owners, once for each fault: a sender repeats such a body for ever.
func (h *Hooks) dead(ctx context.Context, src Source, in Input, raw []byte, fault error) error {
	d, err := delivery(src, in, raw)
	if err != nil {
		return err
	}
	d.State, d.Fault = store.DeliveryDead, clip(fault.Error(), 300)
	return h.Desk.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.AddAlertDelivery(d, false); err != nil {
			return err
		}
		return h.Desk.tellOwners(tx, src, d.Fault)
	})
}

// Retry lets a dead letter be read again, after its mapping or its source was
// mended. store.ErrStale when it is none any more.
func (d *Desk) Retry(ctx context.Context, by string, id int64) error {
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.ReviveAlertDelivery(id); err != nil {
			return err
		}
		return tx.Audit(by, "alert.retry", fmt.Sprint(id), nil)
	})
}

// again reads a delivery that was kept.
func (h *Hooks) again(d store.AlertDelivery) (p pending, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading it panics: %v", r)
		}
	}()
	src, known := h.Sources[d.Source]
	if !known {
		return pending{}, fmt.Errorf("there is no source of this name any more")
	}
	in, err := h.input(src, d)
	if err != nil {
		return pending{}, err
	}
	del, err := src.Kind.Parse(in)
	if err != nil {
		return pending{}, err
	}
	p = h.Desk.ready(src, del)
	p.id = d.ID
	return p, nil
}

// input is the request as it came.
func (h *Hooks) input(src Source, d store.AlertDelivery) (Input, error) {
	in := h.inputOf(src)
	in.Now = d.At
	var more request
	if len(d.Request) > 0 {
		if err := json.Unmarshal(d.Request, &more); err != nil {
			return in, err
		}
	}
	in.Form, in.Query, in.Header = more.Form, more.Query, more.Header
	if in.Form == nil {
		in.Body = d.Body
	}
	return in, nil
}

func (h *Hooks) ring() {
	select {
	case h.bell <- struct{}{}:
	default:
	}
}

// Run applies what comes in until ctx ends.
func (h *Hooks) Run(ctx context.Context) error {
	tick := time.NewTicker(queueLook)
	defer tick.Stop()
	for {
		if h.Mine == nil || h.Mine() {
			for more := true; more && ctx.Err() == nil; {
				var err error
				if more, err = h.Work(ctx); err != nil && ctx.Err() == nil {
					h.Log.Error("alerts wait: they could not be applied", "err", err)
					break
				}
				if more && h.storing.Load() > throng {
					h.stepAside(ctx)
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-h.bell:
		}
	}
}

// stepAside lets those go first who wait for their answer: there is one disk,
// and in SQLite one who writes.
func (h *Hooks) stepAside(ctx context.Context) {
	t := time.NewTimer(throngWait)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// Work applies the deliveries that waited longest, and tells whether there may
// be more. One that cannot be applied stays first until it was tried a few
// times; then it becomes a dead letter.
func (h *Hooks) Work(ctx context.Context) (more bool, err error) {
	list, err := h.Desk.Store.WaitingAlertDeliveries(ctx, batchReads)
	if err != nil || len(list) == 0 {
		return false, err
	}
	var batch []pending
	alerts := 0
	for n, d := range list {
		p, err := h.again(d)
		if err != nil {
			if n > 0 {
				break // what is before it comes first
			}
			return true, h.bury(ctx, d, err)
		}
		if alerts += len(p.items); n > 0 && alerts > batchMost {
			break
		}
		batch = append(batch, p)
	}
	err = h.apply(ctx, batch)
	switch {
	case errors.Is(err, errGone):
		return true, nil // another replica was quicker: look again
	case err == nil || ctx.Err() != nil:
		return true, err
	}
	// One of them may be the reason: alone, the others get through.
	for n, p := range batch {
		err := h.apply(ctx, []pending{p})
		if err == nil || errors.Is(err, errGone) {
			continue
		}
		if err := h.failed(ctx, list[n], err); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (h *Hooks) apply(ctx context.Context, batch []pending) error {
	err := h.Desk.applyAll(ctx, batch, func(tx *store.Tx, _ []store.AlertTally) error {
		for _, p := range batch {
			switch err := tx.FinishAlertDelivery(p.id); {
			case errors.Is(err, store.ErrStale):
				return errGone
			case err != nil:
				return err
			}
		}
		return nil
	})
	if err == nil {
		for _, p := range batch {
			delete(h.failures, p.id)
		}
	}
	return err
}

func (h *Hooks) failed(ctx context.Context, d store.AlertDelivery, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if h.failures[d.ID]++; h.failures[d.ID] < buriedAfter {
		return fmt.Errorf("delivery %d of %s: %w", d.ID, d.Source, err)
	}
	h.Log.Error("alerts that could not be applied are a dead letter now", "delivery_id", d.ID, "err", err)
	return h.bury(ctx, d, err)
}

// bury makes a dead letter of a delivery and tells its owners.
func (h *Hooks) bury(ctx context.Context, d store.AlertDelivery, fault error) error {
	src, known := h.Sources[d.Source]
	if !known {
		src = Source{Name: d.Source}
	}
	text := clip(fault.Error(), 300)
	err := h.Desk.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.FinishAlertDelivery(d.ID); err != nil {
			return err
		}
		if err := tx.BuryAlertDelivery(d.ID, text); err != nil {
			return err
		}
		return h.Desk.tellOwners(tx, src, text)
	})
	if err == nil {
		delete(h.failures, d.ID)
	}
	return err
}
