// Package storetest opens a fresh store for a test, on each database that is
// supported: a SQLite file of its own, and a database of its own in the MySQL
// or MariaDB named by FRONTLINE_TEST_MYSQL_URL.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"

	"frontline/store"
)

// Key is a fixed encryption key for tests.
var Key = []byte("0123456789abcdef0123456789abcdef")

// Skip ends a test that needs something this machine does not have; where
// everything is required (FRONTLINE_TEST_REQUIRE=1), it fails instead.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("FRONTLINE_TEST_REQUIRE") == "1" {
		t.Fatalf("required here, but %s", reason)
	}
	t.Skip(reason)
}

// Each runs a test on every database.
func Each(t *testing.T, fn func(t *testing.T, open func(o store.Options) *store.Store)) {
	EachURL(t, func(t *testing.T, url string) {
		fn(t, func(o store.Options) *store.Store { return Open(t, url, o) })
	})
}

// EachURL is Each for who needs the database itself.
func EachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, SQLite(t)) })
	t.Run("mysql", func(t *testing.T) { fn(t, MySQL(t)) })
}

// Open opens a store on url and closes it after the test.
func Open(t testing.TB, url string, o store.Options) *store.Store {
	t.Helper()
	o.URL = url
	if o.Lease == 0 {
		o.Lease = time.Minute // nobody renews it in a test, however slow the machine is
	}
	if o.Key == nil {
		o.Key = Key
	}
	s, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// SQLite returns the URL of a file that only this test uses.
func SQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "frontline.db")
}

// MySQL makes a database that only this test uses, returns its URL, and drops
// it afterwards.
func MySQL(t testing.TB) string {
	t.Helper()
	base := os.Getenv("FRONTLINE_TEST_MYSQL_URL")
	if base == "" {
		base = "mysql://root@127.0.0.1:3306/"
	}
	u, err := url.Parse(base)
	if err != nil {
		t.Fatalf("FRONTLINE_TEST_MYSQL_URL: %v", err)
	}
	cfg := mysqldriver.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr = "tcp", u.Host
	db, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(); err != nil {
		db.Close()
		Skip(t, "no MySQL or MariaDB answers at "+u.Host+" (FRONTLINE_TEST_MYSQL_URL)")
	}
	var b [6]byte
	rand.Read(b[:])
	name := "frontline_test_" + hex.EncodeToString(b[:])
	// A server whose default is latin1 must not matter: the database says utf8mb4.
	if _, err := db.Exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db.Exec("DROP DATABASE " + name)
		db.Close()
	})
	return strings.TrimSuffix(base, "/") + "/" + name
}
