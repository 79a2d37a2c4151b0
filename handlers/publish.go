package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// publish is 发布 K12: a draft, or a change that waits, goes live.
func (d *Desk) publish(_ context.Context, r Request) (Result, error) {
	n, _, ok := entryAndRest(r.Args)
	if !ok {
		return Result{}, refuse("发布哪一条？例：发布 K12")
	}
	return d.moveInChat(r, n, MovePublish, "", func(e kb.Entry) string {
		return fmt.Sprintf("K%d「%s」已发布，马上就用来回答。改错了回「回滚 K%d」。", n, chat.Plain(chat.Cut(e.Question, 40)), n)
	}), nil
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
	lines := []string{fmt.Sprintf("K%d（%s，不用来回答）", e.Number, kb.StateTitle(e.State)), "问：" + chat.Plain(e.Question), "答：" + answerBody(e)}
	if n := len(e.Similar); n > 0 {
		lines = append(lines, fmt.Sprintf("也这样问（%d 种）：%s", n, chat.Plain(strings.Join(e.Similar[:min(n, 5)], "／"))))
	}
	if e.State != kb.Retired {
		lines = append(lines, fmt.Sprintf("知识管理员回「发布 K%d」就用来回答。", e.Number))
	}
	return say(strings.Join(lines, "\n") + d.entryLine(e.Number))
}
