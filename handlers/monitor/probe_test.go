package monitor

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lib/pq"

	"frontline/store/storetest"
)

// probeOf reads the source of an item.
func probeOf(t *testing.T, source string, s *Sources) Probe {
	t.Helper()
	items, faults := Load(map[string][]byte{"x.yaml": []byte("kind: monitor\nname: xx\nschedule: { every: 10m }\nsource: " + source)}, s.Targets)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return items[0].Probe
}

func sources(t *testing.T, targets ...*Target) *Sources {
	s := NewSources(targets, "")
	t.Cleanup(s.Close)
	return s
}

func order(limit time.Duration) Order {
	at := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	return Order{At: at, Timeout: limit, Values: argNames(at, at.AddDate(0, 0, -1), at.AddDate(0, 0, 1))}
}

// A database of each kind, with a statement that is slow there.
func databases(t *testing.T) map[string]*Target {
	out := map[string]*Target{}
	out["sqlite"] = &Target{Name: "db", Kind: "sqlite", URL: "sqlite:" + filepath.Join(t.TempDir(), "x.db")}
	out["mysql"] = &Target{Name: "db", Kind: "mysql", URL: storetest.MySQL(t)}
	if u := postgres(t); u != "" {
		out["postgres"] = &Target{Name: "db", Kind: "postgres", URL: u}
	}
	return out
}

func postgres(t *testing.T) string {
	u := os.Getenv("FRONTLINE_TEST_POSTGRES_URL")
	if u == "" {
		t.Log("no PostgreSQL: FRONTLINE_TEST_POSTGRES_URL is not set")
	}
	return u
}

func writer(t *testing.T, target *Target) *sql.DB {
	t.Helper()
	var db *sql.DB
	var err error
	switch target.Kind {
	case "sqlite":
		db, err = sql.Open("sqlite", "file:"+strings.TrimPrefix(target.URL, "sqlite:"))
	case "mysql":
		db, err = openMySQL(target.URL)
	case "postgres":
		var c *pq.Connector
		if c, err = pq.NewConnector(target.URL); err == nil {
			db = sql.OpenDB(c)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestSQL(t *testing.T) {
	for kind, target := range databases(t) {
		t.Run(kind, func(t *testing.T) {
			db := writer(t, target)
			db.Exec("drop table if exists acct")
			for _, q := range []string{"create table acct (status varchar(20), market varchar(2), open_date varchar(10))", "insert into acct values ('状态异常', 'SH', '2026-03-02'), ('已指定', 'SH', '2026-03-03'), ('已指定', 'SH', '2026-03-03'), ('已指定', 'SZ', '2026-03-03'), ('已指定', 'SH', '2026-03-04')"} {
				if _, err := db.Exec(q); err != nil {
					t.Fatal(err)
				}
			}
			s := sources(t, target)
			p := probeOf(t, `{ sql: { target: db, query: "select status, count(*) as n from acct where market = :m and open_date <= :today and ':m' <> :m group by status order by status", args: { m: SH, today: "${ today }" } } }`, s)
			rows, err := p.Rows(context.Background(), s, order(5*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			table, err := (&Breakdown{Key: "status", Value: "n", Digits: 1}).table(rows)
			if err != nil || fmt.Sprint(table.Lines()) != "[已指定 2 66.7% 状态异常 1 33.3%]" {
				t.Errorf("%v %v", table.Lines(), err)
			}
			// Whatever the account may do, nothing is written.
			w := &sqlProbe{target: "db", query: "insert into acct values ('x', 'SH', '')"}
			if _, err := w.Rows(context.Background(), s, order(5*time.Second)); err == nil {
				t.Error("a monitor wrote")
			}
			var n int
			if err := db.QueryRow("select count(*) from acct").Scan(&n); err != nil || n != 5 {
				t.Errorf("%d rows, %v", n, err)
			}
			bad := &sqlProbe{target: "db", query: "select nothing_such from acct"}
			if _, err := bad.Rows(context.Background(), s, order(5*time.Second)); err == nil || !strings.Contains(err.Error(), "nothing_such") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A slow query is ended by the server itself, and is gone from its list.
func TestSlowQueryIsGone(t *testing.T) {
	slow := map[string]string{
		"sqlite":   "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as n from n where i < 0",
		"mysql":    "select count(*) as n, 'slow-one' as mark from information_schema.collations a, information_schema.collations b, information_schema.collations c, information_schema.collations d where md5(concat(a.id, b.id, c.id, d.id)) = 'x'",
		"postgres": "select count(*) as n, pg_sleep(60) as b, 'slow-one' as mark",
	}
	list := map[string]string{
		"mysql":    "select count(*) from information_schema.processlist where info like '%slow-one%' and id <> connection_id()",
		"postgres": "select count(*) from pg_stat_activity where query like '%slow-one%' and state = 'active' and pid <> pg_backend_pid()",
	}
	for kind, target := range databases(t) {
		t.Run(kind, func(t *testing.T) {
			if kind == "sqlite" {
				writer(t, target).Exec("create table x (y int)")
			}
			s := sources(t, target)
			p := &sqlProbe{target: "db", query: slow[kind]}
			began := time.Now()
			_, err := p.Rows(context.Background(), s, order(time.Second))
			took := time.Since(began)
			if err == nil || !strings.Contains(err.Error(), "SQL 超过 1s 没有完成") {
				t.Errorf("%v", err)
			}
			if took > 4*time.Second {
				t.Errorf("it took %s", took)
			}
			if list[kind] == "" {
				return
			}
			var n int
			if err := writer(t, target).QueryRow(list[kind]).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d still run there, %v", n, err)
			}
			// The limit was the server's: our own would have come two seconds later.
			if took > time.Second+grace-200*time.Millisecond {
				t.Errorf("it took %s: who ended it?", took)
			}
		})
	}
}

func TestHTTP(t *testing.T) {
	var asked string
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization")
		switch r.URL.Path {
		case "/bad":
			w.WriteHeader(503)
		case "/moved":
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		default:
			io.WriteString(w, `{"items":[{"state":"挂起","count":3},{"state":"完成","count":997}],"queue":{"length":12345678901234567}}`)
		}
	}))
	defer srv.Close()
	s := sources(t, &Target{Name: "web", Kind: "http", URL: srv.URL + "/base/", Token: "let-me-in"})
	s.client = srv.Client()
	s.client.CheckRedirect = newClient().CheckRedirect
	run := func(source string) ([]Row, error) {
		return probeOf(t, source, s).Rows(context.Background(), s, order(5*time.Second))
	}
	rows, err := run(`{ http: { target: web, path: /x, rows: body.items } }`)
	if err != nil || len(rows) != 2 || rows[0]["count"] != 3 || asked != "GET /base/x Bearer let-me-in" {
		t.Errorf("%v %v after %s", rows, err, asked)
	}
	if rows, err = run(`{ http: { target: web, rows: "[{'n': body.queue.length}]" } }`); err != nil || rows[0]["n"] != 12345678901234567 {
		t.Errorf("%v %v", rows, err)
	}
	rows, err = run(`{ http: { url: "` + srv.URL + `/ok", contains: 挂起 } }`)
	if err != nil || rows[0]["up"] != true || rows[0]["status"] != 200 || rows[0]["days_left"].(int) < 100 || !strings.HasSuffix(asked, "/ok ") {
		t.Errorf("%v %v after %q: a token goes to its own source only", rows, err, asked)
	}
	for _, bad := range []string{"/bad", "/ok\", contains: \"不存在"} {
		if rows, err := run(`{ http: { url: "` + srv.URL + bad + `" } }`); err != nil || rows[0]["up"] != false {
			t.Errorf("%s: %v %v", bad, rows, err)
		}
	}
	if rows, err := run(`{ http: { url: "` + srv.URL + `/moved", status: 302 } }`); err != nil || rows[0]["up"] != true {
		t.Errorf("%v %v", rows, err)
	}
	if _, err := run(`{ http: { url: "` + srv.URL + `/bad", rows: body.items } }`); err == nil || err.Error() != "回答是 503" {
		t.Errorf("%v", err)
	}
	srv.Close()
	if rows, err := run(`{ http: { target: web } }`); err != nil || rows[0]["up"] != 0 {
		t.Errorf("%v %v", rows, err)
	}
	if _, err := run(`{ http: { target: web, rows: body } }`); err == nil || err.Error() != "连不上" {
		t.Errorf("%v", err)
	}
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "220 ready\r\n")
			c.Close()
		}
	}()
	s := sources(t)
	for source, up := range map[string]int{
		`{ tcp: { address: "` + l.Addr().String() + `", expect: "220 ready" } }`: 1,
		`{ tcp: { address: "` + l.Addr().String() + `", expect: "554" } }`:       0,
		`{ tcp: { address: "127.0.0.1:1" } }`:                                    0,
	} {
		rows, err := probeOf(t, source, s).Rows(context.Background(), s, order(2*time.Second))
		if err != nil || rows[0]["up"] != up {
			t.Errorf("%s: %v %v", source, rows, err)
		}
	}
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), mode); err != nil {
			t.Fatal(err)
		}
		os.Chmod(filepath.Join(dir, name), mode)
	}
	t.Setenv("FRONTLINE_API_TOKEN", "a-secret-of-ours")
	write("ok", `echo '[{"state":"积压","n":7},{"state":"'"$1$FRONTLINE_API_TOKEN"'","n":1}]'`, 0o755)
	write("bad", "echo 磁盘满了 >&2; exit 3", 0o755)
	write("slow", "sleep 100 & sleep 100", 0o755)
	write("open", "echo []", 0o777)
	write("plain", "echo []", 0o644)
	write("much", "yes", 0o755)
	s := NewSources(nil, dir)
	defer s.Close()
	run := func(file string) ([]Row, error) {
		return probeOf(t, `{ command: { file: `+file+`, args: [完成] } }`, s).Rows(context.Background(), s, order(time.Second))
	}
	rows, err := run("ok")
	if err != nil || len(rows) != 2 || rows[0]["n"] != 7 || rows[1]["state"] != "完成" {
		t.Errorf("%v %v", rows, err)
	}
	for file, want := range map[string]string{"bad": "脚本失败：磁盘满了", "slow": "超过 1s", "open": "谁都能改", "plain": "不能执行", "none": "没有脚本", "much": "脚本"} {
		began := time.Now()
		if _, err := run(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s took %s", file, took)
		}
	}
}
