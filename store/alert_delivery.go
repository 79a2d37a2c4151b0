package store

import (
	"context"
	"time"
)

// States of what a sender sent.
const (
	DeliveryDone = "done"
	DeliveryDead = "dead" // not understood: kept, and told to the owner
)

// AlertDelivery is one request of a sender. Its body is sealed: it may name
// customers.
type AlertDelivery struct {
	ID     int64
	At     time.Time
	Source string
	Kind   string
	State  string
	Alerts int
	Fault  string // why it was not understood; never its content
	Body   []byte
}

type alertDeliveryRow struct {
	ID     int64 `gorm:"primaryKey;autoIncrement:false"`
	Source string
	Kind   string
	State  string
	Alerts int
	Fault  string
	Body   []byte
}

func (alertDeliveryRow) TableName() string { return "alert_delivery" }

// AddAlertDelivery keeps what a sender sent.
func (tx *Tx) AddAlertDelivery(d AlertDelivery) error {
	return tx.db.Create(&alertDeliveryRow{tx.s.ids.next(tx.now), clip(d.Source, 64), clip(d.Kind, 16), d.State, d.Alerts, clip(d.Fault, 500), tx.s.seal.sealed("alert", d.Body)}).Error
}

// ListAlertDeliveries returns what senders sent in a state, the newest first.
func (s *Store) ListAlertDeliveries(ctx context.Context, state string, n int) ([]AlertDelivery, error) {
	var rows []alertDeliveryRow
	if err := s.read.WithContext(ctx).Where("state = ?", state).Order("id DESC").Limit(n).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]AlertDelivery, len(rows))
	for i, r := range rows {
		body, err := s.seal.open("alert", r.Body)
		if err != nil {
			return nil, err
		}
		out[i] = AlertDelivery{r.ID, idTime(r.ID), r.Source, r.Kind, r.State, r.Alerts, r.Fault, body}
	}
	return out, nil
}
