package store

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"
	sqlite3 "modernc.org/sqlite"
)

// fuse stands between a transaction and its statements. After some errors the
// database has taken the whole transaction back by itself, and would run the
// next statement outside of any; so nothing passes after one.
type fuse struct {
	*sql.Tx
	blown error
	kept  *statements          // nil: nothing is kept prepared
	mine  map[string]*sql.Stmt // those of them that this transaction has used
}

// protect puts a fuse into a transaction that has just begun.
func protect(db *gorm.DB) *fuse {
	f := &fuse{Tx: db.Statement.ConnPool.(*sql.Tx)}
	db.Statement.ConnPool = f
	return f
}

func (f *fuse) note(err error) {
	if err != nil && f.blown == nil && endsTransaction(err) {
		f.blown = err
	}
}

func (f *fuse) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	if f.blown != nil {
		return nil, f.blown
	}
	var res sql.Result
	var err error
	if st := f.prepared(ctx, q); st != nil {
		res, err = st.ExecContext(ctx, args...)
	} else {
		res, err = f.Tx.ExecContext(ctx, q, args...)
	}
	f.note(err)
	return res, err
}

func (f *fuse) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	if f.blown != nil {
		return nil, f.blown
	}
	var rows *sql.Rows
	var err error
	if st := f.prepared(ctx, q); st != nil {
		rows, err = st.QueryContext(ctx, args...)
	} else {
		rows, err = f.Tx.QueryContext(ctx, q, args...)
	}
	f.note(err)
	return rows, err
}

// prepared is the kept statement of a text, or nil.
func (f *fuse) prepared(ctx context.Context, q string) *sql.Stmt {
	if f.kept == nil {
		return nil
	}
	st := f.mine[q]
	if st == nil {
		if st = f.kept.find(ctx, f.Tx, q); st != nil {
			f.mine[q] = st
		}
	}
	return st
}

// endsTransaction tells whether the database may have taken everything back:
// MySQL after a deadlock or a lost line (a lock that was waited for too long
// counts too: half of what was meant must not be committed), SQLite when the
// disk is full or fails (https://sqlite.org/lang_transaction.html).
func endsTransaction(err error) bool {
	var q *sqlite3.Error
	if errors.As(err, &q) {
		switch q.Code() & 0xff {
		case sqliteBusy, sqliteNoMemory, sqliteInterrupt, sqliteIOError, sqliteFull:
			return true
		}
	}
	return retryable(err)
}
