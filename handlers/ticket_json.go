package handlers

import (
	"strconv"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// TicketJSON is a ticket as programs read it, over the API and in events.
// Customers are masked: the clear values are looked up in the console only, on
// record.
type TicketJSON struct {
	ID         string            `json:"id"`
	Number     int64             `json:"number"`
	State      string            `json:"state"`
	Priority   string            `json:"priority"`
	Class      string            `json:"class"`
	Subclass   string            `json:"subclass"`
	Title      string            `json:"title"`
	Reporter   string            `json:"reporter"`
	Assignee   string            `json:"assignee"`
	Group      string            `json:"group"`
	AppVersion string            `json:"app_version"`
	System     string            `json:"system"`
	Customer   string            `json:"customer"` // masked, as phone and identity
	Phone      string            `json:"phone"`
	Identity   string            `json:"identity"`
	Affected   int               `json:"affected"` // people, the reporter too
	Master     int64             `json:"master,omitempty"`
	Created    *string           `json:"created_at"` // instants are RFC 3339; null when there is none
	Updated    *string           `json:"updated_at"`
	RespondDue *string           `json:"respond_due_at"`
	ResolveDue *string           `json:"resolve_due_at"`
	Responded  *string           `json:"responded_at"`
	Resolved   *string           `json:"resolved_at"`
	Closed     *string           `json:"closed_at"`
	WaitFor    string            `json:"wait_for,omitempty"`
	WaitUntil  *string           `json:"wait_until,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Method     string            `json:"method,omitempty"`
	Reopened   int               `json:"reopened"`
	Rating     int               `json:"rating,omitempty"`
	Version    int64             `json:"version"`
	Entries    []TicketEntryJSON `json:"entries,omitempty"`
}

// TicketEntryJSON is one thing in a ticket's thread.
type TicketEntryJSON struct {
	ID     string  `json:"id,omitempty"`
	At     *string `json:"at"`
	Kind   string  `json:"kind"` // report, reply, question, note, workaround, event, talk
	Author string  `json:"author"`
	Text   string  `json:"text"`
	Files  int     `json:"files,omitempty"`
}

// JSONOf is a ticket without its thread.
func JSONOf(t store.Ticket) TicketJSON {
	return TicketJSON{ID: strconv.FormatInt(t.ID, 10), Number: t.Number, State: string(t.State), Priority: t.Priority, Class: t.Class, Subclass: t.Subclass, Title: t.Title, Reporter: t.Reporter, Assignee: t.Assignee,
		Group: t.Group, AppVersion: t.AppVersion, System: t.System, Customer: t.Customer.Mask, Phone: t.Phone.Mask, Identity: t.Identity.Mask, Affected: t.Joined + 1, Master: t.Master,
		Created: JSONTime(t.Created), Updated: JSONTime(t.Updated), RespondDue: JSONTime(t.RespondDue), ResolveDue: JSONTime(t.ResolveDue), Responded: JSONTime(t.Responded), Resolved: JSONTime(t.Resolved), Closed: JSONTime(t.Closed),
		WaitFor: t.WaitFor, WaitUntil: JSONTime(t.WaitUntil), Reason: t.Reason, Method: t.Method, Reopened: t.Cycle, Rating: t.Rating, Version: t.Version}
}

// JSONTime is an instant as programs read it; nil when there is none.
func JSONTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) // as exact as what is stored
	return &s
}

// TicketEvent is what subscribers hear of a ticket. By is who did it, so that a
// program can leave out what it did itself.
type TicketEvent struct {
	Ticket TicketJSON       `json:"ticket"`
	By     string           `json:"by"`
	Entry  *TicketEntryJSON `json:"entry"` // of ticket.commented
}

// emit tells the subscribers what happened to a ticket.
func (d *Desk) emit(tx *store.Tx, by chat.User, t *store.Ticket, event string, entry *TicketEntryJSON) error {
	return tx.Emit(d.Subscribers, event, no(t), func() any { return TicketEvent{JSONOf(*t), by.ID, entry} })
}

// commented is emit of something that was said in the thread.
func (d *Desk) commented(tx *store.Tx, by chat.User, t *store.Ticket, kind, text string, files int) error {
	return d.emit(tx, by, t, chat.TicketCommented, &TicketEntryJSON{At: JSONTime(tx.Now()), Kind: kind, Author: by.ID, Text: text, Files: files})
}
