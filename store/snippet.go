package store

import (
	"context"
	"fmt"
)

// Snippet is a piece of text that people put into replies.
type Snippet struct {
	ID     int64
	Owner  string
	Title  string
	Body   string
	Shared bool
}

type snippetRow struct {
	ID     int64 `gorm:"primaryKey;autoIncrement:false"`
	Owner  string
	Title  string
	Body   string
	Shared bool
}

func (snippetRow) TableName() string { return "snippet" }

// ListSnippets returns a member's own snippets and the shared ones, by title.
func (s *Store) ListSnippets(ctx context.Context, member string) ([]Snippet, error) {
	var rows []snippetRow
	err := s.read.WithContext(ctx).Where("owner = ? OR shared = 1", member).Order("title, id").Limit(200).Find(&rows).Error
	out := make([]Snippet, len(rows))
	for i, r := range rows {
		out[i] = Snippet(r)
	}
	return out, err
}

// AddSnippet keeps a snippet and gives it its id.
func (tx *Tx) AddSnippet(n *Snippet) error {
	n.ID = tx.s.ids.next(tx.now)
	n.Title, n.Body = clip(n.Title, 40), clip(n.Body, 2000)
	r := snippetRow(*n)
	if err := tx.db.Create(&r).Error; err != nil {
		return err
	}
	return tx.Audit(n.Owner, "snippet.create", fmt.Sprint(n.ID), map[string]any{"title": n.Title, "shared": n.Shared})
}

// DeleteSnippet removes a snippet of its owner; anybody's when any.
func (tx *Tx) DeleteSnippet(actor string, id int64, any bool) error {
	db := tx.db.Exec("DELETE FROM snippet WHERE id=? AND (owner=? OR ?)", id, actor, any)
	if db.Error != nil {
		return db.Error
	}
	if db.RowsAffected == 0 {
		return ErrNotFound
	}
	return tx.Audit(actor, "snippet.delete", fmt.Sprint(id), nil)
}
