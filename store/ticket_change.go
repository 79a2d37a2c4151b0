package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
)

// ChangeTicket writes t as it is now, in the state to: ErrMove when the table
// of moves has no such move from the state that t was read in, ErrStale when
// somebody else was quicker. Number, reporter, place, source, title and the
// customer stay as they were.
func (tx *Tx) ChangeTicket(t *Ticket, to TicketState) error {
	from := t.State
	if to != from && !slices.Contains(ticketMoves[from], to) {
		return fmt.Errorf("T%d from %s to %s: %w", t.Number, from, to, ErrMove)
	}
	var old ticketRow
	if err := tx.db.Select(figureColumns).First(&old, "id = ?", t.ID).Error; err != nil {
		return fmt.Errorf("ticket T%d: %w", t.Number, err)
	}
	r := old
	r.UpdatedAt, r.Version, r.Counted = millis(tx.now), t.Version+1, tx.s.counting.no
	t.State = to
	t.work(&r)
	r.firstAnswer()
	// Every column by name: zero values are written too. counted is compared
	// because counting what was not counted yet is no change of the ticket.
	u := tx.db.Model(&ticketRow{}).Where("id = ? AND version = ? AND counted = ?", t.ID, t.Version, old.Counted).Select(workColumns).Updates(&r)
	if u.Error != nil || u.RowsAffected != 1 {
		t.State = from
		return fmt.Errorf("ticket T%d: %w", t.Number, errOr(u.Error, ErrStale))
	}
	if old.Counted == r.Counted {
		tx.countTicket(&old, -1)
	}
	tx.countTicket(&r, 1)
	t.Version, t.Updated = r.Version, tx.now
	return nil
}

var workColumns = []string{"State", "Priority", "Class", "Subclass", "Urgency", "Assignee", "ServiceGroup", "Master", "Joined", "ResolvedAt", "ClosedAt", "Nudges", "NudgedAt",
	"RespondDue", "ResolveDue", "RespondedAt", "PausedAt", "WaitFor", "WaitUntil", "Warned", "LookAt", "Reason", "Method", "Outcome", "Handler", "Cycle", "Rating", "RatingWhy",
	"AskedAt", "ToldAt", "UpdatedAt", "Version", "AnsweredAt", "AnsweredLate", "Counted"}

// CopyCustomer gives to the customer of from, sealed as it is.
func (tx *Tx) CopyCustomer(from, to *Ticket) error {
	var r ticketRow
	if err := tx.db.First(&r, "id = ?", from.ID).Error; err != nil {
		return err
	}
	columns := []string{"Customer", "Phone", "Identity", "CustomerMask", "PhoneMask", "IdentityMask", "CustomerKey", "PhoneKey", "IdentityKey"}
	to.Customer, to.Phone, to.Identity = from.Customer, from.Phone, from.Identity
	return tx.db.Model(&ticketRow{}).Where("id = ?", to.ID).Select(columns).Updates(&r).Error
}

// ToldReporter records when a ticket's reporter heard of it. It is no change of
// the ticket: nobody's reading becomes stale by it.
func (tx *Tx) ToldReporter(t *Ticket) error {
	t.Told = tx.now
	return tx.db.Exec("UPDATE ticket SET told_at=? WHERE id=?", millis(tx.now), t.ID).Error
}

// TicketsToLookAt returns tickets whose Look time has come, longest due first.
func (s *Store) TicketsToLookAt(ctx context.Context, n int) ([]Ticket, error) {
	var rows []ticketRow
	err := s.read.WithContext(ctx).Where("look_at > 0 AND look_at <= ?", millis(s.now())).Order("look_at").Limit(n).Find(&rows).Error
	return tickets(rows), err
}

// CountOpenOf counts the open tickets of each of some people, for sharing out work.
func (tx *Tx) CountOpenOf(members []string) (map[string]int, error) {
	var rows []struct {
		Assignee string
		N        int
	}
	err := tx.db.Raw("SELECT assignee, COUNT(*) AS n FROM ticket WHERE assignee IN ? AND state IN ? GROUP BY assignee", members, openStates).Scan(&rows).Error
	out := map[string]int{}
	for _, r := range rows {
		out[r.Assignee] = r.N
	}
	return out, err
}

// LastTicketsOf are the ids of the newest tickets of each of some people, for
// giving work in turn.
func (tx *Tx) LastTicketsOf(members []string) (map[string]int64, error) {
	out := map[string]int64{}
	for _, m := range members {
		for state := range ticketMoves { // by state, so that the index has the answer at its end
			var last int64
			if err := tx.db.Raw("SELECT COALESCE(MAX(id), 0) FROM ticket WHERE assignee = ? AND state = ?", m, state).Scan(&last).Error; err != nil {
				return nil, err
			}
			out[m] = max(out[m], last)
		}
	}
	return out, nil
}

// What somebody is to a ticket besides reporter and assignee.
const (
	Watcher  = "watcher"  // hears of its progress
	Affected = "affected" // reported the same: hears when it is solved
)

// TicketPerson is somebody who follows a ticket.
type TicketPerson struct {
	Ticket   int64 // number
	Member   string
	As       string // Watcher, Affected
	Customer string // mask of the customer whom it hit; "" for none
	At       time.Time
}

// FollowTicket adds somebody to a ticket; fresh is false when that was so before.
func (tx *Tx) FollowTicket(p TicketPerson) (fresh bool, err error) {
	err = tx.db.Exec("INSERT INTO ticket_person (ticket, member, follows_as, customer_mask, created_at) VALUES (?,?,?,?,?)", p.Ticket, clip(p.Member, 64), p.As, clip(p.Customer, 64), millis(tx.now)).Error
	if isDuplicate(err) {
		return false, nil
	}
	return err == nil, err
}

// TicketPeople lists who follows a ticket, in the order in which they came.
func (tx *Tx) TicketPeople(number int64) ([]TicketPerson, error) {
	var rows []struct {
		Ticket                          int64
		Member, FollowsAs, CustomerMask string
		CreatedAt                       int64
	}
	err := tx.db.Raw("SELECT ticket, member, follows_as, customer_mask, created_at FROM ticket_person WHERE ticket=? ORDER BY created_at, member", number).Scan(&rows).Error
	out := make([]TicketPerson, len(rows))
	for i, r := range rows {
		out[i] = TicketPerson{r.Ticket, r.Member, r.FollowsAs, r.CustomerMask, fromMillis(r.CreatedAt)}
	}
	return out, err
}

// Link ties a ticket to another thing that has a number: ticket, alert, run,
// entry, session.
type Link struct {
	Ticket int64 // number
	Kind   string
	Number int64
}

// LinkTicket ties them; again changes nothing.
func (tx *Tx) LinkTicket(l Link) error {
	err := tx.db.Exec("INSERT INTO ticket_link (ticket, kind, number, created_at) VALUES (?,?,?,?)", l.Ticket, l.Kind, l.Number, millis(tx.now)).Error
	if isDuplicate(err) {
		return nil
	}
	return err
}

// Notice is something about a ticket that somebody is to hear at a time: later,
// because they just heard something, or because it is night.
type Notice struct {
	ID     int64
	Ticket int64 // number
	Member string
	Text   string
	Due    time.Time
}

// HoldNotice keeps a notice for its time.
func (tx *Tx) HoldNotice(n Notice) error {
	return tx.db.Exec("INSERT INTO notice (id, ticket, member, body, due_at) VALUES (?,?,?,?,?)", tx.s.ids.next(tx.now), n.Ticket, clip(n.Member, 64), n.Text, millis(n.Due)).Error
}

// TakeNotices removes and returns the notices that are due, at most n, oldest
// first.
func (tx *Tx) TakeNotices(n int) ([]Notice, error) {
	var rows []struct {
		ID, Ticket, DueAt int64
		Member, Body      string
	}
	err := tx.db.Raw("SELECT id, ticket, member, body, due_at FROM notice WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", millis(tx.now), n).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	out, ids := make([]Notice, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		out[i], ids[i] = Notice{r.ID, r.Ticket, r.Member, r.Body, fromMillis(r.DueAt)}, r.ID
	}
	return out, tx.db.Exec("DELETE FROM notice WHERE id IN ?", ids).Error
}

// MaySurvey tells whether a member may be asked to rate something: not within
// pause of the last time. It takes the turn when so.
func (tx *Tx) MaySurvey(member string, pause time.Duration) (bool, error) {
	var last []int64
	if err := tx.db.Raw("SELECT asked_at FROM survey WHERE member=?", member).Scan(&last).Error; err != nil {
		return false, err
	}
	if len(last) == 0 {
		err := tx.db.Exec("INSERT INTO survey (member, asked_at) VALUES (?,?)", member, millis(tx.now)).Error
		if isDuplicate(err) {
			return false, nil
		}
		return err == nil, err
	}
	if tx.now.Sub(fromMillis(last[0])) < pause {
		return false, nil
	}
	u := tx.db.Exec("UPDATE survey SET asked_at=? WHERE member=? AND asked_at=?", millis(tx.now), member, last[0])
	return u.RowsAffected == 1, u.Error
}

// LastTicketOf returns a reporter's ticket that was resolved or closed last
// since a time, or ErrNotFound.
func (s *Store) LastTicketOf(ctx context.Context, reporter string, since time.Time) (Ticket, error) {
	var r ticketRow
	err := s.read.WithContext(ctx).Where("reporter = ? AND state IN ? AND resolved_at >= ?", reporter, []TicketState{TicketResolved, TicketClosed}, millis(since)).Order("resolved_at DESC").First(&r).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Ticket{}, ErrNotFound
	}
	return r.ticket(), err
}
