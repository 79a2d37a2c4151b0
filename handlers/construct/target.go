package construct

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"frontline/handlers/spec"

	"github.com/go-sql-driver/mysql"
	"golang.org/x/text/encoding/simplifiedchinese"
	_ "modernc.org/sqlite" // SQLite targets
)

// maxBody is how much of an answer is read.
const maxBody = 8 << 20

// caller is one environment's targets, connected for as long as the program runs.
type caller struct {
	guard *Guard
	env   *Environment
	mu    sync.Mutex
	open  map[string]*conn
}

type conn struct {
	t      *Target
	client *http.Client
	db     *sql.DB
	turn   chan struct{} // the rate: a token each 1/rate seconds
	seen   bool          // the identity probe has passed
}

func newCaller(g *Guard, e *Environment) *caller {
	return &caller{guard: g, env: e, open: map[string]*conn{}}
}

// Fail is a call that did not do what it should. Class decides about retries.
type Fail struct {
	Class string // connect, timeout, http_5xx, http_429, soap_fault:…, deadlock, other
	Text  string // plain words, nothing personal
	Sent  bool   // the other side may have acted
	Body  map[string]any
}

func (f *Fail) Error() string { return f.Text }

func (c *caller) conn(t *Target) (*conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.open[t.Name]; k != nil {
		return k, nil
	}
	k := &conn{t: t}
	dial := c.guard.dialer(t)
	switch t.Kind {
	case "http", "soap", "call":
		k.client = &http.Client{
			Transport: &http.Transport{Proxy: nil, DialContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, ResponseHeaderTimeout: 60 * time.Second, TLSHandshakeTimeout: 5 * time.Second},
			CheckRedirect: func(req *http.Request, via []*http.Request) error {
				if c.guard.on(layerRedirect) && req.URL.Host != via[0].URL.Host {
					return Forbidden{layerRedirect, "目标 " + t.Name + " 要转到别的主机"}
				}
				if len(via) > 3 {
					return errors.New("转来转去")
				}
				return nil
			}}
	case "mysql":
		u, err := url.Parse("mysql://" + t.Address)
		if err != nil || len(u.Query()) > 0 {
			return nil, Forbidden{layerAllow, "目标 " + t.Name + " 的地址写成 host:3306/库名，不带别的"}
		}
		cfg := mysql.NewConfig()
		cfg.User, cfg.Passwd, cfg.Net, cfg.Addr, cfg.DBName = t.User, t.Secret, "tcp", u.Host, strings.Trim(u.Path, "/")
		cfg.DialFunc = dial
		cfg.MultiStatements, cfg.InterpolateParams, cfg.ReadTimeout, cfg.Timeout = false, false, 60*time.Second, 5*time.Second
		cfg.ClientFoundRows = true
		conn, err := mysql.NewConnector(cfg)
		if err != nil {
			return nil, err
		}
		k.db = sql.OpenDB(conn)
		k.db.SetMaxOpenConns(8)
		k.db.SetConnMaxIdleTime(time.Minute)
	case "sqlite":
		db, err := sql.Open("sqlite", "file:"+t.Address+"?_pragma=busy_timeout(5000)")
		if err != nil {
			return nil, err
		}
		db.SetMaxOpenConns(1)
		k.db = db
	}
	c.open[t.Name] = k
	return k, nil
}

// fresh makes every target prove again which environment it is: at the start of
// each run.
func (c *caller) fresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.open {
		k.seen = false
	}
}

func (c *caller) close() {
	for _, k := range c.open {
		if k.db != nil {
			k.db.Close()
		}
		if k.client != nil {
			k.client.CloseIdleConnections()
		}
	}
}

// pace waits for the target's rate.
func (c *caller) pace(ctx context.Context, k *conn) error {
	c.mu.Lock()
	if k.turn == nil {
		k.turn = make(chan struct{}, 1)
		k.turn <- struct{}{}
	}
	c.mu.Unlock()
	select {
	case <-k.turn:
		time.AfterFunc(time.Second/time.Duration(max(1, k.t.Rate)), func() { k.turn <- struct{}{} })
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// identify asks a target which environment it is. A system without a marker, or
// with another one, is not touched, even when it answers.
func (c *caller) identify(ctx context.Context, k *conn) error {
	if k.seen || !c.guard.on(layerIdentity) {
		return nil
	}
	got, err := c.marker(ctx, k)
	if err != nil {
		return err
	}
	if got != c.env.Name {
		return Forbidden{layerIdentity, fmt.Sprintf("目标 %s 说自己是「%s」，不是 %s", k.t.Name, clip(got, 20), c.env.Name)}
	}
	c.mu.Lock()
	k.seen = true
	c.mu.Unlock()
	return nil
}

func (c *caller) marker(ctx context.Context, k *conn) (string, error) {
	t := k.t
	switch {
	case k.db != nil && t.Query != "":
		var v string
		err := k.db.QueryRowContext(ctx, t.Query).Scan(&v)
		return v, sqlFail(err)
	case k.client != nil && t.Header != "":
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Address, nil)
		if err != nil {
			return "", err
		}
		resp, err := k.client.Do(req)
		if err != nil {
			return "", netFail(err)
		}
		io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody))
		resp.Body.Close()
		return resp.Header.Get(t.Header), nil
	case t.Kind == "tcp" && t.Func != "":
		resp, err := c.tcp(ctx, t, t.Func, nil)
		if err != nil {
			return "", err
		}
		return textOf(resp["msg"]), nil
	}
	return "", Forbidden{layerIdentity, "目标 " + t.Name + " 没有环境标记"}
}

// send does one rendered action and returns what came back.
func (c *caller) send(ctx context.Context, q *request) (map[string]any, error) {
	right := "call"
	if q.Read {
		right = "read"
	} else if q.Kind == "sql" {
		right = "sql_write"
	}
	if right == "read" && c.env.Targets[q.Target] != nil && !c.env.Targets[q.Target].May("read") {
		right = "call"
	}
	t, err := c.guard.Allowed(c.env, q.recipe, q.Target, right)
	if err != nil {
		return nil, err
	}
	if !q.Read {
		raw, _ := json.Marshal(q.Body())
		if err := c.guard.Data(c.env.Profile, string(raw)); err != nil {
			return nil, err
		}
	}
	k, err := c.conn(t)
	if err != nil {
		return nil, err
	}
	if err := c.identify(ctx, k); err != nil {
		return nil, err
	}
	if err := c.pace(ctx, k); err != nil {
		return nil, err
	}
	switch {
	case q.Kind == "http" && k.client != nil:
		return c.http(ctx, k, q)
	case q.Kind == "soap" && k.client != nil:
		return c.soap(ctx, k, q)
	case q.Kind == "call" && t.Kind == "tcp":
		return c.tcp(ctx, t, q.Func, q.In)
	case q.Kind == "call" && k.client != nil:
		return c.call(ctx, k, q)
	case q.Kind == "sql" && k.db != nil:
		return c.sql(ctx, k, q)
	}
	return nil, Forbidden{layerAllow, "目标 " + t.Name + " 不是 " + q.Kind + " 用的"}
}

func netFail(err error) error {
	var f Forbidden
	var n net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &op) && op.Op == "dial":
		return &Fail{Class: "connect", Text: "连不上"}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &n) && n.Timeout():
		return &Fail{Class: "timeout", Text: "接口超时", Sent: true}
	}
	return &Fail{Class: "broken", Text: "连接断了，没有等到回答", Sent: true}
}

func (c *caller) do(k *conn, req *http.Request) (status int, header http.Header, body []byte, err error) {
	if k.t.User != "" {
		req.SetBasicAuth(k.t.User, k.t.Secret)
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return 0, nil, nil, netFail(err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return 0, nil, nil, netFail(err)
	}
	if len(body) > maxBody {
		return 0, nil, nil, &Fail{Class: "other", Text: fmt.Sprintf("回答超过 %d MB", maxBody>>20), Sent: true}
	}
	if c.guard.on(layerIdentity) && k.t.Header != "" && resp.Header.Get(k.t.Header) != c.env.Name {
		return 0, nil, nil, Forbidden{layerIdentity, "目标 " + k.t.Name + " 的回答没有本环境的标记"}
	}
	return resp.StatusCode, resp.Header, body, nil
}

func (c *caller) http(ctx context.Context, k *conn, q *request) (map[string]any, error) {
	base, err := url.Parse(k.t.Address)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(q.Path, "/") || strings.HasPrefix(q.Path, "//") || strings.Contains(q.Path, "..") || strings.ContainsAny(q.Path, "\\?#@ \r\n") {
		return nil, Forbidden{layerAllow, "路径应以 / 开头，不能带别的主机"}
	}
	u := *base
	u.Path = strings.TrimSuffix(base.Path, "/") + q.Path
	vals := url.Values{}
	for _, p := range q.Query {
		vals.Set(p.Key, textOf(p.Val))
	}
	u.RawQuery = vals.Encode()
	var body io.Reader
	kind := ""
	switch {
	case q.JSON != nil:
		b, err := json.Marshal(q.JSON)
		if err != nil {
			return nil, err
		}
		body, kind = bytes.NewReader(b), "application/json"
	case q.Form != nil:
		f := url.Values{}
		for _, p := range q.Form {
			f.Set(p.Key, textOf(p.Val))
		}
		body, kind = strings.NewReader(f.Encode()), "application/x-www-form-urlencoded"
	case q.Text != "":
		body, kind = strings.NewReader(q.Text), "text/plain; charset=utf-8"
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for _, h := range q.Headers {
		if strings.EqualFold(h.Key, "host") {
			continue
		}
		req.Header.Set(h.Key, textOf(h.Val))
	}
	began := time.Now()
	status, header, raw, err := c.do(k, req)
	if err != nil {
		return nil, err
	}
	if strings.Contains(strings.ToLower(header.Get("Content-Type")), "gbk") || k.t.GBK {
		if d, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw); err == nil {
			raw = d
		}
	}
	out := map[string]any{"status": status, "text": string(raw), "ms": int(time.Since(began).Milliseconds()), "json": nil, "headers": map[string]any{"location": header.Get("Location")}}
	if v, err := decodeJSON(raw); err == nil {
		out["json"] = v
	}
	switch {
	case status >= 500 && !q.Any:
		return out, &Fail{Class: "http_5xx", Text: fmt.Sprintf("接口回答 %d", status), Sent: true, Body: out}
	case status == 429 && !q.Any:
		return out, &Fail{Class: "http_429", Text: "接口说太快了（429）", Body: out}
	case !q.Any && len(q.OK) > 0 && !slices.Contains(q.OK, status), !q.Any && len(q.OK) == 0 && status >= 400:
		return out, &Fail{Class: "http_" + strconv.Itoa(status), Text: fmt.Sprintf("接口回答 %d", status), Body: out}
	}
	return out, nil
}

func sqlFail(err error) error {
	var f Forbidden
	var m *mysql.MySQLError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	case errors.As(err, &m) && (m.Number == 1213 || m.Number == 1205):
		return &Fail{Class: "deadlock", Text: "数据库死锁"}
	case errors.As(err, &m) && (m.Number == 1142 || m.Number == 1044 || m.Number == 1143):
		return Forbidden{layerRights, fmt.Sprintf("数据库没有给这个权限（%d）", m.Number)}
	case errors.As(err, &m):
		return &Fail{Class: "code:" + strconv.Itoa(int(m.Number)), Text: fmt.Sprintf("数据库报错 %d", m.Number)}
	case errors.Is(err, context.DeadlineExceeded):
		return &Fail{Class: "timeout", Text: "SQL 超时", Sent: true}
	case errors.Is(err, sql.ErrNoRows):
		return &Fail{Class: "other", Text: "没有查到"}
	}
	return &Fail{Class: "other", Text: "SQL 没有成功", Sent: true}
}

func (c *caller) sql(ctx context.Context, k *conn, q *request) (map[string]any, error) {
	if c.guard.on(layerRights) {
		if err := checkStatement(q.SQL, q.Read); err != nil {
			return nil, Forbidden{layerRights, err.Error()}
		}
	}
	query, args, err := bindNames(q.SQL, q.Args)
	if err != nil {
		return nil, err
	}
	tx, err := k.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: q.Read && k.t.Kind == "mysql"})
	if err != nil {
		return nil, sqlFail(err)
	}
	defer tx.Rollback()
	if !q.Read {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return nil, sqlFail(err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return nil, sqlFail(err)
		}
		if err := tx.Commit(); err != nil {
			return nil, &Fail{Class: "broken", Text: "提交没有等到回答", Sent: true}
		}
		return map[string]any{"affected": int(n), "rows": []any{}}, nil
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, sqlFail(err)
	}
	defer rows.Close()
	out, err := readRows(rows, q.MaxRows)
	return map[string]any{"rows": out, "affected": 0}, sqlFail(err)
}

// readRows gives texts as they stand in the database: amounts keep their digits.
func readRows(rows *sql.Rows, most int) ([]any, error) {
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	out := []any{}
	for rows.Next() && len(out) < most {
		cells := make([]any, len(cols))
		to := make([]any, len(cols))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		row := map[string]any{}
		for i, c := range cols {
			switch v := cells[i].(type) {
			case []byte:
				row[c] = string(v)
			case int64:
				row[c] = int(v)
			case float64:
				row[c] = strconv.FormatFloat(v, 'f', -1, 64)
			case float32:
				row[c] = strconv.FormatFloat(float64(v), 'f', -1, 32)
			case time.Time:
				row[c] = v.Format("2006-01-02 15:04:05")
			default:
				row[c] = v
			}
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// bindNames turns :name into ? and puts the arguments in order.
func bindNames(q string, args Ordered) (string, []any, error) {
	query, names, err := spec.Bind(q, func(int) string { return "?" })
	if err != nil {
		return "", nil, err
	}
	out := make([]any, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(args, func(p Pair) bool { return p.Key == name })
		if i < 0 {
			return "", nil, fmt.Errorf("SQL 里的 :%s 没有值", name)
		}
		switch v := args[i].Val.(type) {
		case nil, int, bool, string:
			out = append(out, v)
		default:
			out = append(out, textOf(v))
		}
	}
	return query, out, nil
}
