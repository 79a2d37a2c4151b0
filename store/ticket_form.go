package store

import (
	"context"
	"encoding/json"
)

// TicketForm is what a report form asks besides the fields of every ticket. It
// is sealed as a whole: who reported, and how to reach them, stands in it.
type TicketForm struct {
	Name       string   `json:"name,omitempty"` // of the reporter, as they wrote it
	Phone      string   `json:"phone,omitempty"`
	Mail       string   `json:"mail,omitempty"`
	Branch     string   `json:"branch,omitempty"` // of the customer
	Accounts   []string `json:"accounts,omitempty"`
	Securities []string `json:"securities,omitempty"`
	Login      string   `json:"login,omitempty"`
	Occurred   string   `json:"occurred,omitempty"` // 2006-01-02T15:04, local time
	Remarks    string   `json:"remarks,omitempty"`  // masked
	FiledBy    string   `json:"filed_by,omitempty"` // userid, when not the reporter
}

// KeepTicketForm keeps the form that a ticket was made from.
func (tx *Tx) KeepTicketForm(ticketID int64, f TicketForm) error {
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return tx.db.Exec("INSERT INTO ticket_form (ticket_id, body) VALUES (?,?)", ticketID, tx.s.seal.sealed("form", b)).Error
}

// FindTicketForm returns the form of a ticket; an empty one for a ticket that
// was not made from a form.
func (s *Store) FindTicketForm(ctx context.Context, ticketID int64) (f TicketForm, err error) {
	var rows [][]byte
	if err := s.read.WithContext(ctx).Raw("SELECT body FROM ticket_form WHERE ticket_id=?", ticketID).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return f, err
	}
	b, err := s.seal.open("form", rows[0])
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(b, &f)
}
