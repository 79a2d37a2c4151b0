package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Shift is a time in which somebody is on duty for a service group.
type Shift struct {
	ID     int64
	Group  string
	Member string
	From   time.Time
	Until  time.Time
	Stands string // userid of whom the member stands in for; "" for nobody
}

type shiftRow struct {
	ID           int64 `gorm:"primaryKey;autoIncrement:false"`
	ServiceGroup string
	Member       string
	StartsAt     int64
	EndsAt       int64
	StandsFor    string
}

func (shiftRow) TableName() string { return "duty_shift" }

func (r shiftRow) shift() Shift {
	return Shift{r.ID, r.ServiceGroup, r.Member, fromMillis(r.StartsAt), fromMillis(r.EndsAt), r.StandsFor}
}

// AddShift puts a shift into the roster and gives it its id.
func (tx *Tx) AddShift(sh *Shift) error {
	sh.ID = tx.s.ids.next(tx.now)
	return tx.db.Create(&shiftRow{sh.ID, clip(sh.Group, 64), clip(sh.Member, 64), millis(sh.From), millis(sh.Until), clip(sh.Stands, 64)}).Error
}

// RemoveShift takes a shift out; ErrNotFound when there is none.
func (tx *Tx) RemoveShift(id int64) error {
	u := tx.db.Exec("DELETE FROM duty_shift WHERE id=?", id)
	if u.Error == nil && u.RowsAffected == 0 {
		return ErrNotFound
	}
	return u.Error
}

// Shifts lists the shifts that touch [from, until), in order of time; of every
// group when group is "".
func (s *Store) Shifts(ctx context.Context, group string, from, until time.Time) ([]Shift, error) {
	return shifts(s.read.WithContext(ctx), group, from, until)
}

// OnDuty lists who is on duty at a time, for one group or for all (""); the
// shift that began first comes first.
func (s *Store) OnDuty(ctx context.Context, group string, at time.Time) ([]Shift, error) {
	return s.Shifts(ctx, group, at, at.Add(time.Millisecond))
}

// OnDuty lists who is on duty now.
func (tx *Tx) OnDuty(group string) ([]Shift, error) {
	return shifts(tx.db, group, tx.now, tx.now.Add(time.Millisecond))
}

func shifts(db *gorm.DB, group string, from, until time.Time) ([]Shift, error) {
	db = db.Where("starts_at < ? AND ends_at > ?", millis(until), millis(from)).Order("starts_at, id").Limit(1000)
	if group != "" {
		db = db.Where("service_group = ?", group)
	}
	var rows []shiftRow
	err := db.Find(&rows).Error
	out := make([]Shift, len(rows))
	for i, r := range rows {
		out[i] = r.shift()
	}
	return out, err
}
