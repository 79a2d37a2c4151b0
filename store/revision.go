package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"frontline/kb"
)

// Revision is one version of an entry as it was.
type Revision struct {
	Version int
	Entry   kb.Entry
	Author  string
	Reason  string
	At      time.Time
}

type revisionRow struct {
	Entry   int64
	Version int
	Body    string
	Author  string
	Reason  string
	At      int64 `gorm:"autoCreateTime:false"`
}

func (revisionRow) TableName() string { return "entry_revision" }

func (r revisionRow) revision() (Revision, error) {
	out := Revision{Version: r.Version, Author: r.Author, Reason: r.Reason, At: fromMillis(r.At)}
	err := json.Unmarshal([]byte(r.Body), &out.Entry)
	out.Entry.Version = r.Version
	return out, err
}

func revisionOf(row entryRow, reason string) (revisionRow, error) {
	body, err := json.Marshal(row.entry())
	return revisionRow{Entry: row.Number, Version: row.Version, Body: string(body), Author: clip(row.UpdatedBy, 64), Reason: clip(reason, 400), At: row.UpdatedAt}, err
}

func (tx *Tx) keepRevision(row entryRow) error {
	r, err := revisionOf(row, tx.reason)
	if err != nil {
		return err
	}
	if err := tx.db.Create(&r).Error; err != nil {
		return fmt.Errorf("keep K%d as it is: %w", row.Number, err)
	}
	return nil
}

// keepFirst keeps an entry that was there before revisions were, when it is
// about to change.
func (tx *Tx) keepFirst(old entryRow) error {
	var n int64
	if err := tx.db.Model(&revisionRow{}).Where("entry = ? AND version = ?", old.Number, old.Version).Count(&n).Error; err != nil || n > 0 {
		return err
	}
	return tx.keepRevision(old)
}

// ListRevisions returns the versions of an entry, newest first.
func (s *Store) ListRevisions(ctx context.Context, number int64, n int) ([]Revision, error) {
	var rows []revisionRow
	if err := s.read.WithContext(ctx).Where("entry = ?", number).Order("version DESC").Limit(n).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]Revision, len(rows))
	for i, r := range rows {
		var err error
		if out[i], err = r.revision(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// EntriesAt returns entries as they were in a version, by number; without those
// whose version is not kept.
func (tx *Tx) EntriesAt(versions map[int64]int) (map[int64]kb.Entry, error) {
	pairs := [][]any{{int64(0), 0}}
	for number, version := range versions {
		if version > 0 {
			pairs = append(pairs, []any{number, version})
		}
	}
	var rows []revisionRow
	if err := tx.db.Where("(entry, version) IN ?", pairs).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make(map[int64]kb.Entry, len(rows))
	for _, r := range rows {
		v, err := r.revision()
		if err != nil {
			return nil, err
		}
		v.Entry.Number = r.Entry
		out[r.Entry] = v.Entry
	}
	return out, nil
}

// ErrFirst tells that there is no version before this one.
var ErrFirst = errors.New("no earlier version")

// RestoreEntry brings an older version back, as a new one. version 0 means the
// one before the present.
func (tx *Tx) RestoreEntry(by string, number int64, version int) (kb.Entry, error) {
	now, err := tx.FindEntry(number)
	if err != nil {
		return kb.Entry{}, err
	}
	q := tx.db.Where("entry = ? AND version = ?", number, version)
	if version == 0 {
		q = tx.db.Where("entry = ? AND version < ?", number, now.Version).Order("version DESC")
	}
	var row revisionRow
	err = q.First(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return now, fmt.Errorf("entry K%d: %w", number, ErrFirst)
	}
	if err != nil {
		return kb.Entry{}, err
	}
	old, err := row.revision()
	if err != nil {
		return kb.Entry{}, err
	}
	return tx.ChangeEntry(by, fmt.Sprintf("恢复第 %d 版", row.Version), number, now.Version, func(e *kb.Entry) error {
		*e = old.Entry
		e.Number = number
		return nil
	})
}
