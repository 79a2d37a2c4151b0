package monitor

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"frontline/handlers/mask"
)

// Cell is one line of a table: a status, how many, and which share that is.
type Cell struct {
	Key   string  `json:"key" expr:"key"`
	N     float64 `json:"n" expr:"n"`
	Ratio float64 `json:"ratio" expr:"ratio"` // percent, as it is shown
	Share string  `json:"share,omitempty" expr:"share"`
}

// Table is what a check found. Without a breakdown there are no shares.
type Table struct {
	Cells      []Cell   `json:"cells"`
	Total      float64  `json:"total"`
	Unexpected []string `json:"unexpected,omitempty"` // keys that nobody listed
	Note       string   `json:"note,omitempty"`       // what a heartbeat brought along, masked
}

// Row is one row of a result: columns by name.
type Row map[string]any

// errEmpty is a result with nothing to count. It is no fault of the check.
var errEmpty = errors.New("没有取到数据")

// Cell finds a line by key.
func (t Table) Cell(key string) (Cell, bool) {
	for _, c := range t.Cells {
		if c.Key == key {
			return c, true
		}
	}
	return Cell{}, false
}

// table counts rows. Databases leave out a status that no row has: the listed
// keys are there all the same, in their order, and what is not listed follows.
func (b *Breakdown) table(rows []Row) (Table, error) {
	counts := map[string]*big.Rat{}
	var order []string
	for _, k := range b.Expect {
		counts[k] = new(big.Rat)
		order = append(order, k)
	}
	var t Table
	total := new(big.Rat)
	for _, row := range rows {
		key, n, err := b.read(row)
		if err != nil {
			return t, err
		}
		if b.Total != "" && key == b.Total {
			total.Set(n)
			continue
		}
		if counts[key] == nil {
			counts[key] = new(big.Rat)
			order = append(order, key)
			if len(b.Expect) > 0 {
				t.Unexpected = append(t.Unexpected, key)
			}
		}
		counts[key].Add(counts[key], n)
		if b.Total == "" {
			total.Add(total, n)
		}
	}
	slices.Sort(order[len(b.Expect):])
	slices.Sort(t.Unexpected)
	if total.Sign() <= 0 {
		return t, errEmpty
	}
	t.Total, _ = total.Float64()
	for _, k := range order {
		t.Cells = append(t.Cells, b.cell(k, counts[k], total))
	}
	return t, nil
}

func (b *Breakdown) read(row Row) (key string, n *big.Rat, err error) {
	k, ok := row[b.Key]
	if !ok {
		return "", nil, fmt.Errorf("结果里没有 %s 这一列（有：%s）", b.Key, row.columns())
	}
	v, ok := row[b.Value]
	if !ok {
		return "", nil, fmt.Errorf("结果里没有 %s 这一列（有：%s）", b.Value, row.columns())
	}
	n, ok = number(v)
	if !ok || n.Sign() < 0 {
		return "", nil, fmt.Errorf("%s 这一列不是数", b.Value)
	}
	key = mask.Text(strings.TrimSpace(textOf(k)))
	if key == "" {
		key = "（空）"
	}
	return clip(key, 60), n, nil
}

// cell rounds half up, in decimals: 33 of 9346 is 0.35, 13 is 0.14.
func (b *Breakdown) cell(key string, n, total *big.Rat) Cell {
	share := new(big.Rat).Mul(n, big.NewRat(100, 1))
	share.Quo(share, total)
	c := Cell{Key: key}
	c.N, _ = n.Float64()
	text := share.FloatString(b.Digits)
	c.Ratio, _ = strconv.ParseFloat(text, 64)
	if n.Sign() == 0 {
		text = new(big.Rat).FloatString(b.ZeroDigits)
	}
	c.Share = text + "%"
	return c
}

// values makes a table of the numbers of one row, for checks that count
// nothing: milliseconds, days left.
func values(rows []Row) (Table, error) {
	var t Table
	if len(rows) == 0 {
		return t, errEmpty
	}
	for _, k := range sorted(rows[0]) {
		if n, ok := number(rows[0][k]); ok {
			f, _ := n.Float64()
			t.Cells = append(t.Cells, Cell{Key: k, N: f})
		}
	}
	if len(t.Cells) == 0 {
		return t, errors.New("结果里没有数字")
	}
	return t, nil
}

func (r Row) columns() string {
	if len(r) == 0 {
		return "没有"
	}
	return strings.Join(sorted(r), "、")
}

func sorted(r Row) []string {
	keys := make([]string, 0, len(r))
	for k := range r {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// number reads what databases and JSON give for a number.
func number(v any) (*big.Rat, bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return big.NewRat(1, 1), true
		}
		return new(big.Rat), true
	case int:
		return big.NewRat(int64(x), 1), true
	case int64:
		return big.NewRat(x, 1), true
	case float64:
		r := new(big.Rat)
		_, ok := r.SetString(strconv.FormatFloat(x, 'f', -1, 64))
		return r, ok
	case string:
		if len(x) > 40 || strings.ContainsAny(x, "/eEpPxX_") {
			return nil, false // Rat reads fractions and exponents too
		}
		return new(big.Rat).SetString(strings.TrimSpace(x))
	}
	return nil, false
}

func textOf(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// clip cuts text to n characters.
func clip(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n]) + "…"
	}
	return text
}

// Count writes a number as people do: whole ones without a point.
func Count(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// Lines writes the table as aligned text, the most first after the total.
func (t Table) Lines() []string {
	out := make([]string, 0, len(t.Cells))
	for _, c := range t.Cells {
		line := c.Key + " " + Count(c.N)
		if c.Share != "" {
			line += " " + c.Share
		}
		out = append(out, line)
	}
	return out
}
