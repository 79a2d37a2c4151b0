package handlers

import (
	"cmp"
	"context"
	"slices"
	"time"

	"frontline/store"
)

// Duty is a stretch in which somebody is really on duty: the weekly roster
// without those who are stood in for, and what people entered.
type Duty struct {
	store.Shift
	Twice bool // the member is on duty for another group at the same time
}

// FinalRoster is who is on duty in [from, to), in the order of the beginnings.
// The weekly part is laid out from the configuration, so any week can be asked for.
func (d *Desk) FinalRoster(ctx context.Context, from, to time.Time) ([]Duty, error) {
	list, err := d.Store.Roster(ctx, from, to)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(s store.Shift) bool { return s.Weekly })
	list = finally(append(list, d.Rules.weekly(from, to)...))
	out := make([]Duty, len(list))
	for i, s := range list {
		out[i].Shift = s
		out[i].Twice = slices.ContainsFunc(list, func(o store.Shift) bool {
			return o.Member == s.Member && o.Group != s.Group && o.From.Before(s.Until) && s.From.Before(o.Until)
		})
	}
	return out, nil
}

// DutiesOf are the shifts of one member in [from, to) after all stand-ins.
func (d *Desk) DutiesOf(ctx context.Context, member string, from, to time.Time) ([]store.Shift, error) {
	list, err := d.Store.RosterOf(ctx, member, from, to)
	if err != nil {
		return nil, err
	}
	for _, s := range d.Rules.weekly(from, to) {
		if s.Member == member {
			list = append(list, s)
		}
	}
	return slices.DeleteFunc(finally(list), func(s store.Shift) bool { return s.Member != member }), nil
}

// finally takes from each weekly shift the times in which somebody stands in.
func finally(list []store.Shift) (out []store.Shift) {
	for _, s := range list {
		left := []store.Shift{s}
		for _, in := range list {
			if !s.Weekly || in.Weekly || in.Group != s.Group || in.Stands != s.Member {
				continue
			}
			var rest []store.Shift
			for _, l := range left {
				before, after := l, l
				before.Until, after.From = earliest(l.Until, in.From), latest(l.From, in.Until)
				for _, part := range []store.Shift{before, after} {
					if part.Until.After(part.From) {
						rest = append(rest, part)
					}
				}
			}
			left = rest
		}
		out = append(out, left...)
	}
	slices.SortStableFunc(out, func(a, b store.Shift) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Member, b.Member)) })
	return out
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Uncovered is a stretch of working hours in which nobody is on duty for a group.
type Uncovered struct{ From, Until time.Time }

// Uncovered are the working hours of a trading day that a group's duties leave open.
func (r Rules) Uncovered(day time.Time, duties []Duty) (out []Uncovered) {
	if !r.Calendar.Trading(day) {
		return nil
	}
	local := day.In(r.Calendar.Location())
	at := r.Calendar.Opens(time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location()))
	end := at.Add(r.Calendar.Day())
	for _, s := range duties {
		if s.From.After(at) && s.From.Before(end) {
			out = append(out, Uncovered{at, s.From})
		}
		at = latest(at, s.Until)
	}
	if at.Before(end) {
		out = append(out, Uncovered{at, end})
	}
	return out
}
