package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

// cutter is a proxy in front of the database that can be down, hang, or cut
// the line after a statement was done and before its answer.
type cutter struct {
	t      testing.TB
	l      net.Listener
	target string
	mu     sync.Mutex
	conns  map[net.Conn]bool
	down   bool
	hang   chan struct{}          // not nil: nothing passes until it is closed
	cutAt  atomic.Pointer[[]byte] // cut the answer of the next statement with this in it
	cuts   atomic.Int64
}

func newCutter(t testing.TB, dbURL string) (*cutter, string) {
	u, err := url.Parse(dbURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{t: t, l: l, target: u.Host, conns: map[net.Conn]bool{}}
	go c.serve()
	t.Cleanup(func() { l.Close(); c.setDown(true) })
	u.Host = l.Addr().String()
	return c, u.String()
}

func (c *cutter) serve() {
	for {
		conn, err := c.l.Accept()
		if err != nil {
			return
		}
		go c.pass(conn)
	}
}

func (c *cutter) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range conns {
		if c.down {
			x.Close()
		}
		c.conns[x] = true
	}
	return !c.down
}

func (c *cutter) wait() {
	c.mu.Lock()
	hang := c.hang
	c.mu.Unlock()
	if hang != nil {
		<-hang
	}
}

func (c *cutter) pass(client net.Conn) {
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		client.Close()
		return
	}
	defer server.Close()
	defer client.Close()
	if !c.keep(client, server) {
		return
	}
	var cut atomic.Bool
	go func() {
		defer server.Close()
		defer client.Close()
		buf := make([]byte, 1<<20)
		for {
			n, err := client.Read(buf)
			c.wait()
			if at := c.cutAt.Load(); at != nil && bytes.Contains(buf[:n], *at) && c.cutAt.CompareAndSwap(at, nil) {
				cut.Store(true)
			}
			if _, werr := server.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<20)
	for {
		n, err := server.Read(buf)
		c.wait()
		if cut.Load() && n > 0 { // it is done; nobody hears of it
			c.cuts.Add(1)
			return
		}
		if _, werr := client.Write(buf[:n]); err != nil || werr != nil {
			if err != nil && err != io.EOF {
				return
			}
			return
		}
	}
}

func (c *cutter) setDown(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
	for x := range c.conns {
		x.Close()
		delete(c.conns, x)
	}
}

func (c *cutter) setHang(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on {
		c.hang = make(chan struct{})
	} else if c.hang != nil {
		close(c.hang)
		c.hang = nil
	}
}

func (c *cutter) cutNext(statement string) {
	b := []byte(statement)
	c.cutAt.Store(&b)
}

// A commit whose answer is lost has happened: it is read back by its key, and
// neither reported as failed for ever nor done a second time.
func TestAnswerOfACommitIsLost(t *testing.T) {
	t.Parallel()
	direct := storetest.MySQL(t)
	c, through := newCutter(t, direct)
	ctx := context.Background()
	s := leadAll(t, storetest.Open(t, through, store.Options{Serve: true, Lease: long}))

	c.cutNext("INSERT INTO inbox")
	if fresh := accept(t, s, message("zhou", "1", "x")); !fresh {
		t.Error("our own insert was taken for somebody else's")
	}
	turn := claim(t, s, 1)[0]
	runs := 0
	c.cutNext("\x03COMMIT")
	err := s.FinishTurn(ctx, turn, store.Outcome{Command: "report"}, func(tx *store.Tx) error {
		runs++
		return tx.Enqueue(words("once", toWang))
	})
	if err != nil || runs != 1 {
		t.Errorf("finish: %v, its writes ran %d times", err, runs)
	}
	sent(t, s, claimWords(t, s, "once")[0])

	accept(t, s, message("zhou", "2", "x"))
	c.cutNext("\x03COMMIT") // of the claim
	later(t, "the turn is claimed in spite of it", func() bool {
		turns, err := s.ClaimTurns(ctx, 1)
		return err == nil && len(turns) == 1 && turns[0].Msg.ID == message("zhou", "2", "").ID
	})

	enqueue(t, s, words("z1", toZhou))
	c.cutNext("\x03COMMIT")
	var d []chat.Delivery
	later(t, "the words are claimed in spite of it", func() bool {
		d, err = s.Claim(ctx, 1)
		return err == nil && len(d) == 1
	})
	d[0].Parts = []chat.Part{{API: "message/send"}}
	c.cutNext("\x03COMMIT")
	if err := s.Sent(ctx, d[0], chat.Receipt{}); err != nil && !errors.Is(err, store.ErrFenced) {
		t.Errorf("record: %v", err)
	}
	if n := s.Count("SELECT COUNT(*) FROM outbox WHERE state=2"); n != 2 {
		t.Errorf("%d words are sent", n)
	}
	if c.cuts.Load() != 5 {
		t.Errorf("the line was cut %d times, want 5", c.cuts.Load())
	}
}

// While the database is away or hangs nothing is acknowledged; what was
// acknowledged is there, and work goes on as soon as the database is back.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"down", "hang"} {
		t.Run(kind, func(t *testing.T) {
			direct := storetest.MySQL(t)
			c, through := newCutter(t, direct)
			s := leadAll(t, storetest.Open(t, through, store.Options{Serve: true, Lease: long}))
			var mu sync.Mutex
			acked := map[string]bool{}
			var failed atomic.Int64
			stop := make(chan struct{})
			var drivers sync.WaitGroup
			for g := range 8 {
				drivers.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						m := message(fmt.Sprint("p", g), fmt.Sprint(i), "x")
						ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
						_, err := s.Accept(ctx, m)
						cancel()
						if err != nil {
							failed.Add(1)
							time.Sleep(10 * time.Millisecond)
							continue
						}
						mu.Lock()
						acked[m.ID] = true
						mu.Unlock()
					}
				})
			}
			count := func() int { mu.Lock(); defer mu.Unlock(); return len(acked) }
			later(t, "acknowledgements", func() bool { return count() > 100 })
			if kind == "down" {
				c.setDown(true)
			} else {
				c.setHang(true)
			}
			later(t, "failures", func() bool { return failed.Load() > 20 })
			n := count()
			time.Sleep(100 * time.Millisecond)
			if more := count() - n; more > 0 {
				t.Errorf("%d acknowledged while the database was away", more)
			}
			began := time.Now()
			if kind == "down" {
				c.setDown(false)
			} else {
				c.setHang(false)
			}
			later(t, "acknowledgements again", func() bool { return count() > n+100 })
			t.Logf("acknowledges again after %s", time.Since(began).Round(time.Millisecond))
			close(stop)
			drivers.Wait()
			lost := 0
			for id := range acked {
				if seen, err := s.Seen(context.Background(), id); err != nil || !seen {
					lost++
				}
			}
			if lost > 0 {
				t.Errorf("%d of %d acknowledged messages are lost", lost, len(acked))
			}
			t.Logf("%d acknowledged, %d refused", len(acked), failed.Load())
		})
	}
}

func admin(t testing.TB, dbURL string) (*sql.DB, string, *url.URL) {
	u, err := url.Parse(dbURL)
	if err != nil {
		t.Fatal(err)
	}
	pass, _ := u.User.Password()
	db, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s)/", u.User.Username(), pass, u.Host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, strings.Trim(u.Path, "/"), u
}

// A server that became read-only (a failover) refuses writes; they are errors,
// and work again once it is not.
func TestReadOnlyServer(t *testing.T) {
	dbURL := storetest.MySQL(t)
	db, name, u := admin(t, dbURL)
	user := name[len(name)-12:]
	for _, q := range []string{"CREATE USER '" + user + "'@'%'", "GRANT ALL ON " + name + ".* TO '" + user + "'@'%'"} {
		if _, err := db.Exec(q); err != nil {
			storetest.Skip(t, "no right to make a user: "+err.Error())
		}
	}
	t.Cleanup(func() { db.Exec("DROP USER '" + user + "'@'%'") })
	u.User = url.User(user)
	s := leadAll(t, storetest.Open(t, u.String(), store.Options{Serve: true, Lease: long}))
	accept(t, s, message("zhou", "1", "x"))
	turn := claim(t, s, 1)[0]
	if _, err := db.Exec("SET GLOBAL read_only=1"); err != nil {
		storetest.Skip(t, "no right to set read_only: "+err.Error())
	}
	defer db.Exec("SET GLOBAL read_only=0")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := s.Accept(ctx, message("zhou", "2", "x")); err == nil {
		t.Error("acknowledged by a read-only server")
	}
	if err := s.FinishTurn(ctx, turn, store.Outcome{}, nil); err == nil || errors.Is(err, store.ErrFenced) {
		t.Errorf("finished by a read-only server: %v", err)
	}
	if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.Enqueue(words("k", toZhou)) }); err == nil {
		t.Error("queued by a read-only server")
	}
	if seen, err := s.Seen(ctx, message("zhou", "1", "").ID); err != nil || !seen {
		t.Errorf("reading: %v, %v", seen, err)
	}
	if _, err := db.Exec("SET GLOBAL read_only=0"); err != nil {
		t.Fatal(err)
	}
	accept(t, s, message("zhou", "2", "x"))
	finish(t, s, turn)
}

// A database whose own character set is latin1 stores Chinese all the same.
func TestLatin1Database(t *testing.T) {
	t.Parallel()
	dbURL := storetest.MySQL(t)
	db, name, _ := admin(t, dbURL)
	if _, err := db.Exec("ALTER DATABASE " + name + " CHARACTER SET latin1 COLLATE latin1_swedish_ci"); err != nil {
		t.Fatal(err)
	}
	works(t, dbURL)
	s := storetest.Open(t, dbURL, store.Options{})
	put(t, s, entry("怎么开户？😀", "到柜台。"))
	e, err := s.FindEntry(context.Background(), 1)
	if err != nil || e.Question != "怎么开户？😀" {
		t.Errorf("%q, %v", e.Question, err)
	}
}

// Sessions that lock each other's rows are repeated without anybody's notice.
func TestDeadlocksAreRepeated(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.MySQL(t), store.Options{})
	var tickets []store.Ticket
	for range 6 {
		tk := store.Ticket{Title: "x", Reporter: "r"}
		inTx(t, s, func(tx *store.Tx) error { tk = store.Ticket{Title: "x", Reporter: "r"}; return tx.CreateTicket(&tk) })
		tickets = append(tickets, tk)
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for i := range 10 {
				a, b := tickets[(g+i)%6].ID, tickets[(g+i+1+g%2*4)%6].ID
				err := s.InTx(context.Background(), func(tx *store.Tx) error {
					return errors.Join(tx.AddTicketEntry(a, store.TicketEntry{Text: "x"}), tx.SetRoles("x", fmt.Sprint("m", g%3), chat.RoleSet{chat.Reporter}),
						tx.Audit("x", "x", fmt.Sprint(a), nil), tx.Audit("x", "x", fmt.Sprint(b), nil))
				})
				if err != nil {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
	if _, faults, err := s.VerifyAudit(context.Background()); err != nil || len(faults) > 0 {
		t.Errorf("audit %v, %v", faults, err)
	}
}

// Closing while everybody writes loses nothing that was acknowledged and
// leaves nobody waiting.
func TestCloseUnderLoad(t *testing.T) {
	t.Parallel()
	urls(t, func(t *testing.T, dbURL string) {
		s := storetest.Open(t, dbURL, store.Options{})
		var mu sync.Mutex
		var acked []string
		var wg sync.WaitGroup
		for g := range 16 {
			wg.Go(func() {
				for i := 0; ; i++ {
					m := message(fmt.Sprint("p", g), fmt.Sprint(i), "x")
					if _, err := s.Accept(context.Background(), m); err != nil {
						return
					}
					mu.Lock()
					acked = append(acked, m.ID)
					mu.Unlock()
				}
			})
		}
		later(t, "some are acknowledged", func() bool { mu.Lock(); defer mu.Unlock(); return len(acked) > 200 })
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		s = storetest.Open(t, dbURL, store.Options{})
		for _, id := range acked {
			if seen, err := s.Seen(context.Background(), id); err != nil || !seen {
				t.Fatalf("lost %s: %v", id, err)
			}
		}
	})
}
