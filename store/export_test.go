package store

import (
	"context"
	"errors"
	"time"

	"frontline/bot/chat"
)

// Crash leaves everything as a killed process does: leases, slot, marks of work.
func (s *Store) Crash() {
	s.shards.mu.Lock()
	if s.shards.file != nil {
		s.shards.file.Close()
		s.shards.file = nil
	}
	s.shards.mu.Unlock()
	s.accept.stop()
	if s.writer != nil {
		s.writer.stop()
	}
	s.closed.Store(true)
	s.closePools()
}

// Held is how many shards this replica holds.
func (s *Store) Held() int { return len(s.holding()) }

// TakeAll takes every shard, as Lead does once the leases of all others are over.
func (s *Store) TakeAll(ctx context.Context) error {
	err := s.inTx(ctx, func(tx *Tx) error {
		return errors.Join(tx.db.Exec("UPDATE replica SET until=0 WHERE owner<>?", s.opt.Replica).Error,
			tx.db.Exec("UPDATE shard SET until=0 WHERE owner<>?", s.opt.Replica).Error)
	})
	if err != nil {
		return err
	}
	return s.Lead(ctx)
}

// Sleep is a sleep of the whole process that is longer than its lease.
func (s *Store) Sleep() {
	s.shards.mu.Lock()
	defer s.shards.mu.Unlock()
	s.shards.until = time.Time{}
}

// NextID makes a row id.
func (s *Store) NextID(now time.Time) int64 { return s.ids.next(now) }

// LoseSlot makes the store believe that it slept through the life of its slot.
func (s *Store) LoseSlot() { s.ids.until.Store(0) }

// Renew is one beat of Run.
func (s *Store) Renew(ctx context.Context) error { return s.renew(ctx) }

// Exec runs a statement that no method has.
func (s *Store) Exec(q string, args ...any) error { return s.write.Exec(q, args...).Error }

// Count asks for a number.
func (s *Store) Count(q string, args ...any) (n int64) {
	if err := s.write.Raw(q, args...).Scan(&n).Error; err != nil {
		return -1
	}
	return n
}

// FreezeNow is the update that Freeze makes.
func (tx *Tx) FreezeNow(d chat.Delivery, parts []byte) error {
	return tx.fenced(d, "parts=?, attempt=attempt+1", tx.s.seal.sealed("parts", []byte(`[{"api":"message/send","body":"`+string(parts)+`"}]`)))
}

// TurnOrder sorts messages of a thread.
var TurnOrder = turnOrder

// Migrations is how many there are, Steps how many statements one has.
func Migrations() int           { return len(migrations) }
func Steps(m int) int           { return len(migrations[m].steps) }
func IDTime(id int64) time.Time { return idTime(id) }

// MigrateUntil does what a process does that is killed in the middle of
// migration m: the statements before step are recorded, the one at step has
// run but is not recorded, and the lock is still held for a moment.
func MigrateUntil(url string, m, step int) error {
	opt := Options{URL: url, Key: make([]byte, 32)}
	fillDefaults(&opt)
	s := &Store{opt: opt, now: opt.Now, log: opt.Log}
	if err := s.connect(url); err != nil {
		return err
	}
	defer s.closePools()
	run := func(q string, args ...any) error { return s.write.Exec(s.ddl(q), args...).Error }
	if err := run("CREATE TABLE IF NOT EXISTS schema_state (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, step BIGINT NOT NULL, oldest BIGINT NOT NULL, owner $key(64) NOT NULL, until BIGINT NOT NULL)$end"); err != nil {
		return err
	}
	for i := 0; i <= m; i++ {
		for j, q := range migrations[i].steps {
			if i == m && j > step {
				break
			}
			if err := run(q); err != nil {
				return err
			}
		}
	}
	now, err := s.dbNow(context.Background())
	if err != nil {
		return err
	}
	return run("INSERT INTO schema_state (id, version, step, oldest, owner, until) VALUES (1,?,?,1,'cmd-dead',?)", m, step, now+300)
}

// Ints runs a query whose answer is one row of numbers.
func (s *Store) Ints(q string, args ...any) ([]int64, error) {
	rows, err := s.write.Raw(q, args...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		return nil, errors.Join(err, rows.Err())
	}
	out, to := make([]int64, len(columns)), make([]any, len(columns))
	for i := range out {
		to[i] = &out[i]
	}
	return out, rows.Scan(to...)
}

// Uncount leaves the database as a version without figures would.
func (s *Store) Uncount() error {
	for _, q := range []string{"DELETE FROM ticket_figure", "DELETE FROM time_figure", "DELETE FROM question_figure", "UPDATE ticket SET counted=0", "UPDATE question SET counted=0, undone=''",
		"UPDATE figure_state SET ticket_id=0, question_id=0, ticket_top=(SELECT MAX(id) FROM ticket), question_top=(SELECT MAX(id) FROM question)"} {
		if err := s.Exec(q); err != nil {
			return err
		}
	}
	return nil
}

// Values are the sums in the order of their columns.
func (f TicketFigures) Values() []int64 { return plain(f.all()) }

// Values are the sums in the order of their columns.
func (f QuestionFigures) Values() []int64 { return plain(f.all()) }

func plain(of []*int64) (out []int64) {
	for _, p := range of {
		out = append(out, *p)
	}
	return out
}

// ClaimAfter claims as Claim does, but between its look at what is due and its
// taking something happens.
func (s *Store) ClaimAfter(ctx context.Context, n int, between func()) ([]chat.Delivery, error) {
	held := s.holding()
	rows, err := s.outboxHeads(ctx, held, n)
	if err != nil {
		return nil, err
	}
	between()
	return s.start(ctx, rows, held)
}
