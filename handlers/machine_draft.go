package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"frontline/kb"
	"frontline/store"
)

// Drafts by the model: only ever drafts, marked as such, made of a solved ticket
// and of how people asked. People read and publish them as all others.

// MachineTag marks an entry that a model drafted.
const MachineTag = "机器起草"

const (
	// draftTime bounds a draft: somebody waits, and the text is longer than others.
	draftTime = 12 * time.Second
	// draftTickets bounds the solved tickets that a gap's draft looks at.
	draftTickets = 5
)

// Drafts tells whether the model drafts at all.
func (d *Desk) Drafts() bool { return d.Model != nil }

// machineDraft is what the model makes of material; not ok when it makes nothing
// that may be kept.
func (d *Desk) machineDraft(ctx context.Context, person string, from kb.Drafting) (e kb.Entry, ok bool) {
	if d.Model == nil {
		return e, false
	}
	ctx, stop := context.WithTimeout(ctx, draftTime)
	defer stop()
	for _, list := range []*[]string{&from.Asked, &from.Notes} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i] = Hidden((*list)[i])
		}
	}
	from.Cause, from.Method = Hidden(from.Cause), Hidden(from.Method)
	e, err := d.Model.Draft(ctx, person, from)
	if err != nil {
		d.Log.Debug("the model drafted nothing", "err", err)
		return e, false
	}
	if e, err = entryWords(e); err != nil || promises.MatchString(e.Answer) || advising.MatchString(e.Answer) || utf8.RuneCountInString(e.Answer) < thinAnswer {
		return e, false
	}
	e.Tags = append(e.Tags, MachineTag)
	return e, true
}

// DraftFromGap drafts an entry for a gap from the solved tickets that its
// questions became. It returns the number of the one it was made of.
func (d *Desk) DraftFromGap(ctx context.Context, person string, g Gap) (e kb.Entry, from int64, err error) {
	if d.Model == nil {
		return e, 0, refuse("没有接大模型，不能起草。")
	}
	for _, n := range g.Tickets[:min(len(g.Tickets), draftTickets)] {
		t, err := d.Store.FindTicket(ctx, n)
		if err != nil {
			return e, 0, err
		}
		if !solvedWell(t) {
			continue
		}
		asked := append(slices.Clone(g.Wordings()), t.Title)
		if e, ok := d.machineDraft(ctx, person, kb.Drafting{Asked: asked, Cause: t.Reason, Method: t.Method}); ok {
			return e, n, nil
		}
	}
	if len(g.Tickets) == 0 {
		return e, 0, refuse("没有解决了的工单可以参考，得由懂的同事来写。")
	}
	return e, 0, refuse("参考的工单里没有写清楚的办法，或大模型这次没写出能用的，得由懂的同事来写。")
}

// solvedWell tells whether a ticket's method can teach anybody else.
func solvedWell(t store.Ticket) bool {
	return (t.State == store.TicketResolved || t.State == store.TicketClosed) && utf8.RuneCountInString(strings.TrimSpace(t.Method)) >= thinAnswer
}

// machineLead stands before a draft of the model in a talk.
func machineLead(ticket int64) string {
	return fmt.Sprintf("大模型按 T%d 的办法起草了答案，逐字核对后再存：", ticket)
}
