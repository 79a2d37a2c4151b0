package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"frontline/handlers/alert"
	"frontline/handlers/spec"
	"frontline/store"
)

// What people do with an item by hand: run it now, pause it, let it go on.

// Refusals of RunNow.
var (
	ErrBusy = errors.New("it runs already, or everything is busy")
	ErrHeld = errors.New("it is paused")
)

// RunNow begins a check outside of its times; what it finds counts as any other.
// The channel is closed when the check is over.
func (r *Runner) RunNow(ctx context.Context, i *Item) (<-chan struct{}, error) {
	if held, err := r.Store.MonitorHeld(ctx, i.Name); err != nil || held {
		return nil, errors.Join(err, heldOr(held))
	}
	select {
	case r.slots <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	if !r.mark(i.Name) {
		<-r.slots
		return nil, ErrBusy
	}
	return r.begun(context.WithoutCancel(ctx), i), nil // the item's own time limit ends it
}

func heldOr(held bool) error {
	if held {
		return ErrHeld
	}
	return nil
}

// Hold pauses an item. What fires ends with it: nothing else would end it.
// Already paused is store.ErrStale.
func (r *Runner) Hold(ctx context.Context, i *Item, by, why string) error {
	for range beatTries {
		s, version, err := r.state(ctx, i)
		if err != nil {
			return err
		}
		at := r.Store.Now()
		var signals []alert.Signal
		for _, rule := range s.Firing() {
			signals = append(signals, i.signal(rule, "", alert.Resolved, i.Title+" 已暂停监控", Outcome{At: at}))
		}
		next, err := json.Marshal(State{Title: i.Title, Beat: s.Beat})
		if err != nil {
			return err
		}
		write := func(tx *store.Tx) error {
			if err := tx.HoldMonitor(i.Name, by, why); errors.Is(err, store.ErrStale) {
				return errHeldBefore
			} else if err != nil {
				return err
			}
			if err := tx.SaveMonitorState(i.Name, next, version); errors.Is(err, store.ErrStale) {
				return errMoved
			} else if err != nil {
				return err
			}
			return nil
		}
		if len(signals) == 0 {
			err = r.Store.InTx(ctx, write)
		} else {
			err = r.reportWith(ctx, i, signals, write)
		}
		switch {
		case errors.Is(err, errHeldBefore):
			return store.ErrStale
		case !errors.Is(err, errMoved):
			return err
		}
	}
	return errMoved
}

// errHeldBefore is told apart from a change that is worth another try.
var errHeldBefore = errors.New("somebody paused it before")

// Release lets a paused item go on: a check is due at once, a heartbeat is waited
// for from now. Not paused is store.ErrStale.
func (r *Runner) Release(ctx context.Context, i *Item, by string) error {
	err := r.Store.InTx(ctx, func(tx *store.Tx) error { return tx.ReleaseMonitor(i.Name, by) })
	if err != nil {
		return err
	}
	if i.Beat == nil {
		r.mu.Lock()
		delete(r.next, i.Name)
		r.mu.Unlock()
		return nil
	}
	return r.again(ctx, i)
}

// again waits for a heartbeat from now on.
func (r *Runner) again(ctx context.Context, i *Item) error {
	s, version, err := r.state(ctx, i)
	if err != nil || s.Beat == nil {
		return err
	}
	at := r.Store.Now()
	s.Beat.Since, s.Beat.Began = at.UnixMilli(), 0
	next, err := json.Marshal(i.waitFrom(s, r.Checker.Calendar, at))
	if err != nil {
		return err
	}
	err = r.Store.InTx(ctx, func(tx *store.Tx) error { return tx.SaveMonitorState(i.Name, next, version) })
	if errors.Is(err, store.ErrStale) {
		return nil // a beat came, and that counts from now too
	}
	return err
}

func (r *Runner) state(ctx context.Context, i *Item) (s State, version int64, err error) {
	text, version, err := r.Store.MonitorState(ctx, i.Name)
	if err != nil || len(text) == 0 {
		return s, version, err
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, version, fmt.Errorf("state of %s: %w", i.Name, err)
	}
	return s, version, nil
}

// Ask runs an item once, as it would be now: nothing is kept, nobody is told.
func (r *Runner) Ask(ctx context.Context, i *Item) Outcome {
	at := r.Store.Now()
	return r.Checker.Check(ctx, i, at, r.past(ctx, i, at))
}

// Fault is one thing wrong with a file, with its place.
type Fault = spec.Fault

// Try applies another text of an item to its last n results. Nothing is asked,
// written or told.
func (r *Runner) Try(ctx context.Context, i *Item, text string, n int) ([]Step, []Fault, error) {
	items, faults := Load(map[string][]byte{i.file: []byte(text)}, r.Checker.Sources.Targets)
	if len(faults) > 0 {
		return nil, faults, nil
	}
	if items[0].Name != i.Name || items[0].Beat != nil {
		return nil, []Fault{{File: i.file, Line: 1, Col: 1, Text: "只能试「" + i.Name + "」自己的结果，不要改名字和 kind"}}, nil
	}
	steps, err := r.Replay(ctx, items[0], n)
	return steps, nil, err
}

// Condition is what a rule asks, as it is written.
func (r *Rule) Condition() string { return r.When.source }
