package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// dayNumber writes a day as a number: 20260105.
func dayNumber(day time.Time) int64 {
	y, m, d := day.Date()
	return int64(y)*10000 + int64(m)*100 + int64(d)
}

// SeeMonitorObjects records what is in the abnormal status of an item now, and
// with it what left that status since the last look of the day. day is on the
// readers' clock; keys are blinded before they are kept.
func (tx *Tx) SeeMonitorObjects(item string, day time.Time, keys []string, at time.Time) error {
	d := dayNumber(day)
	var rows []struct {
		Object string
		LeftAt int64
	}
	if err := tx.db.Raw("SELECT object, left_at FROM monitor_object WHERE item=? AND day=?", item, d).Scan(&rows).Error; err != nil {
		return err
	}
	known := make(map[string]bool, len(rows)) // whether it is there still
	for _, r := range rows {
		known[r.Object] = r.LeftAt == 0
	}
	var fresh, stay []string
	seen := map[string]bool{}
	for _, k := range keys {
		o := tx.s.seal.blind("monitor/"+item, k)
		if seen[o] {
			continue
		}
		seen[o] = true
		if _, old := known[o]; old {
			stay = append(stay, o)
		} else {
			fresh = append(fresh, o)
		}
	}
	var gone []string
	for o, there := range known {
		if there && !seen[o] {
			gone = append(gone, o)
		}
	}
	slices.Sort(gone) // one order of locks
	now := millis(at)
	for part := range slices.Chunk(fresh, 100) {
		args := make([]any, 0, 5*len(part))
		for _, o := range part {
			args = append(args, item, d, o, now, now)
		}
		if err := tx.db.Exec("INSERT INTO monitor_object (item, day, object, first_at, last_at, left_at) VALUES "+"(?,?,?,?,?,0)"+strings.Repeat(",(?,?,?,?,?,0)", len(part)-1), args...).Error; err != nil {
			return err
		}
	}
	for part := range slices.Chunk(stay, 200) {
		if err := tx.db.Exec("UPDATE monitor_object SET last_at=?, left_at=0 WHERE item=? AND day=? AND object IN ?", now, item, d, part).Error; err != nil {
			return err
		}
	}
	for part := range slices.Chunk(gone, 200) {
		if err := tx.db.Exec("UPDATE monitor_object SET left_at=? WHERE item=? AND day=? AND object IN ?", now, item, d, part).Error; err != nil {
			return err
		}
	}
	return nil
}

// MonitorObjects is what was in the abnormal status of an item on a day.
type MonitorObjects struct {
	Seen, Left int           // how many, and how many of them left it by the last look
	Stay       time.Duration // of those that left, the mean from the first look that saw it to the one that did not
}

// MonitorObjectsOn counts the objects of a day, on the readers' clock.
func (s *Store) MonitorObjectsOn(ctx context.Context, item string, day time.Time) (MonitorObjects, error) {
	return monitorObjectsOn(s.read.WithContext(ctx), item, day)
}

// MonitorObjectsOn is the same inside the transaction.
func (tx *Tx) MonitorObjectsOn(item string, day time.Time) (MonitorObjects, error) {
	return monitorObjectsOn(tx.db, item, day)
}

func monitorObjectsOn(db *gorm.DB, item string, day time.Time) (MonitorObjects, error) {
	var row struct{ N, Gone, Took int64 }
	err := db.Raw("SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN left_at>0 THEN 1 ELSE 0 END),0) AS gone, COALESCE(SUM(CASE WHEN left_at>0 THEN left_at-first_at ELSE 0 END),0) AS took FROM monitor_object WHERE item=? AND day=?", item, dayNumber(day)).Scan(&row).Error
	out := MonitorObjects{Seen: int(row.N), Left: int(row.Gone)}
	if row.Gone > 0 {
		out.Stay = time.Duration(row.Took/row.Gone) * time.Millisecond
	}
	return out, err
}
