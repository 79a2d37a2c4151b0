package kb

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// Files that somebody made to do harm: B85 to B89 of the list of bad inputs.

// claims is an archive whose part says that it is another size than it is.
func claims(t *testing.T, content []byte, says uint64) []byte {
	t.Helper()
	var packed, out bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(content)
	w.Close()
	z := zip.NewWriter(&out)
	if p, err := z.Create("xl/workbook.xml"); err != nil {
		t.Fatal(err)
	} else {
		p.Write([]byte("<workbook/>"))
	}
	p, err := z.CreateRaw(&zip.FileHeader{Name: "xl/worksheets/sheet1.xml", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: uint64(packed.Len()), UncompressedSize64: says})
	if err != nil {
		t.Fatal(err)
	}
	p.Write(packed.Bytes())
	z.Close()
	return out.Bytes()
}

// allocated is what a function allocates in all, in MiB.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

func utf16BOM(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func TestHostileArchives(t *testing.T) {
	good := workbook(t, nil)
	many := map[string]string{"xl/workbook.xml": "<workbook/>"}
	for i := range 70_000 {
		many[fmt.Sprintf("xl/media/%d", i)] = ""
	}
	const bad = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>`
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"4 GB declared":           {claims(t, []byte("<worksheet/>"), 4<<30), "16 MiB"},
		"17 MB that say 10 bytes": {claims(t, make([]byte, 17<<20), 10), "损坏"},
		"10 bytes that say 1 MB":  {claims(t, make([]byte, 10), 1<<20), "损坏"},
		"70,000 parts":            {parts(t, nil, many), "70001 个部分"},
		"doctype, late":           {parts(t, good, map[string]string{"xl/sharedStrings.xml": "<?xml version=\"1.0\"?><!--" + strings.Repeat("x", 1<<20) + "-->" + bad}), "DOCTYPE"},
		"doctype, small letters":  {parts(t, good, map[string]string{"xl/worksheets/sheet1.xml": strings.ToLower(bad)}), "DOCTYPE"},
		"doctype, UTF-16":         {parts(t, good, map[string]string{"xl/sharedStrings.xml": string(utf16BOM(bad))}), "DOCTYPE"},
		"DDE":                     {parts(t, good, map[string]string{"xl/externalLinks/externalLink1.xml": `<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>`}), "链接"},
		"a slip in small steps":   {parts(t, good, map[string]string{"xl/worksheets/../../../etc/x": "x"}), "路径"},
		"an absolute path":        {parts(t, good, map[string]string{"/etc/x": "x"}), "路径"},
		"two of one name":         {parts(t, good, map[string]string{"XL/Workbook.xml": "<workbook/>"}), "同名"},
	} {
		var err error
		if n := allocated(func() { _, _, err = ReadFile("a.xlsx", bytes.NewReader(c.data)) }); n > 256 {
			t.Errorf("%s: %d MiB allocated", name, n)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A text that looks like the mark, and is none, is no reason to refuse.
func TestMarkInText(t *testing.T) {
	data := workbook(t, func(f *excelize.File) { f.SetCellValue("Sheet1", "B2", "页面开头写 <!DOCTYPE html>") })
	rows, _, err := ReadFile("a.xlsx", bytes.NewReader(data))
	if err != nil || len(rows) != 1 || rows[0].Entry.Answer != "页面开头写 <!DOCTYPE html>" {
		t.Errorf("%+v %v", rows, err)
	}
	if d := (&declared{}); func() bool { fmt.Fprint(d, "<<!DOC<!DOCTYP"); return d.found }() {
		t.Error("half a mark")
	}
}

// The last cell of all, alone in its sheet.
func TestLastCellAlone(t *testing.T) {
	data := parts(t, workbook(t, nil), map[string]string{"xl/worksheets/sheet1.xml": xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>`})
	var err error
	if n := allocated(func() { _, _, err = ReadFile("a.xlsx", bytes.NewReader(data)) }); n > 256 || err == nil {
		t.Errorf("%d MiB allocated, %v", n, err)
	}
}

// A formula is what its cell shows, and no title becomes one on the way out.
func TestFormulasStayTexts(t *testing.T) {
	const dde = `=cmd|'/c calc'!A0`
	data := workbook(t, func(f *excelize.File) {
		f.SetCellFormula("Sheet1", "B2", `cmd|'/c calc'!A0`)
		f.SetCellValue("Sheet1", "A3", dde)
		f.SetCellValue("Sheet1", "B3", "+1")
	})
	rows, _, err := ReadFile("a.xlsx", bytes.NewReader(data))
	if err != nil || len(rows) != 2 || strings.Contains(rows[0].Entry.Answer, "cmd") || rows[1].Entry.Question != dde {
		t.Fatalf("%+v %v", rows, err)
	}
	var out bytes.Buffer
	if err := WriteFile("a.csv", &out, []Entry{rows[1].Entry}); err != nil {
		t.Fatal(err)
	}
	cells, err := csv.NewReader(bytes.NewReader(out.Bytes()[len(utf8BOM):])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range cells[1] {
		if computed(cell) {
			t.Errorf("a spreadsheet would compute %q", cell)
		}
	}
}

func TestHostileText(t *testing.T) {
	const head = "标准问题,答案\n"
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"one line of 50 MB":        {[]byte(head + "问," + strings.Repeat("长", 50<<20/3)), "第 2 行超过 1 MiB"},
		"quotes of two kinds":      {[]byte(head + "“甲”,\"乙\"丙\"\n"), "引号不配对"},
		"a quote that never ends":  {[]byte(head + "甲,\"乙\n" + strings.Repeat("丙,丁\n", 1000)), "引号不配对"},
		"half GBK, half UTF-8":     {append([]byte(head+"甲,"), 0xbc, 0xd7, 0xff, '\n'), "编码"},
		"UTF-16 cut in the middle": {utf16BOM(head + "甲,乙\n")[:17], ""},
	} {
		var rows []Row
		var err error
		if n := allocated(func() { rows, _, err = ReadFile("a.csv", bytes.NewReader(c.data)) }); n > 512 {
			t.Errorf("%s: %d MiB allocated", name, n)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) || err == nil && len(rows) > 1 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
	rows, _, err := ReadFile("a.csv", bytes.NewReader(utf16BOM(head+"甲怎么办,\"他说\"\"好\"\"\"\n")))
	if err != nil || len(rows) != 1 || rows[0].Entry.Answer != `他说"好"` {
		t.Errorf("UTF-16: %+v %v", rows, err)
	}
}
