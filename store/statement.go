package store

import (
	"context"
	"database/sql"
)

// statements keeps the writer's usual statements prepared: reading their text
// anew costs SQLite more than carrying most of them out. Only the writer uses it,
// whose pool has one connection.
type statements struct {
	pool *sql.DB
	kept map[string]*sql.Stmt
	seen map[string]int // how often others came
	next []string       // those that are to be kept
}

const (
	statementsKept  = 256
	statementsSeen  = 4096
	statementOften  = 3     // comes so often before it is kept
	statementLength = 32000 // longer texts are not kept
)

func newStatements(pool *sql.DB) *statements {
	return &statements{pool: pool, kept: map[string]*sql.Stmt{}, seen: map[string]int{}}
}

// find returns a kept statement for use in tx, or nil.
func (k *statements) find(ctx context.Context, tx *sql.Tx, q string) *sql.Stmt {
	if st := k.kept[q]; st != nil {
		return tx.StmtContext(ctx, st)
	}
	if len(q) <= statementLength {
		if len(k.seen) >= statementsSeen {
			clear(k.seen) // what is usual comes again
		}
		if k.seen[q]++; k.seen[q] == statementOften {
			k.next = append(k.next, q)
		}
	}
	return nil
}

// prepare keeps what came often. It is called between transactions: inside one,
// the pool's only connection is taken. What fails stays as it was.
func (k *statements) prepare() {
	for _, q := range k.next {
		if len(k.kept) >= statementsKept {
			k.close()
		}
		delete(k.seen, q)
		if st, err := k.pool.Prepare(q); err == nil {
			k.kept[q] = st
		}
	}
	k.next = k.next[:0]
}

func (k *statements) close() {
	for q, st := range k.kept {
		st.Close()
		delete(k.kept, q)
	}
}
