package kb

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

func readCSV(data []byte, out *sheet) error {
	t := &table{out: out}
	if err := csvRows(data, isHeading, t.row); err != nil {
		return err
	}
	return t.end()
}

// csvRows gives the rows of a csv file one by one, whatever its encoding; known
// tells the names of columns that are looked for.
func csvRows(data []byte, known func(name string) bool, row func(line int, cells []string) error) error {
	text, err := decode(data)
	if err != nil {
		return err
	}
	if err := checkLines(text); err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = separatorOf(text, known), -1, true
	for {
		cells, err := r.Read()
		var fault *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &fault):
			return fmt.Errorf("第 %d 行第 %d 个字节起引号不配对（这一条从第 %d 行开始）", fault.Line, fault.Column, fault.StartLine)
		case err != nil:
			return err
		}
		line, _ := r.FieldPos(0)
		for i := range cells {
			cells[i] = unguard(cells[i])
		}
		if err := row(line, cells); err != nil {
			return err
		}
	}
}

// separatorOf is the separator under which the first line names the most of
// known columns: spreadsheets write commas, tabs or semicolons.
func separatorOf(text []byte, known func(string) bool) rune {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	best, most := ',', 0
	for _, comma := range []rune{',', '\t', ';'} {
		r := csv.NewReader(bytes.NewReader(line))
		r.Comma, r.LazyQuotes = comma, true
		cells, _ := r.Read()
		n := 0
		for _, c := range cells {
			if known(unguard(c)) {
				n++
			}
		}
		if n > most {
			best, most = comma, n
		}
	}
	return best
}

func writeCSV(w io.Writer, entries []Entry) error {
	if _, err := w.Write(utf8BOM); err != nil {
		return err // the mark makes spreadsheets read it as UTF-8
	}
	c := csv.NewWriter(w)
	if err := c.Write(titles()); err != nil {
		return err
	}
	for i := range entries {
		cells := cellsOf(&entries[i])
		for k := range cells {
			cells[k] = guard(cells[k])
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// formulaMarks begin a formula in some spreadsheet
// (owasp.org/www-community/attacks/CSV_Injection).
const formulaMarks = "=+-@\t\r＝＋－＠"

// guard puts an apostrophe before a cell that a spreadsheet would compute. A
// cell that begins with an apostrophe gets another one only where unguard
// would take its own for a guard: so every text comes back as it was.
func guard(cell string) string {
	if computed(cell) || guarded(cell) {
		return "'" + cell
	}
	return cell
}

// unguard takes the apostrophe of guard off again.
func unguard(cell string) string {
	if guarded(cell) {
		return cell[1:]
	}
	return cell
}

func computed(cell string) bool {
	for _, r := range cell {
		return strings.ContainsRune(formulaMarks, r)
	}
	return false
}

func guarded(cell string) bool {
	rest, ok := strings.CutPrefix(cell, "'")
	return ok && (strings.HasPrefix(rest, "'") || computed(rest))
}
