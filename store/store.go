// Package store keeps everything that Frontline knows in a database: SQLite
// in the process, or MySQL (MariaDB, TiDB) for several replicas. The tables
// are the truth; Redis only wakes sleepers and shares caches.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// Errors that callers compare with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrStale    = errors.New("changed by somebody else in the meantime")
	ErrFenced   = chat.ErrFenced // another replica has taken this over
	ErrExists   = errors.New("exists already")
)

// Options says which database and how. Zero values mean the defaults.
type Options struct {
	URL     string           // sqlite:PATH or mysql://user:pass@host:port/name
	Key     []byte           // 32 bytes; personal fields and messages are sealed with it
	Now     func() time.Time // default time.Now
	Log     *slog.Logger     // default: discarded
	Serve   bool             // this process will Lead; short-lived commands do not
	Replica string           // name of this process in leases; default: made at start
	Lease   time.Duration    // how long a replica that went silent keeps its shards; default 3 s
	Grace   time.Duration    // how long words wait for a smart bot's poll before another road; default 8 s
	Bell    Bell             // wakes other replicas; nil: this process only
	// NumberBlock is how many running numbers a replica takes at once on MySQL; default 10.
	NumberBlock int64
}

// Store is safe for concurrent use. Open makes it.
type Store struct {
	opt    Options
	kind   dialectKind
	now    func() time.Time
	log    *slog.Logger
	write  *gorm.DB // SQLite: the one writing connection; MySQL: the pool
	read   *gorm.DB // SQLite: a read-only pool; MySQL: the same pool
	side   *gorm.DB // MySQL: for numbers, so that a transaction never waits for its own pool
	seal   *sealer
	ids    idMaker
	shards shards
	writer *writer // SQLite only
	accept *acceptor
	blocks numberBlocks
	turns  turnBells
	inboxBell,
	outboxBell signal
	closed   atomic.Bool
	counting counting
}

// Open connects, brings the schema up to date unless it is newer than this
// program, and takes a replica slot.
func Open(ctx context.Context, opt Options) (*Store, error) {
	fillDefaults(&opt)
	s := &Store{opt: opt, now: opt.Now, log: opt.Log}
	var err error
	if s.seal, err = newSealer(opt.Key); err != nil {
		return nil, err
	}
	for _, step := range []func() error{func() error { return s.connect(opt.URL) }, func() error { return s.checkFile(ctx) }, func() error { return s.migrate(ctx) }} {
		if err := step(); err != nil {
			s.closePools()
			return nil, damaged(err)
		}
	}
	s.shards.init()
	s.blocks.next = map[string]*block{}
	s.inboxBell, s.outboxBell = newSignal(), newSignal()
	if s.kind == sqliteDB {
		pool, err := s.write.DB()
		if err != nil {
			s.closePools()
			return nil, err
		}
		s.writer = startWriter(s, pool)
	}
	if s.accept, err = startAcceptor(s); err != nil {
		if s.writer != nil {
			s.writer.stop()
		}
		s.closePools()
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.ensureSlot, s.openFigures} {
		if err := step(ctx); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

func fillDefaults(opt *Options) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Replica == "" {
		opt.Replica = "cmd-" + randomName()
		if opt.Serve {
			opt.Replica = "serve-" + opt.Replica[4:]
		}
	}
	if opt.Lease == 0 {
		opt.Lease = 3 * time.Second
	}
	if opt.Grace == 0 {
		opt.Grace = 8 * time.Second
	}
	if opt.NumberBlock == 0 {
		opt.NumberBlock = 10
	}
}

// Close finishes what is being written and lets go of the database.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.accept.stop()
	if err := s.freeSlot(); err != nil {
		s.log.Warn("give the replica slot back", "err", err) // it lapses by itself
	}
	if s.writer != nil {
		s.writer.stop()
	}
	s.shards.unlock()
	return s.closePools()
}

func (s *Store) closePools() error {
	var errs []error
	seen := map[*gorm.DB]bool{}
	for _, db := range []*gorm.DB{s.read, s.write, s.side} {
		if db == nil || seen[db] {
			continue
		}
		seen[db] = true
		if pool, err := db.DB(); err == nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.read.WithContext(ctx).Raw("SELECT 1").Scan(&one).Error
}

// Kind is "sqlite" or "mysql".
func (s *Store) Kind() string { return string(s.kind) }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }

// Tx is one transaction. It lives only inside the function given to InTx, and
// inside it only its own methods may be used: on SQLite a call of the store
// itself would wait for the connection that the transaction holds.
type Tx struct {
	db      *gorm.DB
	s       *Store
	now     time.Time
	turn    *Turn  // whose turn this commits, nil elsewhere
	count   int    // Enqueue calls of this turn, for their keys
	reason  string // why an entry changes, for its revision
	bells   []func()
	heard   *[]chat.Outgoing // of a rehearsal: what was queued
	audits  []auditRow       // written when everything else is
	figures *figureChanges
}

// Now is the same instant throughout the transaction.
func (tx *Tx) Now() time.Time { return tx.now }

// At moves the transaction's instant. Only who makes up a past does that, alone
// with its database: many events then share one commit.
func (tx *Tx) At(t time.Time) { tx.now = t }

// InTx runs fn in a transaction: all of it is committed, or nothing. fn is
// quick and does nothing that it may not do twice: after a deadlock or a lost
// connection it runs again. An error after a lost commit does not prove that
// nothing was written, so every write carries a key of its own.
func (s *Store) InTx(ctx context.Context, fn func(tx *Tx) error) error {
	if err := s.ensureSlot(ctx); err != nil {
		return err
	}
	return s.inTx(ctx, fn)
}

func (s *Store) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	if s.writer != nil {
		return s.writer.do(ctx, fn)
	}
	return again(ctx, func() error { return s.inPool(ctx, fn) })
}

// again repeats what failed for a reason that a repeat cures, a few times and
// not in step with others that do the same.
func again(ctx context.Context, fn func() error) error {
	const tries = 8
	for i := 1; ; i++ {
		err := fn()
		if err == nil || i == tries || !retryable(err) || ctx.Err() != nil {
			return err
		}
		time.Sleep(rand.N(time.Duration(i*i) * 2 * time.Millisecond))
	}
}

func (s *Store) inPool(ctx context.Context, fn func(tx *Tx) error) error {
	var bells []func()
	err := s.write.WithContext(ctx).Transaction(func(db *gorm.DB) error {
		f := protect(db)
		tx := &Tx{db: db, s: s, now: s.now()}
		if err := guard(tx, fn); err != nil {
			return err
		}
		bells = tx.bells
		return f.blown
	})
	if err == nil {
		ring(bells)
	}
	return err
}

// guard turns a panic of fn into an error, so that one bad message cannot
// take the process or its neighbours in the same commit with it.
func guard(tx *Tx, fn func(tx *Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in transaction: %v", p)
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.writeFigures(); err != nil {
		return err
	}
	return tx.writeAudit()
}

func ring(bells []func()) {
	for _, b := range bells {
		b()
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// clip cuts text to n bytes at a rune border, for columns with a limit, and
// leaves out bytes that no database takes as text.
func clip(text string, n int) string {
	return strings.ToValidUTF8(text[:min(n, len(text))], "")
}
