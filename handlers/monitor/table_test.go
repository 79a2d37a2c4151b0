package monitor

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// The figures of the mission: 9346 accounts, to the digit.
func TestBreakdown(t *testing.T) {
	b := &Breakdown{Key: "status", Value: "n", Expect: []string{"状态异常", "已指定", "首日指定", "未指定"}, Digits: 2, ZeroDigits: 1}
	rows := []Row{{"status": "未指定", "n": int64(13)}, {"status": "已指定", "n": "9300"}, {"status": "状态异常", "n": float64(33)}}
	table, err := b.table(rows)
	if err != nil {
		t.Fatal(err)
	}
	want := "状态异常 33 0.35%|已指定 9300 99.51%|首日指定 0 0.0%|未指定 13 0.14%"
	if got := strings.Join(table.Lines(), "|"); got != want || table.Total != 9346 {
		t.Errorf("%s of %v, want %s", got, table.Total, want)
	}
	if c, _ := table.Cell("状态异常"); c.Ratio != 0.35 {
		t.Errorf("a condition sees %v, not what is shown", c.Ratio)
	}
	table, err = b.table(append(rows, Row{"status": "冻结", "n": 2}, Row{"status": "冻结", "n": 1}))
	if err != nil || !reflect.DeepEqual(table.Unexpected, []string{"冻结"}) || table.Total != 9349 {
		t.Errorf("%+v %v", table, err)
	}
	if _, err := b.table(nil); !errors.Is(err, errEmpty) {
		t.Errorf("a total of nothing is no data, not %v", err)
	}
	if _, err := b.table([]Row{{"state": "x", "n": 1}}); err == nil || !strings.Contains(err.Error(), "没有 status 这一列（有：n、state）") {
		t.Errorf("%v", err)
	}
	for _, bad := range []any{"12/3", "1e9", "0x10", "many", nil, -1} {
		if _, err := b.table([]Row{{"status": "x", "n": bad}}); err == nil {
			t.Errorf("%v was taken for a count", bad)
		}
	}
}

func TestBreakdownWithTotal(t *testing.T) {
	b := &Breakdown{Key: "k", Value: "n", Digits: 2, ZeroDigits: 2, Total: "全部"}
	table, err := b.table([]Row{{"k": "全部", "n": 8000}, {"k": "异常", "n": 1}, {"k": "正常", "n": 0}})
	if err != nil || fmt.Sprint(table.Lines()) != "[异常 1 0.01% 正常 0 0.00%]" {
		t.Errorf("%v %v", table.Lines(), err)
	}
}

// Halves go up: 0.125 is 0.13, whatever a binary fraction makes of it.
func TestShareRounds(t *testing.T) {
	b := &Breakdown{Key: "k", Value: "n", Digits: 2}
	table, err := b.table([]Row{{"k": "a", "n": 1}, {"k": "b", "n": 799}})
	if err != nil || table.Cells[0].Share != "0.13%" || table.Cells[1].Share != "99.88%" {
		t.Errorf("%v %v", table.Lines(), err)
	}
}

func TestKeysAreMasked(t *testing.T) {
	b := &Breakdown{Key: "k", Value: "n"}
	table, err := b.table([]Row{{"k": "13800138000", "n": 1}})
	if err != nil || strings.Contains(table.Cells[0].Key, "13800138000") {
		t.Errorf("%v %v", table, err)
	}
}
