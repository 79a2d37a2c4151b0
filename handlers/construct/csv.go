package construct

import (
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"

	"frontline/store"
)

// CSV is a run's results as a spreadsheet opens them: with a mark for UTF-8,
// long numbers as text, and no cell that is run as a formula.
func CSV(r *Recipe, items []store.Item) ([]byte, error) {
	var b strings.Builder
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	head := []string{"序号", "状态"}
	var outs []*Output
	for _, o := range r.Outputs {
		if o.Show != "false" {
			outs = append(outs, o)
			head = append(head, o.Label)
		}
	}
	if err := w.Write(append(head, "停在", "原因")); err != nil {
		return nil, err
	}
	for _, i := range items {
		row := []string{strconv.Itoa(i.Pos), StateTitle(i.State)}
		var vals map[string]any
		if i.Outputs != nil {
			if err := json.Unmarshal(i.Outputs, &vals); err != nil {
				return nil, err
			}
		}
		for _, o := range outs {
			v := ""
			if vals != nil {
				v = textOf(vals[o.Name])
			}
			row = append(row, cell(v))
		}
		if err := w.Write(append(row, cell(i.FaultAt), cell(i.Fault))); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return []byte(b.String()), w.Error()
}

// cell keeps a spreadsheet from changing a value: it turns an 18-digit number
// into 3.30101E+17, 0001 into 1, and runs what begins with = + - @.
func cell(v string) string {
	if v == "" {
		return v
	}
	if strings.Trim(v, "0123456789Xx") == "" && (len(v) > 11 || v[0] == '0') && len(v) > 1 {
		return `="` + v + `"`
	}
	if strings.ContainsRune("=+-@\t\r", rune(v[0])) {
		return "'" + v
	}
	return v
}
