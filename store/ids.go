package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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

	taking sync.Mutex   // one at a time looks for a slot
	until  atomic.Int64 // when the slot must be renewed or left, on the process's own clock
}

// begin makes the ids of a slot, all of them above after.
func (m *idMaker) begin(slot int, after int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slot, m.last, m.count = int64(slot), max(m.last, after>>(slotBits+countBits))+1, 0
}

func (m *idMaker) mySlot() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.slot
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

// MadeAt is the instant at which a row with an id of the program was made.
func MadeAt(id int64) time.Time { return idTime(id) }

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

// slotLife is how long a slot belongs to a process that does not renew it. The
// slot only keeps ids apart, it grants nothing. Who slept through it takes
// another one before it writes again.
const slotLife = 2 * time.Minute

var processStart = time.Now()

// processTime is a clock that nobody sets.
func processTime() int64 { return int64(time.Since(processStart)) }

// ensureSlot takes a slot when there is none, or none any more.
func (s *Store) ensureSlot(ctx context.Context) error {
	if processTime() < s.ids.until.Load() {
		return nil
	}
	s.ids.taking.Lock()
	defer s.ids.taking.Unlock()
	if processTime() < s.ids.until.Load() {
		return nil
	}
	if err := s.takeSlot(ctx); err != nil {
		return fmt.Errorf("take a replica slot: %w", err)
	}
	return nil
}

// renewSlot prolongs the slot; on MySQL that also shows the other replicas
// that this one is alive.
func (s *Store) renewSlot(ctx context.Context) error {
	began := processTime()
	if s.kind == sqliteDB && s.ids.until.Load()-began > int64(slotLife/2) {
		return nil
	}
	if err := s.ensureSlot(ctx); err != nil {
		return err
	}
	now, err := s.dbNow(ctx)
	if err != nil {
		return err
	}
	kept := false
	err = s.inTx(ctx, func(tx *Tx) error {
		u := tx.db.Exec("UPDATE replica SET until=CASE WHEN until<? THEN ? ELSE until+1 END WHERE slot=? AND owner=?",
			now+slotLife.Milliseconds(), now+slotLife.Milliseconds(), s.ids.mySlot(), s.opt.Replica)
		kept = u.RowsAffected == 1
		return u.Error
	})
	if err != nil {
		return err
	}
	if !kept {
		s.ids.until.Store(0)
		return s.ensureSlot(ctx)
	}
	s.ids.until.Store(began + int64(slotLife))
	return nil
}

// freeSlot gives the slot back after a clean end.
func (s *Store) freeSlot() error {
	if s.ids.until.Load() == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.inTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("UPDATE replica SET owner='', until=0 WHERE slot=? AND owner=?", s.ids.mySlot(), s.opt.Replica).Error
	})
}

// tablesWithIDs lists where the program's own ids are.
var tablesWithIDs = []string{"inbox", "outbox", "card_code", "audit", "ticket", "ticket_entry", "question", "notice", "duty_shift", "ticket_view", "snippet", "alert", "alert_group", "alert_event", "alert_delivery", "alert_silence", "alert_fold", "construct_run", "construct_item", "construct_step", "question_watch", "synonym", "monitor_result", "entry_import", "recipe_text", "monitor_text", "model_call", "model_spent", "sharing", "sharing_question", "sharing_material", "gap", "page_answer"}

// newestID is the highest id in the database.
func (s *Store) newestID(ctx context.Context) (id int64, err error) {
	parts := make([]string, len(tablesWithIDs))
	for i, t := range tablesWithIDs {
		parts[i] = "SELECT COALESCE(MAX(id),0) AS id FROM " + t
	}
	err = s.write.WithContext(ctx).Raw("SELECT MAX(id) FROM (" + strings.Join(parts, " UNION ALL ") + ") x").Scan(&id).Error
	return id, err
}

// takeSlot claims a replica slot by compare-and-swap. The ids of its new owner
// begin above everything in the database, even if the clock went back.
func (s *Store) takeSlot(ctx context.Context) error {
	began := processTime()
	now, err := s.dbNow(ctx)
	if err != nil {
		return err
	}
	for try := 0; try < 20; try++ {
		var row replicaRow
		if err := s.write.WithContext(ctx).Where("until < ?", now).Order("until, slot").First(&row).Error; err != nil {
			return fmt.Errorf("all %d replica slots are taken: %w", slots, err)
		}
		won := false
		err := s.inTx(ctx, func(tx *Tx) error {
			r := tx.db.Exec("UPDATE replica SET owner=?, until=? WHERE slot=? AND owner=? AND until=?",
				s.opt.Replica, now+slotLife.Milliseconds(), row.Slot, row.Owner, row.Until)
			won = r.RowsAffected == 1
			return r.Error
		})
		if err != nil {
			return err
		}
		if won {
			newest, err := s.newestID(ctx)
			if err != nil {
				return err
			}
			if ahead := idTime(newest).Sub(s.now()); ahead > time.Minute {
				s.log.Warn("the database holds rows from the future: compare the clocks of the replicas", "ahead", ahead.Round(time.Second).String())
			}
			s.ids.begin(row.Slot, newest)
			s.ids.until.Store(began + int64(slotLife))
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
