package sheet

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

var hostile = []string{"=1+1", "+8613800000000", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "　@x", "plain", "a=b", "", "含,逗号\"引号\n换行"}

func TestCSVHasNoFormulas(t *testing.T) {
	var b bytes.Buffer
	w, err := CSV(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range hostile {
		if err := w.Row("x", cell); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(b.String(), "\uFEFF")
	if !ok {
		t.Error("no byte order mark: Excel would show Chinese as rubbish")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != len(hostile) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, row := range rows {
		want := hostile[i]
		if i < 10 {
			want = "'" + want
		}
		// A reader of CSV makes \n of \r\n; a lone \r stays.
		if row[1] != want {
			t.Errorf("%q became %q, want %q", hostile[i], row[1], want)
		}
	}
}

func TestXLSXHoldsText(t *testing.T) {
	var b bytes.Buffer
	w, err := XLSX(&b, "工单")
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range hostile {
		if err := w.Row("x", cell); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Row(strings.Repeat("长", 40_000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("工单")
	if err != nil || len(rows) != len(hostile)+1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, cell := range hostile {
		at, _ := excelize.CoordinatesToCellName(2, i+1)
		if formula, _ := f.GetCellFormula("工单", at); formula != "" {
			t.Errorf("%q became the formula %q", cell, formula)
		}
		if got, _ := f.GetCellValue("工单", at); strings.ReplaceAll(got, "\r", "") != strings.ReplaceAll(cell, "\r", "") {
			t.Errorf("%q became %q", cell, got)
		}
	}
}
