package construct

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
	"frontline/uat"
)

var tester = chat.User{ID: "sunqian", Name: "孙倩", Roles: chat.RoleSet{chat.Reporter, chat.Tester}}

func startUAT(t testing.TB) *uat.Server {
	t.Helper()
	s, err := uat.Start(uat.Options{Dir: t.TempDir(), Slow: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// testEngine has the example recipes and an environment that points at u.
func testEngine(t testing.TB, s *store.Store, u *uat.Server, change ...func(text string) string) *Engine {
	t.Helper()
	text := u.Environment()
	for _, c := range change {
		text = c(text)
	}
	env, faults := ReadEnvironment("uat.yaml", []byte(text))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	lib, faults := LoadFS(Examples, "recipes")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	e, err := Open(Options{Recipes: lib, Envs: map[string]*Environment{env.Name: env}, Store: s, UndoPause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// make orders and performs a run, and returns how it stands afterwards.
func (e *Engine) test(t testing.TB, recipe string, params map[string]any, count int) (store.Run, []store.Item) {
	t.Helper()
	return e.seeded(t, recipe, params, count, 7731)
}

func (e *Engine) seeded(t testing.TB, recipe string, params map[string]any, count int, seed uint64) (store.Run, []store.Item) {
	t.Helper()
	ctx := context.Background()
	w, err := e.Check(Order{Recipe: e.Library().Find(recipe), Params: params, Count: count, Requester: tester, Source: fmt.Sprint(time.Now().UnixNano()), Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	var r store.Run
	if err := e.Store.InTx(ctx, func(tx *store.Tx) error { r, _, err = e.Create(tx, w); return err }); err != nil {
		t.Fatal(err)
	}
	return e.goOn(t, r)
}

// goOn performs what waits until it has ended.
func (e *Engine) goOn(t testing.TB, r store.Run) (store.Run, []store.Item) {
	t.Helper()
	ctx := context.Background()
	runs, err := e.Store.ClaimRuns(ctx, "test", r.Number, 1, time.Minute, nil)
	if err != nil || len(runs) != 1 {
		t.Fatalf("claimed %d runs, %v", len(runs), err)
	}
	if err := e.Perform(ctx, runs[0]); err != nil {
		t.Fatal(err)
	}
	return e.look(t, r.Number)
}

func (e *Engine) look(t testing.TB, number int64) (store.Run, []store.Item) {
	t.Helper()
	r, err := e.Store.FindRun(context.Background(), number)
	if err != nil {
		t.Fatal(err)
	}
	items, err := e.Store.RunItems(context.Background(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r, items
}

func (e *Engine) takeBack(t testing.TB, number int64) (store.Run, []store.Item) {
	t.Helper()
	var r store.Run
	err := e.Store.InTx(context.Background(), func(tx *store.Tx) (err error) { r, err = e.Undo(tx, tester, number); return err })
	if err != nil {
		t.Fatal(err)
	}
	return e.goOn(t, r)
}

// sum is the state of the systems under test, without running numbers.
func sum(t testing.TB, db *sql.DB) string {
	t.Helper()
	h := sha256.New()
	for _, table := range []string{"customer", "fund_account", "agreement", "bank_account", "stock_hold"} {
		rows, err := db.Query("select * from " + table + " order by 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		cols, _ := rows.Columns()
		for rows.Next() {
			cells, to := make([]any, len(cols)), make([]any, len(cols))
			for i := range cells {
				to[i] = &cells[i]
			}
			if err := rows.Scan(to...); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(h, table, cells)
		}
		rows.Close()
	}
	return hex.EncodeToString(h.Sum(nil))
}

func count(t testing.TB, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow("select count(*) from " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRunAndUndo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		u := startUAT(t)
		e := testEngine(t, open(store.Options{}), u)
		empty := sum(t, u.DB())
		r, items := e.test(t, "open-full", map[string]any{"sex": "女", "age": "30", "place": "上海", "gem": true}, 2)
		if r.State != store.RunDone || r.Good != 2 {
			t.Fatalf("%s %d: %+v", r.State, r.Good, items[0].Fault)
		}
		var id, name string
		if err := u.DB().QueryRow("select id_no, cust_name from customer limit 1").Scan(&id, &name); err != nil {
			t.Fatal(err)
		}
		if id[6:8] != "19" && id[6:8] != "20" || (id[16]-'0')%2 != 0 || !strings.HasPrefix(id, "99") || id[2:4] != "31" {
			t.Errorf("not a fictional woman of Shanghai: %s", id)
		}
		for _, table := range []string{"customer", "fund_account", "agreement"} {
			if n := count(t, u.DB(), table); n != 2 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		if n := count(t, u.DB(), "stock_hold"); n != 4 {
			t.Errorf("%d holdings", n)
		}
		// What people read holds no number in full.
		var outs map[string]any
		if err := json.Unmarshal(items[0].Outputs, &outs); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"cust_no", "fund_no", "card_no"} {
			if v := fmt.Sprint(outs[k]); len(v) < 8 || strings.Contains(items[0].Card, v) {
				t.Errorf("%s %q shows in %s", k, v, items[0].Card)
			}
		}
		if fmt.Sprint(outs["cash"]) != "1000000.00" {
			t.Errorf("cash is %v", outs["cash"])
		}
		uses, err := e.Uses(context.Background(), time.Now().Add(-time.Hour))
		if err != nil || len(uses) != 1 || uses[0].Good != 2 || uses[0].Saved != 90 || uses[0].People != 1 {
			t.Errorf("%+v %v", uses, err)
		}
		r, items = e.takeBack(t, r.Number)
		if r.State != store.RunUndone {
			t.Fatalf("%s %s", r.State, items[0].Fault)
		}
		if sum(t, u.DB()) != empty {
			t.Error("the systems are not as they were")
		}
	})
}

func TestSameSeedSamePeople(t *testing.T) {
	u, v := startUAT(t), startUAT(t)
	people := func(u *uat.Server) string {
		e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
		if r, i := e.test(t, "open-account", map[string]any{"branch": "3001"}, 3); r.State != store.RunDone {
			t.Fatal(r.State, i[0].Fault)
		}
		rows, err := u.DB().Query("select cust_name, id_no, mobile from customer order by id_no")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		out := ""
		for rows.Next() {
			var a, b, c string
			if err := rows.Scan(&a, &b, &c); err != nil {
				t.Fatal(err)
			}
			out += a + b + c + "\n"
		}
		return out
	}
	if a, b := people(u), people(v); a != b || strings.Count(a, "\n") != 3 {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestBatchWithFaults(t *testing.T) {
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	u.Inject(uat.Fault{Op: "openCustomer", Kind: "code", Code: "1999", Skip: 2, Times: 1})
	u.Inject(uat.Fault{Op: "openCustomer", Kind: "fault", Skip: 4, Times: 1})
	r, items := e.test(t, "open-account", map[string]any{"branch": "3001"}, 8)
	if r.State != store.RunPartly || r.Good != 6 || r.Bad != 2 {
		t.Fatalf("%s %d %d", r.State, r.Good, r.Bad)
	}
	told := ""
	for _, i := range items {
		if i.State != store.ItemDone {
			told += i.State + " " + i.FaultAt + " " + i.Fault + "\n"
		}
	}
	if !strings.Contains(told, "undone open 开户失败 1999 业务受限") || !strings.Contains(told, "柜台忙") {
		t.Error(told)
	}
	if n := count(t, u.DB(), "customer"); n != 6 {
		t.Errorf("%d customers", n)
	}
}

// A call that got no answer is neither repeated blindly nor forgotten.
func TestLostAnswers(t *testing.T) {
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	empty := sum(t, u.DB())
	for _, op := range []string{"OPEN_FUND_ACCOUNT", "POST /agreements", "POST /transfers", "openCustomer"} {
		u.Inject(uat.Fault{Op: op, Kind: "lose"})
		r, items := e.test(t, "open-full", nil, 1)
		if op == "POST /agreements" { // it carries a key, so it is sent again at once
			if r.State != store.RunDone || count(t, u.DB(), "agreement") != 1 {
				t.Errorf("%s: %s, %d agreements", op, r.State, count(t, u.DB(), "agreement"))
			}
			r, items = e.takeBack(t, r.Number)
		}
		if r.State != store.RunFailed && r.State != store.RunUndone || items[0].State != store.ItemUndone {
			t.Errorf("%s: %s %s %s", op, r.State, items[0].State, items[0].Fault)
		}
		if sum(t, u.DB()) != empty {
			t.Errorf("%s: something is left", op)
		}
	}
	u.Inject(uat.Fault{Op: "openCustomer", Kind: "error", Times: 2}) // retried, twice
	if r, items := e.test(t, "open-account", map[string]any{"branch": "3001"}, 1); r.State != store.RunDone {
		t.Errorf("%s %s", r.State, items[0].Fault)
	}
	if n := count(t, u.DB(), "customer"); n != 1 {
		t.Errorf("%d customers after retries", n)
	}
}

func TestRetryGoesOn(t *testing.T) {
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	e.Library().Find("open-full").OnFailure = "keep"
	u.Inject(uat.Fault{Op: "PERMIT", Kind: "code", Code: "3001"})
	r, items := e.test(t, "open-full", map[string]any{"gem": true}, 1)
	if r.State != store.RunFailed || items[0].FaultAt != "gem" || items[0].State != store.ItemFailed {
		t.Fatalf("%s at %s: %s", r.State, items[0].FaultAt, items[0].Fault)
	}
	opened := u.Calls("openCustomer")
	if err := e.Store.InTx(context.Background(), func(tx *store.Tx) (err error) { r, err = e.Retry(tx, tester, r.Number); return err }); err != nil {
		t.Fatal(err)
	}
	if r, items = e.goOn(t, r); r.State != store.RunDone || u.Calls("openCustomer") != opened {
		t.Errorf("%s %s, %d opens", r.State, items[0].Fault, u.Calls("openCustomer")-opened)
	}
}

func TestUndoThatFails(t *testing.T) {
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	r, _ := e.test(t, "open-account", map[string]any{"branch": "3001"}, 1)
	u.Inject(uat.Fault{Op: "closeCustomer", Kind: "error", Times: undoTries})
	r, items := e.takeBack(t, r.Number)
	if r.State != store.RunResidue || !strings.Contains(items[0].Fault, "没有收回") {
		t.Fatalf("%s %s", r.State, items[0].Fault)
	}
	if r, _ = e.takeBack(t, r.Number); r.State != store.RunUndone || count(t, u.DB(), "customer") != 0 {
		t.Errorf("%s, %d customers", r.State, count(t, u.DB(), "customer"))
	}
}

func TestApproval(t *testing.T) {
	ctx := context.Background()
	u := startUAT(t)
	e := testEngine(t, storetest.Open(t, storetest.SQLite(t), store.Options{}), u)
	order := Order{Recipe: e.Library().Find("open-account"), Params: map[string]any{"branch": "3001"}, Count: 21, Requester: tester, Source: "m1"}
	create := func(source string) store.Run {
		o := order
		o.Source = source
		w, err := e.Check(o)
		if err != nil || !w.Approval {
			t.Fatalf("approval %v, %v", w.Approval, err)
		}
		var r store.Run
		if err := e.Store.InTx(ctx, func(tx *store.Tx) error { r, _, err = e.Create(tx, w); return err }); err != nil {
			t.Fatal(err)
		}
		return r
	}
	say := func(by chat.User, n int64, yes bool) (r store.Run, err error) {
		err = e.Store.InTx(ctx, func(tx *store.Tx) error { r, err = e.Approve(tx, by, n, yes); return err })
		return r, err
	}
	leader := chat.User{ID: "chenshuo", Roles: chat.RoleSet{chat.Leader}}
	r := create("a")
	if again := create("a"); again.Number != r.Number {
		t.Errorf("the same message made R%d and R%d", r.Number, again.Number)
	}
	both := tester
	both.Roles = append(both.Roles, chat.Leader)
	if _, err := say(both, r.Number, true); err == nil {
		t.Error("somebody approved what they asked for")
	}
	if _, err := say(chat.User{ID: "x", Roles: chat.RoleSet{chat.Tester}}, r.Number, true); err == nil {
		t.Error("a tester approved")
	}
	if got, err := say(leader, r.Number, true); err != nil || got.State != store.RunQueued {
		t.Errorf("%s %v", got.State, err)
	}
	r = create("b")
	rec := e.Library().Find("open-account")
	old := rec.SHA
	rec.SHA = "changed"
	if got, err := say(leader, r.Number, true); err != nil || got.State != store.RunRejected {
		t.Errorf("a changed recipe: %s %v", got.State, err)
	}
	rec.SHA = old
	r = create("c")
	if got, err := say(leader, r.Number, false); err != nil || got.State != store.RunRejected {
		t.Errorf("%s %v", got.State, err)
	}
}

func TestReproduce(t *testing.T) {
	ctx := context.Background()
	u := startUAT(t)
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	e := testEngine(t, s, u)
	empty := sum(t, u.DB())
	tk := store.Ticket{State: store.TicketNew, Priority: "P3", Class: "data", Title: "银行余额不符", Reporter: "linxiaowen", Source: "m0"}
	if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.CreateTicket(&tk) }); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"余额差额", "户名不一致", "证件号不一致", "账号已销户"} {
		w, err := e.Check(Order{Recipe: e.Library().Find("bank-balance-mismatch"), Params: map[string]any{"ticket": int(tk.Number), "kind": kind}, Ticket: tk.Number, Requester: tester, Source: kind,
			Facts: map[string]any{"id_shape": map[string]any{"sex": "女", "ends_x": true}, "name_shape": map[string]any{"length": 3}, "branch": "3002", "amount": "2500.50"}})
		if err != nil {
			t.Fatal(err)
		}
		w.Approval = false
		var r store.Run
		if err := s.InTx(ctx, func(tx *store.Tx) error { r, _, err = e.Create(tx, w); return err }); err != nil {
			t.Fatal(err)
		}
		r, items := e.goOn(t, r)
		if r.State != store.RunDone {
			t.Fatalf("%s: %s at %s: %s", kind, r.State, items[0].FaultAt, items[0].Fault)
		}
		var id, branch string
		if err := u.DB().QueryRow("select id_no, branch_no from customer").Scan(&id, &branch); err != nil || !strings.HasSuffix(id, "X") || branch != "3002" {
			t.Errorf("%s: %s %s %v", kind, id, branch, err)
		}
		if r, items = e.takeBack(t, r.Number); r.State != store.RunUndone || sum(t, u.DB()) != empty {
			t.Errorf("%s: %s %s", kind, r.State, items[0].Fault)
		}
	}
	entries, err := s.ListTicketEntries(ctx, tk.ID, 50)
	if err != nil || !strings.Contains(fmt.Sprint(entries), "已复现 户名不一致，错误码 2101") {
		t.Errorf("%v %v", entries, err)
	}
}

func TestExpiry(t *testing.T) {
	u := startUAT(t)
	now := time.Now()
	s := storetest.Open(t, storetest.SQLite(t), store.Options{Now: func() time.Time { return now }})
	e := testEngine(t, s, u)
	r, _ := e.test(t, "open-account", map[string]any{"branch": "3001"}, 1)
	now = r.Expires.Add(time.Second)
	if err := e.sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if r, _ = e.goOn(t, r); r.State != store.RunUndone || r.Why != "到期" || count(t, u.DB(), "customer") != 0 {
		t.Errorf("%s %q", r.State, r.Why)
	}
}
