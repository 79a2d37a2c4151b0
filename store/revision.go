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

func (tx *Tx) keepRevision(row entryRow) error {
	body, err := json.Marshal(row.entry())
	if err != nil {
		return err
	}
	err = tx.db.Create(&revisionRow{Entry: row.Number, Version: row.Version, Body: string(body), Author: clip(row.UpdatedBy, 64), Reason: clip(tx.reason, 400), At: row.UpdatedAt}).Error
	if err != nil {
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
