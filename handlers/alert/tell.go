package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

const (
	flapWindow = 10 * time.Minute // a new outage so soon after the last is the same story
	flapFrom   = 2                // reopenings in a row that make it a flapping one
	flapQuiet  = 10 * time.Minute // it has to stand still this long
	look       = time.Second      // how often due groups are looked for
	lookMost   = 500
)

// Run tells the chats what is due until ctx ends. It may run on every replica.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if err := d.Tick(ctx); err != nil && ctx.Err() == nil {
			d.Log.Warn("tell of alerts", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-d.bell:
		}
	}
}

// Tick does what is due now: messages, escalation, digests. Each group is one
// commit of its own; it may run any number of times, on any replica.
func (d *Desk) Tick(ctx context.Context) error {
	var faults []error
	each := func(numbers []int64, err error, do func(tx *store.Tx, number int64) error) {
		if err != nil {
			faults = append(faults, err)
		}
		for _, n := range numbers {
			err := d.Store.InTx(ctx, func(tx *store.Tx) error { return do(tx, n) })
			if err != nil && !errors.Is(err, store.ErrStale) { // somebody works on it: the next look sees it
				faults = append(faults, fmt.Errorf("A%d: %w", n, err))
			}
		}
	}
	numbers, err := d.Store.DueAlertGroups(ctx, lookMost)
	each(numbers, err, d.tell)
	numbers, err = d.Store.AlertGroupsToStep(ctx, lookMost)
	each(numbers, err, d.step)
	return errors.Join(append(faults, d.digests(ctx))...)
}

// tell says what is due of one group, and sets when it is due next.
func (d *Desk) tell(tx *store.Tx, number int64) error {
	g, err := tx.TakeAlertGroup(number)
	if err != nil {
		return err
	}
	now := tx.Now()
	if g.Due.IsZero() || g.Due.After(now) {
		return nil
	}
	g.Due = time.Time{}
	over := g.Firing <= 0
	switch {
	case over && g.Told.IsZero():
		return d.close(tx, &g, "通知前已自行恢复")
	case g.Flapping && now.Before(g.Changed.Add(flapQuiet)):
		g.Due = g.Changed.Add(flapQuiet)
		return tx.ChangeAlertGroup(&g)
	}
	route := d.Rules.route(g.Route)
	v, err := d.see(tx, &g, route)
	if err != nil {
		return err
	}
	switch {
	case !over && v.firing == 0:
		return d.stayQuiet(tx, &g, v)
	case g.Flapping:
		g.Flapping, g.Flaps = false, 0
		err = d.say(tx, &g, settled, v)
	case g.Flaps >= flapFrom:
		g.Flapping = true
		g.Due = g.Changed.Add(flapQuiet)
		if err = d.event(tx, &g, "flapping", fmt.Sprintf("%d 分钟内第 %d 次", int(flapWindow.Minutes()), g.Flaps+1)); err == nil {
			err = d.say(tx, &g, flapping, v)
		}
		if err != nil {
			return err
		}
		g.Told, g.Hush = now, ""
		return tx.ChangeAlertGroup(&g)
	case over:
		err = d.say(tx, &g, recovered, v)
	case v.opens > 0 || v.resolves > 0 || g.Hush != "":
		err = d.say(tx, &g, news, v)
	case g.ClaimedBy == "" && g.Sends < route.Most:
		g.Sends++
		err = d.say(tx, &g, reminder, v)
	default:
		return tx.ChangeAlertGroup(&g)
	}
	if err != nil {
		return err
	}
	g.Told, g.Hush = now, ""
	if over {
		return d.close(tx, &g, "")
	}
	if g.ClaimedBy == "" && g.Sends < route.Most {
		g.Due = now.Add(route.Repeat)
	}
	return tx.ChangeAlertGroup(&g)
}

func (d *Desk) close(tx *store.Tx, g *store.AlertGroup, why string) error {
	g.State, g.Closed, g.StepAt, g.Due, g.Flapping, g.Hush = store.GroupClosed, g.Changed, time.Time{}, time.Time{}, false, ""
	if err := d.event(tx, g, "closed", why); err != nil {
		return err
	}
	if err := d.tellTicket(tx, g); err != nil {
		return err
	}
	if err := d.emit(tx, chat.AlertResolved, g, "", why, nil); err != nil {
		return err
	}
	return tx.ChangeAlertGroup(g)
}

// tellTicket tells the ticket of a group that it is over. It does not close it.
func (d *Desk) tellTicket(tx *store.Tx, g *store.AlertGroup) error {
	if g.Ticket == 0 {
		return nil
	}
	t, err := tx.FindTicket(g.Ticket)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Text: fmt.Sprintf("告警 A%d 已恢复，历时 %s", g.Number, Span(g.Closed.Sub(g.Opened)))})
}

func (d *Desk) event(tx *store.Tx, g *store.AlertGroup, kind, text string) error {
	return tx.AddAlertEvents(store.AlertEvent{Group: g.ID, Kind: kind, Text: text})
}

// stayQuiet records why nothing is said, and looks again when that may be over.
func (d *Desk) stayQuiet(tx *store.Tx, g *store.AlertGroup, v view) error {
	if g.Hush != v.hush {
		if err := d.event(tx, g, "hushed", hushTitle[v.hush]); err != nil {
			return err
		}
	}
	g.Hush, g.Due = v.hush, v.until
	return tx.ChangeAlertGroup(g)
}
