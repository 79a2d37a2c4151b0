package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Row ids are made by the program: 41 bits of milliseconds since 2024, 8 bits
// of replica slot, 14 bits of counter. They sort by time without asking the
// database, and no two replicas make the same one.
const (
	slotBits, countBits = 8, 14
	slots               = 1 << slotBits
)

var idEpoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

type idMaker struct {
	mu    sync.Mutex
	slot  int64
	last  int64 // millisecond of the newest id; never goes back
	count int64
}

func (m *idMaker) next(now time.Time) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	ms := now.UnixMilli() - idEpoch
	if ms > m.last {
		m.last, m.count = ms, 0
	} else if m.count++; m.count >= 1<<countBits {
		m.last, m.count = m.last+1, 0
	}
	return m.last<<(slotBits+countBits) | m.slot<<countBits | m.count
}

// idAt is the smallest id of an instant, for ranges over time.
func idAt(t time.Time) int64 {
	return max(0, t.UnixMilli()-idEpoch) << (slotBits + countBits)
}

// idTime is the instant at which an id was made.
func idTime(id int64) time.Time {
	return time.UnixMilli(id>>(slotBits+countBits) + idEpoch)
}

func randomName() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

type replicaRow struct {
	Slot  int `gorm:"primaryKey;autoIncrement:false"`
	Owner string
	Until int64
}

func (replicaRow) TableName() string { return "replica" }

// slotLife is long: the slot only keeps ids apart, it grants nothing. A
// process renews it with its shards; a short-lived command just lets it lapse.
const slotLife = 10 * time.Minute

// takeSlot claims a replica slot by compare-and-swap. Ids of the new owner
// begin after everything the old one can have made, even if the clock went back.
func (s *Store) takeSlot(ctx context.Context) error {
	now, err := s.dbNow(ctx)
	if err != nil {
		return err
	}
	for try := 0; try < 20; try++ {
		var row replicaRow
		if err := s.read.WithContext(ctx).Where("until < ?", now).Order("until").First(&row).Error; err != nil {
			return fmt.Errorf("all %d replica slots are taken: %w", slots, err)
		}
		won := false
		err := s.InTx(ctx, func(tx *Tx) error {
			r := tx.db.Exec("UPDATE replica SET owner=?, until=? WHERE slot=? AND owner=? AND until=?",
				s.opt.Replica, now+slotLife.Milliseconds(), row.Slot, row.Owner, row.Until)
			won = r.RowsAffected == 1
			return r.Error
		})
		if err != nil {
			return err
		}
		if won {
			s.ids.slot = int64(row.Slot)
			s.ids.last = max(0, row.Until-idEpoch)
			return nil
		}
	}
	return errors.New("too many processes start at once")
}

// dbNow is the database's clock in unix milliseconds: leases are compared by
// it, so that replicas whose clocks differ agree on who holds what.
func (s *Store) dbNow(ctx context.Context) (int64, error) {
	if s.kind == sqliteDB {
		return s.now().UnixMilli(), nil // one host, one clock
	}
	var ms int64
	err := s.side.WithContext(ctx).Raw("SELECT CAST(UNIX_TIMESTAMP(NOW(3))*1000 AS SIGNED)").Scan(&ms).Error
	return ms, err
}
