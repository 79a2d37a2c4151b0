package kb

import (
	"errors"
	"fmt"
	"strings"
)

// table reads rows of cells under a heading: what csv and xlsx share.
type table struct {
	out   *sheet
	place []int // by cell of a row: the column, -1 for none of ours
	head  bool
	cells int
	other *dialect // another product's heading, nil for ours
	field []string // by cell of a row, with other
	sheet string   // the name of the sheet, of a workbook
	first int      // lines of the sheets before
	pass  bool     // nothing of this sheet is read
}

// row takes the next row. Rows without anything are passed over; the first
// other one is the heading.
func (t *table) row(line int, cells []string) error {
	t.cells += len(cells)
	if t.cells > maxCells {
		return fmt.Errorf("超过 %d 个单元格，请拆开再导入", maxCells)
	}
	if t.pass || strings.TrimSpace(strings.Join(cells, "")) == "" {
		return nil
	}
	if !t.head {
		t.head = true
		if t.other, t.field = dialectOf(cells); t.other != nil {
			t.out.from(t.other.name)
			return nil
		}
		if t.pass = t.first > 0; t.pass {
			t.out.warn("工作表「%s」没有认识的列名，未读", clipped(t.sheet))
			return nil
		}
		return t.heading(cells)
	}
	if len(t.out.rows) >= maxRows {
		return fmt.Errorf("超过 %d 行，请拆开再导入", maxRows)
	}
	if t.other != nil {
		t.foreign(line, cells)
		return nil
	}
	var e Entry
	var faults Faults
	for i, cell := range cells {
		if i >= len(t.place) || t.place[i] < 0 || cell == "" {
			continue
		}
		c := &columns[t.place[i]]
		if err := c.set(&e, []string{lineBreaks.Replace(cell)}); err != nil {
			faults = append(faults, Fault{c.key, err.Error()})
		}
	}
	t.out.add(line, e, faults)
	return nil
}

// foreign takes a row of another product's file.
func (t *table) foreign(line int, cells []string) {
	r := foreignRow{cells: map[string][]string{}, sheet: t.sheet}
	for i, cell := range cells {
		field := t.other.rest
		if i < len(t.field) {
			field = t.field[i]
		}
		if field != "" && strings.TrimSpace(cell) != "" {
			r.cells[field] = append(r.cells[field], lineBreaks.Replace(cell))
		}
	}
	e, warns := t.other.entry(r)
	for _, w := range warns {
		t.out.warn("第 %d 行%s", t.first+line, w)
	}
	t.out.add(t.first+line, e, nil)
}

func (t *table) heading(cells []string) error {
	seen := map[int]bool{}
	for _, cell := range cells {
		n, ok := columnByName(cell)
		switch {
		case !ok:
			if strings.TrimSpace(cell) != "" && !isFaultColumn(cell) {
				t.out.warn("不认识的列「%s」，未读", clipped(strings.TrimSpace(cell)))
			}
			n = -1
		case seen[n]:
			return fmt.Errorf("有两列都是「%s」", columns[n].title)
		default:
			seen[n] = true
		}
		t.place = append(t.place, n)
	}
	for n := range columns {
		if key := columns[n].key; (key == "question" || key == "answer") && !seen[n] {
			return fmt.Errorf("第一行要有列名，没有找到「%s」（%s）列", columns[n].title, key)
		}
	}
	return nil
}

func (t *table) end() error {
	if !t.head {
		return errors.New("文件是空的")
	}
	return nil
}

// cellsOf is a row as written: a list has one value a line.
func cellsOf(e *Entry) []string {
	out := make([]string, len(columns))
	for i := range columns {
		out[i] = strings.Join(columns[i].get(e), "\n")
	}
	return out
}

func titles() []string {
	out := make([]string, len(columns))
	for i := range columns {
		out[i] = columns[i].title
	}
	return out
}
