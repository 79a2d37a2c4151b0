package construct

import (
	"bufio"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	osexec "os/exec"
	"strings"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// TestForeignTargets makes and takes back data at a JSON API and in a database
// that nobody here wrote: json-server and MariaDB.
func TestForeignTargets(t *testing.T) {
	dbURL, err := url.Parse(storetest.MySQL(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", fmt.Sprintf("%s@tcp(%s)%s", dbURL.User, dbURL.Host, dbURL.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{"CREATE TABLE env_marker (env VARCHAR(20))", "INSERT INTO env_marker VALUES ('interop')", "CREATE TABLE card (cust BIGINT, name VARCHAR(40), limit_amt DECIMAL(16,2))"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := osexec.Command("node", "rest.js")
	cmd.Dir, cmd.Stderr = npmFolder(t), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); cmd.Wait() }()
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the server says no port")
	}
	env, faults := ReadEnvironment("interop.yaml", []byte(fmt.Sprintf(`kind: environment
name: interop
class: uat
recipes: ["*"]
targets:
  customer.api: { kind: http, address: "http://127.0.0.1:%s", cidr: [127.0.0.0/8], rights: [read, call], identify: { header: X-Env } }
  card.db: { kind: mysql, address: "%s%s", cidr: [127.0.0.0/8], rights: [read, sql_write], user: %q, identify: { query: select env from env_marker } }
`, lines.Text(), dbURL.Host, dbURL.Path, dbURL.User.Username())))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	lib, faults := Load(map[string][]byte{"foreign.yaml": []byte(`kind: recipe
name: foreign
version: 1
title: 客户与额度
environments: [interop]
roles: { run: [tester] }
count: { default: 1, max: 5 }
params:
  - { name: name, label: 姓名, type: string, generator: person.name }
steps:
  - id: make
    title: 建客户
    http: { target: customer.api, method: POST, path: /customers, json: { name: "${ params.name }", amount: "1000.10" } }
    expect:
      - that: resp.status == 201
        say: 没有建成
    save: { id: resp.json.id }
    undo:
      http: { target: customer.api, method: DELETE, path: "/customers/${ steps.make.id }", ok: [200, 404] }
  - id: look
    title: 查得到
    http: { target: customer.api, method: GET, path: "/customers/${ steps.make.id }" }
    expect:
      - that: resp.json.name == params.name and resp.json.amount == "1000.10"
        say: 查到的不是它
  - id: card
    title: 给额度
    sql: { target: card.db, query: "insert into card (cust, name, limit_amt) values (:c, :n, :a)", args: { c: "${ steps.make.id }", n: "${ params.name }", a: "${ decimal('12345678901234.56') }" } }
    expect:
      - { that: resp.affected == 1, say: 没有写进去 }
    undo:
      sql: { target: card.db, query: "delete from card where cust = :c", args: { c: "${ steps.make.id }" } }
  - id: read
    title: 读回额度
    sql: { target: card.db, read: true, query: "select name, limit_amt from card where cust = :c", args: { c: "${ steps.make.id }" } }
    expect:
      - that: len(resp.rows) == 1 and resp.rows[0].name == params.name and resp.rows[0].limit_amt == "12345678901234.56"
        say: 额度不对
outputs:
  - { name: id, label: 编号, value: "${ steps.make.id }", show: true }
`)})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	e, err := Open(Options{Recipes: lib, Envs: map[string]*Environment{"interop": env}, Store: storetest.Open(t, storetest.SQLite(t), store.Options{}), UndoPause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, reach := range e.Reach(t.Context(), env) {
		if !reach.OK {
			t.Errorf("%s: %s", reach.Target.Name, reach.Why)
		}
	}
	r, items := e.test(t, "foreign", nil, 3)
	if r.State != store.RunDone || count(t, db, "card") != 3 {
		t.Fatalf("%s at %s: %s", r.State, items[0].FaultAt, items[0].Fault)
	}
	if r, items = e.takeBack(t, r.Number); r.State != store.RunUndone || count(t, db, "card") != 0 {
		t.Errorf("%s %s, %d cards", r.State, items[0].Fault, count(t, db, "card"))
	}
	// Another environment's marker: not touched.
	if _, err := db.Exec("UPDATE env_marker SET env = 'prod'"); err != nil {
		t.Fatal(err)
	}
	if r, items = e.test(t, "foreign", nil, 1); r.State == store.RunDone || !strings.Contains(items[0].Fault, "防线 6") || count(t, db, "card") != 0 {
		t.Errorf("%s: %s", r.State, items[0].Fault)
	}
}
