package kb

import (
	"bytes"
	"strings"
	"testing"
)

// A file comes back with what is wrong beside its rows, and may come in again
// as it is: the same rows, the same faults, no word about the column.
func TestWriteFaults(t *testing.T) {
	good := Entry{Question: "怎么开户", Answer: "到柜台"}
	var sheet bytes.Buffer
	if err := WriteFile("a.xlsx", &sheet, []Entry{good}); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"a.csv":   "标准问题,答案\n怎么开户,到柜台\n,没有问题\n密码忘了,=cmd\n",
		"a.jsonl": `{"question":"怎么开户","answer":"到柜台"}` + "\n不是对象\n" + `{"answer":"没有问题"}` + "\n",
		"a.md":    "# 知识库\n\n## 怎么开户\n\n- 状态: 哪个\n\n到柜台\n\n## 密码忘了\n\n点找回\n",
		"a.xlsx":  sheet.String(),
	} {
		rows, _, err := ReadFile(name, strings.NewReader(data))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for round := range 2 {
			var out bytes.Buffer
			if err := WriteFaults(name, []byte(data), rows, &out); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			again, warnings, err := ReadFile(name, bytes.NewReader(out.Bytes()))
			if err != nil || len(warnings) > 0 || len(again) != len(rows) {
				t.Fatalf("%s, %d: %d rows of %d, %v, %v\n%s", name, round, len(again), len(rows), warnings, err, out.String())
			}
			bad := 0
			for i := range rows {
				if (rows[i].Err == nil) != (again[i].Err == nil) || rows[i].Entry.Question != again[i].Entry.Question || rows[i].Entry.Answer != again[i].Entry.Answer {
					t.Errorf("%s row %d: %+v, then %+v", name, i, rows[i], again[i])
				}
				if rows[i].Err != nil {
					bad++
				}
			}
			if name != "a.xlsx" && (bad == 0 || !strings.Contains(out.String(), faultColumn)) {
				t.Errorf("%s: %d faults are told\n%s", name, bad, out.String())
			}
			rows, data = again, out.String()
		}
	}
}

func TestFaultsOfXLSX(t *testing.T) {
	var sheet, out bytes.Buffer
	if err := WriteFile("a.xlsx", &sheet, []Entry{{Question: "怎么开户", Answer: "到柜台"}, {Question: "密码忘了", Answer: "点找回"}}); err != nil {
		t.Fatal(err)
	}
	rows, _, err := ReadFile("a.xlsx", bytes.NewReader(sheet.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	rows[1].Err = &RowError{rows[1].Line, Faults{{"answer", "太短"}}}
	if err := WriteFaults("a.xlsx", sheet.Bytes(), rows, &out); err != nil {
		t.Fatal(err)
	}
	var last []string
	if err := ReadRows("a.xlsx", &out, isColumn, func(_ int, cells []string) error { last = append([]string(nil), cells...); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := last[len(last)-1]; got != "「答案」太短" {
		t.Errorf("the last cell of the row: %q", got)
	}
}
