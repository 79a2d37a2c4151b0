package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// EntrySchedule is when an entry, or the change that waits for it, is to be
// published: as it stood when that was said.
type EntrySchedule struct {
	Entry   int64
	At      time.Time
	Author  string // who publishes it
	Version int    // of the entry
	Change  int64  // version of the change; 0: there was none
}

type entryScheduleRow struct {
	Entry   int64 `gorm:"primaryKey;autoIncrement:false"`
	At      int64
	Author  string
	Version int
	Change  int64 `gorm:"column:change_version"`
}

func (entryScheduleRow) TableName() string { return "entry_schedule" }

func (r entryScheduleRow) schedule() EntrySchedule {
	return EntrySchedule{r.Entry, fromMillis(r.At), r.Author, r.Version, r.Change}
}

// PutEntrySchedule says when an entry is to be published, in the place of what was
// said before.
func (tx *Tx) PutEntrySchedule(s EntrySchedule) error {
	if _, err := tx.DropEntrySchedule(s.Entry); err != nil {
		return err
	}
	return tx.db.Create(&entryScheduleRow{s.Entry, millis(s.At), clip(s.Author, 64), s.Version, s.Change}).Error
}

// DropEntrySchedule forgets it, and tells whether there was one.
func (tx *Tx) DropEntrySchedule(entry int64) (bool, error) {
	u := tx.db.Exec("DELETE FROM entry_schedule WHERE entry=?", entry)
	return u.RowsAffected > 0, u.Error
}

// FindEntrySchedule returns when an entry is to be published, or ErrNotFound.
func (s *Store) FindEntrySchedule(ctx context.Context, entry int64) (EntrySchedule, error) {
	var r entryScheduleRow
	err := s.read.WithContext(ctx).First(&r, "entry = ?", entry).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fmt.Errorf("schedule of K%d: %w", entry, ErrNotFound)
	}
	return r.schedule(), err
}

// DueEntrySchedules are those whose time has come, the earliest first.
func (s *Store) DueEntrySchedules(ctx context.Context, n int) ([]EntrySchedule, error) {
	var rows []entryScheduleRow
	err := s.read.WithContext(ctx).Where("at <= ?", millis(s.now())).Order("at, entry").Limit(n).Find(&rows).Error
	out := make([]EntrySchedule, len(rows))
	for i, r := range rows {
		out[i] = r.schedule()
	}
	return out, err
}
