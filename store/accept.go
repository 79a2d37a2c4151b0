package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// acceptor writes inbox rows in groups, in plain SQL: it is the one path that
// every callback waits for.
type acceptor struct {
	s    *Store
	in   chan *arrival
	quit chan struct{}
	runs sync.WaitGroup
	// SQLite: the insert of each number of rows in acceptChunks, parsed once.
	ready [len(acceptChunks)]*sql.Stmt
	done  chan struct{} // closed once nothing will be inserted any more
}

type arrival struct {
	row   inboxRow
	fresh bool
	err   chan error
}

const (
	acceptGroup   = 256
	acceptWriters = 2 // MySQL commits groups side by side
	acceptColumns = " INTO inbox (id,message_id,via,kind,sender,thread_key,shard,turn_order,state,epoch,attempt,due_at,received_at,done_at,body,command,reply_spent_at) VALUES "
	acceptRow     = "(?,?,?,?,?,?,?,?,0,0,0,0,?,0,?,'',0)"
)

func startAcceptor(s *Store) (*acceptor, error) {
	a := &acceptor{s: s, in: make(chan *arrival, 4*acceptGroup), quit: make(chan struct{}), done: make(chan struct{})}
	n := acceptWriters
	if s.kind == sqliteDB {
		n = 1
		if err := a.prepare(); err != nil {
			return nil, err
		}
	}
	for range n {
		a.runs.Go(a.run)
	}
	return a, nil
}

func (a *acceptor) prepare() error {
	pool, err := a.s.write.DB()
	if err != nil {
		return err
	}
	for i, size := range acceptChunks {
		if a.ready[i], err = pool.Prepare("INSERT OR IGNORE" + acceptColumns + acceptRow + strings.Repeat(","+acceptRow, size-1)); err != nil {
			return fmt.Errorf("prepare the inbox: %w", err)
		}
	}
	return nil
}

func (a *acceptor) stop() {
	close(a.quit)
	a.runs.Wait()
	close(a.done)
}

func (a *acceptor) put(ctx context.Context, row inboxRow) (bool, error) {
	x := &arrival{row: row, err: make(chan error, 1)}
	select {
	case a.in <- x:
	case <-ctx.Done():
		return false, ctx.Err()
	case <-a.quit:
		return false, errClosed
	}
	select {
	case err := <-x.err:
		return x.fresh, err
	case <-ctx.Done():
		return false, ctx.Err()
	case <-a.done:
	}
	select {
	case err := <-x.err:
		return x.fresh, err
	default:
		return false, errClosed // queued too late
	}
}

// Under load it pays to wait a moment before a commit: whoever was just told
// comes back with the next message, and shares one flush of the disk.
const (
	busyGroup = 8 // so many in the last commit are a load
	linger    = 2 * time.Millisecond
)

// run hands one group after the other to be stored. On SQLite the next group
// stands in the writer's queue while the last one is still on its way to the
// disk: nobody waits for more than the commit in work and his own.
func (a *acceptor) run() {
	last := 0
	var onTheWay sync.WaitGroup
	defer onTheWay.Wait()
	for {
		group := make([]*arrival, 0, 2*max(last, 1))
		select {
		case x := <-a.in:
			group = append(group, x)
		case <-a.quit:
			return
		}
		group = a.gather(group, last >= busyGroup)
		if a.s.writer == nil {
			last = len(group)
			a.settle(group)
			continue
		}
		begun := make(chan int, 1)
		onTheWay.Go(func() { a.settleLate(group, begun) })
		last = <-begun
	}
}

// settleLate is settle for SQLite: the group grows until the writer begins
// with it, which begun is told with its size.
func (a *acceptor) settleLate(group []*arrival, begun chan<- int) {
	var n int64
	var once sync.Once
	err := a.s.writer.do(context.Background(), func(tx *Tx) error {
		group = a.gather(group, false)
		byMessage(group)
		once.Do(func() { begun <- len(group) })
		var err error
		n, err = a.insertSQLite(tx.db.Statement.ConnPool.(*fuse), group)
		return err
	})
	once.Do(func() { begun <- len(group) }) // it never began: the store closes
	if len(group) > 1 && isBadData(err) {
		for i := range group {
			a.settle(group[i : i+1])
		}
		return
	}
	if err == nil {
		err = a.whoIsFresh(group, n)
	}
	for _, x := range group {
		x.err <- err
	}
}

// gather takes what waits, and under load what comes within a moment.
func (a *acceptor) gather(group []*arrival, busy bool) []*arrival {
	var over <-chan time.Time
	for len(group) < acceptGroup {
		select {
		case x := <-a.in:
			group = append(group, x)
			continue
		default:
		}
		if !busy {
			break
		}
		if over == nil {
			over = time.After(linger)
		}
		select {
		case x := <-a.in:
			group = append(group, x)
		case <-over:
			return group
		case <-a.quit:
			return group
		}
	}
	return group
}

// settle inserts the group and tells everybody. One row that the database does
// not take must not hold up its neighbours, so then each goes alone.
func (a *acceptor) settle(group []*arrival) {
	err := a.insert(group)
	if len(group) > 1 && isBadData(err) {
		for i := range group {
			a.settle(group[i : i+1])
		}
		return
	}
	for _, x := range group {
		x.err <- err
	}
}

// insert writes the group in one commit. Rows that are there already stay as
// they are (the unique key decides); who was new is asked for only when the
// count says that somebody was not.
func (a *acceptor) insert(group []*arrival) error {
	byMessage(group)
	var n int64
	var err error
	if a.s.writer != nil {
		err = a.s.writer.do(context.Background(), func(tx *Tx) error {
			n, err = a.insertSQLite(tx.db.Statement.ConnPool.(*fuse), group)
			return err
		})
	} else {
		n, err = a.insertMySQL(group)
	}
	if err != nil {
		return err
	}
	return a.whoIsFresh(group, n)
}

// byMessage puts a group into the order of the unique key: it touches few pages
// of that index, and two groups wait for each other and do not deadlock.
func byMessage(group []*arrival) {
	slices.SortStableFunc(group, func(x, y *arrival) int { return strings.Compare(x.row.MessageID, y.row.MessageID) })
}

// whoIsFresh marks who was not there before; n rows of the group were.
func (a *acceptor) whoIsFresh(group []*arrival, n int64) error {
	if n != int64(len(group)) {
		return a.findFresh(group)
	}
	for _, x := range group {
		x.fresh = true
	}
	return nil
}

func acceptValues(group []*arrival) []any {
	args := make([]any, 0, 10*len(group))
	for _, x := range group {
		r := &x.row
		args = append(args, r.ID, r.MessageID, r.Via, r.Kind, r.Sender, r.ThreadKey, r.Shard, r.TurnOrder, r.ReceivedAt, r.Body)
	}
	return args
}

// insertTime is how long callbacks can wait; nobody is left to hear of a later insert.
const insertTime = 4 * time.Second

func (a *acceptor) insertMySQL(group []*arrival) (n int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), insertTime)
	defer cancel()
	q := "INSERT" + acceptColumns + acceptRow + strings.Repeat(","+acceptRow, len(group)-1) + " ON DUPLICATE KEY UPDATE id=id"
	args := acceptValues(group)
	err = again(ctx, func() error {
		res, err := a.s.write.Statement.ConnPool.ExecContext(ctx, q, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// acceptChunks are the numbers of rows for which a statement is kept ready.
var acceptChunks = [...]int{64, 16, 4, 1}

// insertSQLite uses OR IGNORE: nothing in such a statement can fail half-way,
// so SQLite keeps no journal of it.
func (a *acceptor) insertSQLite(tx *fuse, group []*arrival) (n int64, err error) {
	ctx := context.Background()
	for i, size := range acceptChunks {
		for len(group) >= size {
			res, err := tx.StmtContext(ctx, a.ready[i]).ExecContext(ctx, acceptValues(group[:size])...)
			if err != nil {
				tx.note(err)
				return 0, err
			}
			k, err := res.RowsAffected()
			if err != nil {
				return 0, err
			}
			n, group = n+k, group[size:]
		}
	}
	return n, nil
}

func (a *acceptor) findFresh(group []*arrival) error {
	ctx, cancel := context.WithTimeout(context.Background(), insertTime)
	defer cancel()
	ids := make([]string, len(group))
	for i, x := range group {
		ids[i] = x.row.MessageID
	}
	var rows []inboxRow
	if err := a.s.read.WithContext(ctx).Select("id", "message_id").Where("message_id IN ?", ids).Find(&rows).Error; err != nil {
		return err
	}
	first := make(map[string]int64, len(rows))
	for _, r := range rows {
		first[r.MessageID] = r.ID
	}
	for _, x := range group {
		id, there := first[x.row.MessageID]
		if !there { // another row has our id: what is not there must not be acknowledged
			return fmt.Errorf("message %s was not stored", x.row.MessageID)
		}
		x.fresh = id == x.row.ID
	}
	return nil
}
