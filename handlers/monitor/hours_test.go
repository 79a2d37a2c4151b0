package monitor

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// Hours that are over are summed up once, also those that an older version left,
// and outlive their results.
func TestHours(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		c := &clock{t: time.Date(2026, 11, 25, 1, 0, 0, 0, time.UTC)} // 9:00 in Shanghai
		s := open(store.Options{Now: c.now})
		ctx := context.Background()
		r := runners(t, s, "kind: monitor\nname: accounts\ntitle: 账户状态\nschedule: { every: 10m }\nsource: { sql: { target: db, query: select 1 } }\nbreakdown: { key: k, value: n }\nrules:\n  - { name: high, when: 'rows[\"异常\"].n > 30' }\n", &counter{}, 1)[0]
		keep := func(state string, n int) {
			t.Helper()
			res := &store.MonitorResult{Item: "accounts", At: c.now(), State: state, Verdicts: []byte("[]"), Alarming: n > 30, Table: fmt.Appendf(nil, `{"total":1000,"cells":[{"key":"异常","n":%d},{"key":"正常","n":900}]}`, n)}
			if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.AddMonitorResult(res) }); err != nil {
				t.Fatal(err)
			}
		}
		for _, n := range []int{10, 33, 20} {
			keep(StateOK, n)
			c.set(c.now().Add(10 * time.Minute))
		}
		keep(StateError, 0)
		c.set(time.Date(2026, 11, 26, 1, 30, 0, 0, time.UTC))
		keep(StateOK, 5)
		for range 2 {
			if err := r.KeepHours(ctx); err != nil {
				t.Fatal(err)
			}
		}
		hours, err := s.MonitorHours(ctx, "accounts", time.Time{})
		if err != nil || len(hours) != 1 {
			t.Fatalf("%+v, %v: the hour that goes on is not over", hours, err)
		}
		h := hours[0]
		var cells map[string]HourCell
		if err := json.Unmarshal(h.Found, &cells); err != nil {
			t.Fatal(err)
		}
		if h.Checks != 4 || h.Failed != 1 || h.Alarming != 1 || cells["异常"] != (HourCell{33, 63, 3}) || cells["异常"].Mean() != 21 {
			t.Errorf("%+v %v", h, cells)
		}
		c.set(time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC))
		if err := r.KeepHours(ctx); err != nil {
			t.Fatal(err)
		}
		c.set(c.now().AddDate(0, 6, 0))
		if _, err := s.Sweep(ctx, 30*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if left, err := s.MonitorResults(ctx, store.MonitorQuery{Item: "accounts"}); err != nil || len(left) != 0 {
			t.Fatalf("%d results are left, %v", len(left), err)
		}
		days, err := r.LongCurve(ctx, r.Find("accounts"), c.now().AddDate(-1, 0, 0))
		if err != nil || len(days) != 2 || days[0].Cell.Most != 33 || !days[0].Alarming || days[1].Cell.Most != 5 || days[1].Alarming || days[0].Day.Format(time.DateOnly) != "2026-11-25" {
			t.Errorf("%+v, %v", days, err)
		}
	})
}
