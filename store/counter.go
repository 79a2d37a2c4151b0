package store

import (
	"fmt"
	"sync"
)

// Kinds of running numbers that people say.
const (
	NumberTicket  = "ticket"  // T
	NumberEntry   = "entry"   // K
	NumberAlert   = "alert"   // A
	NumberRun     = "run"     // R
	NumberSharing = "session" // S
)

type numberBlocks struct {
	mu   sync.Mutex
	next map[string]*block
}

type block struct{ next, end int64 }

// NextNumber gives the next running number of a kind. On SQLite it commits
// with the rest; on MySQL replicas take blocks ahead, so that no transaction
// holds the counter row, and gaps are fine.
func (tx *Tx) NextNumber(kind string) (int64, error) {
	if tx.s.kind == sqliteDB {
		return nextOf(tx, kind, 1)
	}
	b := &tx.s.blocks
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.next[kind]
	if k == nil || k.next == k.end {
		first, err := tx.s.takeBlock(kind)
		if err != nil {
			return 0, err
		}
		k = &block{first, first + tx.s.opt.NumberBlock}
		b.next[kind] = k
	}
	k.next++
	return k.next - 1, nil
}

func nextOf(tx *Tx, kind string, n int64) (int64, error) {
	u := tx.db.Exec("UPDATE counter SET next=next+? WHERE kind=?", n, kind)
	if u.Error != nil || u.RowsAffected != 1 {
		return 0, fmt.Errorf("number for %s: %w", kind, errOr(u.Error, ErrNotFound))
	}
	var next int64
	err := tx.db.Raw("SELECT next FROM counter WHERE kind=?", kind).Scan(&next).Error
	return next - n, err
}

// takeBlock reserves numbers in a transaction of its own, on its own pool.
func (s *Store) takeBlock(kind string) (first int64, err error) {
	db := s.side.Begin()
	if db.Error != nil {
		return 0, db.Error
	}
	defer db.Rollback()
	if first, err = nextOf(&Tx{db: db, s: s}, kind, s.opt.NumberBlock); err != nil {
		return 0, err
	}
	return first, db.Commit().Error
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
