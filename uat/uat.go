// Package uat is a stand-in for the test systems of a securities house: the
// account system (SOAP), the trading middleware (function calls over HTTP and
// over TCP in GBK), third-party depository (HTTP and JSON) and their database.
// Recipes are tried against it, in the demo and in tests. It imports nothing of
// ours: what it says comes from the papers, not from the code that talks to it.
package uat

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // its database
)

// Options of a stand-in; zero values are usable.
type Options struct {
	Name  string // of the environment, told in X-Env; default uat
	Dir   string // where its database is; it stays between runs
	HTTP  string // address to listen on; default 127.0.0.1:0
	TCP   string
	Slow  time.Duration // until an account is active and an agreement signed
	Quiet bool
}

// Server is a running stand-in.
type Server struct {
	opt    Options
	db     *sql.DB
	http   net.Listener
	tcp    net.Listener
	server *http.Server
	mu     sync.Mutex
	faults []*Fault
	calls  map[string]int
	done   sync.WaitGroup
	closed bool
}

// Fault makes the next calls of an operation go wrong.
type Fault struct {
	Op    string        `json:"op"`    // openCustomer, OPEN_FUND_ACCOUNT, POST /agreements, …; * for every one
	Kind  string        `json:"kind"`  // error (500), fault (business), drop (before), lose (after it was done), slow
	Skip  int           `json:"skip"`  // calls that go well first
	Times int           `json:"times"` // how often; 0 once
	Code  string        `json:"code"`
	Delay time.Duration `json:"delay"`
}

const schema = `
create table if not exists env_marker (env text not null);
create table if not exists customer (cust_no text primary key, req_no text unique, cust_name text, id_no text, mobile text, branch_no text, risk text, status text, opened integer);
create table if not exists fund_account (fund_no text primary key, req_no text unique, cust_no text, branch_no text, sh_acct text, sz_acct text, balance integer, status text, designated text, gem text);
create table if not exists agreement (id text primary key, req_no text unique, fund_no text, bank text, card_no text, id_no text, name text, opened integer, state text);
create table if not exists transfer (req_no text primary key, fund_no text, direction text, cents integer);
create table if not exists bank_account (card_no text primary key, acct_name text, id_no text, balance text, status text);
create table if not exists stock_hold (fund_no text, secu_code text, qty integer, cost_price text, run_key text, primary key (fund_no, secu_code));
create table if not exists stock_account (account text primary key, market text, status text, open_date text);
create index if not exists stock_account_market on stock_account (market, status);
create table if not exists counter (name text primary key, n integer);
`

// Start opens the database and listens.
func Start(opt Options) (*Server, error) {
	if opt.Name == "" {
		opt.Name = "uat"
	}
	for _, a := range []*string{&opt.HTTP, &opt.TCP} {
		if *a == "" {
			*a = "127.0.0.1:0"
		}
	}
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, err
	}
	s := &Server{opt: opt, calls: map[string]int{}}
	var err error
	if s.db, err = sql.Open("sqlite", "file:"+s.File()+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_txlock=immediate"); err != nil {
		return nil, err
	}
	s.db.SetMaxOpenConns(1)
	if _, err = s.db.Exec(schema); err == nil {
		_, err = s.db.Exec("delete from env_marker")
	}
	if err == nil {
		_, err = s.db.Exec("insert into env_marker values (?)", opt.Name)
	}
	if err == nil {
		err = s.seedStatus()
	}
	if err == nil {
		s.http, err = net.Listen("tcp", opt.HTTP)
	}
	if err == nil {
		s.tcp, err = net.Listen("tcp", opt.TCP)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("start the UAT stand-in: %w", err)
	}
	s.server = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	s.done.Go(func() { s.server.Serve(s.http) })
	s.done.Go(s.serveTCP)
	return s, nil
}

// Close stops it.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	if s.server != nil {
		s.server.Close()
	}
	if s.http != nil {
		s.http.Close()
	}
	if s.tcp != nil {
		s.tcp.Close()
	}
	s.done.Wait()
	if s.db != nil {
		s.db.Close()
	}
}

// File is its database.
func (s *Server) File() string { return filepath.Join(s.opt.Dir, "uat.db") }

// URL is where it listens.
func (s *Server) URL() string { return "http://" + s.http.Addr().String() }

// DB is its database, for tests that count.
func (s *Server) DB() *sql.DB { return s.db }

// Environment is the file that tells the engine of this stand-in.
func (s *Server) Environment() string {
	return fmt.Sprintf(`kind: environment
name: %[1]s
title: %[2]s
class: uat
profile: safe
recipes: ["*"]
vars:
  sh_seat: "39201"
dict:
  risk: { 保守型: "1", 稳健型: "2", 积极型: "3" }
  bank: { 滨海银行: "9001", 云山银行: "9002", 江南银行: "9003" }
lists:
  branches: { "3001": 滨江路营业部, "3002": 湖心营业部, "3003": 云山路营业部 }
targets:
  account.ws:
    kind: soap
    address: %[3]s/account
    cidr: [127.0.0.0/8]
    rights: [read, call]
    namespace: urn:example:account
    identify: { header: X-Env }
  depository.api:
    kind: http
    address: %[3]s/depository
    cidr: [127.0.0.0/8]
    rights: [read, call]
    identify: { header: X-Env }
  trade.lbm:
    kind: call
    address: %[3]s/call
    cidr: [127.0.0.0/8]
    rights: [read, call]
    identify: { header: X-Env }
  trade.mid:
    kind: tcp
    address: %[4]s
    cidr: [127.0.0.0/8]
    rights: [read, call]
    charset: gbk
    identify: { func: ENV }
  account.db:
    kind: sqlite
    address: %[5]q
    rights: [read]
    identify: { query: select env from env_marker }
  trade.db:
    kind: sqlite
    address: %[5]q
    rights: [read, sql_write]
    identify: { query: select env from env_marker }
  depository.db:
    kind: sqlite
    address: %[5]q
    rights: [read, sql_write]
    identify: { query: select env from env_marker }
`, s.opt.Name, strings.ToUpper(s.opt.Name)+" 仿真环境", s.URL(), s.tcp.Addr().String(), s.File())
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// Calls is how often an operation arrived.
func (s *Server) Calls(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// arrive counts a call and says what is to go wrong with it.
func (s *Server) arrive(ctx context.Context, op string) *Fault {
	s.mu.Lock()
	s.calls[op]++
	var hit *Fault
	for i, f := range s.faults {
		if f.Op != op && f.Op != "*" {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			break
		}
		c := *f
		hit = &c
		if f.Times--; f.Times == 0 {
			s.faults = append(s.faults[:i], s.faults[i+1:]...)
		}
		break
	}
	s.mu.Unlock()
	if hit != nil && hit.Delay > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(hit.Delay):
		}
	}
	return hit
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "frontline uat", s.opt.Name) })
	mux.HandleFunc("POST /faults", s.addFault)
	mux.HandleFunc("POST /stock-status", s.changeStatus)
	mux.HandleFunc("GET /account", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("POST /account", s.account)
	mux.HandleFunc("GET /call", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("POST /call", s.callHTTP)
	mux.HandleFunc("GET /depository", func(w http.ResponseWriter, _ *http.Request) {})
	mux.HandleFunc("POST /depository/agreements", s.sign)
	mux.HandleFunc("GET /depository/agreements/{id}", s.agreement)
	mux.HandleFunc("DELETE /depository/agreements/{id}", s.unsign)
	mux.HandleFunc("POST /depository/transfers", s.transfer)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Env", s.opt.Name)
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) addFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	if err := json.NewDecoder(r.Body).Decode(&f); err != nil || f.Op == "" {
		http.Error(w, "a fault is {op, kind, skip, times, code, delay}", http.StatusBadRequest)
		return
	}
	s.Inject(f)
	w.WriteHeader(http.StatusNoContent)
}

// drop ends a connection without an answer.
func drop(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if c, _, err := h.Hijack(); err == nil {
			c.Close()
		}
	}
}

// next is a running number that survives.
func next(tx *sql.Tx, name string) (n int64, err error) {
	if _, err = tx.Exec("insert into counter values (?, 1) on conflict (name) do update set n = n + 1", name); err != nil {
		return 0, err
	}
	err = tx.QueryRow("select n from counter where name = ?", name).Scan(&n)
	return n, err
}
