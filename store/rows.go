package store

import (
	"database/sql"
	"strings"
)

// Statements that many alerts go through are written out here: building them
// anew by reflection costs more than the database takes for them.

// exec carries out a statement of this transaction and tells how many rows it
// changed.
func (tx *Tx) exec(q string, args ...any) (int64, error) {
	res, err := tx.db.Statement.ConnPool.ExecContext(tx.db.Statement.Context, q, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query reads the rows of a statement one after the other.
func (tx *Tx) query(q string, args []any, each func(r *sql.Rows) error) error {
	rows, err := tx.db.Statement.ConnPool.QueryContext(tx.db.Statement.Context, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// insert writes n rows, values gives those of one. into is the statement up to
// VALUES.
func (tx *Tx) insert(into string, n int, values func(i int) []any) error {
	for i := 0; i < n; {
		size := min(n-i, 200)
		if tx.s.kind == sqliteDB { // few different texts, which are kept prepared
			for _, c := range acceptChunks {
				if size = c; c <= n-i {
					break
				}
			}
		}
		var args []any
		for _, end := i, i+size; i < end; i++ {
			args = append(args, values(i)...)
		}
		row := "(?" + strings.Repeat(",?", len(args)/size-1) + ")"
		if _, err := tx.exec(into+row+strings.Repeat(","+row, size-1), args...); err != nil {
			return err
		}
	}
	return nil
}

// marks are the question marks for a list in a statement, and the list itself.
// It is filled up with its last one, so that there are few different texts.
func marks[T any](list []T) (string, []any) {
	n := 1
	for n < len(list) {
		n *= 2
	}
	args := make([]any, n)
	for i := range args {
		args[i] = list[min(i, len(list)-1)]
	}
	return "?" + strings.Repeat(",?", n-1), args
}
