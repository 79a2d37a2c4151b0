package store

import (
	"context"
	"time"
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

// OnDuty lists who is on duty for a group now; the shift that began first comes
// first.
func (tx *Tx) OnDuty(group string) ([]Shift, error) {
	var rows []shiftRow
	err := tx.db.Where("starts_at <= ? AND ends_at > ? AND service_group = ?", millis(tx.now), millis(tx.now), group).Order("starts_at, id").Find(&rows).Error
	out := make([]Shift, len(rows))
	for i, r := range rows {
		out[i] = r.shift()
	}
	return out, err
}

// OnDuty lists who is on duty now, for whichever group; who began first comes
// first.
func (s *Store) OnDuty(ctx context.Context) ([]Shift, error) {
	now := millis(s.now())
	var rows []shiftRow
	err := s.read.WithContext(ctx).Where("starts_at <= ? AND ends_at > ?", now, now).Order("starts_at, id").Find(&rows).Error
	out := make([]Shift, len(rows))
	for i, r := range rows {
		out[i] = r.shift()
	}
	return out, err
}
