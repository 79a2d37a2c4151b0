package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	sqlite3 "modernc.org/sqlite"
)

// ErrDamaged means that SQLite's file is not whole. Nothing is written to it
// any more; the operator restores a backup.
var ErrDamaged = errors.New("the database file is damaged; stop, keep a copy of it with its -wal file, then put a backup made with 'frontline backup' in its place " +
	"(or rescue what can be read: sqlite3 FILE .recover | sqlite3 NEW), and start again")

// checkSize bounds what is read through before each start, so that a start
// stays quick; the doctor reads a file of any size.
const checkSize = 48 << 20

const (
	sqliteCorrupt = 11
	sqliteNotADB  = 26
)

// damaged turns SQLite's word for a broken file into ErrDamaged with its cause.
func damaged(err error) error {
	var q *sqlite3.Error
	if errors.As(err, &q) && (q.Code()&0xff == sqliteCorrupt || q.Code()&0xff == sqliteNotADB) {
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return err
}

// checkFile reads a small file through before anything is written to it.
func (s *Store) checkFile(ctx context.Context) error {
	if s.kind != sqliteDB || !s.opt.Serve {
		return nil
	}
	if st, err := os.Stat(strings.TrimPrefix(s.opt.URL, "sqlite:")); err != nil || st.Size() > checkSize {
		return err
	}
	return s.CheckFile(ctx)
}

// CheckFile reads SQLite's file through and fails with ErrDamaged when a page
// is not what it should be. On MySQL it does nothing: the server does it.
func (s *Store) CheckFile(ctx context.Context) error {
	if s.kind != sqliteDB {
		return nil
	}
	var found []string
	if err := s.write.WithContext(ctx).Raw("PRAGMA quick_check(3)").Scan(&found).Error; err != nil {
		return damaged(err)
	}
	if len(found) == 1 && found[0] == "ok" {
		return nil
	}
	return fmt.Errorf("%w (%s)", ErrDamaged, strings.Join(found, "; "))
}

// ErrNoBackup means that the database makes its own backups.
var ErrNoBackup = errors.New("MySQL is backed up with its own tools, such as mariadb-dump --single-transaction")

// Backup writes a whole and consistent copy of SQLite's database to a new
// file, while others go on writing. Words in it are sealed with the key, which
// the copy does not hold.
func (s *Store) Backup(ctx context.Context, file string) error {
	if s.kind != sqliteDB {
		return ErrNoBackup
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // never over another file
	if err != nil {
		return err
	}
	f.Close()
	if err := s.write.WithContext(ctx).Exec("VACUUM INTO ?", file).Error; err != nil {
		os.Remove(file)
		return damaged(err)
	}
	return nil
}
