package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Matcher compares one label of an alert. The labels source, name and severity
// are the alert's own.
type Matcher struct {
	Label string `json:"label"`
	Op    string `json:"op"` // =, !=, =~, !~
	Value string `json:"value"`
}

// AlertSilence keeps alerts that match all its matchers from the chat until it
// ends. They are stored and counted all the same.
type AlertSilence struct {
	ID       int64
	Matchers []Matcher
	Group    int64 // number of the group that it was made from, 0 for none
	Starts   time.Time
	Ends     time.Time
	Author   string
	Reason   string
	EndedBy  string // who ended it early
}

type alertSilenceRow struct {
	ID          int64 `gorm:"primaryKey;autoIncrement:false"`
	Matchers    string
	GroupNumber int64
	StartsAt    int64
	EndsAt      int64
	Author      string
	Reason      string
	EndedBy     string
	Told        int
}

func (alertSilenceRow) TableName() string { return "alert_silence" }

func (r alertSilenceRow) silence() AlertSilence {
	s := AlertSilence{ID: r.ID, Group: r.GroupNumber, Starts: fromMillis(r.StartsAt), Ends: fromMillis(r.EndsAt), Author: r.Author, Reason: r.Reason, EndedBy: r.EndedBy}
	json.Unmarshal([]byte(r.Matchers), &s.Matchers) // one that does not decode matches nothing
	return s
}

// AddSilence makes a silence and gives it its id.
func (tx *Tx) AddSilence(s *AlertSilence) error {
	m, err := json.Marshal(s.Matchers)
	if err != nil {
		return err
	}
	s.ID = tx.s.ids.next(tx.now)
	if err := tx.db.Create(&alertSilenceRow{ID: s.ID, Matchers: string(m), GroupNumber: s.Group, StartsAt: millis(s.Starts), EndsAt: millis(s.Ends), Author: clip(s.Author, 64), Reason: clip(s.Reason, 400)}).Error; err != nil {
		return err
	}
	return tx.Audit(s.Author, "alert.silence", fmt.Sprintf("A%d", s.Group), map[string]any{"matchers": s.Matchers, "until": s.Ends.UTC().Format(time.RFC3339), "reason": s.Reason})
}

// EndSilence ends a silence now; ended is false when it was over already.
func (tx *Tx) EndSilence(actor string, id int64) (s AlertSilence, ended bool, err error) {
	var r alertSilenceRow
	err = tx.db.First(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return s, false, fmt.Errorf("silence %d: %w", id, ErrNotFound)
	}
	if err != nil || r.EndsAt <= millis(tx.now) {
		return r.silence(), false, err
	}
	r.EndsAt, r.EndedBy = millis(tx.now), clip(actor, 64)
	if err := tx.db.Exec("UPDATE alert_silence SET ends_at=?, ended_by=? WHERE id=?", r.EndsAt, r.EndedBy, id).Error; err != nil {
		return s, false, err
	}
	return r.silence(), true, tx.Audit(actor, "alert.unsilence", fmt.Sprintf("A%d", r.GroupNumber), map[string]any{"silence": fmt.Sprint(id)})
}

// Silences are the silences that hold at the transaction's time.
func (tx *Tx) Silences() ([]AlertSilence, error) { return silences(tx.db, tx.now) }

// ListSilences are the silences that hold now or have not begun.
func (s *Store) ListSilences(ctx context.Context) ([]AlertSilence, error) {
	return silences(s.read.WithContext(ctx), s.now())
}

func silences(db *gorm.DB, now time.Time) ([]AlertSilence, error) {
	var rows []alertSilenceRow
	err := db.Where("ends_at > ?", millis(now)).Order("id").Limit(2000).Find(&rows).Error
	out := make([]AlertSilence, len(rows))
	for i, r := range rows {
		out[i] = r.silence()
	}
	return out, err
}
