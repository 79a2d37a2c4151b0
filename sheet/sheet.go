// Package sheet writes tables that people open in a spreadsheet: row by row, so
// that a long one needs no memory, and so that no cell becomes a formula.
package sheet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Writer takes a table row by row. Close ends it; nothing may be used of what
// was written before Close returned nil.
type Writer interface {
	Row(cells ...string) error
	Close() error
}

// CSV writes comma-separated values in UTF-8 with a byte order mark, which
// Excel needs to read Chinese.
func CSV(w io.Writer) (Writer, error) {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return nil, err
	}
	return csvWriter{csv.NewWriter(w)}, nil
}

type csvWriter struct{ *csv.Writer }

func (c csvWriter) Row(cells ...string) error {
	safe := make([]string, len(cells))
	for i, cell := range cells {
		safe[i] = Inert(cell)
	}
	return c.Write(safe)
}

func (c csvWriter) Close() error { c.Flush(); return c.Error() }

// Inert makes a cell that a spreadsheet would take for a formula plain text, by
// an apostrophe before it. The wide forms count too: some programs narrow them.
// https://owasp.org/www-community/attacks/CSV_Injection
func Inert(cell string) string {
	if strings.IndexAny(strings.TrimLeft(cell, " \u3000\u00A0"), "=+-@＝＋－＠\t\r\n") == 0 || strings.HasPrefix(cell, "\t") {
		return "'" + cell
	}
	return cell
}

// XLSX writes an Excel file; it goes out when Close is called, out of a
// temporary file when it is large. Every cell is text, never a formula.
func XLSX(w io.Writer, name string) (Writer, error) {
	f := excelize.NewFile()
	if err := f.SetSheetName("Sheet1", name); err != nil {
		return nil, err
	}
	s, err := f.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return nil, err
	}
	return &xlsxWriter{w: w, f: f, s: s}, nil
}

type xlsxWriter struct {
	w   io.Writer
	f   *excelize.File
	s   *excelize.StreamWriter
	row int
}

// cellMost is the most that a cell of Excel takes, in characters.
const cellMost = 32_767

func (x *xlsxWriter) Row(cells ...string) error {
	x.row++
	values := make([]any, len(cells))
	for i, c := range cells {
		if r := []rune(c); len(r) > cellMost {
			c = string(r[:cellMost])
		}
		values[i] = c // a string becomes a text cell
	}
	return x.s.SetRow(fmt.Sprintf("A%d", x.row), values)
}

func (x *xlsxWriter) Close() error {
	defer x.f.Close()
	if err := x.s.Flush(); err != nil {
		return err
	}
	return x.f.Write(x.w)
}
