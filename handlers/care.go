package handlers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// What keeps a knowledge base alive: owners are reminded of reviews, curators
// hear once a week what is missing.

// careRead bounds the entries one reminder looks at.
const careRead = 500

// reviewsShown is how many entries one reminder names.
const reviewsShown = 5

// RemindReviews tells the owners of entries whose review is due or that are out
// of date: one message a week for each person, however many there are. An owner
// who is nobody in the address list, such as a team, is stood in for by the
// curators.
func (d *Desk) RemindReviews(ctx context.Context) error {
	now := d.Store.Now()
	today := now.Format(time.DateOnly)
	due, err := d.Store.ListDueEntries(ctx, today, careRead)
	if err != nil || len(due) == 0 {
		return err
	}
	year, week := now.ISOWeek()
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		lines := map[string][]string{}
		for _, e := range due {
			people, err := d.keepers(tx, e)
			if err != nil {
				return err
			}
			words := fmt.Sprintf("K%d「%s」该复核了（%s）", e.Number, chat.Plain(chat.Cut(e.Question, 30)), e.ReviewAt)
			if e.ValidUntil != "" && e.ValidUntil < today {
				words = fmt.Sprintf("K%d「%s」已过有效期（%s），不再用来回答", e.Number, chat.Plain(chat.Cut(e.Question, 30)), e.ValidUntil)
			}
			for _, id := range people {
				lines[id] = append(lines[id], words)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(lines)) {
			list := lines[id]
			text := append([]string{fmt.Sprintf("%d 条知识要复核：", len(list))}, list[:min(len(list), reviewsShown)]...)
			if more := len(list) - reviewsShown; more > 0 {
				text = append(text, fmt.Sprintf("还有 %d 条。", more))
			}
			text = append(text, "回「看 K编号」看内容，改和续期在它的页面上"+d.atPage("/kb"))
			// The key makes it once a week: the outbox takes a key only once.
			if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("reviews/%d-%02d/%s", year, week, id), To: person(id), Body: chat.Body{Text: strings.Join(text, "\n")}}); err != nil {
				return err
			}
		}
		return nil
	})
}

// AskKeepers asks who keeps an entry that often solves nothing to look at it, once a
// day, and returns their ids.
func (d *Desk) AskKeepers(tx *store.Tx, actor chat.User, e kb.Entry, use store.EntryUse, days int) ([]string, error) {
	people, err := d.keepers(tx, e)
	if err != nil {
		return nil, err
	}
	var why []string
	for _, r := range use.Reasons() {
		why = append(why, fmt.Sprintf("%s %d 次", UselessTitle(r.Key), r.N))
	}
	text := fmt.Sprintf("K%d「%s」最近 %d 天有 %d 次没解决", e.Number, chat.Plain(chat.Cut(e.Question, 30)), days, use.Useless)
	if len(why) > 0 {
		text += "（" + strings.Join(why, "，") + "）"
	}
	text += fmt.Sprintf("，%s 请你看一眼：哪里要改，或者停用。%s", chat.Plain(actor.Name), d.entryLine(e.Number))
	for _, id := range people {
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("look/%d/%s/%s", e.Number, tx.Now().Format(time.DateOnly), id), To: person(id), Body: chat.Body{Text: text}}); err != nil {
			return nil, err
		}
	}
	return people, tx.Audit(actor.ID, "entry.ask", fmt.Sprintf("K%d", e.Number), map[string]any{"people": people})
}

// keepers are the people to speak to about an entry.
func (d *Desk) keepers(tx *store.Tx, e kb.Entry) ([]string, error) {
	if u, err := tx.FindMember(e.Owner); err == nil && e.Owner != "" && !u.Disabled {
		return []string{u.ID}, nil
	}
	return curatorIDs(tx)
}

func curatorIDs(tx *store.Tx) ([]string, error) {
	all, err := tx.MembersWith(chat.Curator)
	var ids []string
	for _, u := range all {
		if !u.Disabled {
			ids = append(ids, u.ID)
		}
	}
	slices.Sort(ids)
	return ids, err
}

// GapPeople is how many must have asked for a gap to be in the weekly report.
const GapPeople = 3

// ReportGaps tells the curators once a week what many asked in vain.
func (d *Desk) ReportGaps(ctx context.Context) error {
	gaps, err := d.Gaps(ctx)
	if err != nil || len(gaps) == 0 {
		return err
	}
	lines := []string{fmt.Sprintf("本周知识缺口（最近 %d 天没答上的）", GapDays)}
	var list []string
	folded := 0
	for _, g := range gaps {
		if g.People < GapPeople || len(list) == gapsTold {
			folded += g.Count
			continue
		}
		list = append(list, "缺口 @"+g.Lead.Message)
		lines = append(lines, fmt.Sprintf("%d  %s：%d 问 / %d 人", len(list), chat.Plain(chat.Cut(g.Lead.Text, 40)), g.Count, g.People))
	}
	if len(list) == 0 {
		return nil
	}
	if folded > 0 {
		lines = append(lines, fmt.Sprintf("其余 %d 问已折叠。", folded))
	}
	lines = append(lines, "回数字看证据，「草稿 1」直接起草。"+d.gapsLine())
	to, err := d.subscribers(ctx, "gaps")
	if err != nil {
		return err
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, place := range to {
			key := fmt.Sprintf("gaps/%s/%s", tx.Now().Format(time.DateOnly), place)
			if err := tx.Enqueue(chat.Outgoing{Key: key, To: place, Body: chat.Body{Text: strings.Join(lines, "\n")}}); err != nil {
				return err
			}
			if place.Kind != chat.Person {
				continue
			}
			if err := d.offer(tx, place, place.ID, list); err != nil {
				return err
			}
		}
		return nil
	})
}

// gapsLine leads to the page of gaps.
func (d *Desk) gapsLine() string {
	if d.PublicURL == "" {
		return ""
	}
	return "\n在网页上处理：" + d.PublicURL + "/kb/gaps"
}

// weekly is every week on a day at a time of the clock's own zone.
func weekly(day time.Weekday, hour, minute int) func(time.Time) time.Time {
	next := daily(hour, minute)
	return func(now time.Time) time.Time {
		at := next(now)
		for at.Weekday() != day {
			at = at.AddDate(0, 0, 1)
		}
		return at
	}
}
