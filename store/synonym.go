package store

import (
	"context"
	"fmt"
	"time"
)

// SynonymGroup is a group of words of the house's own: the first is how the
// others are read.
type SynonymGroup struct {
	ID     int64
	Words  []string
	Author string // who changed it last
	At     time.Time
}

type synonymRow struct {
	ID     int64 `gorm:"primaryKey;autoIncrement:false"`
	Words  string
	Author string
	At     int64 `gorm:"autoCreateTime:false"`
}

func (synonymRow) TableName() string { return "synonym" }

func (r synonymRow) group() SynonymGroup {
	return SynonymGroup{r.ID, list(r.Words), r.Author, fromMillis(r.At)}
}

// LockSynonyms begins a change of the groups: nobody else changes them until
// the commit, and who follows them sees that there is a newer edition.
func (tx *Tx) LockSynonyms() error {
	tx.bells = append(tx.bells, func() {
		if tx.s.opt.Bell != nil {
			tx.s.opt.Bell.Ring(TopicEntry)
		}
	})
	return tx.db.Exec("UPDATE counter SET next=next+1 WHERE kind='synonym'").Error
}

// ListSynonyms is the store's, inside a transaction.
func (tx *Tx) ListSynonyms() (out []SynonymGroup, err error) {
	var rows []synonymRow
	err = tx.db.Order("id").Find(&rows).Error
	for _, r := range rows {
		out = append(out, r.group())
	}
	return out, err
}

// PutSynonyms keeps a group, a new one when it has no id, after LockSynonyms.
func (tx *Tx) PutSynonyms(g SynonymGroup) (int64, error) {
	r := synonymRow{ID: g.ID, Words: listText(g.Words), Author: clip(g.Author, 64), At: millis(tx.now)}
	if r.ID == 0 {
		r.ID = tx.s.ids.next(tx.now)
		return r.ID, tx.db.Create(&r).Error
	}
	u := tx.db.Exec("UPDATE synonym SET words=?, author=?, at=? WHERE id=?", r.Words, r.Author, r.At, r.ID)
	if u.Error == nil && u.RowsAffected == 0 {
		return r.ID, fmt.Errorf("synonyms %d: %w", r.ID, ErrNotFound)
	}
	return r.ID, u.Error
}

// DropSynonyms takes a group away, after LockSynonyms.
func (tx *Tx) DropSynonyms(id int64) error {
	u := tx.db.Exec("DELETE FROM synonym WHERE id=?", id)
	if u.Error == nil && u.RowsAffected == 0 {
		return fmt.Errorf("synonyms %d: %w", id, ErrNotFound)
	}
	return u.Error
}

// ListSynonyms returns all groups, oldest first.
func (s *Store) ListSynonyms(ctx context.Context) (out []SynonymGroup, err error) {
	var rows []synonymRow
	err = s.read.WithContext(ctx).Order("id").Find(&rows).Error
	for _, r := range rows {
		out = append(out, r.group())
	}
	return out, err
}

// Synonyms returns the words of all groups when they changed since an edition,
// and the present edition: how the search index follows them.
func (s *Store) Synonyms(ctx context.Context, seen int64) (groups [][]string, edition int64, err error) {
	// The edition is read first: a change between the two is seen again, not missed.
	err = s.read.WithContext(ctx).Raw("SELECT next FROM counter WHERE kind='synonym'").Scan(&edition).Error
	if err != nil || edition == seen {
		return nil, seen, err
	}
	all, err := s.ListSynonyms(ctx)
	if err != nil {
		return nil, seen, err
	}
	for _, g := range all {
		groups = append(groups, g.Words)
	}
	return groups, edition, nil
}
