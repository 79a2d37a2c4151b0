package handlers

import (
	"time"

	"frontline/store"
)

// Warnings that were given of a ticket, as bits of Ticket.Warned.
const (
	warnedRespond75 = 1 << iota
	warnedRespond100
	warnedResolve75
	warnedResolve100
	remindedRating
)

// startClocks sets both clocks of a new or reopened ticket.
func (r Rules) startClocks(t *store.Ticket, now time.Time) {
	c := r.Clocks[t.Priority]
	t.RespondDue, t.ResolveDue, t.Paused = r.after(t.Priority, now, c.Respond), r.after(t.Priority, now, c.Resolve), time.Time{}
	t.Warned = 0
}

// resetClocks follows a change of the priority: the clocks run from when the
// cycle began, with the time that was spent waiting left out.
func (r Rules) resetClocks(t *store.Ticket, old string, now time.Time) {
	at := now
	if !t.Paused.IsZero() {
		at = t.Paused
	}
	used := r.Clocks[old].Resolve - r.between(old, at, t.ResolveDue)
	used = max(0, used)
	c := r.Clocks[t.Priority]
	t.ResolveDue = r.after(t.Priority, at, max(0, c.Resolve-used))
	if t.Responded.IsZero() {
		t.RespondDue = r.after(t.Priority, at, max(0, c.Respond-used))
	}
	t.Warned &= remindedRating
}

// pause stops the clocks; pausing twice changes nothing.
func (r Rules) pause(t *store.Ticket, now time.Time) {
	if t.Paused.IsZero() {
		t.Paused = now
	}
}

// resume gives the clocks the time that was left when they stopped.
func (r Rules) resume(t *store.Ticket, now time.Time) {
	if t.Paused.IsZero() {
		return
	}
	shift := func(due time.Time) time.Time {
		if left := r.between(t.Priority, t.Paused, due); left > 0 {
			return r.after(t.Priority, now, left)
		}
		return due // it was over already
	}
	t.ResolveDue = shift(t.ResolveDue)
	if t.Responded.IsZero() {
		t.RespondDue = shift(t.RespondDue)
	}
	t.Paused, t.WaitFor, t.WaitUntil = time.Time{}, "", time.Time{}
}

// Left is the time on the resolution clock, negative when it is over. A paused
// clock shows what was left.
func (r Rules) Left(t store.Ticket, now time.Time) time.Duration {
	if !t.Paused.IsZero() {
		now = t.Paused
	}
	return r.between(t.Priority, now, t.ResolveDue)
}

// LeftToRespond is the same for the first response.
func (r Rules) LeftToRespond(t store.Ticket, now time.Time) time.Duration {
	if !t.Paused.IsZero() {
		now = t.Paused
	}
	return r.between(t.Priority, now, t.RespondDue)
}

// Used is the working time that the current cycle took so far.
func (r Rules) Used(t store.Ticket, now time.Time) time.Duration {
	return max(0, r.Clocks[t.Priority].Resolve-r.Left(t, now))
}

// warnAt is when a share of a clock is used up.
func (r Rules) warnAt(t *store.Ticket, due time.Time, whole time.Duration, at time.Time) time.Time {
	left := r.between(t.Priority, at, due)
	return r.after(t.Priority, at, max(0, left-whole/4))
}

// look sets when the clock job has something to do for t next: a warning that
// was not given, the end of a wait, the close of a resolved ticket, or the one
// reminder of a rating.
func (r Rules) look(t *store.Ticket, now time.Time) {
	t.Look = time.Time{}
	soonest := func(at time.Time) {
		if !at.IsZero() && (t.Look.IsZero() || at.Before(t.Look)) {
			t.Look = at
		}
	}
	switch {
	case t.State == store.TicketResolved:
		soonest(r.Calendar.Add(t.Resolved, r.Silence))
	case t.State == store.TicketClosed:
		if !t.Asked.IsZero() && t.Rating == 0 && t.Warned&remindedRating == 0 {
			soonest(r.Calendar.Add(t.Asked, r.Calendar.Day()))
		}
	case !t.State.Open():
	case !t.Paused.IsZero():
		soonest(t.WaitUntil)
	default:
		c := r.Clocks[t.Priority]
		for _, w := range []struct {
			bit  int
			at   time.Time
			skip bool
		}{
			{warnedRespond75, r.warnAt(t, t.RespondDue, c.Respond, now), !t.Responded.IsZero()},
			{warnedRespond100, t.RespondDue, !t.Responded.IsZero()},
			{warnedResolve75, r.warnAt(t, t.ResolveDue, c.Resolve, now), false},
			{warnedResolve100, t.ResolveDue, false},
		} {
			if !w.skip && t.Warned&w.bit == 0 {
				soonest(w.at)
			}
		}
	}
}
