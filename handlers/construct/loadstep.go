package construct

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/types"

	"frontline/handlers/construct/gen"
	"frontline/handlers/spec"
)

// actionFields are the fields of each kind of action; the first ones are needed.
var actionFields = map[string]struct{ need, may []string }{
	"generate": {nil, nil}, // any names
	"http":     {[]string{"target", "path"}, []string{"method", "query", "headers", "json", "form", "text", "ok"}},
	"soap":     {[]string{"target", "op"}, []string{"action", "version", "ns", "body"}},
	"call":     {[]string{"target", "func"}, []string{"in"}},
	"sql":      {[]string{"target", "query"}, []string{"args", "read", "max_rows"}},
	"poll":     {[]string{"until"}, []string{"every", "up_to", "fail_if", "http", "soap", "call", "sql"}},
	"sleep":    {[]string{"for"}, nil},
	"assert":   {nil, nil},
	"recipe":   {[]string{"name"}, []string{"version", "with", "pass"}},
	"approve":  {nil, []string{"by", "say"}},
	"note":     {[]string{"ticket", "text"}, nil},
}

var calls = []string{"http", "soap", "call", "sql"}

var retryClasses = []string{"connect", "timeout", "http_5xx", "http_429", "deadlock"}

// step reads and compiles one step. sc has what is known before it.
func (r *reader) step(rec *Recipe, lib *Library, n *node, sc scope) *Step {
	st := &Step{node: n, As: "item", Max: 100, Timeout: 30 * time.Second}
	if id := n.Get("id"); id != nil {
		st.ID = id.Text
	}
	if !stepName.MatchString(st.ID) {
		r.Fault(n, "步骤要有 id：小写字母、数字和下划线")
	}
	if as := n.Get("as"); as != nil {
		st.As = as.Text
	}
	known := map[string]func(*node){
		"id": skip, "as": skip, "needs": skip, "save": skip, "expect": skip, "undo": skip, "idempotent": skip,
		"title":   func(n *node) { st.Title = r.Text(n) },
		"when":    func(n *node) { st.When = r.compile(n, n.Text, sc, expr.AsBool) },
		"timeout": func(n *node) { st.Timeout = r.Duration(n, 10*time.Minute) },
		"retry":   func(n *node) { r.retry(st, n) },
		"foreach": func(n *node) { st.Foreach = r.value(n, sc) },
		"max":     func(n *node) { st.Max = r.Number(n, 1, 1000) },
		"parallel": func(n *node) {
			if r.Number(n, 1, 16) != 1 {
				r.Fault(n, "一个步骤里的循环只能一个一个来；要并行就用数量")
			}
		},
		"switch": func(n *node) { st.Switch = r.value(n, sc) }, "cases": skip,
	}
	in := sc
	if n.Get("foreach") != nil {
		in = sc.with(st.As, types.Any)
	}
	var found []string
	for kind := range actionFields {
		known[kind] = func(n *node) {
			found = append(found, kind)
			st.Action = r.action(rec, lib, kind, n, in)
		}
	}
	before := len(r.Faults)
	r.Fields(n, "步骤", known)
	if cases := n.Get("cases"); cases != nil {
		st.Cases = map[string]*Action{}
		for i, k := range cases.Keys {
			st.Cases[k.Text] = r.oneAction(rec, lib, cases.Vals[i], in, "cases")
		}
	}
	switch {
	case len(found) > 1:
		slices.Sort(found)
		r.Fault(n, "一个步骤只做一件事，这里有 %s", strings.Join(found, "、"))
	case len(found) == 0 && st.Switch == nil && len(r.Faults) > before: // its name is what is wrong
	case len(found) == 0 && st.Switch == nil:
		r.Fault(n, "这个步骤没有写做什么")
	case len(found) == 1 && st.Switch != nil, st.Switch != nil && len(st.Cases) == 0:
		r.Fault(n, "switch 要配 cases，不和别的动作一起写")
	}
	if st.Title == "" {
		st.Title = st.ID
	}
	after := in.with("resp", types.Any)
	if s := n.Get("save"); s != nil {
		if s.Kind != 'm' {
			r.Fault(s, "save 是「名字: 表达式」的一组")
		}
		for i, k := range s.Keys {
			st.Save = append(st.Save, &Var{k.Text, &value{kind: 's', whole: true, parts: []part{{expr: r.compile(s.Vals[i], s.Vals[i].Text, after, nil)}}}})
		}
	}
	own := after
	if steps, ok := sc.types["steps"].(types.Map); ok {
		mine := copyTypes(steps)
		mine[st.ID] = st.results(lib)
		own = after.with("steps", mine)
	}
	if e := n.Get("expect"); e != nil {
		st.Expect = r.expects(e, own)
	}
	if u := n.Get("undo"); u != nil {
		r.undo(rec, lib, st, u, own)
	}
	if i := n.Get("idempotent"); i != nil {
		r.idempotent(st, i, in)
	}
	return st
}

func (r *reader) retry(st *Step, n *node) {
	st.Retry.Backoff = time.Second
	r.Fields(n, "retry", map[string]func(*node){
		"max":     func(n *node) { st.Retry.Max = r.Number(n, 0, 10) },
		"backoff": func(n *node) { st.Retry.Backoff = r.Duration(n, time.Minute) },
		"factor":  func(n *node) { r.Number(n, 1, 10) },
		"on": func(n *node) {
			st.Retry.On = r.Texts(n)
			for _, c := range st.Retry.On {
				if !slices.Contains(retryClasses, c) && !strings.HasPrefix(c, "soap_fault:") && !strings.HasPrefix(c, "code:") {
					r.Fault(n, "没有「%s」这类重试；有：%s、soap_fault:…、code:…", c, strings.Join(retryClasses, "、"))
				}
			}
		},
	})
}

func (r *reader) idempotent(st *Step, n *node, sc scope) {
	if n.Kind == 's' {
		st.Idempotent = r.Flag(n)
		return
	}
	r.Fields(n, "idempotent", map[string]func(*node){
		"key": func(n *node) { st.Key, st.Idempotent = r.value(n, sc), true },
		"lookup": func(n *node) {
			st.Lookup = r.Text(n)
			if steps, ok := sc.types["steps"].(types.Map); ok {
				if _, known := steps[st.Lookup]; !known {
					r.Fault(n, "lookup 要写前面的一个查询步骤，没有「%s」", st.Lookup)
				}
			}
		},
	})
}

func (r *reader) undo(rec *Recipe, lib *Library, st *Step, n *node, sc scope) {
	rest := &node{Kind: 'm', Line: n.Line, Col: n.Col}
	for i, k := range n.Keys {
		if k.Text == "expect" {
			st.UndoExpect = r.expects(n.Vals[i], sc)
			continue
		}
		rest.Keys, rest.Vals = append(rest.Keys, k), append(rest.Vals, n.Vals[i])
	}
	st.Undo = r.oneAction(rec, lib, rest, sc, "undo")
	if st.Undo != nil && !slices.Contains(calls, st.Undo.Kind) {
		r.Fault(n, "undo 里只能是 %s", strings.Join(calls, "、"))
	}
}

func (r *reader) oneAction(rec *Recipe, lib *Library, n *node, sc scope, what string) *Action {
	if n.Kind != 'm' || len(n.Keys) != 1 {
		r.Fault(n, "%s 里写一个动作", what)
		return &Action{Kind: "none"}
	}
	kind := n.Keys[0].Text
	if _, ok := actionFields[kind]; !ok {
		r.Fault(n.Keys[0], "没有「%s」这种动作%s", kind, spec.Near(kind, actionFields))
		return &Action{Kind: "none"}
	}
	return r.action(rec, lib, kind, n.Vals[0], sc)
}

func (r *reader) expects(n *node, sc scope) (out []Expect) {
	if n.Kind != 'l' {
		r.Fault(n, "这里是 - that: … 的列表")
		return nil
	}
	for _, e := range n.Vals {
		x := Expect{}
		r.Fields(e, "断言", map[string]func(*node){
			"that": func(n *node) { x.That = r.compile(n, n.Text, sc, expr.AsBool) },
			"say":  func(n *node) { x.Say = r.value(n, sc) },
			"code": skip,
		})
		if x.That == nil {
			r.Fault(e, "断言要有 that")
			continue
		}
		out = append(out, x)
	}
	return out
}

func (r *reader) action(rec *Recipe, lib *Library, kind string, n *node, sc scope) *Action {
	a := &Action{Kind: kind, Fields: map[string]*value{}, line: n.Line, col: n.Col}
	switch kind {
	case "assert":
		a.Assert = r.expects(n, sc)
		return a
	case "generate":
		for i, k := range n.Keys {
			a.Fields[k.Text] = r.value(n.Vals[i], sc)
		}
		return a
	}
	spec := actionFields[kind]
	known := map[string]func(*node){}
	for _, f := range slices.Concat(spec.need, spec.may) {
		known[f] = func(n *node) { a.Fields[f] = r.value(n, sc) }
	}
	known["target"] = func(n *node) {
		if a.Target = r.Text(n); strings.Contains(a.Target, "${") {
			r.Fault(n, "目标是固定的名字，不能是表达式")
		}
	}
	switch kind {
	case "sql":
		known["read"] = func(n *node) { a.Read = r.Flag(n) }
		known["max_rows"] = func(n *node) { a.Fields["max_rows"] = &value{lit: r.Number(n, 1, 1000), kind: 's'} }
		known["query"] = func(n *node) {
			if strings.Contains(n.Text, "${") {
				r.Fault(n, "SQL 里不能拼接；用 :名字 和 args")
			}
			a.Fields["query"] = &value{lit: n.Text, kind: 's'}
		}
	case "recipe":
		r.subRecipe(a, lib, known, sc)
	case "poll":
		r.poll(rec, lib, a, known, sc)
	case "sleep":
		known["for"] = func(n *node) { a.UpTo = r.Duration(n, time.Minute) }
	}
	r.Fields(n, kind, known)
	for _, f := range spec.need {
		if n.Kind == 'm' && n.Get(f) == nil {
			r.Fault(n, "%s 缺 %s", kind, f)
		}
	}
	if kind == "sql" {
		if q, _ := a.Fields["query"].eval(nil); q != nil {
			if err := checkStatement(textOf(q), a.Read); err != nil {
				r.Fault(n.Get("query"), "%v", err)
			}
		}
	}
	return a
}

func (r *reader) poll(rec *Recipe, lib *Library, a *Action, known map[string]func(*node), sc scope) {
	after := sc.with("resp", types.Any)
	a.Every, a.UpTo = time.Second, 30*time.Second
	known["until"] = func(n *node) { a.Until = r.compile(n, n.Text, after, expr.AsBool) }
	known["fail_if"] = func(n *node) { a.FailIf = r.compile(n, n.Text, after, expr.AsBool) }
	known["every"] = func(n *node) { a.Every = r.Duration(n, time.Minute) }
	known["up_to"] = func(n *node) { a.UpTo = r.Duration(n, 30*time.Minute) }
	for _, kind := range calls {
		known[kind] = func(n *node) {
			if a.Inner != nil {
				r.Fault(n, "poll 里只查一件事")
			}
			a.Inner = r.action(rec, lib, kind, n, sc)
			if kind == "sql" && !a.Inner.Read {
				r.Fault(n, "poll 里的 SQL 要写 read: true")
			}
		}
	}
}

func (r *reader) subRecipe(a *Action, lib *Library, known map[string]func(*node), sc scope) {
	known["name"] = func(n *node) {
		a.Recipe = r.Text(n)
		if lib.Find(a.Recipe) == nil {
			r.Fault(n, "没有「%s」这个配方", a.Recipe)
		}
	}
	known["version"] = func(n *node) {
		sub := lib.Find(a.Recipe)
		want := strings.TrimPrefix(strings.TrimSpace(n.Text), ">=")
		if sub != nil && (strings.HasPrefix(n.Text, ">=") && atoi(want) > sub.Version || !strings.HasPrefix(n.Text, ">=") && atoi(want) != sub.Version) {
			r.Fault(n, "配方 %s 现在是第 %d 版，不合 %s", sub.Name, sub.Version, n.Text)
		}
	}
	known["with"] = func(n *node) {
		a.Fields["with"] = r.value(n, sc)
		if sub := lib.Find(a.Recipe); sub != nil {
			for _, k := range n.Keys {
				if sub.Param(k.Text) == nil {
					r.Fault(k, "配方 %s 没有参数「%s」", sub.Name, k.Text)
				}
			}
		}
	}
	known["pass"] = func(n *node) {
		a.Pass = map[string]*value{}
		for i, k := range n.Keys {
			a.Pass[k.Text] = r.value(n.Vals[i], sc)
		}
	}
}

func atoi(s string) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// results are the names that a step leaves for later ones.
func (st *Step) results(lib *Library) types.Map {
	out := types.Map{}
	for _, s := range st.Save {
		out[s.Name] = types.Any
	}
	if st.Action == nil {
		return out
	}
	switch st.Action.Kind {
	case "generate":
		for k := range st.Action.Fields {
			out[k] = types.Any
		}
	case "recipe":
		if sub := lib.Find(st.Action.Recipe); sub != nil {
			for _, o := range sub.Outputs {
				out[o.Name] = types.Any
			}
		}
	}
	return out
}

func (st *Step) actions() (out []*Action) {
	if st.Action != nil {
		out = append(out, st.Action)
	}
	for _, a := range st.Cases {
		out = append(out, a)
	}
	return out
}

func (p *Param) exprType() types.Type {
	if p.Type == "list" {
		return types.Array(types.Any)
	}
	if !p.Required && p.Default == nil && p.Generator == "" {
		return types.Any
	}
	switch p.Type {
	case "integer", "ticket":
		return types.Int
	case "bool":
		return types.Bool
	}
	return types.String
}

// paramChecks are the generators whose checker fits a type.
var paramChecks = map[string]string{"id_card": "person.id", "mobile": "person.mobile", "bank_card": "bank.card", "stock_code": "stock.code", "branch": "branch", "trading_day": "trading_day", "customer": "account.customer"}

func checkShape(typ, v string) error {
	if kind := paramChecks[typ]; kind != "" {
		return gen.Check(kind, v)
	}
	return nil
}
