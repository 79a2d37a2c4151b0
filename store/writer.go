package store

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"
)

// writer is SQLite's one writing goroutine. It commits in groups: everything
// that waits while a commit is on its way to the disk goes into the next one,
// so that many callbacks share one fsync, and each is acknowledged only after it.
type writer struct {
	s    *Store
	kept *statements
	in   chan *write
	quit chan struct{}
	done chan struct{} // closed once nothing will be written any more
}

type write struct {
	ctx  context.Context
	fn   func(tx *Tx) error
	err  chan error
	tx   *Tx
	fail error
}

// maxGroup bounds one commit, and so the time the first waiter may lose.
const maxGroup = 256

var errClosed = errors.New("the store is closed")

func startWriter(s *Store, pool *sql.DB) *writer {
	w := &writer{s: s, kept: newStatements(pool), in: make(chan *write, maxGroup), quit: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

func (w *writer) stop() {
	close(w.quit)
	<-w.done
}

// do queues fn and waits for its commit. A caller whose context ends leaves
// early; its write may still happen, which every caller must expect anyway.
func (w *writer) do(ctx context.Context, fn func(tx *Tx) error) error {
	x := &write{ctx: ctx, fn: fn, err: make(chan error, 1)}
	select {
	case w.in <- x:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
	select {
	case err := <-x.err:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
	}
	select {
	case err := <-x.err:
		return err
	default:
		return errClosed // queued too late
	}
}

func (w *writer) run() {
	defer close(w.done)
	defer w.kept.close()
	var group []*write
	for {
		select {
		case x := <-w.in:
			group = w.gather(append(group[:0], x))
			w.commit(group)
			w.kept.prepare()
		case <-w.quit:
			return
		}
	}
}

func (w *writer) gather(group []*write) []*write {
	for len(group) < maxGroup {
		select {
		case x := <-w.in:
			group = append(group, x)
		default:
			return group
		}
	}
	return group
}

// busyTries is how often a commit waits for another process (an import, a
// backup) to let go of the file, five seconds each time.
const busyTries = 3

func (w *writer) commit(group []*write) {
	var err error
	for range busyTries {
		if err = w.try(group); !isBusy(err) {
			break
		}
	}
	for _, x := range group {
		switch {
		case x.fail != nil:
			x.err <- x.fail
		case err != nil:
			x.err <- err
		default:
			ring(x.tx.bells)
			x.err <- nil
		}
	}
}

// try runs the group in one transaction, each member under its own savepoint,
// so that one that fails takes back only its own writes.
func (w *writer) try(group []*write) error {
	return w.s.write.Transaction(func(db *gorm.DB) error {
		f := protect(db)
		f.kept, f.mine = w.kept, map[string]*sql.Stmt{}
		now := w.s.now()
		for _, x := range group {
			if x.fail = x.ctx.Err(); x.fail != nil {
				continue
			}
			x.tx = &Tx{db: db, s: w.s, now: now}
			if len(group) == 1 {
				x.fail = guard(x.tx, x.fn)
				return errOr(x.fail, f.blown)
			}
			if err := w.member(db, x); err != nil {
				return err
			}
		}
		return f.blown
	})
}

func (w *writer) member(db *gorm.DB, x *write) error {
	if err := db.Exec("SAVEPOINT member").Error; err != nil {
		return err
	}
	if x.fail = guard(x.tx, x.fn); x.fail != nil {
		if err := db.Exec("ROLLBACK TO SAVEPOINT member").Error; err != nil {
			return err
		}
	}
	return db.Exec("RELEASE SAVEPOINT member").Error
}
