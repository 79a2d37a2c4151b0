package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// byClock is who acts when the clock does.
var byClock = chat.User{Name: "系统"}

// lookBatch is how many tickets one look of the clock takes.
const lookBatch = 200

// Tick does what is due: warnings, waits that end, closes by silence, rating
// reminders, and notices that were held back. It may run at any time and any
// number of times; each step is one commit of its own.
func (d *Desk) Tick(ctx context.Context) error {
	var faults []error
	for ctx.Err() == nil {
		due, err := d.Store.TicketsToLookAt(ctx, lookBatch)
		if err != nil {
			return err
		}
		done := 0
		for _, t := range due {
			err := d.Store.InTx(ctx, func(tx *store.Tx) error { return d.lookAt(tx, t.Number) })
			switch {
			case err == nil:
				done++
			case errors.Is(err, store.ErrStale): // somebody works on it; the next look sees it
			default:
				faults = append(faults, fmt.Errorf("T%d: %w", t.Number, err))
			}
		}
		if len(due) < lookBatch || done == 0 {
			break
		}
	}
	return errors.Join(append(faults, d.sendNotices(ctx))...)
}

// lookAt does the one thing that is due for a ticket and sets its next look.
func (d *Desk) lookAt(tx *store.Tx, number int64) error {
	t, err := tx.FindTicket(number)
	if err != nil {
		return err
	}
	now := tx.Now()
	if t.Look.IsZero() || t.Look.After(now) {
		return nil
	}
	switch {
	case t.State == store.TicketResolved && !now.Before(d.Rules.Calendar.Add(t.Resolved, d.Rules.Silence)):
		return d.closeAs(tx, byClock, &t, "报障人没有异议，自动关闭")
	case t.State == store.TicketClosed && !t.Asked.IsZero() && t.Rating == 0 && t.Warned&remindedRating == 0:
		return d.remindRating(tx, &t)
	case !t.State.Open():
		return d.save(tx, &t, t.State)
	case !t.Paused.IsZero():
		return d.wake(tx, &t)
	}
	return d.warn(tx, &t)
}

// wake takes up a ticket whose waiting time is over.
func (d *Desk) wake(tx *store.Tx, t *store.Ticket) error {
	waited := waitTitle[t.WaitFor]
	d.Rules.resume(t, tx.Now())
	if err := d.change(tx, byClock, t, store.TicketInProgress, "挂起时间到，恢复处理"); err != nil {
		return err
	}
	if t.Assignee == "" {
		return nil
	}
	return d.tellOne(tx, t, t.Assignee, "wake", fmt.Sprintf("%s 挂起时间到（等%s），时限继续走，%s。\n%s", no(t), waited, d.leftWords(*t, tx.Now()), chat.Plain(t.Title)))
}

// warn tells the owner at 75 % and 100 % of a clock; at 100 % the leader too.
func (d *Desk) warn(tx *store.Tx, t *store.Ticket) error {
	now := tx.Now()
	c := d.Rules.Clocks[t.Priority]
	var words string
	over := false
	for _, w := range []struct {
		bits int // the earlier warning is settled with the later one
		at   time.Time
		skip bool
		over bool
		say  string
	}{
		{warnedRespond75 | warnedRespond100, t.RespondDue, !t.Responded.IsZero(), true, "还没有人接手，已超时"},
		{warnedRespond75, d.Rules.warnAt(t, t.RespondDue, c.Respond, now), !t.Responded.IsZero(), false, "还没有人接手"},
		{warnedResolve75 | warnedResolve100, t.ResolveDue, false, true, "解决时限已到"},
		{warnedResolve75, d.Rules.warnAt(t, t.ResolveDue, c.Resolve, now), false, false, "解决时限已用 75%"},
	} {
		if w.skip || t.Warned&w.bits == w.bits || w.at.After(now) {
			continue
		}
		t.Warned |= w.bits
		if words == "" {
			words, over = w.say, w.over
		}
	}
	if words == "" {
		return d.save(tx, t, t.State)
	}
	if err := d.change(tx, byClock, t, t.State, words); err != nil {
		return err
	}
	text := fmt.Sprintf("%s %s（%s）：%s\n%s", no(t), words, t.Priority, chat.Plain(t.Title), d.leftWords(*t, now))
	owner, err := d.ownerOf(tx, t)
	if err != nil {
		return err
	}
	if owner != "" {
		hint := fmt.Sprintf("\n回「接 %s」「挂起 %s 等客户 到 明天9点」或「转 %s 姓名 原因」。", no(t), no(t), no(t))
		if err := d.tellOne(tx, t, owner, "warn", text+hint); err != nil {
			return err
		}
	}
	if over {
		leaders, err := d.leadersOf(tx, t)
		if err != nil {
			return err
		}
		for _, l := range leaders {
			if l == owner {
				continue
			}
			if err := d.tellOne(tx, t, l, "escalate", "【超时升级】"+text); err != nil {
				return err
			}
		}
	}
	if owner == "" {
		return d.announceIn(tx, t, fmt.Sprintf("warn/%d/%d", t.Cycle, t.Warned), fmt.Sprintf("**%s** %s，%s\n> %s", no(t), words, d.leftWords(*t, now), chat.PlainMarkdown(t.Title)))
	}
	return nil
}

// ownerOf is the handler, or who is on duty for the group.
func (d *Desk) ownerOf(tx *store.Tx, t *store.Ticket) (string, error) {
	if t.Assignee != "" {
		return t.Assignee, nil
	}
	return d.choose(tx, t)
}

// remindRating asks once more, a working day later.
func (d *Desk) remindRating(tx *store.Tx, t *store.Ticket) error {
	t.Warned |= remindedRating
	if err := d.save(tx, t, t.State); err != nil {
		return err
	}
	if t.Reporter == APIUser {
		return nil
	}
	card, list := ratingCard(t, fmt.Sprintf("%s-%d", no(t), t.Version))
	if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("T%d/%d/remind", t.Number, t.Version), To: person(t.Reporter), Body: chat.Body{Card: card}}); err != nil {
		return err
	}
	return d.offer(tx, person(t.Reporter), t.Reporter, list)
}

// sendNotices sends what was held back, one message for each person and ticket.
func (d *Desk) sendNotices(ctx context.Context) error {
	for ctx.Err() == nil {
		n := 0
		err := d.Store.InTx(ctx, func(tx *store.Tx) error {
			due, err := tx.TakeNotices(lookBatch)
			n = len(due)
			if err != nil {
				return err
			}
			type place struct {
				member string
				ticket int64
			}
			var order []place
			words := map[place][]string{}
			first := map[place]int64{}
			for _, x := range due {
				p := place{x.Member, x.Ticket}
				if len(words[p]) == 0 {
					order, first[p] = append(order, p), x.ID
				}
				words[p] = append(words[p], x.Text)
			}
			for _, p := range order {
				if t, err := tx.FindTicket(p.ticket); err == nil && t.Reporter == p.member {
					if err := tx.ToldReporter(&t); err != nil {
						return err
					}
				}
				if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("notice/%d", first[p]), To: person(p.member), Body: chat.Body{Text: strings.Join(words[p], "\n")}}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < lookBatch {
			return err
		}
	}
	return nil
}
