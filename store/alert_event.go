package store

import (
	"context"
	"time"
)

// AlertEvent is one thing that happened in a group of alerts.
type AlertEvent struct {
	ID    int64
	Group int64 // id of the group
	Alert int64 // id of the alert, 0 for the group as a whole
	At    time.Time
	Kind  string // opened, resolved, severity, told, folded, claimed, unclaimed, silenced, unsilenced, hushed, flapping, ticket, escalated, note, false, reopened
	Actor string // userid, or "" for the desk itself
	Text  string
}

type alertEventRow struct {
	ID      int64 `gorm:"primaryKey;autoIncrement:false"`
	GroupID int64
	AlertID int64
	At      int64
	Kind    string
	Actor   string
	Body    string
}

func (alertEventRow) TableName() string { return "alert_event" }

// AddAlertEvents appends to the timelines of groups.
func (tx *Tx) AddAlertEvents(list ...AlertEvent) error {
	return tx.insert("INSERT INTO alert_event (id, group_id, alert_id, at, kind, actor, body) VALUES ", len(list), func(i int) []any {
		e := list[i]
		return []any{tx.s.ids.next(tx.now), e.Group, e.Alert, millis(tx.now), e.Kind, clip(e.Actor, 64), clip(e.Text, 2000)}
	})
}

// ListAlertEvents returns the timeline of a group, the newest first.
func (s *Store) ListAlertEvents(ctx context.Context, group int64, n int) ([]AlertEvent, error) {
	var rows []alertEventRow
	err := s.read.WithContext(ctx).Where("group_id = ?", group).Order("id DESC").Limit(n).Find(&rows).Error
	out := make([]AlertEvent, len(rows))
	for i, r := range rows {
		out[i] = AlertEvent{r.ID, r.GroupID, r.AlertID, fromMillis(r.At), r.Kind, r.Actor, r.Body}
	}
	return out, err
}
