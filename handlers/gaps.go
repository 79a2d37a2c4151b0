package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Gap is something people ask that the knowledge base does not answer.
type Gap struct {
	Lead     store.Question // the most central of its questions
	Texts    []string       // different wordings, the lead's first
	Messages []string
	People   int
	Count    int
	Disliked int // questions that got an answer which did not help
	Week     int // of the last seven days, and of the seven before
	Before   int
	Shown    int64   // the entry that was shown most and did not help, 0 for none
	Tickets  []int64 // that questions became
	Last     time.Time
}

// Rising tells whether it was asked more this week than the week before.
func (g Gap) Rising() bool { return g.Week > g.Before }

const (
	GapDays  = 30
	gapsRead = 2000
	gapsTold = 5
)

// Gaps groups the unanswered questions of the last days, by how many people
// asked, then how often.
func (d *Desk) Gaps(ctx context.Context) ([]Gap, error) {
	asked, err := d.Store.ListUnanswered(ctx, d.Store.Now().AddDate(0, 0, -GapDays), gapsRead)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(asked))
	for i := range asked {
		texts[i] = asked[i].Text
	}
	own, err := d.ownSynonyms(ctx)
	if err != nil {
		return nil, err
	}
	var out []Gap
	for _, group := range kb.Cluster(texts, own) {
		out = append(out, gapOfGroup(asked, group, d.Store.Now()))
	}
	slices.SortStableFunc(out, func(a, b Gap) int {
		if a.People != b.People {
			return b.People - a.People
		}
		return b.Count - a.Count
	})
	return out, nil
}

func gapOfGroup(asked []store.Question, group []int, now time.Time) Gap {
	g := Gap{Lead: asked[group[0]], Count: len(group)}
	people, shown := map[string]bool{}, map[int64]int{}
	for _, i := range group {
		q := asked[i]
		people[q.Asker] = true
		g.Messages = append(g.Messages, q.Message)
		if !slices.Contains(g.Texts, q.Text) {
			g.Texts = append(g.Texts, q.Text)
		}
		if q.Ticket > 0 && !slices.Contains(g.Tickets, q.Ticket) {
			g.Tickets = append(g.Tickets, q.Ticket)
		}
		if q.Entry > 0 && q.Feedback == "useless" {
			g.Disliked++
			if shown[q.Entry]++; shown[q.Entry] > shown[g.Shown] || g.Shown == 0 {
				g.Shown = q.Entry
			}
		}
		switch age := now.Sub(q.At); {
		case age < 7*24*time.Hour:
			g.Week++
		case age < 14*24*time.Hour:
			g.Before++
		}
		if q.At.After(g.Last) {
			g.Last = q.At
		}
	}
	g.People = len(people)
	return g
}

// GapOf finds the gap that a message's question belongs to.
func (d *Desk) GapOf(ctx context.Context, message string) (Gap, error) {
	gaps, err := d.Gaps(ctx)
	if err != nil {
		return Gap{}, err
	}
	for _, g := range gaps {
		if slices.Contains(g.Messages, message) {
			return g, nil
		}
	}
	return Gap{}, refuse("这个缺口已经处理了。发「缺口」看还剩哪些。")
}

// gaps is 缺口: what is asked and not answered; with a reference, the evidence
// of one.
func (d *Desk) gaps(ctx context.Context, r Request) (Result, error) {
	if message, _ := aboutMessage(r.Args, Topic{}); message != "" {
		return d.gapEvidence(ctx, r, message)
	}
	gaps, err := d.Gaps(ctx)
	if err != nil {
		return Result{}, err
	}
	if len(gaps) == 0 {
		return say(fmt.Sprintf("最近 %d 天没有没答上的问题。", GapDays)), nil
	}
	total := 0
	for _, g := range gaps {
		total += g.Count
	}
	lines := []string{fmt.Sprintf("知识缺口（最近 %d 天，没答上 %d 问，归成 %d 类）", GapDays, total, len(gaps))}
	res := Result{}
	for i, g := range gaps[:min(gapsTold, len(gaps))] {
		lines = append(lines, fmt.Sprintf("%d  %s：%d 问 / %d 人", i+1, chat.Plain(chat.Cut(g.Lead.Text, 40)), g.Count, g.People))
		res.List = append(res.List, "缺口 @"+g.Lead.Message)
	}
	if rest := len(gaps) - gapsTold; rest > 0 {
		lines = append(lines, fmt.Sprintf("其余 %d 类在网页「知识缺口」里%s", rest, d.atPage("/kb/gaps")))
	}
	lines = append(lines, "回数字看证据，「草稿 1」直接起草。")
	res.Say = say(strings.Join(lines, "\n")).Say
	return res, nil
}

func (d *Desk) gapEvidence(ctx context.Context, r Request, message string) (Result, error) {
	g, err := d.GapOf(ctx, message)
	if err != nil {
		return Result{}, err
	}
	found, err := d.Knowledge.Search(ctx, query(g.Lead.Text, r.Now))
	if err != nil {
		return Result{}, fmt.Errorf("search the knowledge: %w", err)
	}
	lines := []string{fmt.Sprintf("%s\n%d 问 / %d 人，最近一次 %s。问法：", chat.Plain(g.Lead.Text), g.Count, g.People, g.Last.In(r.Now.Location()).Format("1月2日 15:04"))}
	for _, text := range g.Texts[:min(gapsTold, len(g.Texts))] {
		lines = append(lines, "· "+chat.Plain(chat.Cut(text, 60)))
	}
	ref := "@" + g.Lead.Message
	res := Result{List: []string{"草稿 " + ref, "忽略 " + ref}}
	more := []string{"1  起草", "2  忽略"}
	if len(found.Hits) > 0 {
		near := found.Hits[0]
		lines = append(lines, fmt.Sprintf("最接近的条目：K%d %s（%.0f%%）", near.Entry.Number, chat.Plain(near.Entry.Question), 100*near.Score))
		res.List = append(res.List, fmt.Sprintf("归到 %s K%d", ref, near.Entry.Number))
		more = append(more, fmt.Sprintf("3  就是 K%d，问法加进去", near.Entry.Number))
	}
	res.Say = say(strings.Join(append(lines, more...), "\n")).Say
	return res, nil
}

// draftGap is 草稿: the curator gives the answer, unless the model makes one of a
// solved ticket; the wordings are there.
func (d *Desk) draftGap(ctx context.Context, r Request) (Result, error) {
	message, _ := aboutMessage(r.Args, Topic{})
	if message == "" {
		return Result{}, refuse("先发「缺口」，再回「草稿 1」。")
	}
	g, err := d.GapOf(ctx, message)
	if err != nil {
		return Result{}, err
	}
	l := lesson{Question: g.Lead.Text, Source: g.Messages, Reason: "缺口"}
	for _, text := range g.Texts {
		if text != g.Lead.Text && len(l.Similar) < gapWordings {
			l.Similar = append(l.Similar, text)
		}
	}
	if e, ticket, err := d.DraftFromGap(ctx, r.Actor.ID, g); err == nil {
		l.Answer, l.Machine = e.Answer, true
		res, err := d.preview(ctx, r, l)
		if err != nil {
			return res, err
		}
		res.Say = append(say(machineLead(ticket)).Say, res.Say...)
		return res, nil
	} else if refusal := (chat.Refusal{}); !errors.As(err, &refusal) {
		return Result{}, err
	}
	res := say(fmt.Sprintf("问：%s（另有 %d 种问法一起收）\n这个问题怎么答？直接发答案，不要了回「取消」。", chat.Plain(g.Lead.Text), len(l.Similar)))
	res.List = []string{}
	res.Next = &Step{Command: "teach", Name: stepLessonAnswer, Draft: l, Life: lessonLife}
	return res, nil
}

// gapWordings bounds the wordings that a draft takes from a gap.
const gapWordings = 20

// ignoreGap is 忽略: these questions are none for the knowledge base.
func (d *Desk) ignoreGap(ctx context.Context, r Request) (Result, error) {
	message, _ := aboutMessage(r.Args, Topic{})
	if message == "" {
		return Result{}, refuse("先发「缺口」，选一个再忽略。")
	}
	g, err := d.GapOf(ctx, message)
	if err != nil {
		return Result{}, err
	}
	res := say(fmt.Sprintf("好，这 %d 问不再列出来；以后再有人问会重新出现。", g.Count))
	res.List = []string{}
	res.Write = func(tx *store.Tx, _ *Result) error { return d.IgnoreGap(tx, r.Actor, g) }
	return res, nil
}

// fileGap is 归到: an entry answers these questions already, it was only not
// found by their words.
func (d *Desk) fileGap(ctx context.Context, r Request) (Result, error) {
	message, rest := aboutMessage(r.Args, Topic{})
	number, ok := numberOf(rest, "K")
	if message == "" || !ok {
		return Result{}, refuse("先发「缺口」，选一个再归到已有的条目。")
	}
	g, err := d.GapOf(ctx, message)
	if err != nil {
		return Result{}, err
	}
	return *d.addQuestions(r, number, g.Wordings(), g.Messages), nil
}
