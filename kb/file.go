package kb

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Bounds of a file, whoever sends it.
const (
	maxFile  = 64 << 20
	maxRows  = 100_000
	maxCells = 2_000_000
)

// Row is one entry of a file. Err says what is wrong with it, with line and
// column; the entry is then not to be stored.
type Row struct {
	Line  int
	Entry Entry
	Err   error
}

// RowError is what is wrong with one row.
type RowError struct {
	Line   int
	Faults Faults
}

func (e *RowError) Error() string { return fmt.Sprintf("第 %d 行%s", e.Line, e.Faults.Error()) }
func (e *RowError) Unwrap() error { return e.Faults }

// ReadFile reads entries from a file; the ending of its name (xlsx, csv, jsonl,
// json, md) says how. Exports of WeKnora, MaxKB, FastGPT and Dify are known by
// their headings and keys. Entries come back as Clean leaves them. Warnings name columns
// that are not ours, and what else was passed over. The error, in Chinese, is
// about the file as a whole: then there are no rows.
func ReadFile(name string, r io.Reader) (rows []Row, warnings []string, err error) {
	read, ok := map[string]func([]byte, *sheet) error{".xlsx": readXLSX, ".csv": readCSV, ".jsonl": readJSONL, ".json": readJSON, ".md": readMD}[endingOf(name)]
	if !ok {
		return nil, nil, unknownEnding(name)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path.Base(name), err)
	}
	if len(data) > maxFile {
		return nil, nil, errors.New("文件超过 64 MiB，请拆开再导入")
	}
	s := &sheet{}
	if err := read(data, s); err != nil {
		return nil, nil, err
	}
	s.findDoubles()
	return s.rows, s.warnings, nil
}

// ReadRows gives the rows of a csv or xlsx file of any kind, as they stand, with
// the same care as ReadFile: encodings, separators, damaged and oversized files.
// known tells the names of columns that are looked for.
func ReadRows(name string, r io.Reader, known func(name string) bool, row func(line int, cells []string) error) error {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", path.Base(name), err)
	case len(data) > maxFile:
		return errors.New("文件超过 64 MiB，请拆开再导入")
	case endingOf(name) == ".csv":
		return csvRows(data, known, row)
	case endingOf(name) == ".xlsx":
		return xlsxRows(data, func(string) {}, row)
	}
	return errors.New("只读 csv 和 xlsx")
}

// WriteFile writes entries so that ReadFile reads them back unchanged; the
// ending of the name says how. It fails, naming the entry, rather than write
// what would not come back.
func WriteFile(name string, w io.Writer, entries []Entry) error {
	write, ok := map[string]func(io.Writer, []Entry) error{".xlsx": writeXLSX, ".csv": writeCSV, ".jsonl": writeJSONL, ".md": writeMD}[endingOf(name)]
	if !ok {
		return unknownEnding(name)
	}
	for i := range entries {
		if err := writable(&entries[i]); err != nil {
			return err
		}
	}
	if err := write(w, entries); err != nil {
		return fmt.Errorf("write %s: %w", path.Base(name), err)
	}
	return nil
}

func endingOf(name string) string { return strings.ToLower(path.Ext(name)) }

func unknownEnding(name string) error {
	if e := endingOf(name); e == ".xlsm" || e == ".xls" || e == ".xlsb" {
		return fmt.Errorf("不收 %s 文件（旧版或带宏），请另存为 .xlsx", e)
	}
	return fmt.Errorf("%s：只认 .xlsx、.csv、.jsonl、.json、.md 文件", path.Base(name))
}

// writable says whether every value fits where it is written.
func writable(e *Entry) error {
	for i := range columns {
		c := &columns[i]
		for _, v := range c.get(e) {
			if !c.long && strings.ContainsAny(v, "\r\n") || strings.ContainsFunc(v, func(r rune) bool { return r != '\r' && forbidden(r) }) {
				return fmt.Errorf("K%d「%s」有换行或控制字符，不能导出", e.Number, c.title)
			}
		}
	}
	return nil
}

// sheet collects the rows of a file.
type sheet struct {
	rows     []Row
	warnings []string
	product  string // the other product that wrote it, "" for none
}

// from says which product's file it is, once.
func (s *sheet) from(product string) {
	if s.product == "" {
		s.product = product
		s.warn("认出是 %s 导出的文件，按它的格式读", product)
	}
}

// add takes a row as read: cleans it, checks it, and keeps the faults that
// reading already found.
func (s *sheet) add(line int, e Entry, faults Faults) {
	e = Clean(e)
	if err := Validate(e); err != nil {
		var more Faults
		errors.As(err, &more)
		for _, f := range more {
			if !hasColumn(faults, f.Column) {
				faults = append(faults, f)
			}
		}
	}
	row := Row{Line: line, Entry: e}
	if len(faults) > 0 {
		row.Err = &RowError{line, faults}
	}
	s.rows = append(s.rows, row)
}

func hasColumn(faults Faults, key string) bool {
	for _, f := range faults {
		if f.Column == key {
			return true
		}
	}
	return false
}

func (s *sheet) warn(format string, args ...any) {
	if len(s.warnings) < 100 {
		s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
	}
}

// findDoubles marks rows that would write over an earlier row of the same
// file: the same number, or the same question where a number does not tell
// them apart.
func (s *sheet) findDoubles() {
	numbers, questions := map[int64]int{}, map[string]int{}
	for i := range s.rows {
		r := &s.rows[i]
		if r.Err != nil {
			continue
		}
		key := bare(normalize(r.Entry.Question))
		if key == "" {
			key = r.Entry.Question
		}
		if at, ok := numbers[r.Entry.Number]; ok && r.Entry.Number != 0 {
			r.Err = &RowError{r.Line, Faults{{"number", fmt.Sprintf("与第 %d 行相同", s.rows[at].Line)}}}
			continue
		}
		if at, ok := questions[key]; ok && (r.Entry.Number == 0 || s.rows[at].Entry.Number == 0) {
			r.Err = &RowError{r.Line, Faults{{"question", fmt.Sprintf("与第 %d 行相同", s.rows[at].Line)}}}
			continue
		}
		numbers[r.Entry.Number], questions[key] = i, i
	}
}
