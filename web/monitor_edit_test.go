package web

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/handlers/calendar"
	"frontline/handlers/monitor"
	"frontline/store"
)

const shelved = `kind: monitor
name: gateway
title: 接口可用
schedule: { every: 1h }
timeout: 5s
source: { sql: { target: trade, query: "select '异常' as k, 12 as n union all select '正常', 9300" } }
breakdown: { key: k, value: n }
rules:
  - { name: many, severity: major, when: 'rows["异常"].n > 10' }
`

// startShelf is a console whose monitors can be written, with one file.
func startShelf(t *testing.T) (*console, *monitor.Runner) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gateway.yaml"), []byte(shelved), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := monitor.NewTarget("trade", "sqlite:"+filepath.Join(dir, "trade.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "trade.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var run *monitor.Runner
	c := startConsole(t, func(o *Options) {
		sources := monitor.NewSources([]*monitor.Target{target}, "")
		t.Cleanup(sources.Close)
		shelf := &monitor.Shelf{Dir: dir, Targets: sources.Targets, Store: o.Store, Log: slog.New(slog.DiscardHandler)}
		run = &monitor.Runner{Store: o.Store, Alerts: o.Desk.Alerts, Checker: &monitor.Checker{Sources: sources, Calendar: calendar.Default()}, Log: slog.New(slog.DiscardHandler), Shelf: shelf, Load: shelf.Load, Changed: shelf.Stamp}
		run.Read()
		o.Monitors = run
	})
	if items, faults := run.Items(); len(items) != 1 || len(faults) > 0 {
		t.Fatal(items, faults)
	}
	return c, run
}

func form(do, text, note, edition string) url.Values {
	return url.Values{"do": {do}, "text": {text}, "note": {note}, "edition": {edition}}
}

// A monitor is written, tried without a trace, saved, seen by its editions and
// taken back; the second of two who save at once loses nothing.
func TestWriteMonitor(t *testing.T) {
	c, run := startShelf(t)
	c.as(chat.Responder).want("/monitors/gateway/edit", 403)
	b := c.as(chat.Leader)
	if page := b.wantPost("/monitors/gateway/edit", form("ask", strings.Replace(shelved, "12 as n", "33 as n", 1), "", "0"), 200); !strings.Contains(page, "33") || !strings.Contains(page, "没有告警") {
		t.Errorf("asked once: %s", page)
	}
	if list, err := c.store.MonitorResults(t.Context(), store.MonitorQuery{Item: "gateway"}); err != nil || len(list) != 0 {
		t.Errorf("a try was kept: %v %v", list, err)
	}
	better := strings.Replace(shelved, "> 10", "> 20", 1)
	b.wantPost("/monitors/gateway/edit", form("save", better, "", "0"), 422) // without a word why
	b.wantPost("/monitors/gateway/edit", form("save", better, "门槛太低", "0"), 303)
	if got := run.Find("gateway").Rules[0].Condition(); !strings.Contains(got, "> 20") {
		t.Errorf("the rule is %q", got)
	}
	if page := b.wantPost("/monitors/gateway/edit", form("save", strings.Replace(shelved, "> 10", "> 30", 1), "同时改的", "0"), 409); !strings.Contains(page, "&gt; 30") || !strings.Contains(page, "没有覆盖") {
		t.Errorf("two at once: %s", page)
	}
	page := b.want("/monitors/gateway/editions", 200)
	for _, want := range []string{"第 1 版", "门槛太低", "<del>", "<ins>"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	b.wantPost("/monitors/gateway/edit", form("drop", "", "先用文件的", "1"), 303)
	if got := run.Find("gateway").Rules[0].Condition(); !strings.Contains(got, "> 10") {
		t.Errorf("the file does not count again: %q", got)
	}
	for _, x := range []struct{ text, want string }{
		{strings.Replace(shelved, "gateway", "other", 1), "name 应是 gateway"},
		{strings.Replace(shelved, "trade,", "nowhere,", 1), "没有数据源"},
		{strings.Replace(shelved, "select '异常'", "delete from x; select '异常'", 1), "只能是 select"},
		{"kind: monitor\n  name: [", ""},
		{strings.Repeat("#", 40<<10), "32 KB"},
		{"", ""},
	} {
		if page := b.wantPost("/monitors/gateway/edit", form("save", x.text, "x", "2"), 422); !strings.Contains(page, x.want) {
			t.Errorf("no %q", x.want)
		}
	}
	if got := run.Find("gateway").Rules[0].Condition(); !strings.Contains(got, "> 10") {
		t.Errorf("a bad text counts: %q", got)
	}
}

// A new one lives in the console alone, and removing it ends it. What names an
// address of its own is the administrators'.
func TestNewMonitor(t *testing.T) {
	c, run := startShelf(t)
	b := c.as(chat.Leader)
	fresh := strings.Replace(shelved, "gateway", "second", 1)
	b.want("/monitors/new", 200)
	if page := b.wantPost("/monitors/new", form("save", shelved, "x", "0"), 422); !strings.Contains(page, "已经有叫 gateway") {
		t.Errorf("a name twice: %s", page)
	}
	b.wantPost("/monitors/new", form("save", fresh, "第二个", "0"), 303)
	if run.Find("second") == nil {
		t.Fatal("it is not there")
	}
	own := strings.Replace(fresh, `source: { sql: { target: trade, query: "select '异常' as k, 12 as n union all select '正常', 9300" } }`, `source: { http: { url: "http://127.0.0.1:1/" } }`, 1)
	own = strings.Replace(own, "breakdown: { key: k, value: n }\n", "", 1)
	own = strings.Replace(own, `rows["异常"].n > 10`, `rows["up"].n == 0`, 1)
	for _, do := range []string{"ask", "save"} {
		if page := b.wantPost("/monitors/second/edit", form(do, own, "x", "1"), 422); !strings.Contains(page, "只有管理员") {
			t.Errorf("%s: %s", do, page)
		}
	}
	c.as(chat.Admin).wantPost("/monitors/second/edit", form("save", own, "自己的网址", "1"), 303)
	b.wantPost("/monitors/second/edit", form("drop", "", "不要了", "2"), 303)
	if run.Find("second") != nil {
		t.Error("it is still there")
	}
	b.want("/monitors/second", 404)
	if page := b.want("/monitors/second/editions", 200); !strings.Contains(page, "第二个") {
		t.Errorf("what it was is gone: %s", page)
	}
	b.want("/monitors/nowhere/edit", 404)
}

// What only a sender may know is not on the pages of editions.
func TestHeartbeatTokenHidden(t *testing.T) {
	c, _ := startShelf(t)
	beat := "kind: heartbeat\nname: nightly\ntitle: 夜间清算\nexpect: { every: 1h }\ntoken: the-token-nobody-may-see\n"
	admin, leader := c.as(chat.Admin), c.as(chat.Leader)
	admin.wantPost("/monitors/new", form("save", beat, "新的", "0"), 303)
	admin.wantPost("/monitors/nightly/edit", form("save", strings.Replace(beat, "1h", "2h", 1), "慢一点", "1"), 303)
	if page := admin.want("/monitors/nightly/editions", 200); strings.Contains(page, "the-token-nobody-may-see") {
		t.Errorf("the token is shown: %s", page)
	}
	leader.want("/monitors/nightly/edit", 422)
}
