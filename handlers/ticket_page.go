package handlers

import (
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// What pages do to a ticket that no command does in just this way.

// Inquire puts a question to the reporter, whose next words answer it.
func (d *Desk) Inquire(tx *store.Tx, by chat.User, t *store.Ticket, question string) error {
	if err := d.Ask(tx, by, t, question); err != nil {
		return err
	}
	return d.expectAnswer(tx, t, mask.Text(question))
}

// Discard withdraws a ticket that should not be; the reporter hears why.
func (d *Desk) Discard(tx *store.Tx, by chat.User, t *store.Ticket, why string) error {
	why = strings.TrimSpace(mask.Text(why))
	if why == "" {
		return refuse("为什么作废？报障人会看到。")
	}
	if err := d.Void(tx, by, t, "作废："+why); err != nil {
		return err
	}
	return d.tell(tx, t, fmt.Sprintf("%s 已作废：%s\n有疑问请直接回复，或重新报障。", no(t), chat.Plain(why)), by.ID)
}

// Watch makes somebody hear of a ticket's progress; again changes nothing.
func (d *Desk) Watch(tx *store.Tx, by chat.User, t *store.Ticket) error {
	_, err := tx.FollowTicket(store.TicketPerson{Ticket: t.Number, Member: by.ID, As: store.Watcher})
	return err
}

// Nudge reminds the handler, not more often than every half hour; the caller is
// the reporter.
func (d *Desk) Nudge(tx *store.Tx, by chat.User, t *store.Ticket) error {
	if err := mustBeOpen(t, "催"); err != nil {
		return err
	}
	if wait := nudgePause - tx.Now().Sub(t.Nudged); wait > 0 && !t.Nudged.IsZero() {
		return refuse(fmt.Sprintf("%s 刚催过，%d 分钟后可以再催。", no(t), int(wait.Minutes())+1))
	}
	t.Nudges, t.Nudged = t.Nudges+1, tx.Now()
	if err := d.change(tx, by, t, t.State, "催办"); err != nil {
		return err
	}
	line := fmt.Sprintf("**%s** 报障人催办（第 %d 次）\n> %s", no(t), t.Nudges, chat.PlainMarkdown(t.Title))
	if err := d.announceIn(tx, t, fmt.Sprintf("nudge/%d", t.Nudges), line); err != nil {
		return err
	}
	if t.Assignee == "" {
		return nil
	}
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("%s/nudge/%d/%s", no(t), t.Nudges, t.Assignee), To: person(t.Assignee), Urgent: urgent(t),
		Body: chat.Body{Text: fmt.Sprintf("%s 报障人催办（第 %d 次）：%s", no(t), t.Nudges, chat.Plain(t.Title))}})
}

// Filed tells of a ticket that a page made: the group in one line, and the
// reporter, when somebody else filed it.
func (d *Desk) Filed(tx *store.Tx, by, reporter chat.User, t *store.Ticket) error {
	for _, out := range d.announce(fmt.Sprintf("T%d/new", t.Number), newTicketLine(*t, reporter), urgent(t)) {
		if err := tx.Enqueue(out); err != nil {
			return err
		}
	}
	if by.ID == reporter.ID {
		return nil
	}
	return d.tellNow(tx, t, reporter.ID, fmt.Sprintf("%s 替你登记了 %s：%s\n%s补充直接接着发，查进度回「查 %s」。", chat.Plain(by.Show()), no(t), chat.Plain(t.Title), d.byWhen(tx, *t), no(t)))
}

// Expect is what a reporter is told of the time a ticket takes.
func (d *Desk) Expect(tx *store.Tx, t store.Ticket) string { return d.byWhen(tx, t) }

// SameReport returns the open ticket that this person made with the same title
// a moment ago, or store.ErrNotFound.
func (d *Desk) SameReport(tx *store.Tx, t store.Ticket) (store.Ticket, error) {
	return tx.SameTicket(t.Reporter, t.Title, tx.Now().Add(-sameTime))
}

// ReopenTime is how long a resolved ticket can be taken up again.
const ReopenTime = reopenTime

// NudgeIn is how long until a ticket may be nudged again; 0: now.
func NudgeIn(t store.Ticket, now time.Time) time.Duration {
	if t.Nudged.IsZero() {
		return 0
	}
	return max(0, nudgePause-now.Sub(t.Nudged))
}

// PriorityOf is the priority of a report by stated rules; urgent is what the
// reporter says.
func PriorityOf(class string, urgent bool) string {
	f := Fields{}
	if urgent {
		f.Urgency = "urgent"
	}
	return f.priority(class)
}

// TitleOf is the title that a description makes.
func TitleOf(text string) string { return chat.Cut(oneLine(mask.Text(text)), titleRunes) }
