package store

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// acceptor writes inbox rows in groups, in plain SQL: it is the one path that
// every callback waits for.
type acceptor struct {
	s    *Store
	in   chan *arrival
	quit chan struct{}
	done sync.WaitGroup
}

type arrival struct {
	row   inboxRow
	fresh bool
	err   chan error
}

const (
	acceptGroup   = 128
	acceptWriters = 2 // MySQL commits groups side by side
	acceptColumns = "INSERT INTO inbox (id,message_id,via,kind,sender,thread_key,shard,state,epoch,attempt,due_at,received_at,done_at,body,command,reply_spent_at) VALUES "
	acceptRow     = "(?,?,?,?,?,?,?,0,0,0,0,?,0,?,'',0)"
)

func startAcceptor(s *Store) *acceptor {
	a := &acceptor{s: s, in: make(chan *arrival, 4*acceptGroup), quit: make(chan struct{})}
	n := acceptWriters
	if s.kind == sqliteDB {
		n = 1
	}
	for range n {
		a.done.Add(1)
		go a.run()
	}
	return a
}

func (a *acceptor) stop() {
	close(a.quit)
	a.done.Wait()
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
	}
}

func (a *acceptor) run() {
	defer a.done.Done()
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
		err := a.insert(group)
		for _, x := range group {
			x.err <- err
		}
	}
}

// insert writes the group in one statement. Rows that are there already stay
// as they are (the unique key decides); who was new is asked for only when
// the count says that somebody was not.
func (a *acceptor) insert(group []*arrival) error {
	var q strings.Builder
	q.WriteString(acceptColumns)
	args := make([]any, 0, 9*len(group))
	for i, x := range group {
		if i > 0 {
			q.WriteByte(',')
		}
		q.WriteString(acceptRow)
		r := &x.row
		args = append(args, r.ID, r.MessageID, r.Via, r.Kind, r.Sender, r.ThreadKey, r.Shard, r.ReceivedAt, r.Body)
	}
	if a.s.kind == sqliteDB {
		q.WriteString(" ON CONFLICT(message_id) DO NOTHING")
	} else {
		q.WriteString(" ON DUPLICATE KEY UPDATE id=id")
	}
	var n int64
	err := a.exec(func(db execer) error {
		res, err := db.ExecContext(context.Background(), q.String(), args...)
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

// exec runs fn on SQLite inside the writer's next commit, on MySQL on its own.
func (a *acceptor) exec(fn func(db execer) error) error {
	if a.s.writer != nil {
		return a.s.writer.do(context.Background(), func(tx *Tx) error { return fn(tx.db.Statement.ConnPool) })
	}
	const tries = 3
	for i := 1; ; i++ {
		err := fn(a.s.write.Statement.ConnPool)
		if err == nil || i == tries || !retryable(err) {
			return err
		}
	}
}

func (a *acceptor) findFresh(group []*arrival) error {
	ids := make([]string, len(group))
	for i, x := range group {
		ids[i] = x.row.MessageID
	}
	var rows []inboxRow
	if err := a.s.read.Select("id", "message_id").Where("message_id IN ?", ids).Find(&rows).Error; err != nil {
		return err
	}
	first := make(map[string]int64, len(rows))
	for _, r := range rows {
		first[r.MessageID] = r.ID
	}
	for _, x := range group {
		x.fresh = first[x.row.MessageID] == x.row.ID
	}
	return nil
}
