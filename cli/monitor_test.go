package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontline/store"
)

func TestMonitorCommand(t *testing.T) {
	code, out, errs := runFor(t, nil, "monitor", "run", "sh-a-trade-status")
	for _, want := range []string{"状态异常         33    0.35%", "已指定         9300   99.51%", "首日指定          0     0.0%", "未指定           13    0.14%", "合计           9346", "基线不足（0/7）"} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("run: %d, no %q in %s %s", code, want, out, errs)
		}
	}
	if code, out, _ = runFor(t, nil, "monitor", "list"); code != exitDone || !strings.Contains(out, "sh-a-trade-status        沪A交易状态监控") {
		t.Errorf("list: %d %s", code, out)
	}
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	writeTestFile(t, bad, "kind: monitor\nname: x1\nschedule: { evry: 5m }\nsource: { tcp: { address: 'h:1' } }\n")
	if code, _, errs := runFor(t, nil, "monitor", "check", bad); code != exitFailed || !strings.Contains(errs, "bad.yaml:3:13: schedule没有「evry」这一项，是不是「every」") {
		t.Errorf("check: %d %s", code, errs)
	}
	for _, args := range [][]string{{}, {"run"}, {"run", "nothing"}, {"dance", "x"}} {
		if code, _, _ := runFor(t, nil, append([]string{"monitor"}, args...)...); code != exitUsage {
			t.Errorf("%v: %d", args, code)
		}
	}
	// A configuration whose items or sources are wrong does not start.
	file := filepath.Join(dir, "frontline.yaml")
	writeTestFile(t, file, "monitors:\n  dir: "+dir+"\n  sources:\n    - { name: trade, url: 'oracle://x' }\nwecom: { corp_id: ww1, app: { agent_id: 1, secret: s } }\n")
	if code, _, errs := runFor(t, nil, "config", "check", "-config", file); code != exitUsage || !strings.Contains(errs, "monitors.sources (trade): url") {
		t.Errorf("config check: %d %s", code, errs)
	}
}

// The sender of a heartbeat calls over HTTP; its address is printed by a command.
func TestHeartbeatOverHTTP(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "monitors"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeTestFile(t, filepath.Join(dir, "monitors", "x.yaml"), "kind: heartbeat\nname: nightly\nexpect: { every: 10m }\n")
	r := startTestDemo(t, dir)
	address := r.engine.monitors.Address(r.engine.monitors.Find("nightly"))
	for path, want := range map[string]int{address: 200, address + "/start": 200, address + "/0": 200, address + "x": 404} {
		resp, err := http.Post(path, "text/plain", strings.NewReader("done"))
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s: %v %v", path, resp, err)
		}
		resp.Body.Close()
	}
	resp, err := http.Get(address)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	list, err := r.engine.store.MonitorResults(t.Context(), store.MonitorQuery{Item: "nightly"})
	if err != nil || len(list) == 0 || !strings.Contains(string(list[0].Table), "done") {
		t.Errorf("%+v %v", list, err)
	}
	file := filepath.Join(t.TempDir(), "frontline.yaml")
	writeTestFile(t, file, "monitors: { dir: "+filepath.Join(dir, "monitors")+" }\npublic_url: http://desk.example.com\ndatabase: { url: 'sqlite:"+filepath.Join(t.TempDir(), "f.db")+"' }\n")
	if code, out, errs := runFor(t, nil, "monitor", "address", "-config", file, "nightly"); code != exitDone || !strings.HasPrefix(out, "http://desk.example.com/beat/") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if code, _, _ := runFor(t, nil, "monitor", "run", "-config", file, "nightly"); code != exitUsage {
		t.Errorf("a heartbeat was asked: %d", code)
	}
}

const testMonitor = `kind: monitor
name: status
title: 沪A交易状态监控
schedule: { every: 10s }
timeout: 5s
source:
  sql: { target: uat.db, query: "select status, count(*) as n from stock_account group by status" }
breakdown: { key: status, value: n, expect_keys: [状态异常, 已指定, 首日指定, 未指定] }
rules:
  - { name: abnormal, severity: critical, when: 'rows["状态异常"].n > 40' }
`

// What a monitor finds is told in the group as any other alert, can be claimed
// there, and ends there.
func TestMonitorInGroup(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "monitors"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "monitors", "status.yaml")
	writeTestFile(t, file, testMonitor)
	r := startTestDemo(t, dir)
	move := func(from, to string) {
		resp, err := http.Post(r.uat.URL()+"/stock-status", "application/json", strings.NewReader(`{"from":"`+from+`","to":"`+to+`","n":20}`))
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	a := r.as(t, "guyuan").in("trading-support")
	move("已指定", "状态异常")
	heard := a.until("沪A交易状态监控 状态异常 53（0.57%）")
	if !strings.Contains(heard, "A1") {
		t.Errorf("%s", heard)
	}
	if heard = a.say("认领 A1"); !strings.Contains(heard, "A1 归你") {
		t.Errorf("%s", heard)
	}
	// Its file is changed while it fires: read again, and the rule that is gone ends.
	writeTestFile(t, file, strings.NewReplacer("name: abnormal", "name: many", "n > 40", "n > 400").Replace(testMonitor))
	deadline := time.Now().Add(30 * time.Second)
	for {
		counts, err := r.engine.store.AlertCounts(t.Context(), "monitor")
		if err != nil {
			t.Fatal(err)
		}
		if counts.OpenAtEnd == 0 && counts.Resolved == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", counts)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
