package alert

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

func (d *Desk) fold(tx *store.Tx, receiver string, g *store.AlertGroup, v view) error {
	if err := tx.AddFold(store.Fold{Receiver: receiver, Number: g.Number, Severity: g.Severity, Title: g.Title, Opens: v.opens, Resolves: v.resolves}); err != nil {
		return err
	}
	s, err := tx.FindStorm(receiver)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	s.Receiver, s.Folded = receiver, tx.Now()
	if s.Began.IsZero() {
		s.Began = tx.Now()
	}
	return tx.PutStorm(s)
}

const (
	digestEvery      = 30 * time.Second
	graveDigestEvery = 5 * time.Second
	stormOver        = 2 * time.Minute // without anything to fold
	ordinaryMost     = 14
	urgentMost       = 18
)

// digests says to each place with too much to hear what it did not hear alone.
func (d *Desk) digests(ctx context.Context) error {
	storms, err := d.Store.ListStorms(ctx)
	if err != nil {
		return err
	}
	var faults []error
	for _, s := range storms {
		err := d.Store.InTx(ctx, func(tx *store.Tx) error { return d.digest(tx, s.Receiver) })
		if err != nil && !errors.Is(err, store.ErrStale) && !errors.Is(err, store.ErrNotFound) {
			faults = append(faults, fmt.Errorf("digest for %s: %w", s.Receiver, err))
		}
	}
	return errors.Join(faults...)
}

func (d *Desk) digest(tx *store.Tx, receiver string) error {
	s, err := tx.FindStorm(receiver)
	if err != nil {
		return err
	}
	now, to := tx.Now(), place(receiver)
	used, err := tx.WaitingFor(to, now.Add(-time.Minute))
	if err != nil {
		return err
	}
	every, most := digestEvery, ordinaryMost
	if s.Grave {
		every, most = graveDigestEvery, urgentMost
	}
	switch {
	case s.Waiting > 0 && used < most && now.Sub(s.Said) >= every:
		folds, err := tx.TakeFolds(receiver)
		if err != nil {
			return err
		}
		body, err := d.body(to, "[汇总] 告警高峰", d.digestText(folds, s, now))
		if err != nil {
			return err
		}
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("alerts/%s/%d", receiver, now.UnixMilli()), To: to, Body: body, Urgent: s.Grave}); err != nil {
			return err
		}
		s.Said = now
		s.Messages++
		for _, f := range folds {
			s.Opens += f.Opens
			s.Resolves += f.Resolves
		}
		return tx.PutStorm(s)
	case s.Waiting == 0 && now.Sub(s.Folded) >= stormOver:
		if s.Messages > 1 && used < most {
			body, err := d.body(to, "[汇总] 告警高峰已过", d.overText(s))
			if err != nil {
				return err
			}
			if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("alerts/%s/%d/over", receiver, s.Began.UnixMilli()), To: to, Body: body}); err != nil {
				return err
			}
		}
		return tx.EndStorm(receiver)
	}
	return nil
}

// body is what a place is told besides messages about one group.
func (d *Desk) body(to chat.Address, subject, text string) (chat.Body, error) {
	if to.Kind != chat.Mailbox {
		return chat.Body{Markdown: text}, nil
	}
	m, err := d.plainLetter(subject, text)
	return chat.Body{Mail: m}, err
}

// digestShown is how many groups a digest names.
const digestShown = 8

// digestText puts together what a place did not hear alone. Its numbers add up
// with those of the other messages to what was received.
func (d *Desk) digestText(folds []store.Fold, s store.Storm, now time.Time) string {
	type sum struct {
		store.Fold
		order int
	}
	groups := map[int64]*sum{}
	var list []*sum
	opens, resolves := 0, 0
	by := map[string]int{}
	for _, f := range folds {
		g := groups[f.Number]
		if g == nil {
			g = &sum{Fold: store.Fold{Number: f.Number, Title: f.Title}, order: len(list)}
			groups[f.Number] = g
			list = append(list, g)
		}
		if Graver(f.Severity, g.Severity) {
			g.Severity = f.Severity
		}
		g.Opens += f.Opens
		g.Resolves += f.Resolves
		opens += f.Opens
		resolves += f.Resolves
		by[f.Severity] += f.Opens
	}
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].Severity != list[j].Severity {
			return Graver(list[i].Severity, list[j].Severity)
		}
		return list[i].Opens > list[j].Opens
	})
	since := s.Said
	if since.IsZero() {
		since = s.Began
	}
	span := max(time.Second, now.Sub(since)).Round(time.Second)
	lines := []string{fmt.Sprintf("⚠ **过去 %s 告警 %d 条、恢复 %d 条，合并成 %d 件事**（紧急 %d / 重要 %d / 警告 %d / 其他 %d）", seconds(span), opens, resolves, len(list), by[Critical], by[Major], by[Warning], opens-by[Critical]-by[Major]-by[Warning])}
	for i, g := range list {
		if i == digestShown {
			rest := 0
			for _, x := range list[i:] {
				rest += x.Opens
			}
			lines = append(lines, fmt.Sprintf("> 其余 %d 件共 %d 条见清单", len(list)-i, rest))
			break
		}
		line := fmt.Sprintf("> %s A%d %s（%d 条", Mark(g.Severity), g.Number, chat.PlainMarkdown(chat.Cut(g.Title, 50)), g.Opens)
		if g.Resolves > 0 {
			line += fmt.Sprintf("，恢复 %d", g.Resolves)
		}
		lines = append(lines, line+"）")
	}
	tail := "回「认领 A…」接手，「告警」看清单"
	if d.Rules.URL != "" {
		tail += " · [全部](" + d.Rules.URL + "/alerts)"
	}
	return fit(append(lines, tail))
}

// overText ends a storm.
func (d *Desk) overText(s store.Storm) string {
	text := fmt.Sprintf("✅ **告警高峰已过**：%s 起 %s，合并的告警 %d 条、恢复 %d 条，用了 %d 条汇总消息。", s.Began.In(d.Rules.Zone).Format("15:04"), Span(s.Folded.Sub(s.Began)), s.Opens, s.Resolves, s.Messages)
	if d.Rules.URL != "" {
		text += " [还在告警的](" + d.Rules.URL + "/alerts?state=open)"
	}
	return text
}
