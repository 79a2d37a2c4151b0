package handlers

import (
	"context"
	"fmt"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// aboutMessage reads "@<message id>" that a button carries: which question a
// click is about, even when others were asked since.
func aboutMessage(args string, topic Topic) (id, rest string) {
	if ref, rest, _ := strings.Cut(args, " "); len(ref) == 25 && ref[0] == '@' {
		return ref[1:], strings.TrimSpace(rest)
	}
	return topic.Message, strings.TrimSpace(args)
}

// person is 转人工, and 没解决: a ticket with the talk attached, so that
// nobody has to say it twice.
func (d *Desk) person(ctx context.Context, r Request) (Result, error) {
	return d.handOver(ctx, r, "person")
}

// unsolved is 没解决.
func (d *Desk) unsolved(ctx context.Context, r Request) (Result, error) {
	return d.handOver(ctx, r, "useless")
}

func (d *Desk) handOver(ctx context.Context, r Request, feedback string) (Result, error) {
	about, said := aboutMessage(r.Args, r.Topic)
	if said == zeroItem {
		said = ""
	}
	talk, err := d.attachTalk(ctx, r.Msg)
	if err != nil {
		return Result{}, err
	}
	title := said
	if title == "" && (r.Topic.Message == about || about == "") {
		title = r.Topic.Question
	}
	if title == "" && len(talk) == 0 {
		return Result{}, refuse("好，转人工。先说一句是什么事，我连同你的话一起转过去。例：转人工 客户的回购没到账")
	}
	if title == "" {
		title = "转人工"
	}
	var f Fields
	f.read(said)
	t := store.Ticket{State: store.TicketNew, Priority: f.priority("consult"), Class: "consult", Title: chat.Cut(oneLine(mask.Text(title)), titleRunes),
		Reporter: r.Actor.ID, Place: r.Msg.From, Urgency: f.Urgency, Source: r.Msg.ID}
	clean, _ := mask.Scrub(said)
	return Result{Topic: &Topic{}, Write: func(tx *store.Tx, out *Result) error {
		t := t
		if err := d.Open(tx, r.Actor, &t); err != nil {
			return err
		}
		first := store.TicketEntry{Kind: "report", Author: r.Actor.ID, Text: t.Title, Original: clean, Media: r.Msg.Media, Message: r.Msg.ID}
		for _, e := range append([]store.TicketEntry{first}, talk...) {
			if err := tx.AddTicketEntry(t.ID, e); err != nil {
				return err
			}
		}
		if about != "" {
			if err := tx.JudgeQuestion(about, r.Actor.ID, feedback, t.Number); err != nil {
				return err
			}
		}
		out.Say = append(out.Say, say(fmt.Sprintf("已转人工，单号 T%d：%s\n刚才的对话已附上，不用再说一遍。查进度回「查 T%d」。", t.Number, chat.Plain(t.Title), t.Number)).Say...)
		out.Say = append(out.Say, d.announce(fmt.Sprintf("T%d/new", t.Number), newTicketLine(t, r.Actor), false)...)
		return nil
	}}, nil
}

// useful is 有用.
func (d *Desk) useful(ctx context.Context, r Request) (Result, error) {
	about, _ := aboutMessage(r.Args, r.Topic)
	if about == "" {
		return Result{}, refuse("谢谢！")
	}
	res := say("好，有用就行。")
	res.Topic = &Topic{}
	res.Write = func(tx *store.Tx, _ *Result) error {
		return judge(tx, about, r.Actor.ID, "useful", shownFor(r.Topic, about))
	}
	return res, nil
}

// judge records what the asker thinks of an answer. Said of one of several that were
// offered, it says as well which was looked at (0 when that is not known).
func judge(tx *store.Tx, about, asker, feedback string, entry int64) error {
	if entry > 0 {
		if err := tx.PickEntry(about, asker, entry); err != nil {
			return err
		}
	}
	return tx.JudgeQuestion(about, asker, feedback, 0)
}

// shownFor is the entry that a talk has shown for a question, 0 for none.
func shownFor(topic Topic, about string) int64 {
	if topic.Message == about {
		return topic.Entry
	}
	return 0
}
