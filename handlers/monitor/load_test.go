package monitor

import (
	"strings"
	"testing"
)

const good = `kind: monitor
name: sample
schedule: { every: 10m }
source: { sql: { target: trade.ro, query: "select status, count(*) n from t where m = :m group by status", args: { m: SH } } }
breakdown: { key: status, value: n, expect_keys: [异常, 正常] }
rules:
  - name: many
    when: rows["异常"].n > 10
`

var known = map[string]*Target{"trade.ro": {Name: "trade.ro", Kind: "mysql"}, "web": {Name: "web", Kind: "http"}}

func TestSamplesLoad(t *testing.T) {
	items, faults := LoadFS(Samples, "items", nil)
	if len(faults) > 0 || len(items) < 2 {
		t.Fatalf("%d items, %v", len(items), faults)
	}
	if items, faults = Load(map[string][]byte{"x.yaml": []byte(good)}, known); len(faults) > 0 || items[0].Rules[0].Severity != "warning" {
		t.Fatal(faults)
	}
}

// Each broken file gives its fault at its place, in a sentence that helps.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"kind: monitor", "kind: recipe", "x.yaml:1:7: kind 应是 monitor"},
		{"name: sample", "name: 沪A", "x.yaml:2:7: 名字用小写字母"},
		{"schedule: { every: 10m }\n", "", "缺 schedule"},
		{"schedule", "shedule", "x.yaml:3:1: 监控项没有「shedule」这一项，是不是「schedule」"},
		{"every: 10m", "every: 1s", "最短每 10s 一次"},
		{"every: 10m", "every: 10m, at: ['09:00']", "其中一种"},
		{"every: 10m", "at: ['9点']", "时刻写成 09:35 这样"},
		{"every: 10m", "cron: '61 * * * *'", "cron 不对"},
		{"every: 10m", "cron: '0 0 30 2 *'", "永远不会到时间"},
		{"every: 10m", "every: 10m, only: workdays", "only 是 always"},
		{"every: 10m", "every: 10m, timezone: Mars", "不认识时区"},
		{"every: 10m", "every: 10s", "timeout（15s）要比两次检查的间隔短 2s 以上"},
		{"trade.ro", "trade.rw", "没有数据源「trade.rw」；有：trade.ro"},
		{"trade.ro", "web", "数据源「web」是 http，这里要 mysql"},
		{"select status", "delete status", "只能是 select"},
		{"group by status", "group by status for update", "不能有 for update"},
		{"group by status", "group by status; select 1", "一次只能一条 SQL"},
		{"= :m", "= :market", "SQL 里的 :market 没有写在 args 里"},
		{"= :m", "= ':m", "引号没有配对"},
		{"m: SH", `m: "${ tody }"`, "参数不对：不认识「tody」"},
		{"key: status, ", "", "breakdown 要写 key"},
		{`rows["异常"].n > 10`, `rows["反常"].n > 10`, "x.yaml:8:11: 条件里的「反常」不在 expect_keys 里；有：异常、正常"},
		{`rows["异常"].n > 10`, `row["异常"].n > 10`, "x.yaml:8:11: 条件不对：不认识「row」"},
		{`rows["异常"].n > 10`, `rows["异常"].count > 10`, "没有「count」这个值"},
		{`rows["异常"].n > 10`, `rows["异常"].n`, "结果要是真或假"},
		{`rows["异常"].n > 10`, `base("异常", "last_year") > 1`, "没有「last_year」这个基准"},
		{"name: many", "name: error", "no-data 和 error 另有用处"},
		{"name: many", "name: many\n    severity: bad", "severity 是 critical"},
		{"name: many", "name: many\n    for: lots", "这里应是时长"},
		{"rules:", "route: [{ to: desk }]\nrules:", "发到哪个群写在配置的 alerts.routes 里"},
		{"rules:", "labels: { rule: x }\nrules:", "「rule」不能用作标签名"},
		{"rules:", "no_data: { after: -1 }\nrules:", "整数"},
		{"rules:", "baseline: { min: 30 }\nrules:", "min 不能比 window 大"},
		{`{ sql: { target: trade.ro, query: "select status, count(*) n from t where m = :m group by status", args: { m: SH } } }`, `{ http: { url: "https://u:p@h/" } }`, "不写密码"},
		{`{ sql: { target: trade.ro, query: "select status, count(*) n from t where m = :m group by status", args: { m: SH } } }`, `{ http: { target: web, headers: { Authorization: x } } }`, "不写口令"},
		{`{ sql: { target: trade.ro, query: "select status, count(*) n from t where m = :m group by status", args: { m: SH } } }`, `{ command: { file: ../x.sh } }`, "文件夹里的一个文件名"},
		{`{ sql: { target: trade.ro, query: "select status, count(*) n from t where m = :m group by status", args: { m: SH } } }`, `{ tcp: { address: host } }`, "主机:端口"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if text == good {
			t.Fatalf("%q changes nothing", c.from)
		}
		_, faults := Load(map[string][]byte{"x.yaml": []byte(text)}, known)
		var all []string
		for _, f := range faults {
			all = append(all, f.Error())
		}
		if !strings.Contains(strings.Join(all, "\n"), c.want) {
			t.Errorf("%q → %q: %q, want %q", c.from, c.to, all, c.want)
		}
	}
	_, faults := Load(map[string][]byte{"a.yaml": []byte(good), "b.yaml": []byte(good)}, known)
	if len(faults) != 1 || !strings.Contains(faults[0].Error(), "监控「sample」在 a.yaml 里已经有了") {
		t.Errorf("%v", faults)
	}
}
