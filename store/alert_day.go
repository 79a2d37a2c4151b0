package store

import (
	"context"
	"time"
)

// mostOfDays bounds what a table of days reads.
const mostOfDays = 50_000

// AlertGroupsOpened are the groups that began in a time, from included, to not,
// the oldest first.
func (s *Store) AlertGroupsOpened(ctx context.Context, from, to time.Time) ([]AlertGroup, error) {
	var rows []alertGroupRow
	err := s.read.WithContext(ctx).Where("id >= ? AND id < ?", idAt(from), idAt(to)).Order("id").Limit(mostOfDays).Find(&rows).Error
	return alertGroups(rows), err
}

// FirstClaims are when each of the groups was first claimed, by id. A claim that
// was given back counts.
func (s *Store) FirstClaims(ctx context.Context, groups []int64) (map[int64]time.Time, error) {
	out := map[int64]time.Time{}
	for len(groups) > 0 {
		n := min(len(groups), fpBatch)
		var rows []struct{ GroupID, At int64 }
		if err := s.read.WithContext(ctx).Raw("SELECT group_id, MIN(at) AS at FROM alert_event WHERE group_id IN ? AND kind='claimed' GROUP BY group_id", groups[:n]).Scan(&rows).Error; err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.GroupID] = fromMillis(r.At)
		}
		groups = groups[n:]
	}
	return out, nil
}

// LabelOfGroups is one label's value of each group, as one of its alerts has it;
// groups without are left out.
func (s *Store) LabelOfGroups(ctx context.Context, label string, groups []int64) (map[int64]string, error) {
	out := map[int64]string{}
	for len(groups) > 0 {
		n := min(len(groups), fpBatch)
		var rows []struct {
			GroupID int64
			Labels  string
		}
		err := s.read.WithContext(ctx).Raw("SELECT a.group_id, a.labels FROM alert a JOIN (SELECT MAX(id) AS id FROM alert WHERE group_id IN ? GROUP BY group_id) m ON m.id=a.id", groups[:n]).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if v := textMap(r.Labels)[label]; v != "" {
				out[r.GroupID] = v
			}
		}
		groups = groups[n:]
	}
	return out, nil
}
