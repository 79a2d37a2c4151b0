package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// Group is a group chat that is kept here; others stand in the configuration.
// The robot's key is not in it: RobotKey alone returns that.
type Group struct {
	Name    string // of the address of its robot; it never changes
	Title   string
	KeyEnd  string // the last four characters of the robot's key; "" without a robot
	ChatID  string
	Owners  []string
	Created time.Time
	Updated time.Time
	Version int64
}

// ErrWaiting refuses to delete a group while words wait for it.
var ErrWaiting = errors.New("words wait to be sent there")

type groupRow struct {
	Name       string `gorm:"primaryKey"`
	Title      string
	RobotKey   []byte
	RobotLast4 string `gorm:"column:robot_last4"`
	ChatID     string
	Owners     string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	UpdatedAt  int64 `gorm:"autoUpdateTime:false"`
	Version    int64
}

func (groupRow) TableName() string { return "service_chat" }

func (r groupRow) group() Group {
	return Group{r.Name, r.Title, r.RobotLast4, r.ChatID, list(r.Owners), fromMillis(r.CreatedAt), fromMillis(r.UpdatedAt), r.Version}
}

// robotPurpose binds a sealed key to its row.
func robotPurpose(group string) string { return "robot/" + group }

// ListGroups returns all groups kept here, by name.
func (s *Store) ListGroups(ctx context.Context) ([]Group, error) {
	return listGroups(s.read.WithContext(ctx))
}

// ListGroups sees the writes of this transaction.
func (tx *Tx) ListGroups() ([]Group, error) { return listGroups(tx.db) }

func listGroups(db *gorm.DB) ([]Group, error) {
	var rows []groupRow
	err := db.Omit("robot_key").Order("name").Find(&rows).Error
	out := make([]Group, len(rows))
	for i, r := range rows {
		out[i] = r.group()
	}
	return out, err
}

// FindGroup returns a group by name, or ErrNotFound.
func (s *Store) FindGroup(ctx context.Context, name string) (Group, error) {
	r, err := findGroup(s.read.WithContext(ctx), name)
	return r.group(), err
}

// FindGroup sees the writes of this transaction.
func (tx *Tx) FindGroup(name string) (Group, error) {
	r, err := findGroup(tx.db, name)
	return r.group(), err
}

func findGroup(db *gorm.DB, name string) (groupRow, error) {
	var r groupRow
	err := db.First(&r, "name = ?", name).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return groupRow{}, fmt.Errorf("group %q: %w", clip(name, 64), ErrNotFound)
	}
	return r, err
}

// RobotKey returns the key of a group's robot: "" when it has none,
// ErrNotFound when there is no such group.
func (s *Store) RobotKey(ctx context.Context, name string) (string, error) {
	r, err := findGroup(s.read.WithContext(ctx), name)
	if err != nil {
		return "", err
	}
	key, err := s.seal.open(robotPurpose(name), r.RobotKey)
	return string(key), err
}

// PutGroup makes a group (Version 0) or changes the one of that Version, and
// writes the audit row, in which the key never stands. An empty key leaves the
// robot as it is; with a new one, what waits for it is due at once. A name that
// is taken is ErrExists, a version that is not the present one ErrStale.
func (tx *Tx) PutGroup(actor string, g Group, key string) error {
	row := groupRow{Name: g.Name, Title: clip(g.Title, 200), ChatID: clip(g.ChatID, 128), Owners: listText(g.Owners), CreatedAt: millis(tx.now), UpdatedAt: millis(tx.now), Version: g.Version + 1}
	if key != "" {
		row.RobotKey, row.RobotLast4 = tx.s.seal.sealed(robotPurpose(g.Name), []byte(key)), lastFour(key)
	}
	detail := map[string]any{"title": row.Title, "chat_id": row.ChatID, "owners": list(row.Owners)}
	if key != "" {
		detail["robot"] = "new key …" + row.RobotLast4
	}
	action := "group.create"
	if g.Version == 0 {
		if err := tx.db.Create(&row).Error; err != nil {
			if isDuplicate(err) {
				err = ErrExists
			}
			return fmt.Errorf("group %q: %w", g.Name, err)
		}
	} else {
		old, err := tx.changeGroup(row, g.Version)
		if err != nil {
			return err
		}
		action, detail["before"] = "group.update", map[string]any{"title": old.Title, "chat_id": old.ChatID, "owners": list(old.Owners)}
	}
	if key != "" {
		if err := tx.wake(chat.Address{Kind: chat.Robot, ID: g.Name}); err != nil {
			return err
		}
	}
	return tx.Audit(actor, action, g.Name, detail)
}

func (tx *Tx) changeGroup(row groupRow, version int64) (old groupRow, err error) {
	if old, err = findGroup(tx.db, row.Name); err != nil {
		return old, err
	}
	if row.RobotKey == nil {
		row.RobotKey, row.RobotLast4 = old.RobotKey, old.RobotLast4
	}
	u := tx.db.Exec("UPDATE service_chat SET title=?, robot_key=?, robot_last4=?, chat_id=?, owners=?, updated_at=?, version=version+1 WHERE name=? AND version=?",
		row.Title, row.RobotKey, row.RobotLast4, row.ChatID, row.Owners, row.UpdatedAt, row.Name, version)
	if u.Error == nil && u.RowsAffected != 1 {
		return old, fmt.Errorf("group %q: %w", row.Name, ErrStale)
	}
	return old, u.Error
}

// DeleteGroup takes a group away: ErrStale when it is not of that version any
// more, ErrWaiting while words are queued for its robot.
func (tx *Tx) DeleteGroup(actor, name string, version int64) error {
	old, err := findGroup(tx.db, name)
	if err != nil {
		return err
	}
	var waiting int64
	target := hashKey(chat.Address{Kind: chat.Robot, ID: name}.String())
	if err := tx.db.Model(&outboxRow{}).Where("state IN ? AND target_key = ?", []int{outboxDue, outboxSending, outboxHeld}, target).Count(&waiting).Error; err != nil {
		return err
	}
	if waiting > 0 {
		return fmt.Errorf("group %q: %w", name, ErrWaiting)
	}
	u := tx.db.Exec("DELETE FROM service_chat WHERE name=? AND version=?", name, version)
	if u.Error == nil && u.RowsAffected != 1 {
		return fmt.Errorf("group %q: %w", name, ErrStale)
	}
	if u.Error != nil {
		return u.Error
	}
	return tx.Audit(actor, "group.delete", name, map[string]any{"title": old.Title, "chat_id": old.ChatID, "owners": list(old.Owners)})
}

// wake makes what waits for a place due now.
func (tx *Tx) wake(to chat.Address) error {
	u := tx.db.Exec("UPDATE outbox SET due_at=? WHERE state=? AND target_key=? AND due_at>?", millis(tx.now), outboxDue, hashKey(to.String()), millis(tx.now))
	tx.bells = append(tx.bells, tx.s.ringOutbox)
	return u.Error
}

// lastFour is what may be shown of a secret; of a short one, nothing.
func lastFour(secret string) string {
	r := []rune(secret)
	if len(r) < 8 {
		return "…"
	}
	return string(r[len(r)-4:])
}
