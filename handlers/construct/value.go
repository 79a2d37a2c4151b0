package construct

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"frontline/handlers/construct/gen"
	"frontline/handlers/spec"
)

// Pair and Ordered are a map that keeps the order of the file: XML and the
// middleware's fields depend on it.
type Pair struct {
	Key string
	Val any
}

// Ordered is a map in the order of the file.
type Ordered []Pair

// MarshalJSON writes an object in order.
func (o Ordered) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		k, _ := json.Marshal(p.Key)
		v, err := json.Marshal(p.Val)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// value is a piece of a recipe that becomes a value when a run comes by.
// Exactly one ${ … } keeps its type; inside longer text it is joined as text.
type value struct {
	line, col int
	lit       any // when there is no expression in it
	parts     []part
	whole     bool
	keys      []string // of a map
	vals      []*value // of a map or a list
	kind      byte     // s, m, l
}

type part struct {
	text string
	expr *expression
}

// expression is one compiled expression of a recipe.
type expression struct {
	source    string
	line, col int
	prog      *vm.Program
}

// maxExpr bounds the length of one expression, maxNodes its tree.
const maxExpr, maxNodes = 2000, 400

// split cuts text at ${ … }, counting braces and quotes; $${ is a literal.
func split(text string) (parts []string, isExpr []bool, err error) {
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			parts, isExpr = append(parts, lit.String()), append(isExpr, false)
			lit.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "$${"):
			lit.WriteString("${")
			i += 3
		case strings.HasPrefix(text[i:], "${"):
			end := closing(text, i+2)
			if end < 0 {
				return nil, nil, errors.New("${ 没有写完：缺 }")
			}
			flush()
			parts, isExpr = append(parts, text[i+2:end]), append(isExpr, true)
			i = end + 1
		default:
			lit.WriteByte(text[i])
			i++
		}
	}
	flush()
	return parts, isExpr, nil
}

func closing(text string, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if text[i] == '\\' && c != '`' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// scope is what expressions of one place may name.
type scope struct {
	types types.Map
	later map[string]bool // steps that come after this place, for a better sentence
}

func (s scope) with(name string, t types.Type) scope {
	m := types.Map{}
	for k, v := range s.types {
		m[k] = v
	}
	m[name] = t
	return scope{m, s.later}
}

// value compiles a node. A sc without types is checked elsewhere.
func (r *reader) value(n *node, sc scope) *value {
	v := &value{line: n.Line, col: n.Col, kind: n.Kind}
	switch n.Kind {
	case 'm':
		for i, k := range n.Keys {
			v.keys, v.vals = append(v.keys, k.Text), append(v.vals, r.value(n.Vals[i], sc))
		}
		return v
	case 'l':
		for _, item := range n.Vals {
			v.vals = append(v.vals, r.value(item, sc))
		}
		return v
	}
	v.kind = 's'
	parts, isExpr, err := split(n.Text)
	if err != nil {
		r.Fault(n, "%v", err)
		return v
	}
	if len(parts) == 0 || len(parts) == 1 && !isExpr[0] {
		v.lit = plain(n, strings.Join(parts, ""))
		return v
	}
	v.whole = len(parts) == 1
	for i, p := range parts {
		if !isExpr[i] {
			v.parts = append(v.parts, part{text: p})
			continue
		}
		v.parts = append(v.parts, part{expr: r.compile(n, p, sc, nil)})
	}
	return v
}

// plain gives a scalar without quotes its type. What is not a small integer or
// a truth value stays text: an id keeps its zeros, money its digits.
func plain(n *node, text string) any {
	if n.Kind == 0 {
		return nil
	}
	if n.Quoted {
		return text
	}
	switch text {
	case "true":
		return true
	case "false":
		return false
	}
	if i, err := strconv.Atoi(text); err == nil && strconv.Itoa(i) == text && len(text) < 10 {
		return i
	}
	return text
}

var stepRef = regexp.MustCompile(`\bsteps\.([a-z][a-z0-9_]*)`)

// compile checks an expression against what may be named here.
func (r *reader) compile(n *node, source string, sc scope, want func() expr.Option) *expression {
	e := &expression{source: strings.TrimSpace(source), line: n.Line, col: n.Col}
	if len(source) > maxExpr {
		r.Fault(n, "表达式太长，最多 %d 个字符", maxExpr)
		return e
	}
	for _, m := range stepRef.FindAllStringSubmatch(e.source, -1) {
		steps, _ := sc.types["steps"].(types.Map)
		if _, known := steps[m[1]]; known {
			continue
		}
		if sc.later[m[1]] {
			r.Fault(n, "步骤「%s」在后面，这里还没有它的结果", m[1])
		} else {
			r.Fault(n, "没有「%s」这个步骤", m[1])
		}
		return e
	}
	opts := append([]expr.Option{expr.Env(sc.types), expr.MaxNodes(maxNodes)}, functions...)
	if want != nil {
		opts = append(opts, want())
	}
	prog, err := expr.Compile(e.source, opts...)
	if err != nil {
		at := n.Col + max(0, strings.Index(n.Text, e.source)) + spec.ExprColumn(err)
		if n.Quoted {
			at++
		}
		r.At(n.Line, at, "表达式不对：%s", spec.ExprWords(err))
		return e
	}
	e.prog = prog
	return e
}

// functions are what an expression may call, besides expr's own.
var functions = func() []expr.Option {
	out := []expr.Option{
		expr.Function("decimal", func(args ...any) (any, error) { return toDecimal(args[0]) }, new(func(any) Decimal)),
		expr.Function("lot", func(args ...any) (any, error) {
			step, _, err := gen.Lot(fmt.Sprint(args[0]))
			return step, err
		}, new(func(any) int)),
		expr.DisableBuiltin("now"), expr.DisableBuiltin("repeat"),
	}
	for name, op := range map[string]string{"decEq": "==", "decNe": "!=", "decLt": "<", "decLe": "<=", "decGt": ">", "decGe": ">="} {
		out = append(out, expr.Function(name, decimalOp(op), new(func(Decimal, Decimal) bool), new(func(Decimal, int) bool)), expr.Operator(op, name))
	}
	for name, op := range map[string]string{"decAdd": "+", "decSub": "-", "decMul": "*"} {
		out = append(out, expr.Function(name, decimalOp(op), new(func(Decimal, Decimal) Decimal), new(func(Decimal, int) Decimal)), expr.Operator(op, name))
	}
	return out
}()

// vars is what expressions see when they run.
type vars map[string]any

func (v vars) with(name string, x any) vars {
	out := make(vars, len(v)+1)
	for k, o := range v {
		out[k] = o
	}
	out[name] = x
	return out
}

func (e *expression) run(env vars) (any, error) {
	if e.prog == nil {
		return nil, errors.New("表达式没有编译")
	}
	machine := vm.VM{MemoryBudget: 100_000}
	out, err := machine.Run(e.prog, map[string]any(env))
	if err != nil {
		return nil, fmt.Errorf("算不出 %s：%s", e.source, spec.ExprWords(err))
	}
	return out, nil
}

func (e *expression) truth(env vars) (bool, error) {
	v, err := e.run(env)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("%s 不是真假值", e.source)
	}
	return b, nil
}

func (v *value) eval(env vars) (any, error) {
	switch {
	case v == nil:
		return nil, nil
	case v.kind == 'm':
		out := make(Ordered, 0, len(v.keys))
		for i, k := range v.keys {
			x, err := v.vals[i].eval(env)
			if err != nil {
				return nil, err
			}
			out = append(out, Pair{k, x})
		}
		return out, nil
	case v.kind == 'l':
		out := make([]any, 0, len(v.vals))
		for _, item := range v.vals {
			x, err := item.eval(env)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	case len(v.parts) == 0:
		return v.lit, nil
	case v.whole:
		return v.parts[0].expr.run(env)
	}
	var b strings.Builder
	for _, p := range v.parts {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		x, err := p.expr.run(env)
		if err != nil {
			return nil, err
		}
		b.WriteString(textOf(x))
	}
	return b.String(), nil
}

// textOf is a value as it stands in a request.
func textOf(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case Decimal:
		return x.String()
	case Ordered, []any, map[string]any:
		b, _ := json.Marshal(x)
		return string(b)
	}
	return fmt.Sprint(v)
}

func (v *value) text(env vars) (string, error) {
	x, err := v.eval(env)
	return textOf(x), err
}

// decodeJSON reads JSON without losing a digit: whole numbers become ints,
// everything else that is a number stays text for decimal().
func decodeJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return exact(v), nil
}

func exact(v any) any {
	switch x := v.(type) {
	case json.Number:
		if i, err := strconv.Atoi(x.String()); err == nil {
			return i
		}
		return x.String()
	case map[string]any:
		for k, o := range x {
			x[k] = exact(o)
		}
	case []any:
		for i, o := range x {
			x[i] = exact(o)
		}
	}
	return v
}

// clip cuts text to n characters.
func clip(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n]) + "…"
	}
	return text
}
