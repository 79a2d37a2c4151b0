package construct

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Engine knows the recipes and the environments, and runs what waits.
type Engine struct {
	Envs  map[string]*Environment
	Store *store.Store
	Guard *Guard
	Log   *slog.Logger
	Pause time.Duration // between tries of an undo; grows

	// Subscribers are programs that hear of what happens to runs.
	Subscribers chat.Subscribers

	library atomic.Pointer[Library]
	base    *Library // of the files, without what the console changed
	seen    int64    // newest text that was read
	reading sync.Mutex

	mu      sync.Mutex
	callers map[string]*caller
	bell    chan struct{}
	name    string
	lease   time.Duration
}

// Options of an engine.
type Options struct {
	Zone      string // of this installation; prod is refused
	Recipes   *Library
	Envs      map[string]*Environment
	Guard     *Guard
	Store     *store.Store
	Log       *slog.Logger
	UndoPause time.Duration
	Lease     time.Duration // of a run that a process has in hands; default 8 s
}

// ErrZone is layer 9: in production the module does not start.
var ErrZone = errors.New("data construction never starts where zone is prod")

// Open makes an engine. It refuses production, and recipes that no environment
// takes.
func Open(o Options) (*Engine, error) {
	if z := strings.ToLower(strings.TrimSpace(o.Zone)); z == "prod" || z == "production" || z == "prd" || z == "生产" {
		return nil, ErrZone
	}
	e := &Engine{base: o.Recipes, Envs: o.Envs, Store: o.Store, Guard: o.Guard, Log: o.Log, Pause: o.UndoPause, callers: map[string]*caller{}, bell: make(chan struct{}, 1), name: strconv.FormatUint(rand.Uint64(), 36), lease: o.Lease}
	if e.base == nil {
		e.base = &Library{}
	}
	e.library.Store(e.base)
	if e.lease == 0 {
		e.lease = 8 * time.Second
	}
	if e.Guard == nil {
		e.Guard = &Guard{}
	}
	if e.Pause == 0 {
		e.Pause = 2 * time.Second
	}
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	return e, nil
}

// Order is what somebody wants made.
type Order struct {
	Recipe    *Recipe
	Env       string
	Params    map[string]any // as typed
	Lock      map[string]string
	Facts     map[string]any
	Count     int
	Seed      uint64 // 0: a new one
	Requester chat.User
	Place     chat.Address
	ReplyTo   string
	Source    string // the same source makes one run
	Ticket    int64
}

// Wish is an order that was checked.
type Wish struct {
	Order
	Missing  []*Param
	Approval bool
	env      *Environment
}

// Environment finds where an order may run: the one named, else the first that
// both sides agree on.
func (e *Engine) Environment(r *Recipe, name string) (*Environment, error) {
	names := make([]string, 0, len(e.Envs))
	for n, env := range e.Envs {
		if env.Allows(r) && (name == "" || strings.EqualFold(name, n) || strings.EqualFold(name, env.Title)) {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	// The recipe's own order of environments is its preference.
	for _, n := range r.Environments {
		if slices.Contains(names, n) {
			return e.Envs[n], nil
		}
	}
	if name != "" {
		return nil, chat.Refusal{Text: "配方「" + r.Title + "」不能在 " + clip(name, 20) + " 用"}
	}
	return nil, chat.Refusal{Text: "配方「" + r.Title + "」现在没有可用的环境"}
}

// Check gives every value its type and says what is missing. The error is a
// chat.Refusal in plain words.
func (e *Engine) Check(o Order) (w Wish, err error) {
	w.Order = o
	if !o.Recipe.May(o.Requester) {
		return w, chat.Refusal{Text: "没有用这个配方的权限"}
	}
	if w.env, err = e.Environment(o.Recipe, o.Env); err != nil {
		return w, err
	}
	w.Env = w.env.Name
	if w.Count == 0 {
		w.Count = o.Recipe.Count.Default
	}
	if w.Count < 1 || w.Count > o.Recipe.Count.Max {
		return w, chat.Refusal{Text: fmt.Sprintf("「%s」一次最多 %d 个", o.Recipe.Title, o.Recipe.Count.Max)}
	}
	w.Params = map[string]any{}
	for k, v := range o.Params {
		p := o.Recipe.Param(k)
		if p == nil {
			return w, chat.Refusal{Text: "「" + o.Recipe.Title + "」没有参数 " + clip(k, 20)}
		}
		if _, locked := o.Lock[k]; locked {
			return w, chat.Refusal{Text: p.Label + " 在这个说法里是定好的，不能改"}
		}
		if w.Params[k], err = p.coerce(v); err != nil {
			return w, chat.Refusal{Text: err.Error()}
		}
	}
	for k, v := range o.Lock {
		if w.Params[k], err = o.Recipe.Param(k).coerce(v); err != nil {
			return w, chat.Refusal{Text: err.Error()}
		}
	}
	for _, p := range o.Recipe.Params {
		if err := e.fromList(w.env, p, w.Params[p.Name]); err != nil {
			return w, err
		}
		if err := e.Guard.Data(w.env.Profile, textOf(w.Params[p.Name])); err != nil {
			return w, chat.Refusal{Text: p.Label + "可能是真人的，只能用生成的号码；去掉它就自动生成"}
		}
		if p.Required && (w.Params[p.Name] == nil || w.Params[p.Name] == "") && p.Default == nil && p.Generator == "" {
			w.Missing = append(w.Missing, p)
		}
	}
	if a := o.Recipe.Approval; a != nil {
		env := e.frame(w.env, Run{key: "", count: w.Count}, o.Recipe, known(o.Recipe, w.Params), nil)
		if w.Approval, err = a.When.truth(env); err != nil {
			return w, err
		}
	}
	return w, nil
}

// fromList checks a value against the environment's list, with the same list as
// the form shows.
func (e *Engine) fromList(env *Environment, p *Param, v any) error {
	list := env.Lists[p.From]
	if p.From == "" || v == nil || len(list) == 0 {
		return nil
	}
	if !slices.ContainsFunc(list, func(c Choice) bool { return c.Value == textOf(v) }) {
		var some []string
		for _, c := range list[:min(6, len(list))] {
			some = append(some, c.Value+" "+c.Title)
		}
		return chat.Refusal{Text: p.Label + "不在清单里；有：" + strings.Join(some, "、")}
	}
	return nil
}

// known completes given values with the defaults.
func known(r *Recipe, given map[string]any) map[string]any {
	out := map[string]any{}
	for _, p := range r.Params {
		if v, ok := given[p.Name]; ok {
			out[p.Name] = v
		} else {
			out[p.Name] = p.Default
		}
	}
	return out
}

// kept is what a run keeps of an order, sealed.
type kept struct {
	Params map[string]any `json:"params"`
	Facts  map[string]any `json:"facts,omitempty"`
}

// Create writes the run of a complete wish. The same source makes one run.
func (e *Engine) Create(tx *store.Tx, w Wish) (store.Run, bool, error) {
	if len(w.Missing) > 0 {
		return store.Run{}, false, chat.Refusal{Text: "还缺：" + labels(w.Missing)}
	}
	seed := w.Seed
	if seed == 0 {
		seed = 1 + rand.Uint64N(1<<53) // fits a number in any program
	}
	params, err := json.Marshal(kept{Params: w.Params, Facts: w.Facts})
	if err != nil {
		return store.Run{}, false, err
	}
	r := store.Run{Recipe: w.Recipe.Name, Version: w.Recipe.Version, SHA: w.Recipe.SHA, Title: w.Recipe.Title, Env: w.Env, State: store.RunQueued, Requester: w.Requester.ID, Place: w.Place, ReplyTo: w.ReplyTo,
		Source: w.Source, Seed: seed, Wanted: w.Count, Params: params, Ticket: w.Ticket}
	if w.Approval {
		r.State, r.ApproveHash, r.ApproveUntil = store.RunWaiting, approvalHash(r), tx.Now().Add(w.Recipe.Approval.Expires)
	}
	fresh, err := tx.CreateRun(&r)
	if err == nil && fresh && r.Ticket > 0 {
		err = tx.LinkTicket(store.Link{Ticket: r.Ticket, Kind: "run", Number: r.Number})
	}
	return r, fresh, err
}

func labels(ps []*Param) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Label)
	}
	return strings.Join(out, "、")
}

// approvalHash binds a yes to what was seen: another recipe, another value,
// another number voids it.
func approvalHash(r store.Run) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%d\x00%s", r.SHA, r.Env, r.Wanted, r.Params)
	return hex.EncodeToString(h.Sum(nil))
}

// Approve is a second person's yes or no.
func (e *Engine) Approve(tx *store.Tx, by chat.User, number int64, yes bool) (store.Run, error) {
	r, err := tx.FindRun(number)
	if err != nil {
		return r, noRun(number, err)
	}
	rec := e.Library().Find(r.Recipe)
	switch {
	case r.State != store.RunWaiting:
		return r, chat.Refusal{Text: fmt.Sprintf("R%d 现在不等审批", number)}
	case rec == nil || !rec.MayApprove(by):
		return r, chat.Refusal{Text: "没有批这个配方的权限"}
	case by.ID == r.Requester && yes:
		return r, chat.Refusal{Text: "不能批自己要的，请别人来批"}
	}
	r.Approver = by.ID
	if !yes {
		r.Why = "没有批准"
		return r, e.reject(tx, by.ID, &r)
	}
	if rec.SHA != r.SHA || approvalHash(r) != r.ApproveHash || tx.Now().After(r.ApproveUntil) {
		r.Why = "配方或参数改过，或者过了时间，原来的申请作废"
		return r, e.reject(tx, by.ID, &r)
	}
	return r, tx.MoveRun(by.ID, &r, store.RunQueued, store.RunWaiting)
}

func noRun(number int64, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return chat.Refusal{Text: fmt.Sprintf("没有找到 R%d。发「造数 我的」看看做过的。", number)}
	}
	return err
}

// May tells whether somebody may touch a run: its owner, leaders and admins.
func May(u chat.User, r store.Run) bool {
	return u.ID == r.Requester || u.Roles.Has(chat.Leader, chat.Admin)
}

// Undo sends a run to be taken back.
func (e *Engine) Undo(tx *store.Tx, by chat.User, number int64) (store.Run, error) {
	r, err := tx.FindRun(number)
	if err != nil || !May(by, r) {
		return r, noRun(number, errOr(err, store.ErrNotFound))
	}
	r.Why = ""
	err = tx.MoveRun(by.ID, &r, store.RunUndoing, store.RunDone, store.RunPartly, store.RunFailed, store.RunAttention, store.RunResidue)
	if errors.Is(err, store.ErrStale) {
		return r, chat.Refusal{Text: fmt.Sprintf("R%d 现在不能清理（%s）", number, StateTitle(r.State))}
	}
	return r, err
}

// Retry goes on where a run stopped: what is done stays done.
func (e *Engine) Retry(tx *store.Tx, by chat.User, number int64) (store.Run, error) {
	r, err := tx.FindRun(number)
	if err != nil || !May(by, r) {
		return r, noRun(number, errOr(err, store.ErrNotFound))
	}
	rec, base := e.Library().Find(r.Recipe), e.base.Find(r.Recipe)
	if (rec == nil || rec.SHA != r.SHA) && (base == nil || base.SHA != r.SHA) {
		if there, err := tx.HasText(store.RecipeShelf, r.SHA); err != nil {
			return r, err
		} else if !there {
			return r, chat.Refusal{Text: "配方改过了，不能接着跑；清理后重新造"}
		}
	}
	if r.State == store.RunAttention {
		if err := tx.ForgetStarted(r.ID); err != nil {
			return r, err
		}
	}
	if err := tx.ResetItems(r.ID); err != nil {
		return r, err
	}
	r.Why = ""
	err = tx.MoveRun(by.ID, &r, store.RunQueued, store.RunFailed, store.RunPartly, store.RunAttention)
	if errors.Is(err, store.ErrStale) {
		return r, chat.Refusal{Text: fmt.Sprintf("R%d 现在不能重试（%s）", number, StateTitle(r.State))}
	}
	return r, err
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// StateTitle is a state in words.
func StateTitle(s string) string {
	return map[string]string{store.RunWaiting: "等审批", store.RunQueued: "排队", store.RunRunning: "进行中", store.RunDone: "完成", store.RunPartly: "部分完成", store.RunFailed: "失败", store.RunAttention: "需要人看",
		store.RunUndoing: "清理中", store.RunUndone: "已清理", store.RunResidue: "有残留", store.RunRejected: "未批准", store.ItemPending: "等待", store.StepStarted: "已发出", store.StepSkipped: "跳过", store.StepUndoFailed: "没收回"}[s]
}

// Run is what expressions know of a run.
type Run struct {
	key   string
	count int
	made  []string // parameters that were generated
}

// frame is what expressions of one recipe see.
func (e *Engine) frame(env *Environment, run Run, rec *Recipe, params, facts map[string]any) vars {
	f := map[string]any{}
	for _, x := range rec.Facts {
		f[x.Name] = nil
		if !slices.Contains(x.Keep, "value") {
			f[x.Name] = map[string]any{}
		}
	}
	for k, v := range facts {
		f[k] = v
	}
	vs, dict := map[string]any{}, map[string]any{}
	for k, v := range env.Vars {
		vs[k] = v
	}
	for k, m := range env.Dict {
		d := map[string]any{}
		for kk, v := range m {
			d[kk] = v
		}
		dict[k] = d
	}
	return vars{"params": params, "facts": f, "dict": dict, "env": map[string]any{"name": env.Name, "vars": vs}, "vars": map[string]any{}, "steps": map[string]any{},
		"run": map[string]any{"key": run.key, "count": run.count, "generated": func(name string) bool { return slices.Contains(run.made, name) }}}
}

func (e *Engine) caller(env *Environment) *caller {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.callers[env.Name]
	if c == nil {
		c = newCaller(e.Guard, env)
		e.callers[env.Name] = c
	}
	return c
}
