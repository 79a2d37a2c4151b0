package construct

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"frontline/bot/chat"
)

// Look is one line of a dry run: what was looked at and what was found.
type Look struct {
	OK   bool
	Text string
}

// DryRun looks at everything that can be known without a call that changes
// anything, and says in Text what it could not look at.
func (e *Engine) DryRun(ctx context.Context, r *Recipe, by chat.User, params map[string]any) (looks []Look, unseen string) {
	add := func(ok bool, text string, args ...any) { looks = append(looks, Look{ok, fmt.Sprintf(text, args...)}) }
	add(true, "配方的写法、表达式和每个引用：没有错")
	w, err := e.Check(Order{Recipe: r, Params: params, Requester: by, Count: r.Count.Default})
	unseen = "没有检查：各接口的真实回答、要用前一步回答的请求内容、收回是否成功。"
	var no chat.Refusal
	switch {
	case errors.As(err, &no):
		add(false, "%s", no.Text)
	case err != nil:
		add(false, "参数的计算：%v", err)
	case len(w.Missing) > 0:
		add(true, "运行时还要问：%s", labels(w.Missing))
	default:
		add(true, "参数齐全，类型和清单都对")
	}
	env, err := e.Environment(r, "")
	if err != nil {
		if len(looks) < 2 || looks[len(looks)-1].OK {
			add(false, "%v", err)
		}
		return looks, unseen
	}
	targets, writes := e.targetsOf(r, map[string]bool{})
	reach := e.Reach(ctx, env)
	for _, name := range targets {
		i := slices.IndexFunc(reach, func(x Reach) bool { return x.Target.Name == name })
		switch {
		case i < 0:
			add(false, "环境 %s 没有目标 %s", env.Name, name)
		case !reach[i].OK:
			add(false, "目标 %s：%s", name, reach[i].Why)
		case writes[name] && !reach[i].Target.May("call") && !reach[i].Target.May("sql_write"):
			add(false, "目标 %s 在 %s 只许读，配方要写", name, env.Name)
		default:
			add(true, "目标 %s 通，是 %s", name, env.Name)
		}
	}
	if r.Approval != nil && w.Approval {
		add(true, "要第二个人批准")
	}
	return looks, unseen
}

// targetsOf are the targets that a recipe and its sub-recipes name, in order,
// and which of them are written to.
func (e *Engine) targetsOf(r *Recipe, seen map[string]bool) (names []string, writes map[string]bool) {
	writes = map[string]bool{}
	if r == nil || seen[r.Name] {
		return nil, writes
	}
	seen[r.Name] = true
	var take func(a *Action)
	take = func(a *Action) {
		if a == nil {
			return
		}
		if a.Target != "" {
			if !slices.Contains(names, a.Target) {
				names = append(names, a.Target)
			}
			writes[a.Target] = writes[a.Target] || !a.Read
		}
		if a.Recipe != "" {
			more, w := e.targetsOf(e.Library().Find(a.Recipe), seen)
			for _, n := range more {
				if !slices.Contains(names, n) {
					names = append(names, n)
				}
				writes[n] = writes[n] || w[n]
			}
		}
		take(a.Inner)
	}
	for _, st := range r.Steps {
		take(st.Action)
		take(st.Undo)
		for _, a := range st.Cases {
			take(a)
		}
	}
	return names, writes
}
