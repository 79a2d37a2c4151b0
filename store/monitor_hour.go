package store

import (
	"context"
	"time"
)

// MonitorHour is the checks of an item in one hour: what is left of results when
// they are gone themselves.
type MonitorHour struct {
	Item                     string
	Hour                     time.Time // its beginning, in whole hours of UTC
	Checks, Failed, Alarming int
	Found                    []byte // JSON in the words of who runs them
}

type monitorHourRow struct {
	Item                     string `gorm:"primaryKey"`
	Hour                     int64  `gorm:"primaryKey;autoIncrement:false"`
	Checks, Failed, Alarming int
	Found                    string
}

func (monitorHourRow) TableName() string { return "monitor_hour" }

// PutMonitorHours puts the items of one hour in the place of what was kept of it.
func (tx *Tx) PutMonitorHours(hour time.Time, list []MonitorHour) error {
	if err := tx.db.Exec("DELETE FROM monitor_hour WHERE hour=?", millis(hour)).Error; err != nil {
		return err
	}
	for _, h := range list {
		if err := tx.db.Create(&monitorHourRow{h.Item, millis(hour), h.Checks, h.Failed, h.Alarming, string(h.Found)}).Error; err != nil {
			return err
		}
	}
	return nil
}

// MonitorHours are the hours of an item from a time on, the oldest first.
func (s *Store) MonitorHours(ctx context.Context, item string, from time.Time) ([]MonitorHour, error) {
	var rows []monitorHourRow
	err := s.read.WithContext(ctx).Where("item = ? AND hour >= ?", item, millis(from)).Order("hour").Limit(monitorHoursMost).Find(&rows).Error
	out := make([]MonitorHour, len(rows))
	for i, r := range rows {
		out[i] = MonitorHour{r.Item, fromMillis(r.Hour), r.Checks, r.Failed, r.Alarming, []byte(r.Found)}
	}
	return out, err
}

// monitorHoursMost is two years of hours.
const monitorHoursMost = 2 * 366 * 24

// LastMonitorHour is the newest hour that is kept, zero for none.
func (s *Store) LastMonitorHour(ctx context.Context) (time.Time, error) {
	var at []int64
	if err := s.read.WithContext(ctx).Raw("SELECT hour FROM monitor_hour ORDER BY hour DESC LIMIT 1").Scan(&at).Error; err != nil || len(at) == 0 {
		return time.Time{}, err
	}
	return fromMillis(at[0]), nil
}

// NextMonitorResult is when the first result from a time on was kept, zero for
// none.
func (s *Store) NextMonitorResult(ctx context.Context, from time.Time) (time.Time, error) {
	var id []int64
	if err := s.read.WithContext(ctx).Raw("SELECT id FROM monitor_result WHERE id >= ? ORDER BY id LIMIT 1", idAt(from)).Scan(&id).Error; err != nil || len(id) == 0 {
		return time.Time{}, err
	}
	return idTime(id[0]), nil
}

// MonitorResultsKept are the results of all items that were kept from, included,
// until to, not, in their order.
func (s *Store) MonitorResultsKept(ctx context.Context, from, to time.Time) ([]MonitorResult, error) {
	var rows []monitorResultRow
	err := s.read.WithContext(ctx).Where("id >= ? AND id < ?", idAt(from), idAt(to)).Order("id").Find(&rows).Error
	return monitorResults(rows), err
}
