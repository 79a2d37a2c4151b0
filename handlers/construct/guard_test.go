package construct

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"frontline/store"
	"frontline/store/storetest"
)

// only is a guard with one layer on.
func only(layer int) *Guard {
	g := &Guard{off: map[int]bool{}}
	for l := 1; l <= 9; l++ {
		g.off[l] = l != layer
	}
	return g
}

// forbidden is a listener that nothing may reach.
func forbidden(t *testing.T) (addr string, hits *atomic.Int64) {
	hits = &atomic.Int64{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			hits.Add(1)
			c.Close()
		}
	}()
	return l.Addr().String(), hits
}

func wantLayer(t *testing.T, err error, layer int) {
	t.Helper()
	var f Forbidden
	if !errors.As(err, &f) || f.Layer != layer {
		t.Errorf("wanted a refusal of layer %d, have %v", layer, err)
	}
}

// oneTarget is a caller for one target with one right.
func oneTarget(g *Guard, t *Target) (*caller, *request) {
	rec := &Recipe{Name: "x-x", Environments: []string{"uat"}}
	e := &Environment{Name: "uat", Class: "uat", Recipes: []string{"*"}, Profile: "safe", Targets: map[string]*Target{t.Name: t}}
	return newCaller(g, e), &request{Kind: "http", Target: t.Name, Method: "GET", Path: "/", Read: true, recipe: rec}
}

var anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

func TestLayerAddressesInRecipes(t *testing.T) { // 1; more in TestBrokenRecipes
	p := Param{Label: "备注", Type: "string"}
	for _, v := range []string{"http://a.example.com", "10.1.2.3", "::ffff:10.0.0.1", "u@tcp(db:3306)/x"} {
		if _, err := p.coerce(v); err == nil {
			t.Errorf("%s passed as a value", v)
		}
	}
	addr, hits := forbidden(t)
	c, q := oneTarget(only(0), &Target{Name: "a", Kind: "http", Address: "http://127.0.0.1:9/base", CIDR: anywhere, Rights: []string{"read"}, Rate: 100})
	for _, path := range []string{"//" + addr + "/x", "/../x", "/a@" + addr, "http://" + addr, `/\` + addr} {
		q.Path = path
		if _, err := c.send(context.Background(), q); err == nil || hits.Load() != 0 {
			t.Errorf("path %s: %v", path, err)
		}
	}
}

func TestLayerAllowList(t *testing.T) { // 2
	u := startUAT(t)
	for _, change := range []func(string) string{
		func(s string) string { return strings.Replace(s, "class: uat", "class: prod", 1) },
		func(s string) string { return strings.Replace(s, "class: uat", "class: 生产", 1) },
	} {
		if _, faults := ReadEnvironment("x.yaml", []byte(change(u.Environment()))); len(faults) == 0 {
			t.Error("production is a class")
		}
	}
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u, func(s string) string { return strings.Replace(s, `recipes: ["*"]`, "recipes: [open-full]", 1) })
	if _, err := e.Check(Order{Recipe: e.Library().Find("open-account"), Params: map[string]any{"branch": "3001"}, Requester: tester}); err == nil {
		t.Error("a recipe that the environment does not take")
	}
	// As a part of one that it takes, neither.
	e.Guard = only(layerAllow)
	if r, items := e.test(t, "open-full", nil, 1); r.State != store.RunFailed || !strings.Contains(items[0].Fault, "防线 2") {
		t.Errorf("%s %s", r.State, items[0].Fault)
	}
	addr, hits := forbidden(t)
	c, q := oneTarget(only(layerAllow), &Target{Name: "a", Kind: "http", Address: "http://" + addr, CIDR: anywhere, Rights: []string{"read"}, Rate: 100})
	q.Method, q.Read = "POST", false
	_, err := c.send(context.Background(), q)
	wantLayer(t, err, layerAllow)
	c.env.Class = "prod"
	q.Read = true
	_, err = c.send(context.Background(), q)
	wantLayer(t, err, layerAllow)
	if hits.Load() != 0 {
		t.Error("something was sent")
	}
}

func TestLayerDenyList(t *testing.T) { // 3
	addr, hits := forbidden(t)
	g := only(layerDeny)
	g.DenyCIDR = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	c, q := oneTarget(g, &Target{Name: "a", Kind: "http", Address: "http://" + addr, CIDR: anywhere, Rights: []string{"read"}, Rate: 100})
	_, err := c.send(context.Background(), q)
	wantLayer(t, err, layerDeny)
	_, port, _ := net.SplitHostPort(addr)
	g.DenyCIDR, g.DenyHosts = nil, []string{"*.prod.example.com", "LOCALHOST"}
	c, q = oneTarget(g, &Target{Name: "a", Kind: "http", Address: "http://localhost:" + port, CIDR: anywhere, Rights: []string{"read"}, Rate: 100})
	_, err = c.send(context.Background(), q)
	wantLayer(t, err, layerDeny)
	if err := g.Host("db1.Prod.example.com."); err == nil {
		t.Error("a host of the deny list passed")
	}
	if hits.Load() != 0 {
		t.Error("something was sent")
	}
}

func TestLayerDialer(t *testing.T) { // 4
	addr, hits := forbidden(t)
	_, port, _ := net.SplitHostPort(addr)
	ten := []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}
	for _, c := range []struct{ kind, address string }{
		{"http", "http://" + addr}, {"soap", "http://localhost:" + port}, {"http", "http://[::ffff:127.0.0.1]:" + port}, {"mysql", addr + "/x"}, {"tcp", addr},
	} {
		call, q := oneTarget(only(layerDial), &Target{Name: "a", Kind: c.kind, Address: c.address, CIDR: ten, Rights: []string{"read"}, Rate: 100})
		switch c.kind {
		case "mysql":
			q.Kind, q.SQL = "sql", "select 1"
		case "tcp":
			q.Kind, q.Func = "call", "ENV"
		case "soap":
			q.Kind, q.Op = "soap", "query"
		}
		_, err := call.send(context.Background(), q)
		wantLayer(t, err, layerDial)
	}
	// Proxy variables do not lead elsewhere, and options in an address are refused.
	t.Setenv("HTTP_PROXY", "http://"+addr)
	t.Setenv("http_proxy", "http://"+addr)
	call, q := oneTarget(only(layerDial), &Target{Name: "a", Kind: "http", Address: "http://192.0.2.1:9", CIDR: ten, Rights: []string{"read"}, Rate: 100})
	_, err := call.send(context.Background(), q)
	wantLayer(t, err, layerDial)
	call, q = oneTarget(only(layerDial), &Target{Name: "a", Kind: "mysql", Address: "10.20.0.1:3306/x?allowAllFiles=true", CIDR: ten, Rights: []string{"read"}, Rate: 100})
	q.Kind, q.SQL = "sql", "select 1"
	if _, err := call.send(context.Background(), q); err == nil {
		t.Error("options in an address")
	}
	if hits.Load() != 0 {
		t.Errorf("%d connections arrived", hits.Load())
	}
	if g := only(layerDial); g.Addr(&Target{CIDR: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, "[::ffff:127.0.0.1]:80") != nil {
		t.Error("a mapped address of an allowed network is refused")
	}
}

func TestLayerRedirect(t *testing.T) { // 5
	addr, hits := forbidden(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+addr+"/", http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	c, q := oneTarget(only(layerRedirect), &Target{Name: "a", Kind: "http", Address: s.URL, CIDR: anywhere, Rights: []string{"read"}, Rate: 100})
	_, err := c.send(context.Background(), q)
	wantLayer(t, err, layerRedirect)
	if hits.Load() != 0 {
		t.Error("the redirect was followed")
	}
}

func TestLayerIdentity(t *testing.T) { // 6
	asked := &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			asked.Add(1)
		}
		if e := r.URL.Query().Get("env"); e != "" {
			w.Header().Set("X-Env", e)
		}
	}))
	defer s.Close()
	for _, addr := range []string{s.URL + "?env=prod", s.URL + "?env=sit", s.URL} {
		c, q := oneTarget(only(layerIdentity), &Target{Name: "a", Kind: "http", Address: addr, CIDR: anywhere, Rights: []string{"read", "call"}, Rate: 100, Header: "X-Env"})
		q.Method, q.Read = "POST", false
		_, err := c.send(context.Background(), q)
		wantLayer(t, err, layerIdentity)
	}
	if asked.Load() != 0 {
		t.Error("a system without the right marker was written to")
	}
	// A wrong database that answers is refused all the same.
	u := startUAT(t)
	if _, err := u.DB().Exec("update env_marker set env = 'prod'"); err != nil {
		t.Fatal(err)
	}
	c, q := oneTarget(only(layerIdentity), &Target{Name: "a", Kind: "sqlite", Address: u.File(), Rights: []string{"sql_write"}, Rate: 100, Query: "select env from env_marker"})
	q.Kind, q.SQL, q.Read = "sql", "delete from customer where cust_no = '1'", false
	_, err := c.send(context.Background(), q)
	wantLayer(t, err, layerIdentity)
}

func TestLayerData(t *testing.T) { // 7
	addr, hits := forbidden(t)
	for _, v := range []string{"11010519491231002X", "13800138000", "4111111111111111", "名字 440524188001010014 完"} {
		c, q := oneTarget(only(layerData), &Target{Name: "a", Kind: "http", Address: "http://" + addr, CIDR: anywhere, Rights: []string{"call"}, Rate: 100})
		q.Method, q.Read, q.JSON = "POST", false, Ordered{{"x", v}}
		_, err := c.send(context.Background(), q)
		wantLayer(t, err, layerData)
	}
	if hits.Load() != 0 {
		t.Error("something was sent")
	}
	g := only(layerData)
	for _, v := range []string{"990000199001010017", "14212345678", "9999990000000000014"} {
		if err := g.Data("safe", `{"x":"`+v+`"}`); err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
}

func TestLayerRights(t *testing.T) { // 8
	for _, q := range []string{"drop table customer", "truncate customer", "select 1; drop table x", "delete from customer", "update customer set a = 1", "select 1 into outfile '/x'", "insert into a values (1) -- x", "alter table x add y int", "grant all on x to y"} {
		if err := checkStatement(q, false); err == nil {
			t.Errorf("%s passed", q)
		}
	}
	// The database refuses by itself: an account with rights on one table only.
	full := storetest.MySQL(t)
	u, err := url.Parse(full)
	if err != nil {
		t.Fatal(err)
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr, cfg.DBName = u.User.Username(), "tcp", u.Host, strings.Trim(u.Path, "/")
	cfg.Passwd, _ = u.User.Password()
	db, err := sql.Open("mysql", cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	user := "fl_" + cfg.DBName[len(cfg.DBName)-12:]
	for _, q := range []string{"create table env_marker (env varchar(20))", "insert into env_marker values ('uat')", "create table mine (id varchar(20) primary key, amount decimal(30,2))", "create table theirs (id int)",
		"create user '" + user + "'@'%' identified by 'testpass1'", "grant select on env_marker to '" + user + "'@'%'", "grant select, insert, update, delete on mine to '" + user + "'@'%'"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(q, err)
		}
	}
	defer db.Exec("drop user '" + user + "'@'%'")
	c, q := oneTarget(only(0), &Target{Name: "a", Kind: "mysql", Address: u.Host + "/" + cfg.DBName, User: user, Secret: "testpass1", CIDR: anywhere, Rights: []string{"read", "sql_write"}, Rate: 100, Query: "select env from env_marker"})
	defer c.close()
	q.Kind, q.Read = "sql", false
	for _, stmt := range []string{"drop table mine", "delete from theirs where id = 1", "alter table mine add x int"} {
		q.SQL = stmt
		_, err := c.send(context.Background(), q)
		wantLayer(t, err, layerRights)
	}
	// What it may do works, and no digit of an amount or a long number is lost.
	q.SQL, q.Args = "insert into mine (id, amount) values (:id, :a)", Ordered{{"id", "622848001234567890"}, {"a", "1234567890123456789012345.67"}}
	if _, err := c.send(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	q.SQL, q.Args, q.Read, q.MaxRows = "select id, amount from mine where id = :id", Ordered{{"id", "622848001234567890"}}, true, 10
	resp, err := c.send(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	row := resp["rows"].([]any)[0].(map[string]any)
	if row["id"] != "622848001234567890" || row["amount"] != "1234567890123456789012345.67" {
		t.Errorf("%v", row)
	}
	// A write is refused where the step says it reads.
	q.SQL = "insert into mine (id) values ('2')"
	if _, err := c.send(context.Background(), q); err == nil {
		t.Error("a reading step wrote")
	}
}

func TestLayerZone(t *testing.T) { // 9
	for _, z := range []string{"prod", "PROD", " production ", "生产"} {
		if _, err := Open(Options{Zone: z, Recipes: &Library{}}); !errors.Is(err, ErrZone) {
			t.Errorf("zone %q: %v", z, err)
		}
	}
}

func TestRate(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	c, q := oneTarget(only(0), &Target{Name: "a", Kind: "http", Address: s.URL, CIDR: anywhere, Rights: []string{"read"}, Rate: 50})
	began := time.Now()
	for range 6 {
		if _, err := c.send(context.Background(), q); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(began); d < 80*time.Millisecond {
		t.Errorf("6 calls at 50 a second took %s", d)
	}
}
