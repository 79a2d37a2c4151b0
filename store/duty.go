package store

import (
	"context"
	"errors"
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
	Weekly bool   // laid out of the weekly roster; else entered by somebody
}

type shiftRow struct {
	ID           int64 `gorm:"primaryKey;autoIncrement:false"`
	ServiceGroup string
	Member       string
	StartsAt     int64
	EndsAt       int64
	StandsFor    string
	Weekly       bool
}

func (shiftRow) TableName() string { return "duty_shift" }

func (r shiftRow) shift() Shift {
	return Shift{r.ID, r.ServiceGroup, r.Member, fromMillis(r.StartsAt), fromMillis(r.EndsAt), r.StandsFor, r.Weekly}
}

// AddShift puts a shift into the roster and gives it its id.
func (tx *Tx) AddShift(sh *Shift) error {
	sh.ID = tx.s.ids.next(tx.now)
	return tx.db.Create(&shiftRow{sh.ID, clip(sh.Group, 64), clip(sh.Member, 64), millis(sh.From), millis(sh.Until), clip(sh.Stands, 64), sh.Weekly}).Error
}

// LayRoster replaces what the weekly roster laid before; what people entered
// stays.
func (tx *Tx) LayRoster(shifts []Shift) error {
	if err := tx.db.Exec("DELETE FROM duty_shift WHERE weekly = ?", true).Error; err != nil {
		return err
	}
	for i := range shifts {
		shifts[i].Weekly = true
		if err := tx.AddShift(&shifts[i]); err != nil {
			return err
		}
	}
	return nil
}

// FindShift finds a shift that is not over; ErrNotFound when there is none.
func (tx *Tx) FindShift(id int64) (Shift, error) {
	var row shiftRow
	err := tx.db.Where("id = ? AND ends_at > ?", id, millis(tx.now)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = ErrNotFound
	}
	return row.shift(), err
}

// EndShift ends a shift that somebody entered, now; ErrNotFound when it is over
// or not there.
func (tx *Tx) EndShift(id int64) error {
	now := millis(tx.now)
	u := tx.db.Exec("UPDATE duty_shift SET ends_at = ?, starts_at = CASE WHEN starts_at > ? THEN ? ELSE starts_at END WHERE id = ? AND weekly = ? AND ends_at > ?", now, now, now, id, false, now)
	if u.Error == nil && u.RowsAffected == 0 {
		return ErrNotFound
	}
	return u.Error
}

// OnDuty lists who is on duty for a group now: who began first comes first, and
// who is stood in for is left out.
func (tx *Tx) OnDuty(group string) ([]Shift, error) {
	return shiftsAt(tx.db.Where("service_group = ?", group), millis(tx.now))
}

// OnDuty lists who is on duty now, for whichever group.
func (s *Store) OnDuty(ctx context.Context) ([]Shift, error) {
	return shiftsAt(s.read.WithContext(ctx), millis(s.now()))
}

func shiftsAt(db *gorm.DB, at int64) ([]Shift, error) {
	var rows []shiftRow
	err := db.Where("starts_at <= ? AND ends_at > ?", at, at).Order("starts_at, id").Find(&rows).Error
	away := map[[2]string]bool{}
	for _, r := range rows {
		if r.StandsFor != "" {
			away[[2]string{r.ServiceGroup, r.StandsFor}] = true
		}
	}
	var out []Shift
	seen := map[[2]string]bool{}
	for _, r := range rows {
		key := [2]string{r.ServiceGroup, r.Member}
		if away[key] && r.Weekly || seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, r.shift())
	}
	return out, err
}

// Roster lists the shifts that touch [from, to), in their order; at most 500.
func (s *Store) Roster(ctx context.Context, from, to time.Time) ([]Shift, error) {
	var rows []shiftRow
	err := s.read.WithContext(ctx).Where("ends_at > ? AND starts_at < ? AND ends_at > starts_at", millis(from), millis(to)).Order("starts_at, id").Limit(500).Find(&rows).Error
	out := make([]Shift, len(rows))
	for i, r := range rows {
		out[i] = r.shift()
	}
	return out, err
}
