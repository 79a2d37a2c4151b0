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

func readXLSX(data []byte, out *sheet) error {
	t := &table{out: out}
	if err := xlsxRows(data, func(name string) { out.warn("只读第一个工作表，「%s」未读", clipped(name)) }, t.row); err != nil {
		return err
	}
	return t.end()
}

// xlsxRows gives the rows of the first sheet one by one; other hears of the
// rest.
func xlsxRows(data []byte, other func(name string), row func(line int, cells []string) error) error {
	if err := checkArchive(data); err != nil {
		return err
	}
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: maxFile, UnzipXMLSizeLimit: maxPart, RawCellValue: true,
	})
	if err != nil {
		return fmt.Errorf("打不开这个 xlsx 文件，可能已损坏：%w", err)
	}
	defer f.Close()
	names := f.GetSheetList()
	if len(names) == 0 {
		return errors.New("文件里没有工作表")
	}
	for _, name := range names[1:] {
		other(name)
	}
	return readSheet(f, names[0], row)
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
