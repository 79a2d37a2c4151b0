package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/store"
)

// What is done with a run that was made: taken back, tried again, judged, repeated, shown.

// ofRun reads which run is meant.
func ofRun(r Request, usage string) (int64, error) {
	n, ok := runNumber(strings.TrimSpace(strings.Split(strings.TrimSpace(r.Args)+" ", " ")[0]))
	if !ok {
		return 0, refuse("是哪一次？例：" + usage)
	}
	return n, nil
}

// onRun runs one change of a run inside the turn's commit.
func (d *Desk) onRun(usage, said string, change func(tx *store.Tx, r Request, n int64) (store.Run, error)) func(context.Context, Request) (Result, error) {
	return func(_ context.Context, r Request) (Result, error) {
		if d.Construct == nil {
			return Result{}, errOff
		}
		n, err := ofRun(r, usage)
		if err != nil {
			return Result{}, err
		}
		return Result{Write: func(tx *store.Tx, out *Result) error {
			run, err := change(tx, r, n)
			if err != nil {
				return err
			}
			if said != "" {
				out.Say = []chat.Outgoing{{Body: chat.Body{Text: fmt.Sprintf(said, run.Number)}, Progress: true}}
			}
			return nil
		}}, nil
	}
}

func (d *Desk) cleanRun(ctx context.Context, r Request) (Result, error) {
	return d.onRun("清理 R88", "R%d 在清理，好了告诉你。", func(tx *store.Tx, r Request, n int64) (store.Run, error) {
		return d.Construct.Undo(tx, r.Actor, n)
	})(ctx, r)
}

func (d *Desk) retryRun(ctx context.Context, r Request) (Result, error) {
	return d.onRun("重试 R88", "R%d 接着跑，好了告诉你。", func(tx *store.Tx, r Request, n int64) (store.Run, error) {
		return d.Construct.Retry(tx, r.Actor, n)
	})(ctx, r)
}

// judgeRun is 批准 and 驳回; whoever asked hears of it.
func (d *Desk) judgeRun(yes bool) func(context.Context, Request) (Result, error) {
	return func(_ context.Context, r Request) (Result, error) {
		if d.Construct == nil {
			return Result{}, errOff
		}
		n, err := ofRun(r, map[bool]string{true: "批准", false: "驳回"}[yes]+" R88")
		if err != nil {
			return Result{}, err
		}
		return Result{Write: func(tx *store.Tx, out *Result) error {
			run, err := d.Construct.Approve(tx, r.Actor, n, yes)
			if err != nil {
				return err
			}
			words := fmt.Sprintf("R%d 已由 %s 批准，开始做。", n, chat.Plain(r.Actor.Show()))
			if run.State == store.RunRejected {
				words = fmt.Sprintf("R%d 没有做：%s（%s）。", n, run.Why, chat.Plain(r.Actor.Show()))
			}
			out.Say = say(words).Say
			return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("run/%d/judged", run.ID), To: person(run.Requester), Body: chat.Body{Text: words}})
		}}, nil
	}
}

// moreData is 再来: the same with another seed, and another number of them.
func (d *Desk) moreData(ctx context.Context, r Request) (Result, error) {
	if d.Construct == nil {
		return Result{}, errOff
	}
	n, err := ofRun(r, "再来 R88")
	if err != nil {
		return Result{}, err
	}
	run, err := d.runOf(ctx, r, n)
	if err != nil {
		return Result{}, err
	}
	params, facts, err := construct.Given(run)
	if err != nil {
		return Result{}, err
	}
	g := dataDraft{Mark: r.Msg.ID[:12], Recipe: run.Recipe, Params: params, Facts: facts, Count: run.Wanted, Ticket: run.Ticket}
	if _, rest, ok := strings.Cut(strings.TrimSpace(r.Args), " "); ok {
		if rec := d.Construct.Library().Find(run.Recipe); rec != nil {
			s := d.Construct.Fill(rec, rest)
			for k, v := range s.Params {
				g.Params[k] = v
			}
			if s.Count > 0 {
				g.Count = s.Count
			}
		}
	}
	return d.plan(ctx, r, g, nil)
}

// runOf finds a run that the actor may see. Somebody else's is like an unknown one.
func (d *Desk) runOf(ctx context.Context, r Request, n int64) (store.Run, error) {
	run, err := d.Store.FindRun(ctx, n)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return run, err
	}
	if err != nil || !construct.May(r.Actor, run) {
		return run, refuse(fmt.Sprintf("没有找到 R%d。发「造数 我的」看看做过的。", n))
	}
	return run, nil
}

// showRun says where a run is.
func (d *Desk) showRun(ctx context.Context, r Request, text string) (Result, error) {
	n, ok := runNumber(text)
	if !ok {
		return Result{}, refuse("是哪一次？例：造数 进度 R88")
	}
	run, err := d.runOf(ctx, r, n)
	if err != nil {
		return Result{}, err
	}
	items, err := d.Store.RunItems(ctx, run.ID)
	if err != nil {
		return Result{}, err
	}
	res := say(d.Construct.Words(run, items, r.Now))
	return res, nil
}

// myRuns lists what the actor made and is still there.
func (d *Desk) myRuns(ctx context.Context, r Request) (Result, error) {
	runs, err := d.Store.ListRuns(ctx, store.RunQuery{Requester: r.Actor.ID, N: 9})
	if err != nil {
		return Result{}, err
	}
	if len(runs) == 0 {
		return say("你还没有造过数据。发「造数」看能造什么。"), nil
	}
	lines, list := []string{"你最近造的："}, []string{}
	for i, run := range runs {
		line := fmt.Sprintf("%d  R%d %s ×%d · %s", i+1, run.Number, chat.Plain(run.Title), run.Wanted, construct.StateTitle(run.State))
		if run.Good > 0 && !run.Expires.IsZero() && run.State != store.RunUndone {
			line += " · " + run.Expires.In(r.Now.Location()).Format("1月2日") + " 到期"
		}
		lines, list = append(lines, line), append(list, fmt.Sprintf("造数 R%d", run.Number))
	}
	res := say(strings.Join(lines, "\n"))
	res.List = list
	return res, nil
}

// dataUse is 造数 排行: what is used most, and how many minutes it saved.
func (d *Desk) dataUse(ctx context.Context, r Request) (Result, error) {
	uses, err := d.Construct.Uses(ctx, time.Date(r.Now.Year(), r.Now.Month(), 1, 0, 0, 0, 0, r.Now.Location()))
	if err != nil {
		return Result{}, err
	}
	if len(uses) == 0 {
		return say("这个月还没有人造过数据。"), nil
	}
	lines := []string{"本月造数："}
	for i, u := range uses[:min(9, len(uses))] {
		lines = append(lines, fmt.Sprintf("%d  %s　%d 次 %d 个 · 成功 %d%% · %d 人 · 省 %d 分钟", i+1, chat.Plain(u.Title), u.Runs, u.Good+u.Bad, 100*u.Good/max(1, u.Good+u.Bad), u.People, u.Saved))
	}
	return say(strings.Join(lines, "\n")), nil
}

// exportRun sends the results as a file, to the one who asked alone.
func (d *Desk) exportRun(ctx context.Context, r Request) (Result, error) {
	if d.Construct == nil || d.Files == nil {
		return Result{}, errOff
	}
	n, err := ofRun(r, "导出 R88")
	if err != nil {
		return Result{}, err
	}
	if r.Msg.From.Kind != chat.Person {
		return Result{}, refuse("结果有完整号码，请在单聊里说「导出 R" + fmt.Sprint(n) + "」。")
	}
	run, err := d.runOf(ctx, r, n)
	if err != nil {
		return Result{}, err
	}
	rec := d.Construct.Library().Find(run.Recipe)
	if rec == nil {
		return Result{}, refuse("这个配方不在了。")
	}
	items, err := d.Store.RunItems(ctx, run.ID)
	if err != nil {
		return Result{}, err
	}
	text, err := construct.CSV(rec, items)
	if err != nil {
		return Result{}, err
	}
	id, err := d.Files.Put(ctx, text)
	if err != nil {
		return Result{}, err
	}
	return Result{Say: []chat.Outgoing{{Body: chat.Body{File: &chat.File{Kind: "file", Name: fmt.Sprintf("R%d.csv", n), Path: id}}}}, Write: func(tx *store.Tx, _ *Result) error {
		return tx.Audit(r.Actor.ID, "run.export", fmt.Sprintf("R%d", n), nil)
	}}, nil
}
