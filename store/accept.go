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
	done chan struct{} // closed once nothing will be inserted any more
}

type arrival struct {
	row   inboxRow
	fresh bool
	err   chan error
}

const (
	acceptGroup   = 128
	acceptWriters = 2 // MySQL commits groups side by side
	acceptColumns = "INSERT INTO inbox (id,message_id,via,kind,sender,thread_key,shard,turn_order,state,epoch,attempt,due_at,received_at,done_at,body,command,reply_spent_at) VALUES "
	acceptRow     = "(?,?,?,?,?,?,?,?,0,0,0,0,?,0,?,'',0)"
)

func startAcceptor(s *Store) *acceptor {
	a := &acceptor{s: s, in: make(chan *arrival, 4*acceptGroup), quit: make(chan struct{}), done: make(chan struct{})}
	n := acceptWriters
	if s.kind == sqliteDB {
		n = 1
	}
	for range n {
		a.runs.Go(a.run)
	}
	return a
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

func (a *acceptor) run() {
	group := make([]*arrival, 0, acceptGroup)
	for {
		select {
		case x := <-a.in:
			group = append(group[:0], x)
		case <-a.quit:
			return
		}
	more:
		for len(group) < acceptGroup {
			select {
			case x := <-a.in:
				group = append(group, x)
			default:
				break more
			}
		}
		a.settle(group)
	}
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

// insert writes the group in one statement. Rows that are there already stay
// as they are (the unique key decides); who was new is asked for only when
// the count says that somebody was not.
func (a *acceptor) insert(group []*arrival) error {
	// In the order of the unique key two groups wait for each other, and do not deadlock.
	slices.SortStableFunc(group, func(x, y *arrival) int { return strings.Compare(x.row.MessageID, y.row.MessageID) })
	var q strings.Builder
	q.WriteString(acceptColumns)
	args := make([]any, 0, 10*len(group))
	for i, x := range group {
		if i > 0 {
			q.WriteByte(',')
		}
		q.WriteString(acceptRow)
		r := &x.row
		args = append(args, r.ID, r.MessageID, r.Via, r.Kind, r.Sender, r.ThreadKey, r.Shard, r.TurnOrder, r.ReceivedAt, r.Body)
	}
	if a.s.kind == sqliteDB {
		q.WriteString(" ON CONFLICT(message_id) DO NOTHING")
	} else {
		q.WriteString(" ON DUPLICATE KEY UPDATE id=id")
	}
	var n int64
	err := a.exec(func(ctx context.Context, db execer) error {
		res, err := db.ExecContext(ctx, q.String(), args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return err
	}
	if n == int64(len(group)) {
		for _, x := range group {
			x.fresh = true
		}
		return nil
	}
	return a.findFresh(group)
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// insertTime is how long callbacks can wait; nobody is left to hear of a later insert.
const insertTime = 4 * time.Second

// exec runs fn on SQLite inside the writer's next commit, on MySQL on its own.
func (a *acceptor) exec(fn func(ctx context.Context, db execer) error) error {
	if a.s.writer != nil {
		ctx := context.Background()
		return a.s.writer.do(ctx, func(tx *Tx) error { return fn(ctx, tx.db.Statement.ConnPool) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), insertTime)
	defer cancel()
	return again(ctx, func() error { return fn(ctx, a.s.write.Statement.ConnPool) })
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
