package construct

import (
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/types"

	"frontline/handlers/construct/gen"
)

// The second pass over a recipe, once all recipes are known by name: steps, variables, outputs.

// body compiles everything else, in the order in which it happens.
func (r *reader) body(rec *Recipe, lib *Library) {
	base := types.Map{"facts": types.Map{types.Extra: types.Any}, "dict": types.Map{types.Extra: types.Any},
		"env": types.Map{"name": types.String, "vars": types.Map{types.Extra: types.Any}},
		"run": types.Map{"key": types.String, "count": types.Int, "generated": types.TypeOf(func(string) bool { return false })},
		"gen": types.TypeOf(func(string, ...any) (any, error) { return nil, nil })}
	sc := scope{types: base}
	params := types.Map{}
	for _, p := range rec.Params {
		if p.whenNode != nil {
			p.When = r.compile(p.whenNode, p.whenNode.Text, sc.with("params", params), nil)
		}
		if p.withNode != nil {
			p.With = r.value(p.withNode, sc.with("params", params))
			if p.Generator == "" {
				r.Fault(p.withNode, "with 要和 generator 一起写")
			} else if err := gen.CheckOptions(p.Generator, p.With.keys); err != nil {
				r.Fault(p.withNode, "%v", err)
			}
		}
		params[p.Name] = p.exprType()
	}
	sc = sc.with("params", params)
	if n := rec.root.Get("from_ticket"); n != nil {
		r.ticketFacts(rec, n, sc)
	}
	known := types.Map{}
	if n := rec.root.Get("vars"); n != nil {
		r.variables(rec, n, sc, known)
	}
	sc = sc.with("vars", known)
	if n := rec.root.Get("approval"); n != nil {
		a := &Approval{Expires: 30 * time.Minute}
		r.Fields(n, "approval", map[string]func(*node){
			"when":    func(n *node) { a.When = r.compile(n, n.Text, sc, expr.AsBool) },
			"by":      func(n *node) {},
			"self":    func(n *node) { r.noSelf(n) },
			"expires": func(n *node) { a.Expires = r.Duration(n, 72*time.Hour) },
		})
		rec.Approval = a
		if len(rec.ApproveRoles) == 0 {
			r.Fault(n, "要审批的配方要写 roles.approve：谁可以批")
		}
	}
	later := map[string]bool{}
	sn := rec.root.Get("steps")
	if sn == nil {
		return
	}
	for _, n := range sn.Vals {
		if id := n.Get("id"); id != nil {
			later[id.Text] = true
		}
	}
	sc.later = later
	steps := types.Map{}
	for _, n := range sn.Vals {
		st := r.step(rec, lib, n, sc.with("steps", copyTypes(steps)))
		delete(later, st.ID)
		if _, twice := steps[st.ID]; twice {
			r.Fault(n, "步骤「%s」写了两次", st.ID)
		}
		steps[st.ID] = st.results(lib)
		rec.Steps = append(rec.Steps, st)
	}
	r.outputs(rec, sc.with("steps", steps))
}

func (r *reader) noSelf(n *node) {
	if r.Flag(n) {
		r.Fault(n, "审批人不能是发起人自己")
	}
}

func copyTypes(m types.Map) types.Map {
	out := types.Map{}
	for k, v := range m {
		out[k] = v
	}
	return out
}

func (r *reader) ticketFacts(rec *Recipe, n *node, sc scope) {
	r.Fields(n, "from_ticket", map[string]func(*node){
		"ticket": func(n *node) { r.value(n, sc) }, "on_missing": skip,
		"facts": func(n *node) {
			for _, f := range n.Vals {
				fact := Fact{}
				r.Fields(f, "facts", map[string]func(*node){
					"name": func(n *node) { fact.Name = r.Text(n) }, "of": func(n *node) { fact.Of = r.Text(n) }, "keep": func(n *node) { fact.Keep = r.Texts(n) },
				})
				if slices.Contains(fact.Keep, "value") && !slices.Contains([]string{"branch", "money", "stock_code", "quantity"}, fact.Of) {
					r.Fault(f, "%s 只能留形状，不能留原值", fact.Of)
				}
				rec.Facts = append(rec.Facts, fact)
			}
		},
	})
}

var varRef = regexp.MustCompile(`\bvars\.([a-z][a-z0-9_]*)`)

// variables are compiled in the order in which they need each other.
func (r *reader) variables(rec *Recipe, n *node, sc scope, known types.Map) {
	left := map[string]int{}
	for i, k := range n.Keys {
		left[k.Text] = i
	}
	for len(left) > 0 {
		progress := false
		for i, k := range n.Keys {
			if _, waiting := left[k.Text]; !waiting {
				continue
			}
			ready := true
			for _, m := range varRef.FindAllStringSubmatch(n.Vals[i].Text, -1) {
				if _, waits := left[m[1]]; waits {
					ready = false
				}
			}
			if !ready {
				continue
			}
			rec.Vars = append(rec.Vars, &Var{k.Text, r.value(n.Vals[i], sc.with("vars", copyTypes(known)))})
			known[k.Text] = types.Any
			delete(left, k.Text)
			progress = true
		}
		if !progress {
			names := make([]string, 0, len(left))
			for k := range left {
				names = append(names, k)
			}
			sort.Strings(names)
			r.Fault(n, "变量互相引用，算不出来：%s", strings.Join(names, "、"))
			return
		}
	}
}

func (r *reader) outputs(rec *Recipe, sc scope) {
	rec.Outputs = nil
	n := rec.root.Get("outputs")
	if n == nil {
		return
	}
	for _, o := range n.Vals {
		out := &Output{Show: "masked"}
		r.Fields(o, "outputs", map[string]func(*node){
			"name": func(n *node) { out.Name = r.Text(n) }, "label": func(n *node) { out.Label = r.Text(n) },
			"value": func(n *node) { out.Value = r.value(n, sc) },
			"show": func(n *node) {
				if out.Show = r.Text(n); !slices.Contains([]string{"true", "masked", "false"}, out.Show) {
					r.Fault(n, "show 是 true、masked 或 false")
				}
			},
		})
		if out.Label == "" {
			out.Label = out.Name
		}
		if out.Name == "" || out.Value == nil {
			r.Fault(o, "结果要有 name 和 value")
		}
		rec.Outputs = append(rec.Outputs, out)
	}
}
