package monitor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// listed is a probe of the objects that a test names.
type listed struct {
	keys []string
	err  error
	runs int
}

func (l *listed) Kind() string { return "sql" }
func (l *listed) Rows(context.Context, *Sources, Order) (out []Row, err error) {
	l.runs++
	for _, k := range l.keys {
		out = append(out, Row{"account": k})
	}
	return out, l.err
}

const detailed = "kind: monitor\nname: accounts\ntitle: 账户状态\nschedule: { every: 10m }\nsource: { sql: { target: db, query: select 1 } }\nbreakdown: { key: k, value: n }\ndetail: { key: account, sql: { target: db, query: select 2 } }\nrules:\n  - { name: high, when: 'rows[\"异常\"].n > 30' }\n"

// With a detail a day is counted by object: one that came for one that went is
// two, one that went and came back has not left, and a detail that fails says
// nothing of who left. No key is kept in clear.
func TestDayByObject(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		c := &clock{t: time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)} // 9:00 in Shanghai
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		n, who := &counter{}, &listed{}
		r := runners(t, s, detailed, n, 1)[0]
		item := r.Find("accounts")
		item.Detail.Probe = who
		look := func(fault error, keys ...string) {
			t.Helper()
			n.n.Store(int64(len(keys)))
			who.keys, who.err = keys, fault
			if err := r.Once(ctx, item); err != nil {
				t.Fatal(err)
			}
			c.set(c.now().Add(10 * time.Minute))
		}
		look(nil, "A100000001", "A100000002")
		look(nil, "A100000002", "A100000003") // 1 went, 3 came: still two
		look(errors.New("no"), "x")           // nobody knows
		look(nil, "A100000001", "A100000003") // 1 is back, 2 went
		look(nil)                             // all went: nobody has to be asked
		asked := who.runs
		look(nil)
		if who.runs != asked {
			t.Error("asked for the objects of nothing")
		}
		day := time.Date(2026, 11, 25, 0, 0, 0, 0, r.Checker.Calendar.Location())
		effects, err := r.Effects(ctx, day, day.AddDate(0, 0, 1))
		if err != nil || len(effects) != 1 {
			t.Fatal(effects, err)
		}
		// 1: 0 to 40, 2: 0 to 30, 3: 10 to 40 minutes.
		e := effects[0]
		if !e.ByObject || e.Abnormal != 3 || e.Handled() != 3 || e.Rate() != "100.00%" || e.Stay != 100*time.Minute/3 {
			t.Errorf("%+v, handled %v", e, e.Handled())
		}
		// The next day counts anew what is still there.
		c.set(c.now().AddDate(0, 0, 1))
		look(nil, "A100000002", "A100000004")
		look(nil, "A100000004")
		day = day.AddDate(0, 0, 1)
		if effects, err = r.Effects(ctx, day, day.AddDate(0, 0, 1)); err != nil || effects[0].Abnormal != 2 || effects[0].Handled() != 1 || effects[0].Stay != 10*time.Minute {
			t.Errorf("%+v, %v", effects, err)
		}
		list, err := s.MonitorResults(ctx, store.MonitorQuery{Item: "accounts"})
		if err != nil {
			t.Fatal(err)
		}
		faults := 0
		for _, x := range list {
			if strings.Contains(string(x.Table)+string(x.Verdicts)+x.Fault, "A1000") {
				t.Errorf("a key is kept: %+v", x)
			}
			if strings.Contains(x.Fault, "明细") && x.State == StateOK {
				faults++
			}
		}
		if faults != 1 {
			t.Errorf("%d results say that the detail failed", faults)
		}
	})
}

func TestDetailText(t *testing.T) {
	for text, want := range map[string]string{
		"detail: { key: account }":                                      "detail 要写 key",
		"detail: { sql: { target: db, query: select 2 } }":              "detail 要写 key",
		"detail: { key: a, sql: { target: db, query: delete from x } }": "只能是 select",
		"detail: { key: a, tcp: { address: 'x:1' } }":                   "tcp",
		"detail: { key: a, sql: { target: db, query: select 2 }, http: { url: 'http://127.0.0.1/', rows: 'body.rows' } }": "其中一种",
	} {
		whole := strings.Replace(detailed, "detail: { key: account, sql: { target: db, query: select 2 } }", text, 1)
		_, faults := Load(map[string][]byte{"x.yaml": []byte(whole)}, nil)
		found := false
		for _, f := range faults {
			found = found || strings.Contains(f.Text, want)
		}
		if !found {
			t.Errorf("%s: %v, want %q", text, faults, want)
		}
	}
	whole := strings.Replace(detailed, "breakdown: { key: k, value: n }\n", "", 1)
	if _, faults := Load(map[string][]byte{"x.yaml": []byte(whole)}, nil); len(faults) == 0 || !strings.Contains(faults[0].Text, "breakdown") {
		t.Errorf("without a breakdown: %v", faults)
	}
}
