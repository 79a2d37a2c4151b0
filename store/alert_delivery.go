package store

import (
	"context"
	"time"
)

// States of what a sender sent.
const (
	DeliveryDone = "done" // understood; it may wait for its turn yet
	DeliveryDead = "dead" // not understood: kept, and told to the owner
)

// AlertDelivery is one request of a sender. What it holds is sealed: it may name
// customers.
type AlertDelivery struct {
	ID      int64
	At      time.Time
	Source  string
	Kind    string
	State   string
	Alerts  int
	Fault   string // why it was not understood; never its content
	Body    []byte
	Request []byte // what else of the request its kind reads, in the words of who reads it; nil for nothing
}

type alertDeliveryRow struct {
	ID      int64 `gorm:"primaryKey;autoIncrement:false"`
	Source  string
	Kind    string
	State   string
	Alerts  int
	Fault   string
	Body    []byte
	Request []byte
}

func (alertDeliveryRow) TableName() string { return "alert_delivery" }

const (
	deliveryPurpose = "alert"
	requestPurpose  = "alert request"
)

// AddAlertDelivery keeps what a sender sent, and returns its id. What is waiting
// is found by WaitingAlertDeliveries until FinishAlertDelivery.
func (tx *Tx) AddAlertDelivery(d AlertDelivery, waiting bool) (int64, error) {
	row := alertDeliveryRow{tx.s.ids.next(tx.now), clip(d.Source, 64), clip(d.Kind, 16), d.State, d.Alerts, clip(d.Fault, 500), tx.s.seal.sealed(deliveryPurpose, d.Body), nil}
	if len(d.Request) > 0 {
		row.Request = tx.s.seal.sealed(requestPurpose, d.Request)
	}
	if err := tx.db.Create(&row).Error; err != nil || !waiting {
		return row.ID, err
	}
	return row.ID, tx.db.Exec("INSERT INTO alert_waiting (delivery) VALUES (?)", row.ID).Error
}

// FinishAlertDelivery ends the waiting of a delivery; ErrStale when somebody
// else did.
func (tx *Tx) FinishAlertDelivery(id int64) error {
	u := tx.db.Exec("DELETE FROM alert_waiting WHERE delivery=?", id)
	if u.Error == nil && u.RowsAffected == 0 {
		return ErrStale
	}
	return u.Error
}

// BuryAlertDelivery makes a dead letter of a delivery.
func (tx *Tx) BuryAlertDelivery(id int64, fault string) error {
	return tx.db.Exec("UPDATE alert_delivery SET state=?, alerts=0, fault=? WHERE id=?", DeliveryDead, clip(fault, 500), id).Error
}

// ReviveAlertDelivery lets a dead letter wait for its turn again; ErrStale when it
// is none any more.
func (tx *Tx) ReviveAlertDelivery(id int64) error {
	u := tx.db.Exec("UPDATE alert_delivery SET state=?, fault='' WHERE id=? AND state=?", DeliveryDone, id, DeliveryDead)
	if u.Error != nil {
		return u.Error
	}
	if u.RowsAffected == 0 {
		return ErrStale
	}
	return tx.db.Exec("INSERT INTO alert_waiting (delivery) VALUES (?)", id).Error
}

// WaitingAlertDeliveries are the deliveries that wait for their turn, the oldest
// first.
func (s *Store) WaitingAlertDeliveries(ctx context.Context, n int) ([]AlertDelivery, error) {
	var rows []alertDeliveryRow
	err := s.read.WithContext(ctx).Raw("SELECT d.* FROM alert_waiting w JOIN alert_delivery d ON d.id=w.delivery ORDER BY w.delivery LIMIT ?", n).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return s.alertDeliveries(rows)
}

// ListAlertDeliveries returns what senders sent in a state, the newest first.
func (s *Store) ListAlertDeliveries(ctx context.Context, state string, n int) ([]AlertDelivery, error) {
	var rows []alertDeliveryRow
	if err := s.read.WithContext(ctx).Where("state = ?", state).Order("id DESC").Limit(n).Find(&rows).Error; err != nil {
		return nil, err
	}
	return s.alertDeliveries(rows)
}

func (s *Store) alertDeliveries(rows []alertDeliveryRow) ([]AlertDelivery, error) {
	out := make([]AlertDelivery, len(rows))
	for i, r := range rows {
		body, err := s.seal.open(deliveryPurpose, r.Body)
		if err != nil {
			return nil, err
		}
		out[i] = AlertDelivery{ID: r.ID, At: idTime(r.ID), Source: r.Source, Kind: r.Kind, State: r.State, Alerts: r.Alerts, Fault: r.Fault, Body: body}
		if len(r.Request) > 0 {
			if out[i].Request, err = s.seal.open(requestPurpose, r.Request); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
