package handlers

import (
	"context"
	"fmt"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/store"
)

// ReportMaking tells the support group how data construction was used in the
// last seven days; nothing when nobody made anything.
func (d *Desk) ReportMaking(ctx context.Context) error {
	if d.Construct == nil || d.Announce == "" {
		return nil
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		r, err := d.Construct.Report(ctx, tx.Now().AddDate(0, 0, -7))
		if err != nil || r.Runs == 0 {
			return err
		}
		for _, out := range d.announce("construct/week/"+tx.Now().Format("20060102"), makingWords(r), false) {
			if err := tx.Enqueue(out); err != nil {
				return err
			}
		}
		return nil
	})
}

// makingWords is the week in a few lines.
func makingWords(r construct.Report) string {
	lines := []string{"**造数周报**", fmt.Sprintf("> %d 次 %d 个 · 成功 %d%% · %d 人 · 省 %d 分钟", r.Runs, r.Good+r.Bad, 100*r.Good/max(1, r.Good+r.Bad), r.People, r.Saved)}
	for i, l := range r.Lines[:min(5, len(r.Lines))] {
		line := fmt.Sprintf("%d. %s %d 次 · 成功 %d%%", i+1, chat.PlainMarkdown(l.Title), l.Runs, l.Rate())
		if l.Half > 0 {
			line += fmt.Sprintf(" · 一般 %.0f 秒", max(1, l.Half.Seconds()))
		}
		lines = append(lines, line)
	}
	var bad []string
	for _, t := range r.Targets {
		if t.Failed > 0 && len(bad) < 3 {
			bad = append(bad, fmt.Sprintf("%s（%d/%d）", chat.PlainMarkdown(t.Title), t.Failed, t.Calls))
		}
	}
	if len(bad) > 0 {
		lines = append(lines, "失败最多的步骤："+strings.Join(bad, "、"))
	}
	return strings.Join(lines, "\n")
}
