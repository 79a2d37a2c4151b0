package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// Known problem first: a new report is compared with the open tickets, and who
// has the same problem joins with one tap instead of making one more ticket.

const (
	knownTime  = 72 * time.Hour // open tickets that are looked at
	knownMost  = 300
	knownAlike = 0.5 // from here the same problem is likely enough to ask
	otherApp   = 0.8 // what an other system takes off the likeness
)

// spikes are the numbers of people at which the support group is told.
var spikes = map[int]bool{3: true, 5: true, 10: true, 20: true, 50: true, 100: true}

// known is the open ticket of somebody else that is most like a report; 0 when
// none is.
func (d *Desk) known(ctx context.Context, reporter string, f Fields, now time.Time) (best store.Ticket, alike float64, err error) {
	near, err := d.openLike(ctx, f.Symptom, now.Add(-knownTime), knownAlike)
	for _, n := range near {
		if n.Reporter == reporter {
			continue // one's own is found by its words, or was meant to be another
		}
		a := n.alike
		if f.System != "" && n.System != "" && f.System != n.System {
			a *= otherApp
		}
		if a >= knownAlike && a > alike {
			best, alike = n.Ticket, a
		}
	}
	return best, alike, err
}

type likeTicket struct {
	store.Ticket
	alike float64
}

// openLike are the open tickets since a time that are about much the same as a
// text, the most alike first.
func (d *Desk) openLike(ctx context.Context, text string, since time.Time, least float64) (out []likeTicket, err error) {
	mine := gist(text)
	if len(mine) == 0 || len(mine) == 1 && mine[brokenMark] {
		return nil, nil // nothing but that it is broken
	}
	list, err := d.Store.PageTickets(ctx, store.TicketQuery{States: store.OpenTicketStates(), From: since, N: knownMost})
	var rare rareness
	gists := make([]map[string]bool, len(list))
	for i, t := range list {
		gists[i] = gist(t.Title)
		rare.add(gists[i])
	}
	for i, t := range list {
		if a := rare.alike(mine, gists[i]); a >= least {
			out = append(out, likeTicket{t, a})
		}
	}
	slices.SortStableFunc(out, func(a, b likeTicket) int { return cmp.Compare(b.alike, a.alike) })
	return out, err
}

// pageAlike is from where on a page shows a ticket as similar: more than is
// asked about, because looking costs nothing.
const pageAlike = 0.3

// Similar are the open tickets that are about much the same as a text, but the
// one itself; the most alike first, at most n.
func (d *Desk) Similar(ctx context.Context, text string, except int64, n int) (out []store.Ticket, err error) {
	near, err := d.openLike(ctx, text, time.Time{}, pageAlike)
	for _, t := range near {
		if t.Number != except && len(out) < n {
			out = append(out, t.Ticket)
		}
	}
	return out, err
}

// askKnown shows the known problem; joining counts as a report.
func (d *Desk) askKnown(ctx context.Context, r Request, g reportDraft, t store.Ticket) (Result, error) {
	g.Known = t.Number
	entries, err := d.Store.ListTicketEntries(ctx, t.ID, 200)
	if err != nil {
		return Result{}, err
	}
	workaround := ""
	for _, e := range entries {
		if e.Kind == "workaround" {
			workaround = e.Text
		}
	}
	who := "还没有人接手"
	if t.Assignee != "" {
		who = d.nameOf(ctx, t.Assignee) + " " + t.State.Title()
	}
	if t.Group != "" {
		who = chat.Plain(d.Rules.GroupTitle(t.Group)) + " " + who
	}
	head := fmt.Sprintf("和%s 起的一个问题很像", when(t.Created, r.Now))
	card := &chat.Card{TaskID: taskID(fmt.Sprintf("known-T%d", t.Number), r.Msg), Source: "一线助手 · 已知问题", Title: head, Desc: "【已知】" + chat.Plain(chat.Cut(t.Title, 40)),
		Rows:    []chat.Row{{Key: "反馈", Value: fmt.Sprintf("%d 位同事", t.Joined+1)}, {Key: "处理", Value: who}},
		Buttons: []chat.Button{{Text: "算我一个", Key: ButtonKey(g.Mark, joinWord), Style: 1}, {Text: "不一样，单独报", Key: ButtonKey(g.Mark, apartWord)}}}
	lines := []string{head + "：", fmt.Sprintf("【已知】%s · 已有 %d 位同事反馈 · %s", chat.Plain(chat.Cut(t.Title, 40)), t.Joined+1, who)}
	if workaround != "" {
		card.Text = "临时办法：" + chat.Plain(chat.Cut(workaround, 100))
		lines = append(lines, "临时办法："+chat.Plain(workaround))
	}
	card.Twin = strings.Join(append(lines, "1  就是它，算我一个", "2  不一样，单独报"), "\n")
	return Result{Say: []chat.Outgoing{{Body: chat.Body{Card: card}}}, List: []string{joinWord, apartWord}, Next: &Step{Command: "report", Name: "known", Draft: g, Life: reportLife}}, nil
}

const (
	joinWord  = "算我一个"
	apartWord = "不一样"
)

// answerKnown is the answer to a known problem: join, apart, or more words
// about it, which may make it another one.
func (d *Desk) answerKnown(ctx context.Context, r Request) (Result, error) {
	g, err := r.reportDraft()
	if err != nil {
		return Result{}, err
	}
	switch r.Args {
	case joinWord, "就是它", "是", "对", "是的", "一样", "是它":
		if g.Alert > 0 {
			return d.joinAlert(r, g), nil
		}
		return d.joinKnown(r, g), nil
	case apartWord, "不一样，单独报", "单独报", "不是", "不", "否", zeroItem:
		g.Apart, g.Guessed = true, false // a fault it is: they said so
		return d.proceed(ctx, r, g)
	}
	g.take(r.Args, r.Msg.Media)
	if g.Alert > 0 {
		a, err := d.knownAlert(ctx, g.Fields, r.Now)
		if err != nil || a.Number != g.Alert {
			g.Alert = 0
			if err != nil {
				return Result{}, err
			}
			return d.proceed(ctx, r, g)
		}
		return d.stillKnown(g, fmt.Sprintf("A%d", g.Alert)), nil
	}
	same, _, err := d.known(ctx, r.Actor.ID, g.Fields, r.Now)
	if err != nil {
		return Result{}, err
	}
	if same.Number != g.Known {
		return d.proceed(ctx, r, g) // with these words it is another problem
	}
	return d.stillKnown(g, fmt.Sprintf("T%d", g.Known)), nil
}

// stillKnown asks again after more words about the same.
func (d *Desk) stillKnown(g reportDraft, what string) Result {
	res := say("补上了。还是 " + what + " 这个问题吗？\n1  就是它，算我一个\n2  不一样，单独报")
	res.List, res.Next = []string{joinWord, apartWord}, &Step{Command: "report", Name: "known", Draft: g, Life: reportLife}
	return res
}

func (d *Desk) joinKnown(r Request, g reportDraft) Result {
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		t, err := tx.FindTicket(g.Known)
		if errors.Is(err, store.ErrNotFound) {
			return unknownTicket(g.Known)
		}
		if err != nil {
			return err
		}
		return d.countIn(tx, out, r, g, t)
	}}
}

// countIn counts the reporter in, and says so.
func (d *Desk) countIn(tx *store.Tx, out *Result, r Request, g reportDraft, t store.Ticket) (err error) {
	if t.State == store.TicketMerged { // it became part of another in between
		if t, err = tx.FindTicket(t.Master); err != nil {
			return err
		}
	}
	if !t.State.Open() {
		out.Say = append(out.Say, say(fmt.Sprintf("%s 刚刚%s。客户试一下，还是不行就再报一次。", no(&t), t.State.Title())).Say...)
		return nil
	}
	fresh, err := d.Join(tx, r.Actor, &t, g.Fields.who(), strings.Join(g.Lines, "\n"), g.Media, r.Msg.ID)
	if err != nil {
		return err
	}
	words := fmt.Sprintf("你已经在 %s 里了。修好后我会通知你。", no(&t))
	if fresh {
		words = fmt.Sprintf("已加入 %s（你是第 %d 位", no(&t), t.Joined+1)
		if who := g.Fields.who(); who != "" && who != "无" {
			words += "，客户 " + lastFour(who) + " 已登记为受影响"
		}
		words += "）。修好后我会通知你，不用再报。"
	}
	out.Say = append(out.Say, say(words).Say...)
	return nil
}

// Join counts somebody in as affected by a ticket's problem. Said again it adds
// what is new and counts nobody twice.
func (d *Desk) Join(tx *store.Tx, by chat.User, t *store.Ticket, customer, words string, media []chat.Media, message string) (fresh bool, err error) {
	if err := mustBeOpen(t, "加入"); err != nil {
		return false, err
	}
	if customer == "无" {
		customer = ""
	}
	if by.ID != t.Reporter {
		if fresh, err = tx.FollowTicket(store.TicketPerson{Ticket: t.Number, Member: by.ID, As: store.Affected, Customer: customer}); err != nil {
			return false, err
		}
	}
	if words != "" || len(media) > 0 {
		if err := tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "report", Author: by.ID, Text: mask.Text(words), Original: words, Media: media, Message: message}); err != nil {
			return false, err
		}
	}
	if !fresh {
		return false, nil
	}
	t.Joined++
	if err := d.change(tx, by, t, t.State, fmt.Sprintf("%s 也受影响（第 %d 位）", by.Show(), t.Joined+1)); err != nil {
		return false, err
	}
	if n := t.Joined + 1; spikes[n] {
		line := fmt.Sprintf("**%s** 已有 %d 人受影响\n> %s\n有临时办法请回「办法 %s …」，受影响的人马上收到。", no(t), n, chat.PlainMarkdown(t.Title), no(t))
		if t.Priority == "P3" || t.Priority == "P4" {
			line += fmt.Sprintf("\n要升级请回「优先级 %s P2」。", no(t))
		}
		return true, d.announceIn(tx, t, fmt.Sprintf("affected/%d", n), line)
	}
	return true, nil
}

// twins tells the support group when several open tickets of the last half hour
// look like this new one: they may be one problem.
func (d *Desk) twins(tx *store.Tx, t store.Ticket, like []int64) error {
	if len(like)+1 < 3 {
		return nil
	}
	var numbers []string
	for _, n := range like[:min(len(like), 8)] {
		numbers = append(numbers, fmt.Sprintf("T%d", n))
	}
	first := numbers[len(numbers)-1] // the oldest; the list is newest first
	rest := append([]string{no(&t)}, numbers[:len(numbers)-1]...)
	return d.announceIn(tx, &t, "twins", fmt.Sprintf("半小时内有 %d 张相似的单：%s\n> %s\n是同一个问题就回「并 %s 到 %s」。", len(like)+1, strings.Join(append(rest, first), " "), chat.PlainMarkdown(t.Title), strings.Join(rest, " "), first))
}

const twinTime = 30 * time.Minute

// twinsOf are the open tickets of the last half hour that look like a text,
// newest first.
func (d *Desk) twinsOf(ctx context.Context, text string, now time.Time) (out []int64, err error) {
	near, err := d.openLike(ctx, text, now.Add(-twinTime), knownAlike)
	for _, t := range near {
		out = append(out, t.Number)
	}
	slices.SortFunc(out, func(a, b int64) int { return cmp.Compare(b, a) })
	return out, err
}
