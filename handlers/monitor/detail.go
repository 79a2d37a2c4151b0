package monitor

import (
	"context"
	"fmt"
	"strings"

	"frontline/handlers/spec"
)

// Detail asks which objects are in the abnormal status, so that a day can be
// counted by object: one that came for one that went is seen. Keys are blinded
// before they are kept; nobody reads them here.
type Detail struct {
	Probe Probe
	Key   string // column
}

func (r *reader) detail(n *spec.Node) *Detail {
	d := &Detail{}
	ways := 0
	r.Fields(n, "detail", map[string]func(*spec.Node){
		"key":  func(n *spec.Node) { d.Key = r.Text(n) },
		"sql":  func(n *spec.Node) { d.Probe = r.sqlProbe(n); ways++ },
		"http": func(n *spec.Node) { d.Probe = r.httpProbe(n); ways++ },
	})
	if n.Kind == 'm' && (d.Key == "" || ways != 1) {
		r.Fault(n, "detail 要写 key（对象是哪一列）和 sql、http 其中一种")
	}
	return d
}

// Objects are what a check found in the abnormal status. Known is false when
// that was not asked or not answered in full: then nothing is said to have left.
type Objects struct {
	Keys  []string
	Known bool
	Fault string // why it is not known, when it was asked
}

// objects asks for the objects of an item.
func (c *Checker) objects(ctx context.Context, i *Item, o Order) (out Objects) {
	rows, err := i.Detail.Probe.Rows(ctx, c.Sources, o)
	if err != nil {
		out.Fault = clip("明细没查成："+err.Error(), 300)
		return out
	}
	for _, row := range rows {
		v, there := row[i.Detail.Key]
		if !there {
			out.Fault = fmt.Sprintf("明细里没有 %s 这一列（有：%s）", i.Detail.Key, row.columns())
			return Objects{Fault: out.Fault}
		}
		if key := strings.TrimSpace(textOf(v)); key != "" {
			out.Keys = append(out.Keys, key)
		}
	}
	out.Known = true
	return out
}
