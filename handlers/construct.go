package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/store"
)

// makers may run recipes; each recipe narrows it.
var makers = []chat.Role{chat.Tester, chat.Responder, chat.Leader, chat.Admin}

// dataDraft is a run that is being put together.
type dataDraft struct {
	Mark   string
	Recipe string
	Params map[string]any
	Lock   map[string]string
	Count  int
	Ticket int64
	Facts  map[string]any // shapes, never identities
	Seed   string         // of a ticket's twin
}

// dataLife is how long a plan waits for 执行.
const dataLife = 5 * time.Minute

var errOff = chat.Refusal{Text: "这里没有开数据构造。"}

// makeData is 造数, and every message of its conversation.
func (d *Desk) makeData(ctx context.Context, r Request) (Result, error) {
	if d.Construct == nil {
		return Result{}, errOff
	}
	switch r.Step {
	case "confirm":
		return d.confirmData(ctx, r)
	case "fill":
		return d.fillData(ctx, r)
	}
	word, rest, _ := strings.Cut(strings.TrimSpace(r.Args), " ")
	switch word {
	case "", "?", "？", "清单":
		return d.recipes(ctx, r)
	case "我的":
		return d.myRuns(ctx, r)
	case "排行":
		return d.dataUse(ctx, r)
	case "进度":
		return d.showRun(ctx, r, rest)
	}
	if _, ok := runNumber(word); ok && strings.EqualFold(word[:1], "R") {
		return d.showRun(ctx, r, word)
	}
	s := d.Construct.Read(r.Args, r.Actor)
	if s.Recipe == nil {
		res, err := d.recipes(ctx, r)
		if err == nil {
			res.Say[0].Body.Text = "没有这样的配方。\n" + res.Say[0].Body.Text
		}
		return res, err
	}
	g := dataDraft{Mark: r.Msg.ID[:12], Recipe: s.Recipe.Name, Params: s.Params, Lock: s.Lock, Count: s.Count}
	return d.plan(ctx, r, g, s.Unknown)
}

func runNumber(text string) (int64, bool) { return numberOf(text, "R") }

// recipes lists what the actor may run, most used first.
func (d *Desk) recipes(ctx context.Context, r Request) (Result, error) {
	type use struct{ runs, good, bad int }
	uses := map[string]use{}
	list, err := d.Store.RunUses(ctx, r.Now.AddDate(0, -3, 0))
	if err != nil {
		return Result{}, err
	}
	for _, u := range list {
		o := uses[u.Recipe]
		uses[u.Recipe] = use{o.runs + u.Runs, o.good + u.Good, o.bad + u.Bad}
	}
	var mine []*construct.Recipe
	for _, rec := range d.Construct.Library().Recipes {
		if rec.May(r.Actor) {
			mine = append(mine, rec)
		}
	}
	if len(mine) == 0 {
		return say("没有你能用的配方。"), nil
	}
	slices.SortStableFunc(mine, func(a, b *construct.Recipe) int { return uses[b.Name].runs - uses[a.Name].runs })
	lines := []string{"能造的数据（回数字，或「造数 开户 女 30岁 2个」一句说完）："}
	res := Result{List: []string{}}
	for i, rec := range mine[:min(9, len(mine))] {
		word := rec.Title
		if len(rec.Aliases) > 0 && len(rec.Aliases[0].Say) > 0 {
			word = rec.Aliases[0].Say[0]
		}
		line := fmt.Sprintf("%d  %s v%d · 造数 %s", i+1, chat.Plain(rec.Title), rec.Version, chat.Plain(word))
		if u := uses[rec.Name]; u.good+u.bad > 0 {
			line += fmt.Sprintf(" · 用过 %d 次，成功 %d%%", u.runs, 100*u.good/(u.good+u.bad))
		}
		lines, res.List = append(lines, line), append(res.List, "造数 "+word)
	}
	res.Say = say(strings.Join(append(lines, "「造数 我的」看做过的，「造数 排行」看用得多的。"), "\n")).Say
	return res, nil
}

// plan shows what would be made and where, asks for what is missing, or refuses.
func (d *Desk) plan(ctx context.Context, r Request, g dataDraft, unknown []string) (Result, error) {
	w, err := d.wish(r, g)
	if err != nil {
		return Result{}, err
	}
	if len(w.Missing) > 0 {
		return d.askParam(r, g, w), nil
	}
	rec, env := w.Recipe, d.Construct.Envs[w.Env]
	rows := []chat.Row{{Key: "环境", Value: env.Title}, {Key: "数量", Value: fmt.Sprintf("%d 个", w.Count)}}
	for _, p := range rec.Params {
		v, given := w.Params[p.Name]
		if !given || v == nil || v == "" || p.Secret {
			continue
		}
		rows = append(rows, chat.Row{Key: p.Label, Value: chat.Plain(construct.Shown(v))})
	}
	if len(g.Facts) > 0 {
		rows = append(rows, chat.Row{Key: "取自问题单", Value: "只取形状，不用真实客户资料"})
	}
	var titles []string
	for _, st := range rec.Steps {
		titles = append(titles, st.Title)
	}
	steps := fmt.Sprintf("%d 步：%s", len(titles), strings.Join(titles, " → "))
	took, err := d.UsualRun(ctx, rec.Name)
	if err != nil {
		return Result{}, err
	}
	if took > 0 {
		steps += fmt.Sprintf("　约 %s", took.Round(time.Second))
	}
	lines := []string{fmt.Sprintf("我理解为（%s）：", env.Title), fmt.Sprintf("配方 %s v%d", chat.Plain(rec.Title), rec.Version)}
	for _, row := range rows[1:] {
		lines = append(lines, row.Key+" "+row.Value)
	}
	lines = append(lines, chat.Plain(steps))
	where := env.Title + "，不影响生产"
	if len(unknown) > 0 {
		words := "没看懂：" + chat.Plain(chat.Cut(strings.Join(unknown, "、"), 60))
		lines, steps = append(lines, words), words+"；"+steps
	}
	if w.Approval {
		lines = append(lines, "这要第二个人批。")
		where += "，要第二个人批"
	}
	card := &chat.Card{TaskID: taskID("data", r.Msg), Source: "一线助手 · 造数", Title: fmt.Sprintf("造数：%s v%d", chat.Plain(rec.Title), rec.Version), Desc: where, Rows: sixRows(rows), Text: chat.Plain(chat.Cut(steps, 100)),
		Buttons: []chat.Button{{Text: "执行", Key: ButtonKey(g.Mark, "执行"), Style: 1}, {Text: "改参数", Key: ButtonKey(g.Mark, "改参数")}, {Text: "取消", Key: ButtonKey(g.Mark, "取消")}}}
	card.Twin = strings.Join(append(lines, "1  执行", "2  改参数", "3  取消", "（5 分钟内有效）"), "\n")
	return Result{Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: []string{"执行", "改参数", "取消"}, Next: &Step{Command: "construct", Name: "confirm", Draft: g, Life: dataLife}}, nil
}

// sixRows is what a card holds; the last row has what is over.
func sixRows(rows []chat.Row) []chat.Row {
	if len(rows) <= 6 {
		return rows
	}
	var rest []string
	for _, r := range rows[5:] {
		rest = append(rest, r.Key+" "+r.Value)
	}
	return append(slices.Clone(rows[:5]), chat.Row{Key: "还有", Value: strings.Join(rest, "，")})
}

// UsualRun is how long a recipe took lately; 0 when nobody knows.
func (d *Desk) UsualRun(ctx context.Context, recipe string) (time.Duration, error) {
	runs, err := d.Store.ListRuns(ctx, store.RunQuery{Recipe: recipe, States: []string{store.RunDone}, N: 21})
	if err != nil || len(runs) == 0 {
		return 0, err
	}
	var took []time.Duration
	for _, r := range runs {
		took = append(took, r.Ended.Sub(r.Started))
	}
	slices.Sort(took)
	return max(time.Second, took[len(took)/2]), nil
}

func (d *Desk) wish(r Request, g dataDraft) (construct.Wish, error) {
	rec := d.Construct.Library().Find(g.Recipe)
	if rec == nil {
		return construct.Wish{}, refuse("这个配方不在了。")
	}
	replyTo := ""
	if r.Msg.Via == chat.Bot {
		replyTo = r.Msg.ID
	}
	o := construct.Order{Recipe: rec, Params: g.Params, Lock: g.Lock, Count: g.Count, Facts: g.Facts, Ticket: g.Ticket, Requester: r.Actor, Place: r.Msg.From, ReplyTo: replyTo, Source: "chat/" + r.Msg.ID, Seed: seedOf(g.Seed)}
	w, err := d.Construct.Check(o)
	return w, err
}

func (d *Desk) askParam(r Request, g dataDraft, w construct.Wish) Result {
	p := w.Missing[0]
	lines := []string{fmt.Sprintf("「%s」还缺 %s。", chat.Plain(w.Recipe.Title), chat.Plain(p.Label))}
	var list []string
	for i, c := range d.Construct.Choices(w.Env, p) {
		if i == 9 {
			break
		}
		lines = append(lines, fmt.Sprintf("%d  %s", i+1, chat.Plain(strings.TrimSpace(c.Value+" "+c.Title))))
		list = append(list, c.Value)
	}
	if p.Help != "" {
		lines = append(lines, chat.Plain(p.Help))
	}
	res := say(strings.Join(append(lines, "（发「取消」退出）"), "\n"))
	res.List = append([]string{}, list...)
	res.Next = &Step{Command: "construct", Name: "fill", Draft: g, Life: dataLife}
	return res
}

func (r Request) dataDraft() (g dataDraft, err error) {
	dec := json.NewDecoder(strings.NewReader(string(r.Draft)))
	dec.UseNumber()
	if err = dec.Decode(&g); err != nil {
		err = fmt.Errorf("read the draft: %w", err)
	}
	return g, err
}

// fillData takes a message as the first value that is missing, or as more words
// of the same sentence.
func (d *Desk) fillData(ctx context.Context, r Request) (Result, error) {
	g, err := r.dataDraft()
	if err != nil {
		return Result{}, err
	}
	w, err := d.wish(r, g)
	if err != nil {
		return Result{}, err
	}
	text := strings.TrimSpace(r.Args)
	s := d.Construct.Fill(w.Recipe, text)
	if g.Params == nil {
		g.Params = map[string]any{}
	}
	for k, v := range s.Params {
		g.Params[k] = v
	}
	if s.Count > 0 {
		g.Count = s.Count
	}
	if len(w.Missing) > 0 && g.Params[w.Missing[0].Name] == nil {
		g.Params[w.Missing[0].Name] = text
		s.Unknown = nil
	}
	return d.plan(ctx, r, g, s.Unknown)
}

func (d *Desk) confirmData(ctx context.Context, r Request) (Result, error) {
	g, err := r.dataDraft()
	if err != nil {
		return Result{}, err
	}
	switch strings.TrimSpace(r.Args) {
	case "执行", "是", "对", "好", "好的", "确认", "开始", "ok", "OK":
		return d.startData(r, g)
	case "取消", "不", "否", zeroItem:
		return say("已取消。"), nil
	case "改参数":
		rec := d.Construct.Library().Find(g.Recipe)
		if rec == nil {
			return Result{}, refuse("这个配方不在了。")
		}
		lines := []string{"直接说要改的，例「数量=3」或「女 30岁」。能改的："}
		for _, p := range rec.Params {
			if _, locked := g.Lock[p.Name]; locked || p.Secret {
				continue
			}
			line := p.Label
			if len(p.Enum) > 0 {
				line += "（" + strings.Join(p.Enum, "、") + "）"
			}
			lines = append(lines, chat.Plain(line))
		}
		res := say(strings.Join(lines, "\n"))
		res.List = []string{"执行", "取消"}
		res.Next = &Step{Command: "construct", Name: "confirm", Draft: g, Life: dataLife}
		return res, nil
	}
	return d.fillData(ctx, r)
}

// startData writes the run; the runner takes it from there.
func (d *Desk) startData(r Request, g dataDraft) (Result, error) {
	w, err := d.wish(r, g)
	if err != nil {
		return Result{}, err
	}
	env := d.Construct.Envs[w.Env]
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		run, fresh, err := d.Construct.Create(tx, w)
		if err != nil {
			return err
		}
		if !fresh {
			out.Say = say(fmt.Sprintf("R%d 已经受理过了（%s）。", run.Number, construct.StateTitle(run.State))).Say
			return nil
		}
		if run.State == store.RunWaiting {
			told, err := d.AskApproval(tx, run, w)
			if err != nil {
				return err
			}
			out.Say = say(fmt.Sprintf("R%d 要第二个人批，已告诉 %s（%s 内有效）。", run.Number, told, w.Recipe.Approval.Expires)).Say
			return nil
		}
		out.Say = []chat.Outgoing{{Body: chat.Body{Text: fmt.Sprintf("已受理 R%d %s ×%d（%s），做完告诉你。", run.Number, chat.Plain(w.Recipe.Title), w.Count, env.Title)}, Progress: true}}
		return nil
	}}, nil
}

// AskApproval tells everybody who may say yes, but not who asks, and returns their names.
func (d *Desk) AskApproval(tx *store.Tx, run store.Run, w construct.Wish) (string, error) {
	by := w.Requester
	seen := map[string]bool{by.ID: true}
	var names []string
	for _, role := range append(slices.Clone(w.Recipe.ApproveRoles), chat.Admin) {
		people, err := tx.MembersWith(role)
		if err != nil {
			return "", err
		}
		for _, u := range people {
			if seen[u.ID] || role == chat.Admin && len(names) > 0 {
				continue
			}
			seen[u.ID] = true
			names = append(names, chat.Plain(u.Show()))
			text := fmt.Sprintf("%s 要造 %s ×%d（%s），请批。", chat.Plain(by.Show()), chat.Plain(run.Title), run.Wanted, d.Construct.Envs[run.Env].Title)
			yes, no := fmt.Sprintf("批准 R%d", run.Number), fmt.Sprintf("驳回 R%d", run.Number)
			card := &chat.Card{TaskID: fmt.Sprintf("approve-%d-%s", run.ID, u.ID), Source: "一线助手 · 造数", Title: fmt.Sprintf("R%d 等你批", run.Number), Desc: text,
				Buttons: []chat.Button{{Text: "批准", Key: yes, Style: 1}, {Text: "驳回", Key: no}}, Twin: fmt.Sprintf("R%d 等你批：%s\n回「%s」或「%s」。", run.Number, text, yes, no)}
			if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("run/%d/approve/%s", run.ID, u.ID), To: person(u.ID), Body: chat.Body{Card: card}}); err != nil {
				return "", err
			}
		}
	}
	if len(names) == 0 {
		return "", refuse("没有人可以批这个，请管理员给一个人「管理者」角色。")
	}
	return strings.Join(names[:min(3, len(names))], "、"), nil
}
