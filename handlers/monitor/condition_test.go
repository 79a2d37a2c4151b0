package monitor

import (
	"math"
	"strings"
	"testing"
	"time"

	"frontline/handlers/calendar"
	"frontline/handlers/spec"
)

// history is a past that a test made up.
type history struct {
	prev   Table
	points []float64
	base   map[string]float64
}

func (h history) Prev() (Table, bool) { return h.prev, len(h.prev.Cells) > 0 }
func (h history) Base(_, which string) (float64, bool) {
	v, ok := h.base[which]
	return v, ok
}
func (h history) Points(string, int) []float64 { return h.points }

var quiet = []float64{31, 29, 33, 30, 28, 32, 34, 30, 29, 31, 33, 30, 32, 31}

func TestAnomaly(t *testing.T) {
	for _, c := range []struct {
		x, want float64
		of      func(float64, []float64) float64
	}{{33, 1.35, madZ}, {36, 3.37, madZ}, {40, 6.07, madZ}, {0, -20.9, madZ}, {36, 4.1, ewmaZ}} {
		if got := c.of(c.x, quiet); math.Abs(got-c.want) > 0.03 {
			t.Errorf("%v: %.3f, want %v", c.x, got, c.want)
		}
	}
	// A flat series: from 5 to 6 is not infinite.
	flat := []float64{5, 5, 5, 5, 5, 5, 5}
	if got := madZ(6, flat); math.Abs(got-0.6745) > 0.001 {
		t.Errorf("flat: %v", got)
	}
	if got := ewmaZ(6, flat); got != 1 {
		t.Errorf("flat: %v", got)
	}
}

func TestConditions(t *testing.T) {
	table := Table{Cells: []Cell{{"状态异常", 33, 0.35, "0.35%"}, {"已指定", 9300, 99.51, "99.51%"}}, Total: 9333}
	past := history{points: quiet, prev: Table{Cells: []Cell{{"状态异常", 30, 0.3, ""}}}, base: map[string]float64{"yesterday": 30, "same_time_last_week": 20}}
	c := &Checker{Calendar: calendar.Default()}
	at := time.Date(2026, 3, 3, 10, 0, 0, 0, c.Calendar.Location())
	for _, x := range []struct {
		when string
		past Past
		want Verdict
		why  string
	}{
		{`rows["状态异常"].n == 33 and rows["状态异常"].ratio > 0.3`, nil, True, ""},
		{`rows["状态异常"].ratio < 0.3`, nil, False, ""},
		{`rows["已指定"].n > prev["状态异常"].n`, past, True, ""},
		{`rows["状态异常"].n > base("状态异常", "same_time_last_week") * 1.5`, past, True, ""},
		{`delta("状态异常", "yesterday") == 3 and pct("状态异常", "yesterday") == 10`, past, True, ""},
		{`mad_z("状态异常") > 1 and ewma_z("状态异常") < 2 and base_median("状态异常") == 31`, past, True, ""},
		{`trading_day and minutes_since_open == 30 and total == 9333 and len(unexpected) == 0`, nil, True, ""},
		{`len(filter(list, .ratio > 50)) == 1`, nil, True, ""},
		// What is not known is not zero.
		{`rows["状态异常"].n > base("状态异常", "prev")`, past, Unknown, "没有可比的历史"},
		{`rows["状态异常"].n > base("状态异常", "yesterday")`, nil, Unknown, "没有可比的历史"},
		{`mad_z("状态异常") < 100`, history{points: quiet[:4]}, Unknown, "基线不足（4/7）"},
		{`rows["没有"].n == 0`, nil, Unknown, "缺数据"},
		// But a side that is known decides where it can.
		{`rows["状态异常"].n > 10 or rows["状态异常"].n > base("状态异常", "prev")`, nil, True, ""},
	} {
		r := &reader{spec.Reader{File: "x"}, nil}
		cond := r.compile(&spec.Node{Kind: 's', Text: x.when, Line: 1, Col: 1}, nil)
		if len(r.Faults) > 0 {
			t.Errorf("%s: %v", x.when, r.Faults)
			continue
		}
		i := &Item{Rules: []*Rule{{Name: "r", When: cond}}, Baseline: Baseline{20, 7}}
		got := c.Judge(i, table, at, x.past)[0]
		if got.When != x.want || !strings.Contains(got.Why, x.why) {
			t.Errorf("%s: %s %s, want %s %s", x.when, got.When, got.Why, x.want, x.why)
		}
	}
}

func TestEndlessConditionIsStopped(t *testing.T) {
	r := &reader{spec.Reader{File: "x"}, nil}
	c := r.compile(&spec.Node{Kind: 's', Text: `len(map(1..100000000, # * 2)) > 0`, Line: 1, Col: 1}, nil)
	began := time.Now()
	if got, _ := c.judge((&Item{}).facts(Table{}, nil, false, -1)); got != Unknown || time.Since(began) > 2*time.Second {
		t.Errorf("%s after %s", got, time.Since(began))
	}
}
