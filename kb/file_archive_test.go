package kb

import (
	"archive/zip"
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// workbook writes a small workbook and lets change work on it.
func workbook(t *testing.T, change func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for cell, v := range map[string]any{"A1": "标准问题", "B1": "答案", "C1": "复核日期", "D1": "编号", "A2": "怎么开户", "B2": "带证件", "D2": 12} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(f)
	}
	var buf bytes.Buffer
	if err := f.Write(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// parts copies an archive, with parts replaced or added.
func parts(t *testing.T, data []byte, change map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	put := func(name, text string) {
		p, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		p.Write([]byte(text))
	}
	if data != nil {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			if _, replaced := change[f.Name]; !replaced {
				w.Copy(f)
			}
		}
	}
	for name, text := range change {
		put(name, text)
	}
	w.Close()
	return buf.Bytes()
}

func TestReadXLSX(t *testing.T) {
	day := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	data := workbook(t, func(f *excelize.File) {
		f.SetCellValue("Sheet1", "C2", day)
		f.NewSheet("别的")
		f.SetCellFormula("Sheet1", "E2", "1+1")
	})
	rows, warnings, err := ReadFile("知识.XLSX", bytes.NewReader(data))
	if err != nil || len(rows) != 1 || rows[0].Err != nil {
		t.Fatalf("%v %+v", err, rows)
	}
	if e := rows[0].Entry; e.ReviewAt != "2026-03-05" || e.Number != 12 || e.Question != "怎么开户" {
		t.Errorf("%+v", e)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "别的") {
		t.Error(warnings)
	}
}

func TestXLSXRefused(t *testing.T) {
	good := workbook(t, nil)
	many := map[string]string{}
	for i := range maxParts {
		many[fmt.Sprintf("xl/media/%d.bin", i)] = "x"
	}
	encrypted := func() []byte {
		var buf bytes.Buffer
		f := excelize.NewFile()
		if err := f.Write(&buf, excelize.Options{Password: "x"}); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	far := workbook(t, func(f *excelize.File) { f.SetCellValue("Sheet1", "A1048576", "x") })
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"bomb":          {parts(t, good, map[string]string{"xl/media/a.bin": strings.Repeat("\x00", 100<<20)}), "16 MiB"},
		"many bombs":    {parts(t, good, map[string]string{"a": strings.Repeat("0", 15<<20), "b": strings.Repeat("0", 15<<20), "c": strings.Repeat("0", 15<<20), "d": strings.Repeat("0", 15<<20), "e": strings.Repeat("0", 15<<20)}), "64 MiB"},
		"many parts":    {parts(t, good, many), "最多 200"},
		"zip slip":      {parts(t, good, map[string]string{"../../etc/cron.d/x": "x"}), "路径"},
		"backslash":     {parts(t, good, map[string]string{`xl\..\x`: "x"}), "路径"},
		"macro":         {parts(t, good, map[string]string{"xl/vbaProject.bin": "x"}), "宏"},
		"external link": {parts(t, good, map[string]string{"xl/externalLinks/externalLink1.xml": "<x/>"}), "链接"},
		"doctype":       {parts(t, good, map[string]string{"xl/sharedStrings.xml": `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><sst/>`}), "DOCTYPE"},
		"encrypted":     {encrypted(), "密码"},
		"no workbook":   {parts(t, nil, map[string]string{"a.txt": "x"}), "不是 xlsx"},
		"broken sheet":  {parts(t, good, map[string]string{"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row"}), ""},
		"far row":       {far, "100000 行"},
	} {
		rows, _, err := ReadFile("a.xlsx", bytes.NewReader(c.data))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %d rows", name, err, len(rows))
		}
	}
}

func TestFarColumnIsBounded(t *testing.T) {
	data := workbook(t, func(f *excelize.File) { f.SetCellValue("Sheet1", "XFD2", "x") })
	rows, _, err := ReadFile("a.xlsx", bytes.NewReader(data))
	if err != nil || len(rows) != 1 || rows[0].Err != nil {
		t.Fatalf("%v %+v", err, rows)
	}
}

func TestBombTakesNoMemory(t *testing.T) {
	data := parts(t, workbook(t, nil), map[string]string{"xl/media/a.bin": strings.Repeat("\x00", 100<<20)})
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	ReadFile("a.xlsx", bytes.NewReader(data))
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 32 {
		t.Errorf("%d MiB allocated", n)
	}
}

func TestXLSXCellTooLong(t *testing.T) {
	e := Entry{Number: 5, Question: "a", Answer: "b"}
	for i := range 400 {
		e.Similar = append(e.Similar, strings.Repeat("长", 90)+fmt.Sprint(i))
	}
	if err := WriteFile("a.xlsx", &bytes.Buffer{}, []Entry{e}); err == nil || !strings.Contains(err.Error(), "K5") {
		t.Errorf("%v", err)
	}
	if err := WriteFile("a.csv", &bytes.Buffer{}, []Entry{e}); err != nil {
		t.Error(err)
	}
}

func TestXLSXHasNoFormulas(t *testing.T) {
	var buf bytes.Buffer
	if err := WriteFile("a.xlsx", &buf, []Entry{{Question: "=1+1", Answer: "=HYPERLINK(\"http://x\")"}}); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if formula, _ := f.GetCellFormula(f.GetSheetName(0), "B2"); formula != "" {
		t.Error(formula)
	}
}
