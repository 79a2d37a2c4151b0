package monitor

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/go-sql-driver/mysql"
	"github.com/lib/pq"
	_ "modernc.org/sqlite" // SQLite targets

	"frontline/handlers/mask"
	"frontline/handlers/spec"
)

var errAddress = errors.New("must be mysql://user:password@host:3306/name, postgres://user:password@host/name, sqlite:FILE, http://… or https://…")

// grace is how much longer we wait than the server may work: the server ends a
// slow query itself, so that none is left behind there.
const grace = 2 * time.Second

// sqlProbe runs one SELECT in a read-only transaction.
type sqlProbe struct {
	target, query string
	args          map[string]argument
}

// argument is a value, or an expression for one.
type argument struct {
	value any
	prog  *vm.Program
}

func (p *sqlProbe) Kind() string { return "sql" }

// argNames are what arguments may be made from.
func argNames(at time.Time, prev, next time.Time) map[string]any {
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, at.Location())
	return map[string]any{"today": at.Format(time.DateOnly), "now": at.Format(time.DateTime), "prev_trading_day": prev.Format(time.DateOnly), "next_trading_day": next.Format(time.DateOnly),
		"now_ms": int(at.UnixMilli()), "day_start_ms": int(day.UnixMilli())}
}

func (r *reader) sqlProbe(n *spec.Node) Probe {
	p := &sqlProbe{args: map[string]argument{}}
	var query *spec.Node
	r.Fields(n, "sql", map[string]func(*spec.Node){
		"target": func(n *spec.Node) { p.target = r.target(n, "mysql", "postgres", "sqlite") },
		"query":  func(n *spec.Node) { query = n },
		"args": func(n *spec.Node) {
			if n.Kind != 'm' {
				r.Fault(n, "args 是「名: 值」的一组")
			}
			for i, k := range n.Keys {
				p.args[k.Text] = r.argument(n.Vals[i])
			}
		},
	})
	if query == nil || p.target == "" {
		r.Fault(n, "sql 要写 target 和 query")
		return p
	}
	p.query = strings.TrimSpace(r.Text(query))
	if err := readOnly(p.query); err != nil {
		r.Fault(query, "%v", err)
	}
	_, names, err := spec.Bind(p.query, func(int) string { return "?" })
	if err != nil {
		r.Fault(query, "%v", err)
	}
	for _, name := range names {
		if _, ok := p.args[name]; !ok {
			r.Fault(query, "SQL 里的 :%s 没有写在 args 里", name)
		}
	}
	return p
}

func (r *reader) argument(n *spec.Node) argument {
	inner, isExpr := strings.CutPrefix(strings.TrimSpace(n.Text), "${")
	inner, closed := strings.CutSuffix(inner, "}")
	if !isExpr || !closed {
		if i, err := strconv.Atoi(n.Text); err == nil && !n.Quoted && strconv.Itoa(i) == n.Text {
			return argument{value: i}
		}
		return argument{value: r.Text(n)}
	}
	prog, err := expr.Compile(strings.TrimSpace(inner), expr.Env(argNames(time.Time{}, time.Time{}, time.Time{})), expr.MaxNodes(50))
	if err != nil {
		r.Fault(n, "参数不对：%s", spec.ExprWords(err))
	}
	return argument{prog: prog}
}

// readOnly lets one SELECT through. The transaction is read-only as well, and
// the account should be.
func readOnly(q string) error {
	low := strings.ToLower(q)
	verb := strings.FieldsFunc(low, func(c rune) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '(' })
	switch {
	case len(verb) == 0 || verb[0] != "select" && verb[0] != "with":
		return errors.New("监控的 SQL 只能是 select（或 with … select）")
	case strings.Contains(strings.TrimSuffix(strings.TrimSpace(q), ";"), ";"):
		return errors.New("一次只能一条 SQL")
	}
	flat := strings.Join(strings.Fields(low), " ")
	for _, no := range []string{"for update", "for share", "lock in share mode", "into outfile", "into dumpfile", "load_file", "get_lock(", "pg_advisory", "nextval("} {
		if strings.Contains(flat, no) {
			return fmt.Errorf("监控的 SQL 里不能有 %s", strings.TrimSuffix(no, "("))
		}
	}
	return nil
}

func (p *sqlProbe) Rows(ctx context.Context, s *Sources, o Order) ([]Row, error) {
	t := s.Targets[p.target]
	if t == nil {
		return nil, &Fail{"没有数据源 " + p.target}
	}
	limit := o.Timeout + grace
	if t.Kind == "sqlite" {
		limit = o.Timeout // there is no server: the query is ours to stop
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	db, err := s.database(ctx, t)
	if err != nil {
		return nil, sqlFail(t, o, err)
	}
	place := func(int) string { return "?" }
	if t.Kind == "postgres" {
		place = func(n int) string { return "$" + strconv.Itoa(n) }
	}
	query, names, err := spec.Bind(strings.TrimSuffix(p.query, ";"), place)
	if err != nil {
		return nil, &Fail{err.Error()}
	}
	args := make([]any, len(names))
	for i, name := range names {
		if args[i], err = p.args[name].eval(o.Values); err != nil {
			return nil, &Fail{"参数 " + name + " 算不出"}
		}
	}
	rows, err := db.read(ctx, t.Kind, o.Timeout, query, args)
	return rows, sqlFail(t, o, err)
}

func (a argument) eval(values map[string]any) (any, error) {
	if a.prog == nil {
		return a.value, nil
	}
	return expr.Run(a.prog, values)
}

// read runs a query in a read-only transaction on a connection of its own, with
// the time limit set in the server.
func (db *database) read(ctx context.Context, kind string, limit time.Duration, query string, args []any) ([]Row, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if db.limit != "" && kind == "mysql" {
		if _, err := conn.ExecContext(ctx, db.setLimit(limit)); err != nil {
			return nil, err
		}
	}
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{ReadOnly: kind != "sqlite"}) // SQLite is opened read-only
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	if kind == "postgres" {
		if _, err := tx.ExecContext(ctx, db.setLimit(limit)); err != nil {
			return nil, err
		}
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return readRows(rows)
}

func (db *database) setLimit(limit time.Duration) string {
	if strings.Contains(db.limit, "%f") {
		return strings.Replace(db.limit, "%f", strconv.FormatFloat(limit.Seconds(), 'f', 3, 64), 1)
	}
	return strings.Replace(db.limit, "%d", strconv.FormatInt(limit.Milliseconds(), 10), 1)
}

func readRows(rows *sql.Rows) ([]Row, error) {
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out []Row
	for rows.Next() {
		if len(out) >= mostRows {
			return nil, &Fail{fmt.Sprintf("结果超过 %d 行；监控的 SQL 要自己 group by", mostRows)}
		}
		vals := make([]any, len(cols))
		to := make([]any, len(cols))
		for i := range vals {
			to[i] = &vals[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		row := Row{}
		for i, c := range cols {
			if b, ok := vals[i].([]byte); ok {
				vals[i] = string(b)
			}
			row[c] = vals[i]
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// database opens a target once.
func (s *Sources) database(ctx context.Context, t *Target) (*database, error) {
	s.mu.Lock()
	db := s.open[t.Name]
	s.mu.Unlock()
	if db != nil {
		return db, nil
	}
	db, err := openDatabase(ctx, t)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.open[t.Name]; other != nil {
		db.Close()
		return other, nil
	}
	s.open[t.Name] = db
	return db, nil
}

// connections to one target at most: monitors must not be what slows a system.
const connections = 3

func openDatabase(ctx context.Context, t *Target) (*database, error) {
	db := &database{}
	var err error
	switch t.Kind {
	case "mysql":
		db.DB, err = openMySQL(t.URL)
	case "postgres":
		var c *pq.Connector
		if c, err = pq.NewConnector(t.URL); err == nil {
			db.DB = sql.OpenDB(c)
		}
		db.limit = "SET LOCAL statement_timeout = %d"
	case "sqlite":
		db.DB, err = sql.Open("sqlite", "file:"+strings.TrimPrefix(t.URL, "sqlite:")+"?mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(5000)")
	}
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(1)
	db.SetConnMaxIdleTime(time.Minute)
	if t.Kind == "mysql" {
		var version string
		if err := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
			db.Close()
			return nil, err
		}
		db.limit = "SET SESSION MAX_EXECUTION_TIME = %d"
		if strings.Contains(version, "MariaDB") {
			db.limit = "SET SESSION max_statement_time = %f"
		}
	}
	return db, nil
}

func openMySQL(address string) (*sql.DB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errAddress
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.Trim(u.Path, "/")
	if u.Port() == "" {
		cfg.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	if v := u.Query().Get("tls"); v != "" {
		cfg.TLSConfig = v
	}
	cfg.Timeout, cfg.MultiStatements = 5*time.Second, false
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// sqlFail says what a database said, without what may be personal in it.
func sqlFail(t *Target, o Order, err error) error {
	var f *Fail
	var m *mysql.MySQLError
	var p *pq.Error
	var op *net.OpError
	slow := &Fail{fmt.Sprintf("SQL 超过 %s 没有完成，已停下", o.Timeout)}
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.As(err, &m) && (m.Number == 1969 || m.Number == 3024):
		return slow
	case errors.As(err, &p) && p.Code == "57014":
		return slow
	case errors.Is(err, context.DeadlineExceeded):
		return slow
	case errors.As(err, &m):
		return &Fail{fmt.Sprintf("数据库报错 %d：%s", m.Number, clip(mask.Text(m.Message), 200))}
	case errors.As(err, &p):
		return &Fail{fmt.Sprintf("数据库报错 %s：%s", p.Code, clip(mask.Text(p.Message), 200))}
	case errors.As(err, &op):
		return &Fail{"连不上数据源 " + t.Name}
	}
	return &Fail{"数据库报错：" + clip(mask.Text(err.Error()), 200)}
}
