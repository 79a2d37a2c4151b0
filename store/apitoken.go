package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// APIToken lets a program act for a member. Only its hash is kept; the value is
// shown once, when it is made.
type APIToken struct {
	ID      int64
	Name    string
	Member  string
	Scope   string // read, write
	Last    string // the value's last four characters
	Created time.Time
	Until   time.Time
	Used    time.Time
}

type apiTokenRow struct {
	IDKey     string `gorm:"primaryKey"`
	ID        int64
	Name      string
	Member    string
	Scope     string
	LastFour  string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	Until     int64
	UsedAt    int64
}

func (apiTokenRow) TableName() string { return "api_token" }

func (r apiTokenRow) token() APIToken {
	return APIToken{r.ID, r.Name, r.Member, r.Scope, r.LastFour, fromMillis(r.CreatedAt), fromMillis(r.Until), fromMillis(r.UsedAt)}
}

// NewAPIToken makes a token for a member and returns its value, once.
func (s *Store) NewAPIToken(ctx context.Context, member, name, scope string, life time.Duration) (value string, err error) {
	value = "fl_" + randomSecret()
	return value, s.InTx(ctx, func(tx *Tx) error {
		r := apiTokenRow{IDKey: hashKey(value), ID: tx.s.ids.next(tx.now), Name: clip(name, 64), Member: member, Scope: scope, LastFour: value[len(value)-4:], CreatedAt: millis(tx.now), Until: millis(tx.now.Add(life))}
		if err := tx.db.Create(&r).Error; err != nil {
			return err
		}
		return tx.Audit(member, "token.create", fmt.Sprint(r.ID), map[string]string{"name": r.Name, "scope": scope})
	})
}

// FindAPIToken returns the token with a value, or ErrNotFound when there is
// none or it has expired.
func (s *Store) FindAPIToken(ctx context.Context, value string) (APIToken, error) {
	var r apiTokenRow
	err := s.read.WithContext(ctx).First(&r, "id_key = ?", hashKey(value)).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || (err == nil && r.Until < millis(s.now())) {
		return APIToken{}, ErrNotFound
	}
	if err == nil && s.now().Sub(fromMillis(r.UsedAt)) > time.Minute {
		err = s.InTx(ctx, func(tx *Tx) error {
			return tx.db.Exec("UPDATE api_token SET used_at=? WHERE id_key=?", millis(tx.now), r.IDKey).Error
		})
	}
	return r.token(), err
}

// ListAPITokens returns a member's tokens, or everybody's for "".
func (s *Store) ListAPITokens(ctx context.Context, member string) ([]APIToken, error) {
	db := s.read.WithContext(ctx).Order("id DESC").Limit(500)
	if member != "" {
		db = db.Where("member = ?", member)
	}
	var rows []apiTokenRow
	err := db.Find(&rows).Error
	out := make([]APIToken, len(rows))
	for i, r := range rows {
		out[i] = r.token()
	}
	return out, err
}

// DeleteAPIToken takes a token away. member limits it to that member's own; "" does not.
func (s *Store) DeleteAPIToken(ctx context.Context, actor, member string, id int64) error {
	return s.InTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("DELETE FROM api_token WHERE id=? AND (member=? OR ?='')", id, member, member)
		if u.Error == nil && u.RowsAffected == 0 {
			return ErrNotFound
		}
		if u.Error != nil {
			return u.Error
		}
		return tx.Audit(actor, "token.delete", fmt.Sprint(id), map[string]string{})
	})
}
