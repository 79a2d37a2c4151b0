package store

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// The audit log only grows. Each row carries the HMAC of itself and of the row
// before it in its chain, keyed by a key that is not in the database: a row
// that was changed, taken out or put in is found, and so is a tail that was cut
// off, because the head of each chain stands in a row of its own. Several
// chains, so that replicas do not wait for one another.
const auditChains = 8

// AuditEntry is one line of who did what.
type AuditEntry struct {
	ID     int64
	At     time.Time
	Actor  string
	Action string
	Object string
	Detail string // JSON
}

type auditRow struct {
	ID     int64 `gorm:"primaryKey;autoIncrement:false"`
	At     int64
	Actor  string
	Action string
	Object string
	Detail string
	Chain  int64
	Seq    int64
	Hash   string
}

func (auditRow) TableName() string { return "audit" }

func (r auditRow) entry() AuditEntry {
	return AuditEntry{r.ID, fromMillis(r.At), r.Actor, r.Action, r.Object, r.Detail}
}

// auditHash is HMAC-SHA256 over the row and the hash before it.
func (s *Store) auditHash(r auditRow, before string) string {
	h := hmac.New(sha256.New, s.seal.index)
	fmt.Fprintf(h, "audit\x00%s\x00%d\x00%d\x00%d\x00%d\x00%q\x00%q\x00%q\x00%q", before, r.Chain, r.Seq, r.ID, r.At, r.Actor, r.Action, r.Object, r.Detail)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Audit records who did what to what. detail never holds personal data. The
// line is written at the end of the transaction (see writeAudit).
func (tx *Tx) Audit(actor, action, object string, detail any) error {
	b, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	tx.audits = append(tx.audits, auditRow{ID: tx.s.ids.next(tx.now), At: millis(tx.now), Actor: clip(actor, 64), Action: clip(action, 64), Object: clip(object, 128), Detail: string(b), Chain: int64(shardOf(object) % auditChains)})
	return nil
}

// writeAudit puts the lines of the transaction into their chains: last of all
// and in the order of the chains, so that transactions that need the same heads
// queue up for them, hold them briefly and never wait in a circle.
func (tx *Tx) writeAudit() error {
	slices.SortStableFunc(tx.audits, func(a, b auditRow) int { return cmp.Compare(a.Chain, b.Chain) })
	for _, r := range tx.audits {
		if err := tx.chain(r); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) chain(r auditRow) error {
	var head struct {
		Seq  int64
		Hash string
	}
	// The update first: it locks the head, so that two replicas queue up for it.
	u := tx.db.Exec("UPDATE audit_chain SET seq=seq+1 WHERE chain=?", r.Chain)
	if u.Error != nil || u.RowsAffected != 1 {
		return fmt.Errorf("audit chain %d: %w", r.Chain, errOr(u.Error, ErrNotFound))
	}
	if err := tx.db.Raw("SELECT seq, hash FROM audit_chain WHERE chain=?", r.Chain).Scan(&head).Error; err != nil {
		return err
	}
	r.Seq = head.Seq
	r.Hash = tx.s.auditHash(r, head.Hash)
	if err := tx.db.Create(&r).Error; err != nil {
		return err
	}
	return tx.db.Exec("UPDATE audit_chain SET hash=? WHERE chain=?", r.Hash, r.Chain).Error
}

// AuditQuery chooses lines of the log; zero values choose everything.
type AuditQuery struct {
	Actor, Action, Object string // Action may end in . for a family: "ticket."
	Before                int64  // id of the last line of the page before
	N                     int
}

// ListAudit returns lines of the log, newest first.
func (s *Store) ListAudit(ctx context.Context, q AuditQuery) ([]AuditEntry, error) {
	db := s.read.WithContext(ctx).Order("id DESC").Limit(min(max(q.N, 1), 500))
	if q.Actor != "" {
		db = db.Where("actor = ?", q.Actor)
	}
	if n := len(q.Action); n > 0 && q.Action[n-1] == '.' {
		db = db.Where("action >= ? AND action < ?", q.Action, q.Action[:n-1]+"/")
	} else if n > 0 {
		db = db.Where("action = ?", q.Action)
	}
	if q.Object != "" {
		db = db.Where("object = ?", q.Object)
	}
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	var rows []auditRow
	err := db.Find(&rows).Error
	out := make([]AuditEntry, len(rows))
	for i, r := range rows {
		out[i] = r.entry()
	}
	return out, err
}

// VerifyAudit walks every chain and returns how many lines hold, and the first
// fault of each chain that does not.
func (s *Store) VerifyAudit(ctx context.Context) (lines int64, faults []string, err error) {
	for chain := int64(0); chain < auditChains; chain++ {
		n, fault, err := s.verifyChain(ctx, chain)
		if err != nil {
			return lines, faults, err
		}
		lines += n
		if fault != "" {
			faults = append(faults, fmt.Sprintf("chain %d: %s", chain, fault))
		}
	}
	return lines, faults, nil
}

func (s *Store) verifyChain(ctx context.Context, chain int64) (lines int64, fault string, err error) {
	var head struct {
		Seq  int64
		Hash string
	}
	if err := s.read.WithContext(ctx).Raw("SELECT seq, hash FROM audit_chain WHERE chain=?", chain).Scan(&head).Error; err != nil {
		return 0, "", err
	}
	before, seq := "", int64(0)
	for {
		var rows []auditRow
		if err := s.read.WithContext(ctx).Where("chain = ? AND seq > ? AND hash <> ''", chain, seq).Order("seq").Limit(2000).Find(&rows).Error; err != nil {
			return lines, "", err
		}
		for _, r := range rows {
			if r.Seq != seq+1 {
				return lines, fmt.Sprintf("line %d is missing", seq+1), nil
			}
			if s.auditHash(r, before) != r.Hash {
				return lines, fmt.Sprintf("line %d (id %d) was changed", r.Seq, r.ID), nil
			}
			before, seq = r.Hash, r.Seq
			lines++
		}
		if len(rows) == 0 {
			break
		}
	}
	if seq < head.Seq || before != head.Hash {
		return lines, fmt.Sprintf("the lines after %d are missing", seq), nil
	}
	return lines, "", nil
}
