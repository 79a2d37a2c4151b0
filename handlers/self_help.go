package handlers

import (
	"context"
	"fmt"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

// The self-service page asks the same base as the chat, and what is asked there
// counts as much.

// HelpAnswers are how many entries the page shows for a question.
const HelpAnswers = 5

// HelpSearch is what the base says to somebody's question of the page, which is
// masked.
func (d *Desk) HelpSearch(ctx context.Context, person, question string) (kb.Result, error) {
	return d.Knowledge.Search(ctx, kb.Query{Text: question, N: HelpAnswers, Now: d.Store.Now(), Vectors: true, Person: person})
}

// AskOnPage keeps a question of the page as one of the chat is kept, and returns
// the message it stands under; "" when it was no question, such as a greeting.
func (d *Desk) AskOnPage(ctx context.Context, actor chat.User, text string) (message string, err error) {
	question := chat.Cut(mask.Text(strings.TrimSpace(text)), 500)
	if question == "" {
		return "", refuse("写上你想问的，一句话就行。")
	}
	found, err := d.HelpSearch(ctx, actor.ID, question)
	if err != nil {
		return "", fmt.Errorf("search the knowledge: %w", err)
	}
	if found.Reason == "chat" || found.Reason == "empty" || greetings.MatchString(question) || thanks.MatchString(question) {
		return "", refuse("这句不像一个问题，换个说法试试。")
	}
	q := store.Question{Asker: actor.ID, Place: person(actor.ID), Text: question, Band: "refuse"}
	if len(found.Hits) > 0 {
		q.Score = found.Hits[0].Score
		switch found.Band {
		case kb.Answer:
			q.Band, q.Entry = "answer", found.Hits[0].Entry.Number
		case kb.Clarify:
			q.Band, q.Entry = "clarify", found.Hits[0].Entry.Number
		}
	}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		q.Message = chat.MessageID("", "", "", "", fmt.Sprintf("help/%s/%d", actor.ID, tx.Serial()))
		return tx.KeepQuestion(q)
	})
	return q.Message, err
}

// JudgeOnPage records what the asker thought of an answer of the page, or that
// they want to be told when there is one.
func (d *Desk) JudgeOnPage(ctx context.Context, actor chat.User, message, judgement string) error {
	q, err := d.Store.FindQuestion(ctx, message)
	if err != nil {
		return err
	}
	if q.Asker != actor.ID {
		return store.ErrNotFound
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		switch judgement {
		case "useful", "useless":
			return tx.JudgeQuestion(message, actor.ID, judgement, 0)
		case "await":
			return tx.WatchQuestion(store.Watch{Member: actor.ID, Message: message, Text: q.Text})
		}
		return refuse("没有这个选项。")
	})
}
