package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"gorm.io/gorm"
)

// A browser's session: the cookie holds a random value, the table its hash, so
// that a copy of the database opens nobody's console.
const (
	SessionIdle = 30 * time.Minute // without a request
	SessionMost = 12 * time.Hour   // in any case
)

// Session is who is signed in.
type Session struct {
	ID      string // the cookie's value; only NewSession returns it
	Member  string
	Created time.Time
	Seen    time.Time
}

type sessionRow struct {
	IDKey     string `gorm:"primaryKey"`
	Member    string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	SeenAt    int64
	Agent     string
}

func (sessionRow) TableName() string { return "session" }

func randomSecret() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// NewSession signs a member in.
func (s *Store) NewSession(ctx context.Context, member, agent string) (Session, error) {
	id := randomSecret()
	err := s.InTx(ctx, func(tx *Tx) error {
		r := sessionRow{IDKey: hashKey(id), Member: member, CreatedAt: millis(tx.now), SeenAt: millis(tx.now), Agent: clip(agent, 128)}
		if err := tx.db.Create(&r).Error; err != nil {
			return err
		}
		return tx.Audit(member, "session.begin", member, map[string]string{})
	})
	return Session{ID: id, Member: member, Created: s.now(), Seen: s.now()}, err
}

// FindSession returns the session of a cookie, or ErrNotFound when there is
// none, it idled too long, or its time is over. Being seen is written down at
// most once a minute.
func (s *Store) FindSession(ctx context.Context, id string) (Session, error) {
	var r sessionRow
	err := s.read.WithContext(ctx).First(&r, "id_key = ?", hashKey(id)).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Session{}, ErrNotFound
	}
	if err != nil {
		return Session{}, err
	}
	now := s.now()
	seen, created := fromMillis(r.SeenAt), fromMillis(r.CreatedAt)
	if now.Sub(seen) > SessionIdle || now.Sub(created) > SessionMost {
		return Session{}, ErrNotFound
	}
	if now.Sub(seen) > time.Minute {
		err = s.InTx(ctx, func(tx *Tx) error {
			return tx.db.Exec("UPDATE session SET seen_at=? WHERE id_key=?", millis(now), r.IDKey).Error
		})
	}
	return Session{Member: r.Member, Created: created, Seen: seen}, err
}

// EndSession signs a browser out.
func (s *Store) EndSession(ctx context.Context, id string) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("DELETE FROM session WHERE id_key=?", hashKey(id)).Error
	})
}

// EndSessions signs a member out everywhere.
func (tx *Tx) EndSessions(member string) error {
	return tx.db.Exec("DELETE FROM session WHERE member=?", member).Error
}

// loginLife is how long somebody may take to sign in.
const loginLife = 10 * time.Minute

// NewLogin makes the state of one attempt to sign in: random, used once. next
// is the path to return to.
func (s *Store) NewLogin(ctx context.Context, next string) (state string, err error) {
	state = randomSecret()
	return state, s.InTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("INSERT INTO login_state (id_key, next_path, until) VALUES (?,?,?)", hashKey(state), clip(next, 255), millis(tx.now.Add(loginLife))).Error
	})
}

// UseLogin spends a state and returns its next path; ErrNotFound when it is
// unknown, was used, or is too old.
func (s *Store) UseLogin(ctx context.Context, state string) (next string, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		var rows []struct {
			NextPath string
			Until    int64
		}
		if err := tx.db.Raw("SELECT next_path, until FROM login_state WHERE id_key=?", hashKey(state)).Scan(&rows).Error; err != nil {
			return err
		}
		u := tx.db.Exec("DELETE FROM login_state WHERE id_key=?", hashKey(state))
		if u.Error != nil {
			return u.Error
		}
		if len(rows) == 0 || u.RowsAffected != 1 || rows[0].Until < millis(tx.now) {
			return ErrNotFound
		}
		next = rows[0].NextPath
		return nil
	})
	return next, err
}
