package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"
)

// A migration is never changed once released; a new one goes to the end of
// the list. Its steps are single statements: DDL does not roll back on MySQL,
// so each is recorded, and a run that died goes on after the last one.
type migration struct {
	name string
	// oldest is the first schema version whose program may still work on the
	// database after this migration. It says who must be refused.
	oldest int
	steps  []string
}

// ErrNewerSchema refuses to work on a database that a newer program changed
// in a way this one does not understand.
var ErrNewerSchema = errors.New("the database belongs to a newer Frontline; install that version or restore a backup")

func schemaVersion() int { return len(migrations) }

// ddl translates the types that differ. Names in $ are the only dialect in
// migrations: $key is short text compared bytewise, $text long text, $blob bytes.
func (s *Store) ddl(step string) string {
	if s.kind == sqliteDB {
		return strings.NewReplacer("$key(", "VARCHAR(", "$text", "TEXT", "$blob", "BLOB", "$end", "", "$on(inbox)", "").Replace(step)
	}
	return strings.NewReplacer("$text", "LONGTEXT", "$blob", "LONGBLOB", "$key(", "VARCHAR(",
		"$on(inbox)", "ON inbox", "$end", " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin").Replace(step)
}

// migrate brings the schema up to date. Two processes that start together are
// kept apart by a row with a lease; the second waits and finds nothing to do.
func (s *Store) migrate(ctx context.Context) error {
	db := s.write.WithContext(ctx)
	first := []string{
		"CREATE TABLE IF NOT EXISTS schema_state (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, step BIGINT NOT NULL, oldest BIGINT NOT NULL, owner $key(64) NOT NULL, until BIGINT NOT NULL)$end",
	}
	for _, q := range first {
		if err := db.Exec(s.ddl(q)).Error; err != nil {
			return fmt.Errorf("prepare the schema: %w", err)
		}
	}
	err := db.Exec("INSERT INTO schema_state (id, version, step, oldest, owner, until) VALUES (1, 0, 0, 0, '', 0)").Error
	if err != nil && !isDuplicate(err) {
		return fmt.Errorf("prepare the schema: %w", err)
	}
	return s.migrateLocked(ctx, db)
}

type schemaRow struct {
	ID, Version, Step, Oldest int64
	Owner                     string
	Until                     int64
}

func (schemaRow) TableName() string { return "schema_state" }

func (s *Store) migrateLocked(ctx context.Context, db *gorm.DB) error {
	for {
		var row schemaRow
		if err := db.First(&row, "id = ?", 1).Error; err != nil {
			return fmt.Errorf("read the schema version: %w", err)
		}
		if row.Oldest > int64(schemaVersion()) {
			return ErrNewerSchema
		}
		if row.Version >= int64(schemaVersion()) {
			return nil
		}
		now, err := s.dbNow(ctx)
		if err != nil {
			return err
		}
		if won, err := s.lockSchema(db, row, now); err != nil {
			return err
		} else if won {
			return s.runMigrations(db, row)
		}
		select { // somebody else migrates: look again soon
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// schemaLease is how long nobody goes on after a migration whose process died.
const schemaLease = 6 * time.Second

func (s *Store) lockSchema(db *gorm.DB, row schemaRow, now int64) (bool, error) {
	if row.Until > now {
		return false, nil
	}
	r := db.Exec("UPDATE schema_state SET owner=?, until=? WHERE id=1 AND owner=? AND until=? AND version=? AND step=?",
		s.opt.Replica, now+schemaLease.Milliseconds(), row.Owner, row.Until, row.Version, row.Step)
	return r.RowsAffected == 1, r.Error
}

func (s *Store) runMigrations(db *gorm.DB, row schemaRow) error {
	defer s.keepSchemaLock()()
	for v := row.Version; v < int64(schemaVersion()); v++ {
		m := migrations[v]
		for i := row.Step; i < int64(len(m.steps)); i++ {
			if err := db.Exec(s.ddl(m.steps[i])).Error; err != nil && !alreadyThere(err) {
				return fmt.Errorf("migration %d %s, step %d: %w", v+1, m.name, i+1, err)
			}
			r := db.Exec("UPDATE schema_state SET step=? WHERE id=1 AND owner=?", i+1, s.opt.Replica)
			if r.Error != nil || r.RowsAffected != 1 {
				return errors.Join(fmt.Errorf("migration %d: the lock was lost", v+1), r.Error)
			}
		}
		row.Step = 0
		oldest := int64(m.oldest)
		r := db.Exec("UPDATE schema_state SET version=?, step=0, oldest=CASE WHEN oldest>? THEN oldest ELSE ? END WHERE id=1 AND owner=?",
			v+1, oldest, oldest, s.opt.Replica)
		if r.Error != nil || r.RowsAffected != 1 {
			return errors.Join(fmt.Errorf("migration %d: the lock was lost", v+1), r.Error)
		}
	}
	return db.Exec("UPDATE schema_state SET owner='', until=0 WHERE id=1 AND owner=?", s.opt.Replica).Error
}

// keepSchemaLock prolongs the lock while a long step runs. On SQLite there is
// no need: the step holds the file itself.
func (s *Store) keepSchemaLock() (stop func()) {
	if s.kind == sqliteDB {
		return func() {}
	}
	quit := make(chan struct{})
	var kept sync.WaitGroup
	kept.Go(func() {
		tick := time.NewTicker(schemaLease / 4)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				err := s.side.Exec("UPDATE schema_state SET until=CAST(UNIX_TIMESTAMP(NOW(3))*1000 AS SIGNED)+? WHERE id=1 AND owner=?", schemaLease.Milliseconds(), s.opt.Replica).Error
				if err != nil {
					s.log.Warn("keep the lock of the schema", "err", err)
				}
			}
		}
	})
	return func() { close(quit); kept.Wait() }
}

// alreadyThere forgives the one statement that may have run before a crash
// kept its record from being written.
func alreadyThere(err error) bool {
	text := err.Error()
	for _, known := range []string{"already exists", "Duplicate key name", "uplicate column", "no such index", "Can't DROP"} {
		if strings.Contains(text, known) {
			return true
		}
	}
	return isDuplicate(err)
}
