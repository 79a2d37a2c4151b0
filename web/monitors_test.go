package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/calendar"
	"frontline/handlers/monitor"
	"frontline/store"
)

const watchedItem = `kind: monitor
name: gateway
title: 接口可用
system: 仿真环境
schedule: { every: 1h }
timeout: 5s
source: { tcp: { address: "127.0.0.1:1" } }
breakdown: { key: k, value: n }
rules:
  - { name: many, severity: major, when: 'rows["异常"].n > 10' }
`

const watchedBeat = `kind: heartbeat
name: nightly
title: 夜间清算
expect: { every: 1h }
token: the-token-nobody-may-see
`

// startWatching is a console with a monitor that has some results, and a heartbeat.
func startWatching(t *testing.T) (*console, *monitor.Runner) {
	t.Helper()
	var run *monitor.Runner
	c := startConsole(t, func(o *Options) {
		run = &monitor.Runner{Store: o.Store, Alerts: o.Desk.Alerts, Checker: &monitor.Checker{Sources: monitor.NewSources(nil, ""), Calendar: calendar.Default()}, Log: slog.New(slog.DiscardHandler), URL: "https://desk.example.com",
			Load: func() ([]*monitor.Item, []monitor.Fault) {
				return monitor.Load(map[string][]byte{"a.yaml": []byte(watchedItem), "b.yaml": []byte(watchedBeat)}, nil)
			}}
		run.Read()
		o.Monitors = run
	})
	if items, faults := run.Items(); len(items) != 2 || len(faults) > 0 {
		t.Fatal(faults)
	}
	for i, n := range []string{"3", "12", "33"} {
		r := store.MonitorResult{Item: "gateway", At: c.store.Now(), State: monitor.StateOK, Verdicts: []byte(`[{"rule":"many","when":"true"}]`), Alarming: i > 0,
			Table: []byte(`{"total":9346,"cells":[{"key":"异常","n":` + n + `,"ratio":0.35,"share":"0.35%"},{"key":"正常","n":9300,"ratio":99.51,"share":"99.51%"}],"unexpected":["<script>"]}`)}
		if err := c.store.InTx(context.Background(), func(tx *store.Tx) error { return tx.AddMonitorResult(&r) }); err != nil {
			t.Fatal(err)
		}
	}
	return c, run
}

func TestMonitorPages(t *testing.T) {
	c, run := startWatching(t)
	b := c.as(chat.Responder)
	has := func(body string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("no %q in %s", w, body)
			}
		}
		for _, bad := range []string{"the-token-nobody-may-see", "<script>alert", `style="`, "ZgotmplZ"} {
			if strings.Contains(body, bad) {
				t.Errorf("%q in %s", bad, body)
			}
		}
	}
	_, body := b.get("/monitors")
	has(body, `href="/monitors/gateway"`, "接口可用", "异常 33 0.35%", `<svg class="spark"`, "等第一次", `aria-label="接口可用 最近 3 次"`)
	_, body = b.get("/monitors/gateway")
	has(body, ">33<", "0.35%", "&#43;21", "9346", "&lt;script&gt;", "成立", "rows[&#34;异常&#34;].n &gt; 10", "下次 ")
	_, body = b.get("/monitors/nightly")
	has(body, "token: ***", "夜间清算")
	if _, body = c.as(chat.Admin).get("/monitors/nightly"); !strings.Contains(body, "POST https://desk.example.com/beat/the-token") {
		t.Error("an administrator does not see where to call")
	}
	for _, path := range []string{"/monitors/none", "/monitors/%2e%2e"} {
		if code, _ := b.get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code, _ := c.as(chat.Reporter).get("/monitors"); code != http.StatusForbidden {
		t.Errorf("a reporter: %d", code)
	}
	if code, _ := c.as(chat.Curator).post("/monitors/gateway/pause", url.Values{"why": {"x"}}); code != http.StatusForbidden {
		t.Errorf("a curator: %d", code)
	}
	// Tried on what was found before: nothing changes.
	code, body := b.post("/monitors/gateway/try", url.Values{"text": {strings.Replace(watchedItem, "> 10", "> 2", 1)}, "n": {"50"}})
	if code != http.StatusOK {
		t.Errorf("%d", code)
	}
	has(body, "最近 3 次结果：按文件告警 1 次，按下面写的告警 1 次", "接口可用 异常 3（0.35%）")
	code, body = b.post("/monitors/gateway/try", url.Values{"text": {strings.Replace(watchedItem, "severity", "severty", 1)}, "n": {"7"}})
	if code != http.StatusUnprocessableEntity {
		t.Errorf("%d", code)
	}
	has(body, "severty", `mono">10:`)
	if code, _ = b.post("/monitors/nightly/try", url.Values{"text": {"x"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("%d", code)
	}
	if code, body = b.post("/monitors/gateway/pause", nil); code != http.StatusUnprocessableEntity {
		t.Errorf("paused without a reason: %d", code)
	}
	has(body, "写一下为什么暂停")
	code, to := b.post("/monitors/gateway/pause", url.Values{"why": {"在升级，问 13812345678"}})
	if code != http.StatusSeeOther {
		t.Fatalf("%d %s", code, to)
	}
	_, body = b.get("/monitors/gateway")
	has(body, "已暂停", "在升级", "继续监控")
	if strings.Contains(body, "13812345678") {
		t.Error("the reason is not masked")
	}
	if code, _ = b.post("/monitors/gateway/pause", url.Values{"why": {"再来"}}); code != http.StatusConflict {
		t.Errorf("paused twice: %d", code)
	}
	b.post("/monitors/gateway/run", nil)
	if list, err := c.store.MonitorResults(context.Background(), store.MonitorQuery{Item: "gateway"}); err != nil || len(list) != 3 {
		t.Errorf("checked while paused: %d %v", len(list), err)
	}
	b.post("/monitors/gateway/resume", nil)
	if code, _ = b.post("/monitors/gateway/run", nil); code != http.StatusSeeOther {
		t.Errorf("%d", code)
	}
	list, err := c.store.MonitorResults(context.Background(), store.MonitorQuery{Item: "gateway"})
	if err != nil || len(list) != 4 || run.LastCheck().IsZero() {
		t.Errorf("not checked: %d %v", len(list), err)
	}
	if code, _ = b.post("/monitors/nightly/run", nil); code != http.StatusUnprocessableEntity {
		t.Errorf("a heartbeat was asked: %d", code)
	}
	log, err := c.store.ListAudit(context.Background(), store.AuditQuery{Action: "monitor.", N: 9})
	if err != nil || len(log) != 2 {
		t.Errorf("%+v %v", log, err)
	}
	b.client.Jar.(*jar).all = append(b.client.Jar.(*jar).all, cookie("lang", "en"))
	if _, body = b.get("/monitors/gateway"); !strings.Contains(body, "Check now") {
		t.Error("no English")
	}
}

// A curve has a gap where nothing is known and a dot where something fired.
func TestSpark(t *testing.T) {
	got := string(spark([]sparkPoint{{1, true, false}, {2, true, true}, {}, {3, true, false}}, 120, 24, `a "b"`))
	if strings.Count(got, "<polyline") != 2 || strings.Count(got, "<circle ") != 2 || strings.Count(got, `class="p"`) != 1 || !strings.Contains(got, `aria-label="a &#34;b&#34;"`) || !strings.Contains(got, `"3.0,21.0 41.0,12.0 "`) {
		t.Error(got)
	}
	if got := string(spark([]sparkPoint{{5, true, false}}, 120, 24, "x")); !strings.Contains(got, `class="p"`) || strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
		t.Error(got)
	}
	if got := string(spark(nil, 120, 24, "x")); !strings.HasSuffix(got, "></svg>") {
		t.Error(got)
	}
}

// The daily table as a page and as a file.
func TestDailyPage(t *testing.T) {
	c, _ := startWatching(t)
	c.web.opt.Desk.Monitors = c.web.opt.Monitors
	c.fire("委托失败率")
	b := c.as(chat.Leader)
	code, body := b.get("/monitors/daily")
	for _, want := range []string{"监控日报", "接口可用", ">33<", "0.35%", "0.00%", "委托失败率", "柜台", "后一天"} {
		if has := strings.Contains(body, want); code != http.StatusOK || has == (want == "后一天") {
			t.Errorf("%q: %v in %d %s", want, has, code, body)
		}
	}
	if code, body = b.get("/monitors/daily?day=2020-01-02"); code != http.StatusOK || !strings.Contains(body, "这天没有告警") || !strings.Contains(body, "2020-01-03") {
		t.Errorf("%d %s", code, body)
	}
	for _, q := range []string{"?day=x", "?day=9999-01-01", "?day=0001-01-01"} {
		if code, body = b.get("/monitors/daily" + q); code != http.StatusOK || !strings.Contains(body, "委托失败率") {
			t.Errorf("%s: %d", q, code)
		}
	}
	for _, q := range []string{"", "?month=x", "?month=2020-01", "?month=9999-12"} {
		if code, body = b.get("/monitors/daily/export" + q); code != http.StatusOK || !strings.HasPrefix(body, "PK") {
			t.Errorf("%s: %d", q, code)
		}
	}
	days, err := c.web.opt.Desk.AlertDays(context.Background(), c.store.Now().Truncate(24*time.Hour), c.store.Now().Truncate(24*time.Hour).AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	err = dailyRows(days, func(s string, _ ...any) string { return s }, func(cells ...string) error { rows = append(rows, strings.Join(cells, ",")); return nil })
	if want := "日期,监控项,异常数,占比,处理数,占比,处理率,处理耗时（分钟）"; err != nil || len(rows) != 5 || rows[0] != want || !strings.Contains(rows[1], ",接口可用 异常,33,0.35%,0,0.00%,0.00%,–") || !strings.Contains(rows[4], "委托失败率<script>,柜台,1,1,0,–,0,0,0,–,1") && !strings.Contains(rows[4], ",委托失败率,柜台,1,1,0,–,0,0,0,–,1") {
		t.Errorf("%q %v", rows, err)
	}
	if code, _ := c.as(chat.Tester).get("/monitors/daily/export"); code != http.StatusForbidden {
		t.Errorf("a tester: %d", code)
	}
}
