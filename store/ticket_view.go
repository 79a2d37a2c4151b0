package store

import (
	"context"
	"fmt"
)

// TicketView is a filter of the queue that somebody keeps under a name.
type TicketView struct {
	ID     int64
	Owner  string
	Title  string
	Query  string // of the page's address
	Shared bool   // everybody sees it
}

type ticketViewRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement:false"`
	Owner     string
	Title     string
	QueryText string
	Shared    bool
}

func (ticketViewRow) TableName() string { return "ticket_view" }

// ListTicketViews returns a member's own views and the shared ones, oldest first.
func (s *Store) ListTicketViews(ctx context.Context, member string) ([]TicketView, error) {
	var rows []ticketViewRow
	err := s.read.WithContext(ctx).Where("owner = ? OR shared = 1", member).Order("id").Limit(30).Find(&rows).Error
	out := make([]TicketView, len(rows))
	for i, r := range rows {
		out[i] = TicketView{r.ID, r.Owner, r.Title, r.QueryText, r.Shared}
	}
	return out, err
}

// AddTicketView keeps a view and gives it its id.
func (tx *Tx) AddTicketView(v *TicketView) error {
	v.ID = tx.s.ids.next(tx.now)
	if err := tx.db.Create(&ticketViewRow{v.ID, v.Owner, clip(v.Title, 40), clip(v.Query, 1000), v.Shared}).Error; err != nil {
		return err
	}
	if !v.Shared {
		return nil
	}
	return tx.Audit(v.Owner, "view.share", fmt.Sprint(v.ID), map[string]string{"title": v.Title, "filter": v.Query})
}

// DeleteTicketView removes a view of its owner; anybody's when any. ErrNotFound
// when there is none such.
func (tx *Tx) DeleteTicketView(id int64, owner string, any bool) error {
	db := tx.db.Exec("DELETE FROM ticket_view WHERE id=? AND (owner=? OR ?)", id, owner, any)
	if db.Error == nil && db.RowsAffected == 0 {
		return ErrNotFound
	}
	return db.Error
}
