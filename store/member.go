package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

type memberRow struct {
	ID         string `gorm:"primaryKey"`
	Name       string
	Department string
	Roles      string
	Disabled   bool
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	SeenAt     int64
	Version    int64
}

func (memberRow) TableName() string { return "member" }

func (r memberRow) user() chat.User {
	roles, _ := chat.ParseRoles(r.Roles) // written by us; an unknown role grants nothing
	return chat.User{ID: r.ID, Name: r.Name, Department: r.Department, Roles: roles, Disabled: r.Disabled}
}

// FindMember returns a member by userid, or ErrNotFound.
func (s *Store) FindMember(ctx context.Context, id string) (chat.User, error) {
	return findMember(s.read.WithContext(ctx), id)
}

// FindMember sees the writes of this transaction.
func (tx *Tx) FindMember(id string) (chat.User, error) { return findMember(tx.db, id) }

func findMember(db *gorm.DB, id string) (chat.User, error) {
	var r memberRow
	err := db.First(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return chat.User{}, fmt.Errorf("member %q: %w", clip(id, 64), ErrNotFound)
	}
	return r.user(), err
}

// ListMembers returns everybody known, by userid.
func (s *Store) ListMembers(ctx context.Context) ([]chat.User, error) {
	return listMembers(s.read.WithContext(ctx))
}

func listMembers(db *gorm.DB) ([]chat.User, error) {
	var rows []memberRow
	if err := db.Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	users := make([]chat.User, len(rows))
	for i, r := range rows {
		users[i] = r.user()
	}
	return users, nil
}

// MembersWith returns the members who have a role and are not disabled.
func (s *Store) MembersWith(ctx context.Context, role chat.Role) ([]chat.User, error) {
	all, err := s.ListMembers(ctx)
	return with(role, all), err
}

// MembersWith sees the writes of this transaction.
func (tx *Tx) MembersWith(role chat.Role) ([]chat.User, error) {
	all, err := listMembers(tx.db)
	return with(role, all), err
}

func with(role chat.Role, all []chat.User) []chat.User {
	var out []chat.User
	for _, u := range all {
		if u.Roles.Has(role) && !u.Disabled {
			out = append(out, u)
		}
	}
	return out
}

// MeetMember makes a member who writes for the first time a reporter, and
// fills in a name that was not known yet.
func (tx *Tx) MeetMember(id, name, department string) error {
	// Nearly everybody is known: asking first spares an insert that fails.
	var known int64
	if err := tx.db.Model(&memberRow{}).Where("id = ?", id).Count(&known).Error; err != nil {
		return err
	}
	if known > 0 && name == "" {
		return nil
	}
	r := memberRow{ID: id, Name: clip(name, 128), Department: clip(department, 128), Roles: string(chat.Reporter), CreatedAt: millis(tx.now), SeenAt: millis(tx.now), Version: 1}
	if known == 0 {
		if err := tx.db.Create(&r).Error; !isDuplicate(err) {
			return err
		}
	}
	if name == "" {
		return nil
	}
	return tx.db.Exec("UPDATE member SET name=?, department=?, version=version+1 WHERE id=? AND (name<>? OR department<>?)", r.Name, r.Department, id, r.Name, r.Department).Error
}

// SetRoles replaces the roles of a member (made when unknown) and writes the audit row.
func (tx *Tx) SetRoles(actor, id string, roles chat.RoleSet) error {
	old, err := tx.FindMember(id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := tx.MeetMember(id, "", ""); err != nil {
		return err
	}
	if err := tx.db.Exec("UPDATE member SET roles=?, version=version+1 WHERE id=?", roles.String(), id).Error; err != nil {
		return err
	}
	return tx.Audit(actor, "member.roles", id, map[string]string{"before": old.Roles.String(), "after": roles.String()})
}

// SetDisabled switches a member off (left the company) or on again. Their
// sessions end with it.
func (tx *Tx) SetDisabled(actor, id string, disabled bool) error {
	u := tx.db.Exec("UPDATE member SET disabled=?, version=version+1 WHERE id=? AND disabled<>?", disabled, id, disabled)
	if u.Error != nil || u.RowsAffected == 0 {
		return u.Error
	}
	if disabled {
		if err := tx.EndSessions(id); err != nil {
			return err
		}
	}
	return tx.Audit(actor, "member.disabled", id, map[string]bool{"disabled": disabled})
}
