package store

import (
	"gorm.io/gorm"

	"context"
	"encoding/json"
	"time"
)

// KeepReportDraft keeps what a member has filled into the report form so far,
// sealed; nil forgets it.
func (tx *Tx) KeepReportDraft(member string, draft json.RawMessage) error {
	if err := tx.db.Exec("DELETE FROM report_draft WHERE member=?", member).Error; err != nil || draft == nil {
		return err
	}
	return tx.db.Exec("INSERT INTO report_draft (member, body, updated_at) VALUES (?,?,?)", member, tx.s.seal.sealed("draft", draft), millis(tx.now)).Error
}

// draftLife is how long a draft is offered again.
const draftLife = 7 * 24 * time.Hour

// FindReportDraft returns a member's draft and when it was kept, or ErrNotFound.
func (s *Store) FindReportDraft(ctx context.Context, member string) (json.RawMessage, time.Time, error) {
	var rows []struct {
		Body      []byte
		UpdatedAt int64
	}
	if err := s.read.WithContext(ctx).Raw("SELECT body, updated_at FROM report_draft WHERE member=? AND updated_at>?", member, millis(s.now().Add(-draftLife))).Scan(&rows).Error; err != nil {
		return nil, time.Time{}, err
	}
	if len(rows) == 0 {
		return nil, time.Time{}, ErrNotFound
	}
	b, err := s.seal.open("draft", rows[0].Body)
	return b, fromMillis(rows[0].UpdatedAt), err
}

// PhotoName is a kept photo's name in a form: only the person who sent it can
// name it.
func (s *Store) PhotoName(member, id string) string {
	return id + "." + s.Blind("photo", member+"/"+id)
}

// NewPrefill keeps what the report form shows to one member who opens it with
// the returned token; it is worth one report.
func (tx *Tx) NewPrefill(member string, body json.RawMessage, life time.Duration) (token string, err error) {
	token = randomSecret()
	if err := tx.db.Exec("DELETE FROM prefill WHERE until<?", millis(tx.now)).Error; err != nil {
		return "", err
	}
	return token, tx.db.Exec("INSERT INTO prefill (id_key, member, body, until) VALUES (?,?,?,?)", hashKey(token), member, tx.s.seal.sealed("draft", body), millis(tx.now.Add(life))).Error
}

// FindPrefill returns what a token of a member's holds, or ErrNotFound when it
// was used, is too old, or is somebody else's.
func (s *Store) FindPrefill(ctx context.Context, member, token string) (json.RawMessage, error) {
	var rows [][]byte
	if err := s.read.WithContext(ctx).Raw("SELECT body FROM prefill WHERE id_key=? AND member=? AND until>=?", hashKey(token), member, millis(s.now())).Scan(&rows).Error; err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ErrNotFound
	}
	return s.seal.open("draft", rows[0])
}

// UsePrefill spends a token; ErrNotFound when it was spent before.
func (tx *Tx) UsePrefill(member, token string) error {
	u := tx.db.Exec("DELETE FROM prefill WHERE id_key=? AND member=? AND until>=?", hashKey(token), member, millis(tx.now))
	if u.Error == nil && u.RowsAffected != 1 {
		return ErrNotFound
	}
	return u.Error
}

// TicketOfSource returns the ticket that a message or a form made, or ErrNotFound.
func (s *Store) TicketOfSource(ctx context.Context, source string) (Ticket, error) {
	return ticketOfSource(s.read.WithContext(ctx), source)
}

// TicketOfSource sees the writes of this transaction.
func (tx *Tx) TicketOfSource(source string) (Ticket, error) { return ticketOfSource(tx.db, source) }

func ticketOfSource(db *gorm.DB, source string) (Ticket, error) {
	var rows []ticketRow
	if err := db.Where("source_message = ?", source).Limit(1).Find(&rows).Error; err != nil {
		return Ticket{}, err
	}
	if len(rows) == 0 {
		return Ticket{}, ErrNotFound
	}
	return rows[0].ticket(), nil
}

// FormSource is the source of the ticket that a member's form makes: sent
// twice, it makes one.
func FormSource(member, mark string) string { return hashKey("form " + member + " " + mark) }
