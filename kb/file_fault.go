package kb

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/xuri/excelize/v2"
)

// faultLine is the mark of a fault in Markdown.
var faultLine = regexp.MustCompile(`^-[ ]+` + faultColumn + `[ ]*[:：]`)

// MaxFile bounds a file of knowledge.
const MaxFile = maxFile

// faultColumn is where a file that is given back says what is wrong with a
// row. Reading passes it over, so that the file can come in again as it is.
const faultColumn = "导入错误"

// WriteFaults writes a file again as it came, with what is wrong beside each row
// that has something.
func WriteFaults(name string, data []byte, rows []Row, w io.Writer) error {
	faults := map[int]string{}
	for _, r := range rows {
		var f Faults
		switch {
		case errors.As(r.Err, &f):
			faults[r.Line] = f.Error()
		case r.Err != nil:
			faults[r.Line] = r.Err.Error()
		}
	}
	write, ok := map[string]func([]byte, map[int]string, io.Writer) error{".xlsx": faultsXLSX, ".csv": faultsCSV, ".jsonl": faultsJSONL, ".json": faultsJSON, ".md": faultsMD}[endingOf(name)]
	if !ok {
		return unknownEnding(name)
	}
	return write(data, faults, w)
}

// marker adds the column to rows of cells: the first row with anything is the
// heading. A column of an earlier time is used again.
type marker struct {
	faults map[int]string
	at     int // place of the column, -1 before the heading
	widest int // cells of the longest row, which may have more than the heading
}

func (m *marker) row(line int, cells []string) []string {
	if m.at < 0 {
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			return cells
		}
		m.at = max(len(cells), m.widest)
		for i, c := range cells {
			if isFaultColumn(c) {
				m.at = i
			}
		}
		return put(cells, m.at, faultColumn)
	}
	return put(cells, m.at, m.faults[line])
}

func put(cells []string, at int, text string) []string {
	out := append([]string(nil), cells...)
	for len(out) <= at {
		out = append(out, "")
	}
	out[at] = text
	return out
}

func isFaultColumn(name string) bool { return strings.Trim(name, " \t\r\n*:：") == faultColumn }

func faultsCSV(data []byte, faults map[int]string, w io.Writer) error {
	if _, err := w.Write(utf8BOM); err != nil {
		return err
	}
	c, m := csv.NewWriter(w), marker{faults: faults, at: -1}
	widest := func(_ int, cells []string) error { m.widest = max(m.widest, len(cells)); return nil }
	if err := csvRows(data, isHeading, widest); err != nil {
		return err
	}
	err := csvRows(data, isHeading, func(line int, cells []string) error {
		marked := m.row(line, cells)
		for i := range marked {
			marked[i] = guard(marked[i])
		}
		return c.Write(marked)
	})
	c.Flush()
	return errors.Join(err, c.Error())
}

func faultsXLSX(data []byte, faults map[int]string, w io.Writer) error {
	f := excelize.NewFile()
	defer f.Close()
	s, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	m := marker{faults: faults, at: -1}
	err = xlsxRows(data, func(string) {}, func(line int, cells []string) error {
		return s.SetRow(fmt.Sprintf("A%d", line), anyOf(m.row(line, cells)))
	})
	if err := errors.Join(err, s.Flush()); err != nil {
		return err
	}
	return f.Write(w)
}

func faultsJSONL(data []byte, faults map[int]string, w io.Writer) error {
	text, err := decode(data)
	if err != nil {
		return err
	}
	n := 0
	for line := range bytes.Lines(text) {
		n++
		if faults[n] != "" {
			line = markObject(line, faults[n])
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// markObject puts the fault into the object of a line; a line that is none
// stands as it was, with the fault on a line before it.
func markObject(line []byte, fault string) []byte {
	var object map[string]json.RawMessage
	text, _ := json.Marshal(fault)
	if json.Unmarshal(line, &object) != nil || object == nil {
		return append(fmt.Appendf(nil, "{%q:%s}\n", faultColumn, text), line...)
	}
	object[faultColumn] = text
	out, err := json.Marshal(object)
	if err != nil {
		return line
	}
	return append(out, '\n')
}

func faultsMD(data []byte, faults map[int]string, w io.Writer) error {
	text, err := decode(data)
	if err != nil {
		return err
	}
	for n, line := range strings.Split(strings.TrimSuffix(lineBreaks.Replace(string(text)), "\n"), "\n") {
		if faultLine.MatchString(line) {
			continue // of an earlier time
		}
		if faults[n+1] != "" {
			line += "\n- " + faultColumn + ": " + strings.Join(strings.Fields(faults[n+1]), " ")
		}
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}
