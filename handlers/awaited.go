package handlers

import (
	"context"
	"encoding/json"
	"fmt"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// await is 有答案了告诉我: who asked is told once, when the base has an answer.
func (d *Desk) await(ctx context.Context, r Request) (Result, error) {
	about, said := aboutMessage(r.Args, r.Topic)
	text := mask.Text(said)
	if text == "" && about == r.Topic.Message {
		text = r.Topic.Question
	}
	if text == "" && about != "" {
		if q, err := d.Store.FindQuestion(ctx, about); err == nil && q.Asker == r.Actor.ID {
			text = q.Text
		}
	}
	if text == "" {
		return Result{}, refuse("先问一个问题；我答不上时回「有答案了告诉我」，入库后第一时间发你。")
	}
	if about == "" {
		about = r.Msg.ID
	}
	res := say("好，入库后第一时间发你。")
	res.List = []string{}
	res.Write = func(tx *store.Tx, _ *Result) error {
		return tx.WatchQuestion(store.Watch{Member: r.Actor.ID, Message: about, Text: text})
	}
	return res, nil
}

// watchesRead is how many awaited questions are looked at in one go.
const watchesRead = 100

// TellAwaited tells people whose question has an answer now.
func (d *Desk) TellAwaited(ctx context.Context) error {
	list, err := d.Store.ListWatches(ctx, watchesRead)
	if err != nil || len(list) == 0 {
		return err
	}
	var still []int64
	for _, w := range list {
		found, err := d.Knowledge.Search(ctx, query(w.Text, d.Store.Now()))
		if err != nil {
			return fmt.Errorf("search the knowledge: %w", err)
		}
		if !surely(found) {
			still = append(still, w.ID)
			continue
		}
		if err := d.Store.InTx(ctx, func(tx *store.Tx) error { return d.tellAwaited(tx, w, found) }); err != nil {
			return err
		}
	}
	if len(list) < watchesRead {
		return nil // all were looked at: there is no order to keep
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error { return tx.LookedAtWatches(still) })
}

func (d *Desk) tellAwaited(tx *store.Tx, w store.Watch, found kb.Result) error {
	mine, err := tx.EndWatch(w.ID)
	if err != nil || !mine {
		return err
	}
	e := found.Hits[0].Entry
	text := fmt.Sprintf("你问的「%s」有答案了：\n**%s**\n%s\n> 依据 %s\n%s", chat.Plain(chat.Cut(w.Text, 60)), e.Question, answerBody(e, ""), sourceLine(e), feedbackWords)
	if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("awaited/%d", w.ID), To: person(w.Member), Body: chat.Body{Markdown: text}}); err != nil {
		return err
	}
	topic, err := json.Marshal(Topic{Message: w.Message, Question: w.Text, Entry: e.Number, Title: e.Question})
	if err != nil {
		return err
	}
	if err := d.openFor(tx, person(w.Member), w.Member, func(c *store.Conversation) { c.Topic, c.TopicEnd = topic, tx.Now().Add(offerLife) }); err != nil {
		return err
	}
	return d.settle(tx, "", []string{w.Message}, outcomeLearned, e.Number)
}

// another is 换个答案: the next best entry for the last question.
func (d *Desk) another(ctx context.Context, r Request) (Result, error) {
	if r.Topic.Question == "" {
		return Result{}, refuse("先问一个问题。")
	}
	others := r.Topic.Others
	if len(others) == 0 {
		return Result{}, refuse("没有别的可能了。补一句更具体的（哪个页面、什么提示），或回「转人工」。")
	}
	r.Args = fmt.Sprintf("K%d", others[0])
	res, err := d.entry(ctx, r)
	if err == nil {
		res.Topic.Others = others[1:]
	}
	return res, err
}
