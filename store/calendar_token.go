package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// CalendarToken lets a calendar program read a member's shifts and the sharing
// sessions, and nothing else. Only its hash is kept; a member has one at a time.
type CalendarToken struct {
	Member  string
	Last    string // the value's last four characters
	Created time.Time
	Used    time.Time // to the hour
}

type calendarTokenRow struct {
	Member    string `gorm:"primaryKey"`
	IDKey     string
	LastFour  string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	UsedAt    int64
}

func (calendarTokenRow) TableName() string { return "calendar_token" }

func (r calendarTokenRow) token() CalendarToken {
	return CalendarToken{r.Member, r.LastFour, fromMillis(r.CreatedAt), fromMillis(r.UsedAt)}
}

// NewCalendarToken makes a member's token and returns its value, once. The one
// before is gone.
func (s *Store) NewCalendarToken(ctx context.Context, member string) (value string, err error) {
	value = "cal_" + randomSecret()
	return value, s.InTx(ctx, func(tx *Tx) error {
		if err := tx.db.Exec("DELETE FROM calendar_token WHERE member=?", member).Error; err != nil {
			return err
		}
		r := calendarTokenRow{Member: member, IDKey: hashKey(value), LastFour: value[len(value)-4:], CreatedAt: millis(tx.now)}
		if err := tx.db.Create(&r).Error; err != nil {
			return err
		}
		return tx.Audit(member, "calendar.create", member, nil)
	})
}

// DropCalendarToken takes a member's token away; again changes nothing.
func (s *Store) DropCalendarToken(ctx context.Context, member string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("DELETE FROM calendar_token WHERE member=?", member)
		if u.Error != nil || u.RowsAffected == 0 {
			return u.Error
		}
		return tx.Audit(member, "calendar.delete", member, nil)
	})
}

// CalendarTokenOf is a member's token, or ErrNotFound.
func (s *Store) CalendarTokenOf(ctx context.Context, member string) (CalendarToken, error) {
	return s.calendarToken(ctx, "member = ?", member)
}

// FindCalendarToken returns the token with a value, or ErrNotFound.
func (s *Store) FindCalendarToken(ctx context.Context, value string) (CalendarToken, error) {
	t, err := s.calendarToken(ctx, "id_key = ?", hashKey(value))
	if err == nil && s.now().Sub(t.Used) > time.Hour {
		err = s.InTx(ctx, func(tx *Tx) error {
			return tx.db.Exec("UPDATE calendar_token SET used_at=? WHERE member=?", millis(tx.now), t.Member).Error
		})
	}
	return t, err
}

func (s *Store) calendarToken(ctx context.Context, where, arg string) (CalendarToken, error) {
	var r calendarTokenRow
	err := s.read.WithContext(ctx).Take(&r, where, arg).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = ErrNotFound
	}
	return r.token(), err
}

// RosterOf lists what people entered in [from, to) that concerns a member: their
// own shifts, and those in which somebody stands in for them.
func (s *Store) RosterOf(ctx context.Context, member string, from, to time.Time) ([]Shift, error) {
	var rows []shiftRow
	err := s.read.WithContext(ctx).Where("(member = ? OR stands_for = ?) AND weekly = ? AND ends_at > ? AND starts_at < ? AND ends_at > starts_at", member, member, false, millis(from), millis(to)).Order("starts_at, id").Limit(500).Find(&rows).Error
	out := make([]Shift, len(rows))
	for i, r := range rows {
		out[i] = r.shift()
	}
	return out, err
}
