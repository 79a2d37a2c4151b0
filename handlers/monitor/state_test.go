package monitor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/handlers/alert"
	"frontline/handlers/calendar"
)

const stateItem = `kind: monitor
name: sample
title: 样例
system: 集中交易
schedule: { every: 10m }
source: { tcp: { address: 'h:1' } }
breakdown: { key: k, value: n, expect_keys: [异常, 正常] }
rules:
  - name: many
    when: rows["异常"].n > 10
    for: 2
    clear: rows["异常"].n < 5
    clear_for: 2
  - name: old
    when: rows["异常"].n > 20
    for: 20m
no_data: { after: 2 }
on_error: { after: 3, severity: info }
`

// A number is a count, e an error, n no data; each is a check ten minutes after
// the one before. What is said stands behind it.
func TestLife(t *testing.T) {
	items, faults := Load(map[string][]byte{"x.yaml": []byte(stateItem)}, nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	i := items[0]
	c := &Checker{Calendar: calendar.Default()}
	for _, x := range []struct{ name, checks, want string }{
		{"for two checks", "11 3 11 12", "_ _ _ +many"},
		{"it goes on until it clears twice", "11 11 12 7 3 7 3 4", "_ +many +many +many +many +many +many -many"},
		{"a time", "21 21 21 1", "_ +many +many+old +many-old"},
		{"missing data changes nothing", "11 11 n n 12 1 1", "_ +many _ +no-data -no-data+many +many -many"},
		{"an unknown answer neither", "11 11 e e e 3 e 3", "_ +many _ _ +error -error+many _ -many"},
		{"errors in a row", "e e 3 e e e n", "_ _ _ _ _ +error -error"},
	} {
		var s State
		var got []string
		at := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
		for _, what := range strings.Fields(x.checks) {
			at = at.Add(10 * time.Minute)
			o := Outcome{Item: i, At: at, State: StateOK}
			switch what {
			case "e":
				o.State, o.Fault = StateError, "连不上"
			case "n":
				o.State, o.Fault = StateNoData, "没有取到数据"
			default:
				var n int
				fmt.Sscan(what, &n)
				var err error
				if o.Table, err = i.Breakdown.table([]Row{{"k": "异常", "n": n}, {"k": "正常", "n": 100}}); err != nil {
					t.Fatal(err)
				}
				o.Verdicts = c.Judge(i, o.Table, at, nil)
			}
			next, signals := i.advance(s, o)
			line := ""
			for _, sig := range signals {
				line += map[alert.State]string{alert.Firing: "+", alert.Resolved: "-"}[sig.State] + sig.Labels["rule"]
				if sig.ID != "sample/"+sig.Labels["rule"] || sig.Name != "样例" || sig.Labels["system"] != "集中交易" {
					t.Errorf("%+v", sig)
				}
			}
			if line == "" {
				line = "_"
			}
			got = append(got, line)
			s = next
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", x.name, x.checks, strings.Join(got, " "), x.want)
		}
	}
}

func TestWhatAnAlertSays(t *testing.T) {
	items, _ := Load(map[string][]byte{"x.yaml": []byte(stateItem)}, nil)
	i := items[0]
	table, err := i.Breakdown.table([]Row{{"k": "异常", "n": 33}, {"k": "正常", "n": 9313}})
	if err != nil {
		t.Fatal(err)
	}
	sig := i.signal("many", "warning", alert.Firing, i.headline(i.Rules[0], table), Outcome{Table: table})
	if sig.Title != "样例 异常 33（0.35%）" || sig.Value != "33 0.35%" || sig.Text != "异常 33 0.35%\n正常 9313 99.65%" {
		t.Errorf("%+v", sig)
	}
}

// A rule that is taken out of the file while it fires ends.
func TestRuleGone(t *testing.T) {
	items, _ := Load(map[string][]byte{"x.yaml": []byte(stateItem)}, nil)
	i := items[0]
	i.Rules = i.Rules[:1]
	table, _ := i.Breakdown.table([]Row{{"k": "异常", "n": 1}})
	o := Outcome{Item: i, At: time.Now(), State: StateOK, Table: table, Verdicts: (&Checker{Calendar: calendar.Default()}).Judge(i, table, time.Now(), nil)}
	next, signals := i.advance(State{Rules: map[string]RuleState{"old": {Firing: true}}}, o)
	if len(signals) != 1 || signals[0].State != alert.Resolved || signals[0].ID != "sample/old" || next.Alarming() {
		t.Errorf("%+v %+v", signals, next)
	}
}
