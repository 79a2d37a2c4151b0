package monitor

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"frontline/handlers/spec"
)

// Limits of one condition.
const maxCondition, maxNodes = 1000, 200

// condition is a compiled expression over what a check found.
type condition struct {
	source string
	prog   *vm.Program
	keys   []string // keys of the table that it names, in order
	past   bool     // it compares with earlier results
	series bool     // it compares with a whole series of them
}

// facts is what a condition may name.
type facts struct {
	Rows       map[string]*Cell `expr:"rows"`
	Prev       map[string]*Cell `expr:"prev"`
	List       []Cell           `expr:"list"`
	Total      float64          `expr:"total"`
	Unexpected []string         `expr:"unexpected"`
	TradingDay bool             `expr:"trading_day"`
	SinceOpen  int              `expr:"minutes_since_open"` // -1 outside of the sessions

	// What is not known is nil, never zero: a condition over it is neither true
	// nor false.
	Base       func(key, which string) any `expr:"base"`
	Delta      func(key, which string) any `expr:"delta"`
	Percent    func(key, which string) any `expr:"pct"`
	MAD        func(key string) any        `expr:"mad_z"`
	EWMA       func(key string) any        `expr:"ewma_z"`
	BaseMedian func(key string) any        `expr:"base_median"`
}

// Verdict is what a condition comes to.
type Verdict string

const (
	True    Verdict = "true"
	False   Verdict = "false"
	Unknown Verdict = "unknown" // something it needs is missing
)

// compile checks a condition; keys are those a rule may name, nil when any.
func (r *reader) compile(n *spec.Node, keys []string) *condition {
	source := strings.TrimSpace(n.Text)
	c := &condition{source: source}
	if n.Kind != 's' || source == "" || len(source) > maxCondition {
		r.Fault(n, "这里应是一个条件，最多 %d 个字符", maxCondition)
		return c
	}
	prog, err := expr.Compile(source, expr.Env(facts{}), expr.AsBool(), expr.MaxNodes(maxNodes), expr.DisableBuiltin("now"), expr.DisableBuiltin("repeat"))
	if err != nil {
		col := n.Col + spec.ExprColumn(err)
		if n.Quoted {
			col++
		}
		r.At(n.Line, col, "条件不对：%s", conditionWords(err))
		return c
	}
	c.prog = prog
	look := named{}
	node := prog.Node()
	ast.Walk(&node, &look)
	c.keys, c.past, c.series = look.keys, look.past, look.series
	for _, k := range look.keys {
		if keys != nil && !contains(keys, k) {
			r.Fault(n, "条件里的「%s」不在 expect_keys 里；有：%s", k, strings.Join(keys, "、"))
		}
	}
	for _, w := range look.which {
		if !contains(whiches, w) {
			r.Fault(n, "没有「%s」这个基准；有：%s", w, strings.Join(whiches, "、"))
		}
	}
	return c
}

func conditionWords(err error) string {
	words := spec.ExprWords(err)
	if strings.Contains(words, "expected bool") {
		return "结果要是真或假，例 rows[\"状态异常\"].n > 10"
	}
	return words
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// named gathers the names that a condition writes out.
type named struct {
	keys, which []string
	past        bool
	series      bool
}

func (v *named) Visit(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.MemberNode:
		id, ok := x.Node.(*ast.IdentifierNode)
		if !ok || id.Value != "rows" && id.Value != "prev" {
			return
		}
		v.past = v.past || id.Value == "prev"
		v.key(x.Property)
	case *ast.CallNode:
		id, ok := x.Callee.(*ast.IdentifierNode)
		if !ok || len(x.Arguments) == 0 || !contains([]string{"base", "delta", "pct", "mad_z", "ewma_z", "base_median"}, id.Value) {
			return
		}
		v.past = true
		v.series = v.series || strings.HasSuffix(id.Value, "_z") || id.Value == "base_median"
		v.key(x.Arguments[0])
		if len(x.Arguments) > 1 {
			if s, ok := x.Arguments[1].(*ast.StringNode); ok {
				v.which = append(v.which, s.Value)
			}
		}
	}
}

func (v *named) key(n ast.Node) {
	if s, ok := n.(*ast.StringNode); ok && !contains(v.keys, s.Value) {
		v.keys = append(v.keys, s.Value)
	}
}

// judge tells what a condition comes to, and why when it is not known.
func (c *condition) judge(f facts) (Verdict, string) {
	if c.prog == nil {
		return Unknown, "条件没有编译"
	}
	machine := vm.VM{MemoryBudget: 100_000}
	out, err := machine.Run(c.prog, f)
	if err != nil && c.past {
		return Unknown, "没有可比的历史"
	}
	if err != nil {
		return Unknown, "缺数据，算不出：" + spec.ExprWords(err)
	}
	if b, ok := out.(bool); ok && b {
		return True, ""
	}
	return False, ""
}

// facts of a table; past may be nil where nothing was kept.
func (i *Item) facts(t Table, past Past, trading bool, since time.Duration) facts {
	f := facts{Rows: cells(t), Prev: map[string]*Cell{}, List: t.Cells, Total: t.Total, Unexpected: t.Unexpected, TradingDay: trading, SinceOpen: -1}
	if since >= 0 {
		f.SinceOpen = int(since / time.Minute)
	}
	if past == nil {
		past = nothing{}
	}
	if prev, ok := past.Prev(); ok {
		f.Prev = cells(prev)
	}
	now := func(key string) (float64, bool) {
		c := f.Rows[key]
		if c == nil {
			return 0, false
		}
		return c.N, true
	}
	f.Base = func(key, which string) any {
		if v, ok := past.Base(key, which); ok {
			return v
		}
		return nil
	}
	f.Delta = func(key, which string) any {
		x, here := now(key)
		v, ok := past.Base(key, which)
		if !here || !ok {
			return nil
		}
		return x - v
	}
	f.Percent = func(key, which string) any {
		x, here := now(key)
		v, ok := past.Base(key, which)
		if !here || !ok || v == 0 {
			return nil
		}
		return (x - v) / v * 100
	}
	series := func(key string, of func(x float64, points []float64) float64) any {
		x, here := now(key)
		points := past.Points(key, i.Baseline.Window)
		if !here || len(points) < i.Baseline.Min {
			return nil
		}
		return of(x, points)
	}
	f.MAD = func(key string) any { return series(key, madZ) }
	f.EWMA = func(key string) any { return series(key, ewmaZ) }
	f.BaseMedian = func(key string) any {
		return series(key, func(_ float64, p []float64) float64 { return median(p) })
	}
	return f
}

func cells(t Table) map[string]*Cell {
	m := make(map[string]*Cell, len(t.Cells))
	for _, c := range t.Cells {
		m[c.Key] = &c
	}
	return m
}

// short names the baseline of a rule that does not have enough points yet.
func (i *Item) short(c *condition, past Past) string {
	if !c.series {
		return ""
	}
	if past == nil {
		past = nothing{}
	}
	for _, k := range c.keys {
		if n := len(past.Points(k, i.Baseline.Window)); n < i.Baseline.Min {
			return fmt.Sprintf("基线不足（%d/%d）", n, i.Baseline.Min)
		}
	}
	return ""
}
