package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// publish is 发布 K12: a draft, or a change that waits, goes live.
// Where it would spoil what must be found, it asks first. With a time behind it,
// it is published then.
func (d *Desk) publish(ctx context.Context, r Request) (Result, error) {
	n, rest, ok := entryAndRest(r.Args)
	if !ok {
		return Result{}, refuse("发布哪一条？例：发布 K12")
	}
	switch rest {
	case "", publishAnyway:
	case "取消", "不定时":
		return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
			out.Say = append(out.Say, say(fmt.Sprintf("好，K%d 不再定时发布。", n)).Say...)
			return d.Unschedule(tx, r.Actor, n)
		}}, nil
	default:
		return d.publishLater(r, n, rest)
	}
	if rest == "" {
		worse, err := d.spoiledBy(ctx, n)
		if err != nil {
			return Result{}, err
		}
		if len(worse) > 0 {
			return askAnyway(n, worse), nil
		}
	}
	return d.moveInChat(r, n, MovePublish, "", func(e kb.Entry) string {
		return fmt.Sprintf("K%d「%s」已发布，马上就用来回答。改错了回「回滚 K%d」。", n, chat.Plain(chat.Cut(e.Question, 40)), n)
	}), nil
}

// publishLater is 发布 K12 明天9点.
func (d *Desk) publishLater(r Request, n int64, rest string) (Result, error) {
	at, ok := untilOf(rest, r.Now)
	if !ok {
		return Result{}, refuse(fmt.Sprintf("「%s」这个时间我没看懂。例：发布 K%d 明天9点", chat.Plain(chat.Cut(rest, 20)), n))
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		switch err := d.Schedule(tx, r.Actor, n, 0, at); {
		case errors.Is(err, store.ErrNotFound):
			return refuse(fmt.Sprintf("没有找到 K%d。", n))
		case err != nil:
			return err
		}
		out.Say = append(out.Say, say(fmt.Sprintf("K%d 定在 %s 发布；之前有人再改，就不发并告诉你。不要了回「发布 K%d 取消」。", n, at.Format("1月2日 15:04"), n)).Say...)
		return nil
	}}, nil
}

// spoiledBy are the questions that publishing an entry would spoil; of one that
// is not there, none.
func (d *Desk) spoiledBy(ctx context.Context, number int64) ([]Worse, error) {
	e, err := d.ToPublish(ctx, number)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, worse, err := d.CheckMusts(ctx, e)
	return worse, err
}

// publishAnyway behind 发布 K12 says that what it spoils was seen.
const publishAnyway = "仍要发布"

// worseTold bounds the questions that one message names.
const worseTold = 5

func askAnyway(n int64, worse []Worse) Result {
	lines := []string{fmt.Sprintf("还没有发布。发布 K%d 会让 %d 个必中的问法变差：", n, len(worse))}
	for _, w := range worse[:min(len(worse), worseTold)] {
		lines = append(lines, fmt.Sprintf("「%s」应该找到 K%d：现在%s，发布后%s", chat.Plain(chat.Cut(w.Question, 40)), w.Entry, w.Was.Words(), w.Then.Words()))
	}
	if more := len(worse) - worseTold; more > 0 {
		lines = append(lines, fmt.Sprintf("还有 %d 个。", more))
	}
	anyway := fmt.Sprintf("发布 K%d %s", n, publishAnyway)
	res := say(strings.Join(append(lines, "1  "+publishAnyway, "不发布就不用回。"), "\n"))
	res.List = []string{anyway}
	return res
}

// sendBack is 退回 K12 原因: who wrote it goes on with it.
func (d *Desk) sendBack(_ context.Context, r Request) (Result, error) {
	n, note, ok := entryAndRest(r.Args)
	if !ok {
		return Result{}, refuse("退回哪一条？例：退回 K12 答案里没写时间")
	}
	return d.moveInChat(r, n, MoveReturn, note, func(e kb.Entry) string {
		return fmt.Sprintf("好，K%d 退回修改，作者会收到。", n)
	}), nil
}

func (d *Desk) moveInChat(r Request, n int64, move, note string, words func(kb.Entry) string) Result {
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		e, err := d.MoveEntry(tx, r.Actor, n, 0, move, note)
		if errors.Is(err, store.ErrNotFound) {
			return refuse(fmt.Sprintf("没有找到 K%d。", n))
		}
		if err != nil {
			return err
		}
		out.Say = append(out.Say, say(words(e)).Say...)
		return nil
	}}
}

// entryAndRest reads K12 and what stands behind it.
func entryAndRest(text string) (n int64, rest string, ok bool) {
	first, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, ok = numberOf(first, "K")
	return n, strings.TrimSpace(rest), ok
}

// showDraft shows an entry that does not answer yet, or no more, to who works on it.
func (d *Desk) showDraft(e kb.Entry) Result {
	state := kb.StateTitle(e.State)
	if slices.Contains(e.Tags, MachineTag) {
		state += "，" + MachineTag
	}
	lines := []string{fmt.Sprintf("K%d（%s，不用来回答）", e.Number, state), "问：" + chat.Plain(e.Question), "答：" + answerBody(e, "")}
	if n := len(e.Similar); n > 0 {
		lines = append(lines, fmt.Sprintf("也这样问（%d 种）：%s", n, chat.Plain(strings.Join(e.Similar[:min(n, 5)], "／"))))
	}
	if e.State != kb.Retired {
		lines = append(lines, fmt.Sprintf("知识管理员回「发布 K%d」就用来回答。", e.Number))
	}
	return say(strings.Join(lines, "\n") + d.entryLine(e.Number))
}
