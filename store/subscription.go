package store

import (
	"context"
	"encoding/json"
	"slices"

	"frontline/bot/chat"
)

// What is sent regularly, and to whom besides those who get it by their role.

type subscriptionRow struct {
	Place     string `gorm:"primaryKey"`
	Kind      string `gorm:"primaryKey"`
	Address   string
	Wanted    int
	By        string `gorm:"column:author"`
	ChangedAt int64
}

func (subscriptionRow) TableName() string { return "subscription" }

// Subscribe records whether a place wants something regular.
func (tx *Tx) Subscribe(place chat.Address, kind, by string, wanted bool) error {
	address, err := json.Marshal(place)
	if err != nil {
		return err
	}
	r := subscriptionRow{Place: clip(place.String(), 191), Kind: kind, Address: string(address), By: clip(by, 64), ChangedAt: millis(tx.now)}
	if wanted {
		r.Wanted = 1
	}
	return tx.db.Save(&r).Error
}

// Subscribers returns the places that asked for a kind, by name; people who left
// are not among them.
func (tx *Tx) Subscribers(kind string) ([]chat.Address, error) {
	var rows []subscriptionRow
	if err := tx.db.Where("kind = ? AND wanted = 1", kind).Order("place").Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	var gone []string
	if err := tx.db.Model(&memberRow{}).Where("disabled = ?", true).Pluck("id", &gone).Error; err != nil {
		return nil, err
	}
	var out []chat.Address
	for _, r := range rows {
		var a chat.Address
		if err := json.Unmarshal([]byte(r.Address), &a); err != nil {
			return nil, err
		}
		if a.Kind != chat.Person || !slices.Contains(gone, a.ID) {
			out = append(out, a)
		}
	}
	return out, nil
}

// Subscriptions returns the places that said what they want of a kind: true for
// wanted, false for not wanted.
func (s *Store) Subscriptions(ctx context.Context, kind string) (map[chat.Address]bool, error) {
	var rows []subscriptionRow
	if err := s.read.WithContext(ctx).Where("kind = ?", kind).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make(map[chat.Address]bool, len(rows))
	for _, r := range rows {
		var a chat.Address
		if err := json.Unmarshal([]byte(r.Address), &a); err != nil {
			return nil, err
		}
		out[a] = r.Wanted != 0
	}
	return out, nil
}
