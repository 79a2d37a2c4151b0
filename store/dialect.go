package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/driver/mysql"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	sqlite3 "modernc.org/sqlite"
)

type dialectKind string

const (
	sqliteDB dialectKind = "sqlite"
	mysqlDB  dialectKind = "mysql"
)

// SQLite result codes that matter here (sqlite.org/rescode.html).
const (
	sqliteBusy       = 5
	sqliteNoMemory   = 7
	sqliteInterrupt  = 9
	sqliteIOError    = 10
	sqliteFull       = 13
	sqliteUnique     = 2067
	sqlitePrimaryKey = 1555
)

// connect opens the pools. Errors never contain the URL: it holds a password.
func (s *Store) connect(dbURL string) error {
	switch {
	case strings.HasPrefix(dbURL, "sqlite:"):
		s.kind = sqliteDB
		return s.connectSQLite(strings.TrimPrefix(dbURL, "sqlite:"))
	case strings.HasPrefix(dbURL, "mysql:"):
		s.kind = mysqlDB
		return s.connectMySQL(dbURL)
	}
	return errors.New("database URL must begin with sqlite: or mysql://")
}

func (s *Store) connectSQLite(path string) error {
	if path == "" {
		return errors.New("database URL sqlite: needs a file name")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the database: %w", err)
	}
	// SQLite would make it readable for everybody; its -wal file follows the rights of the first. A file
	// that is there is not opened: closing it would drop the locks that this process has on it, if it has it open already.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case err == nil:
		f.Close()
	case !errors.Is(err, fs.ErrExist):
		return fmt.Errorf("open the database: %w", err)
	}
	// FULL: an acknowledged callback must survive a power cut, not only a crash.
	base := "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=journal_size_limit(67108864)" +
		// Savepoints in memory instead of a temporary file; a checkpoint less often, when the same page has changed more often.
		"&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(4000)"
	if s.write, err = openSQLite(base+"&_txlock=immediate&_pragma=cache_size(-32768)", 1, s); err != nil {
		return err
	}
	s.read, err = openSQLite(base+"&_pragma=query_only(1)", 8, s)
	return err
}

func openSQLite(dsn string, conns int, s *Store) (*gorm.DB, error) {
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	db, err := gorm.Open(sqliteDialector{&sqlite.Dialector{Conn: pool}}, gormConfig(s))
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return db, nil
}

func gormConfig(s *Store) *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		TranslateError:         true,
		Logger:                 gormLogger{s.log},
		NowFunc:                func() time.Time { return s.now() },
		DisableAutomaticPing:   true,
	}
}

// sqliteDialector maps modernc's error codes to gorm's errors.
type sqliteDialector struct{ *sqlite.Dialector }

func (d sqliteDialector) Translate(err error) error {
	var e *sqlite3.Error
	if errors.As(err, &e) && (e.Code() == sqliteUnique || e.Code() == sqlitePrimaryKey) {
		return gorm.ErrDuplicatedKey
	}
	return err
}

// SavePoint and RollbackTo stand in the embedded dialector; gorm looks for
// them on the outer type, so they are named again.
func (d sqliteDialector) SavePoint(tx *gorm.DB, name string) error {
	return tx.Exec("SAVEPOINT " + name).Error
}

func (d sqliteDialector) RollbackTo(tx *gorm.DB, name string) error {
	return tx.Exec("ROLLBACK TO SAVEPOINT " + name).Error
}

func (s *Store) connectMySQL(dbURL string) error {
	cfg, err := mysqlConfig(dbURL)
	if err != nil {
		return err
	}
	open := func(conns int) (*gorm.DB, error) {
		connector, err := mysqldriver.NewConnector(cfg)
		if err != nil {
			return nil, errors.New("the database URL is not one the MySQL driver takes")
		}
		pool := sql.OpenDB(mysqlConnector{connector})
		pool.SetMaxOpenConns(conns)
		pool.SetMaxIdleConns(conns)
		pool.SetConnMaxLifetime(30 * time.Minute)
		pool.SetConnMaxIdleTime(5 * time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := pool.PingContext(ctx); err != nil {
			pool.Close()
			return nil, fmt.Errorf("reach the database: %w", err)
		}
		// MariaDB's RETURNING would report a duplicate as a new row.
		return gorm.Open(mysql.New(mysql.Config{Conn: pool, DisableWithReturning: true, SkipInitializeWithVersion: false}), gormConfig(s))
	}
	if s.write, err = open(24); err != nil {
		return err
	}
	s.read = s.write
	s.side, err = open(2)
	return err
}

func mysqlConfig(dbURL string) (*mysqldriver.Config, error) {
	u, err := url.Parse(dbURL)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return nil, errors.New("database URL must be mysql://user:pass@host:3306/name")
	}
	cfg := mysqldriver.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr = "tcp", u.Host
	if u.Port() == "" {
		cfg.Addr += ":3306"
	}
	cfg.DBName = strings.Trim(u.Path, "/")
	cfg.Collation = "utf8mb4_bin"
	cfg.InterpolateParams = true // one round trip instead of three; safe with utf8mb4
	cfg.Timeout = 5 * time.Second
	cfg.ReadTimeout, cfg.WriteTimeout = 15*time.Second, 15*time.Second
	cfg.Logger = discardLogger{}
	cfg.RejectReadOnly = true // after a failover the old server is left, not asked again
	// Nothing is cut off silently, and nobody waits for a lock longer than for a connection.
	cfg.Params = map[string]string{"sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'", "time_zone": "'+00:00'", "innodb_lock_wait_timeout": "5"}
	if u.Query().Get("tls") != "" {
		cfg.TLSConfig = u.Query().Get("tls")
	}
	return cfg, nil
}

// mysqlConnector sets up each connection.
type mysqlConnector struct{ driver.Connector }

func (c mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	set := func(q string) error {
		_, err := conn.(driver.ExecerContext).ExecContext(ctx, q, nil)
		return err
	}
	// READ COMMITTED: no locks on gaps between rows, which is where transactions
	// that insert deadlock. This is the only spelling that MariaDB and MySQL share.
	if err = set("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"); err != nil {
		conn.Close()
		return nil, err
	}
	// The locks of a replica that was stopped in a transaction must not hold up
	// the one that takes over. MySQL knows only the second way.
	err = set("SET SESSION idle_transaction_timeout=3")
	if m := (*mysqldriver.MySQLError)(nil); errors.As(err, &m) {
		err = set("SET SESSION wait_timeout=10")
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// addUp adds rows of keys and sums to a table of sums: a row that is not there
// yet begins with them. Callers give rows in the order of their keys, so that
// transactions that add to the same ones wait for each other in one direction.
func (tx *Tx) addUp(table string, keys, sums []string, rows [][]any) error {
	on, add := "ON CONFLICT ("+strings.Join(keys, ",")+") DO UPDATE SET ", "%[1]s="+table+".%[1]s+excluded.%[1]s"
	if tx.s.kind == mysqlDB {
		on, add = "ON DUPLICATE KEY UPDATE ", "%[1]s=%[1]s+VALUES(%[1]s)"
	}
	set := make([]string, len(sums))
	for i, c := range sums {
		set[i] = fmt.Sprintf(add, c)
	}
	columns := slices.Concat(keys, sums)
	one := "(?" + strings.Repeat(",?", len(columns)-1) + ")"
	for part := range slices.Chunk(rows, 100) {
		q := "INSERT INTO " + table + " (" + strings.Join(columns, ",") + ") VALUES " + one + strings.Repeat(","+one, len(part)-1) + " " + on + strings.Join(set, ",")
		if err := tx.db.Exec(q, slices.Concat(part...)...).Error; err != nil {
			return fmt.Errorf("add to %s: %w", table, err)
		}
	}
	return nil
}

type discardLogger struct{}

func (discardLogger) Print(...any) {}

// retryable tells whether a transaction failed for a reason that a repeat
// cures: deadlock 1213, lock wait 1205, snapshot conflict 1020 (MariaDB 11),
// a connection that broke before the commit was sent.
func retryable(err error) bool {
	var m *mysqldriver.MySQLError
	if errors.As(err, &m) {
		return m.Number == 1213 || m.Number == 1205 || m.Number == 1020
	}
	return errors.Is(err, mysqldriver.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn)
}

// isBusy tells that another process holds the SQLite file.
func isBusy(err error) bool {
	var q *sqlite3.Error
	return errors.As(err, &q) && q.Code()&0xff == sqliteBusy
}

// isBadData tells that the database refused a value, and not the whole call.
func isBadData(err error) bool {
	var m *mysqldriver.MySQLError
	if errors.As(err, &m) {
		return m.Number == 1366 || string(m.SQLState[:2]) == "22"
	}
	return false
}

func isDuplicate(err error) bool {
	var m *mysqldriver.MySQLError
	var q *sqlite3.Error
	switch {
	case errors.Is(err, gorm.ErrDuplicatedKey):
		return true
	case errors.As(err, &m):
		return m.Number == 1062
	case errors.As(err, &q):
		return q.Code() == sqliteUnique || q.Code() == sqlitePrimaryKey
	}
	return false
}
