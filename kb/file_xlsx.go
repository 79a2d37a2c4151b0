package kb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// maxCellText is the platform of spreadsheets' own bound of a cell, in UTF-16
// units; a longer text would be cut without a word.
const maxCellText = 32_767

// readXLSX reads the first sheet; of a product that writes a sheet for each
// document, all of them, whose lines are counted on.
func readXLSX(data []byte, out *sheet) error {
	f, names, err := openXLSX(data)
	if err != nil {
		return err
	}
	defer f.Close()
	lines, others := 0, false
	for i, name := range names {
		if i > 0 && !others {
			out.warn("只读第一个工作表，「%s」未读", clipped(name))
			continue
		}
		t, last := &table{out: out, sheet: name, first: lines}, 0
		if err := readSheet(f, name, func(line int, cells []string) error { last = line; return t.row(line, cells) }); err != nil {
			return err
		}
		if i == 0 {
			if err := t.end(); err != nil {
				return err
			}
			others = t.other != nil && t.other.every
		}
		lines += last
	}
	if others && len(names) > 1 {
		out.warn("共 %d 个工作表，都读了，行号接着数", len(names))
	}
	return nil
}

// xlsxRows gives the rows of the first sheet one by one; other hears of the
// rest.
func xlsxRows(data []byte, other func(name string), row func(line int, cells []string) error) error {
	f, names, err := openXLSX(data)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, name := range names[1:] {
		other(name)
	}
	return readSheet(f, names[0], row)
}

// openXLSX opens a workbook that has been looked at, and names its sheets, of
// which there is one at least.
func openXLSX(data []byte) (*excelize.File, []string, error) {
	if err := checkArchive(data); err != nil {
		return nil, nil, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: maxFile, UnzipXMLSizeLimit: maxPart, RawCellValue: true,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("打不开这个 xlsx 文件，可能已损坏：%w", err)
	}
	names := f.GetSheetList()
	if len(names) == 0 {
		f.Close()
		return nil, nil, errors.New("文件里没有工作表")
	}
	return f, names, nil
}

func readSheet(f *excelize.File, name string, row func(line int, cells []string) error) error {
	rows, err := f.Rows(name)
	if err != nil {
		return fmt.Errorf("工作表「%s」读不出来：%w", clipped(name), err)
	}
	defer rows.Close()
	for line := 1; rows.Next(); line++ {
		if line > maxRows+1 {
			return fmt.Errorf("超过 %d 行，请拆开再导入", maxRows)
		}
		cells, err := rows.Columns()
		if err != nil {
			return fmt.Errorf("第 %d 行读不出来：%w", line, err)
		}
		if err := row(line, cells); err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return fmt.Errorf("工作表「%s」读不出来：%w", clipped(name), err)
	}
	return nil
}

// escapedUnit is how spreadsheets write a character that XML lacks
// (ECMA-376 part 1, 22.9.2.19); excelize escapes one that stands alone right.
var escapedUnit = regexp.MustCompile(`_x005F_|_x[0-9A-Fa-f]{4}_x[0-9A-Fa-f]{4}_`)

// writeXLSX writes strings only: a text that begins with = stays a text.
func writeXLSX(w io.Writer, entries []Entry) error {
	f := excelize.NewFile()
	defer f.Close()
	const name = "知识"
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return err
	}
	s, err := f.NewStreamWriter(name)
	if err != nil {
		return err
	}
	if err := writeHead(s); err != nil {
		return err
	}
	size := 0
	for i := range entries {
		cells := cellsOf(&entries[i])
		if err := fitsCells(&entries[i], cells, &size); err != nil {
			return err
		}
		if err := s.SetRow(fmt.Sprintf("A%d", i+2), anyOf(cells)); err != nil {
			return err
		}
	}
	if err := s.Flush(); err != nil {
		return err
	}
	return f.Write(w)
}

// writeHead makes the columns wide enough to read and keeps the titles in view.
func writeHead(s *excelize.StreamWriter) error {
	if err := s.SetColWidth(2, 5, 36); err != nil {
		return err
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	return s.SetRow("A1", anyOf(titles()))
}

// markup is about what the XML of a cell needs beside its text.
const markup = 60

func fitsCells(e *Entry, cells []string, size *int) error {
	for k, cell := range cells {
		*size += len(cell) + markup
		if len(utf16.Encode([]rune(cell))) > maxCellText {
			return fmt.Errorf("K%d「%s」超过一个单元格的 %d 字，请导出为 csv 或 jsonl", e.Number, columns[k].title, maxCellText)
		}
		if escapedUnit.MatchString(cell) {
			return fmt.Errorf("K%d「%s」含有 xlsx 存不了的 _x…_ 写法，请导出为 csv 或 jsonl", e.Number, columns[k].title)
		}
	}
	if *size > maxPart*9/10 {
		return fmt.Errorf("知识太多，一个 xlsx 放不下（%d MiB），请导出为 csv 或 jsonl", maxPart>>20)
	}
	return nil
}

func anyOf(cells []string) []any {
	out := make([]any, len(cells))
	for i, c := range cells {
		if c != "" {
			out[i] = c
		}
	}
	return out
}
