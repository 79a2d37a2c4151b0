package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// MonitorHold is a monitor that somebody paused: it is not checked, and nothing
// is told of it.
type MonitorHold struct {
	Item string `gorm:"primaryKey"`
	By   string `gorm:"column:author"`
	Why  string `gorm:"column:note"` // masked
	At   int64
}

func (MonitorHold) TableName() string { return "monitor_hold" }

// Since is when it was paused.
func (h MonitorHold) Since() time.Time { return fromMillis(h.At) }

// HoldMonitor pauses a monitor; one that is paused already is ErrStale.
func (tx *Tx) HoldMonitor(item, by, why string) error {
	err := tx.db.Create(&MonitorHold{Item: item, By: clip(by, 64), Why: clip(why, 200), At: millis(tx.now)}).Error
	if isDuplicate(err) {
		return ErrStale
	}
	if err != nil {
		return err
	}
	return tx.Audit(by, "monitor.hold", item, map[string]string{"why": clip(why, 200)})
}

// ReleaseMonitor lets a paused monitor go on; one that is not paused is
// ErrStale. Its next check is due at once.
func (tx *Tx) ReleaseMonitor(item, by string) error {
	u := tx.db.Exec("DELETE FROM monitor_hold WHERE item=?", item)
	if u.Error != nil {
		return u.Error
	}
	if u.RowsAffected == 0 {
		return ErrStale
	}
	return tx.Audit(by, "monitor.release", item, nil)
}

// MonitorHolds are the paused monitors by name.
func (s *Store) MonitorHolds(ctx context.Context) (map[string]MonitorHold, error) {
	var rows []MonitorHold
	err := s.read.WithContext(ctx).Find(&rows).Error
	out := make(map[string]MonitorHold, len(rows))
	for _, r := range rows {
		out[r.Item] = r
	}
	return out, err
}

// MonitorHeld tells whether a monitor is paused.
func (s *Store) MonitorHeld(ctx context.Context, item string) (bool, error) {
	var r MonitorHold
	err := s.read.WithContext(ctx).First(&r, "item = ?", item).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return false, nil
	}
	return err == nil, err
}
