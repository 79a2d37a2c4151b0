package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// MonitorDay is what one monitor with a table of statuses saw on one day. It is
// written with every check, so that a year is read from few rows.
type MonitorDay struct {
	Item           string
	Status         string // that counts as abnormal
	Checks, Failed int64
	Highest        float64 // count of the day
	Left           float64 // the last count
	Total          float64 // of the last check
	// As the daily table says it, of counts or of objects.
	Abnormal, Handled float64
}

// MonitorSums are the days of all monitors added up.
type MonitorSums struct {
	Items                    int64
	Abnormal, Handled, Total float64
}

// Add adds other sums to m.
func (m *MonitorSums) Add(other MonitorSums) {
	m.Items, m.Abnormal, m.Handled, m.Total = m.Items+other.Items, m.Abnormal+other.Abnormal, m.Handled+other.Handled, m.Total+other.Total
}

type monitorDayRow struct {
	DayKey         int64  `gorm:"primaryKey;autoIncrement:false"`
	Item           string `gorm:"primaryKey"`
	Status         string
	Checks, Failed int64
	Highest        float64
	LeftOver       float64
	Total          float64
	Abnormal       float64
	Handled        float64
}

func (monitorDayRow) TableName() string { return "monitor_day" }

// FindMonitorDay is the day of an instant as it is so far, or ErrNotFound.
func (tx *Tx) FindMonitorDay(item string, at time.Time) (MonitorDay, error) {
	var r monitorDayRow
	err := tx.db.First(&r, "day_key = ? AND item = ?", tx.s.DayKey(at), item).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = ErrNotFound
	}
	return MonitorDay{r.Item, r.Status, r.Checks, r.Failed, r.Highest, r.LeftOver, r.Total, r.Abnormal, r.Handled}, err
}

// PutMonitorDay writes a day.
func (tx *Tx) PutMonitorDay(at time.Time, d MonitorDay) error {
	return tx.db.Save(&monitorDayRow{tx.s.DayKey(at), d.Item, clip(d.Status, 191), d.Checks, d.Failed, d.Highest, d.Left, d.Total, d.Abnormal, d.Handled}).Error
}

// MonitorResultsOfDay are the results of an item on the day of an instant, the
// newest first.
func (tx *Tx) MonitorResultsOfDay(item string, at time.Time) ([]MonitorResult, error) {
	from := tx.s.midnight(at)
	var rows []monitorResultRow
	err := tx.db.Where("item = ? AND at >= ? AND at < ?", item, millis(from), millis(from.AddDate(0, 0, 1))).Order("at DESC, id DESC").Limit(5000).Find(&rows).Error
	return monitorResults(rows), err
}

// MonitorDays are the sums of each day of [from, to), over all monitors; days
// without any are left out.
func (s *Store) MonitorDays(ctx context.Context, from, to time.Time) (map[int64]MonitorSums, error) {
	var rows []struct {
		DayKey, Items            int64
		Abnormal, Handled, Total float64
	}
	err := s.read.WithContext(ctx).Raw("SELECT day_key, COUNT(*) AS items, SUM(abnormal) AS abnormal, SUM(handled) AS handled, SUM(total) AS total FROM monitor_day WHERE day_key >= ? AND day_key < ? GROUP BY day_key", s.DayKey(from), s.DayKey(to)).Scan(&rows).Error
	out := make(map[int64]MonitorSums, len(rows))
	for _, r := range rows {
		out[r.DayKey] = MonitorSums{r.Items, r.Abnormal, r.Handled, r.Total}
	}
	return out, err
}
