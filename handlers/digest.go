package handlers

import (
	"context"
	"fmt"
	"strings"

	"frontline/bot/chat"
	"frontline/store"
)

// leaders are who asks for the figures in chat.
var leaders = []chat.Role{chat.Leader, chat.Admin}

// overview is 今日, 本周, 本月: a period in a few lines.
func (d *Desk) overview(period string) func(context.Context, Request) (Result, error) {
	return func(ctx context.Context, r Request) (Result, error) {
		p, _ := NewPeriod(period, d.Store.Now().In(d.Store.FigureZone()))
		text, err := d.Overview(ctx, p)
		if err != nil {
			return Result{}, err
		}
		return say(text), nil
	}
}

// Overview says a period as a leader reads it on a phone.
func (d *Desk) Overview(ctx context.Context, p Period) (string, error) {
	a, err := d.Analyse(ctx, p, store.FigureFilter{})
	if err != nil {
		return "", err
	}
	found, err := d.Findings(ctx, a)
	if err != nil {
		return "", err
	}
	return d.overviewWords(a, found), nil
}

func (d *Desk) overviewWords(a Analysis, found []Finding) string {
	lines := []string{a.Title() + " 运营小结"}
	if a.quiet() {
		return strings.Join(append(lines, "还没有人报障，也没有人提问。"), "\n")
	}
	lines = append(lines, contactWords(a))
	if q := a.Questions; q.Asked > 0 {
		line := fmt.Sprintf("提问 %d · 没答上 %d", q.Asked, q.Refused)
		if real, ok := Share(q.Solved, q.Asked); ok {
			raw, _ := Share(q.RawSolved, q.Asked)
			line = fmt.Sprintf("机器人真解决率 %.0f%%（表面 %.0f%%，扣除 7 天内再问或转单）", real, raw)
		}
		lines = append(lines, line)
	}
	if line := speedWords(a); line != "" {
		lines = append(lines, line)
	}
	lines = append(lines, machineWords(a)...)
	if !a.Counted {
		lines = append(lines, "（旧数据还在补算，数字会变。）")
	}
	if len(found) > 0 {
		things := make([]string, len(found))
		for i, f := range found {
			things[i] = string([]rune("①②③")[i]) + " " + f.Text
		}
		lines = append(lines, [...]string{"", "一", "两", "三"}[len(found)]+"件值得管的事："+strings.Join(things, " "))
	}
	if d.PublicURL != "" {
		lines = append(lines, "看明细："+d.PublicURL+AnalysisPath(a.Period))
	}
	return strings.Join(lines, "\n")
}

// quiet tells that nothing happened.
func (a Analysis) quiet() bool {
	return a.Tickets.Reported+a.Questions.Asked+a.Alerts.Sum.Groups+a.Runs.Sum.Runs == 0
}

// machineWords are alerts and data construction, a line each if there were any.
func machineWords(a Analysis) (lines []string) {
	if s := a.Alerts.Sum; s.Groups > 0 {
		line := fmt.Sprintf("告警 %d 件 · 认领 %d · 恢复 %d", s.Groups, s.Claimed, s.Over)
		if s.Untouched > 0 {
			line += fmt.Sprintf(" · 没人管 %d", s.Untouched)
		}
		if all := a.Alerts.First + a.Alerts.Person; all > 0 {
			line += fmt.Sprintf(" · 挂了告警的单 %d 张，人先报 %d", all, a.Alerts.Person)
		}
		lines = append(lines, line)
	}
	if s := a.Runs.Sum; s.Runs > 0 {
		line := fmt.Sprintf("造数 %d 次 · 做成 %d 个", s.Runs, s.Good)
		if s.Saved > 0 {
			line += fmt.Sprintf(" · 省 %d 分钟", s.Saved)
		}
		lines = append(lines, line)
	}
	return lines
}

// AnalysisPath is the address of the page about a period.
func AnalysisPath(p Period) string {
	return fmt.Sprintf("/analysis?from=%s&to=%s", p.From.Format("2006-01-02"), p.Last().Format("2006-01-02"))
}

// contactWords are the contacts by class, the most first named with its share.
func contactWords(a Analysis) string {
	all := int64(0)
	for _, c := range a.Classes {
		all += c.Contacts()
	}
	var parts []string
	for _, c := range a.Classes {
		if c.Contacts() == 0 && c.Name == "" {
			continue
		}
		part := fmt.Sprintf("%s %d", c.Title, c.Contacts())
		if share, ok := Share(c.Contacts(), all); ok && c.Name == consultation {
			part += fmt.Sprintf("（占 %.0f%%）", share)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " · ")
}

// speedWords are how soon and how well tickets were worked on.
func speedWords(a Analysis) string {
	f := a.Tickets
	var parts []string
	if half, ok := a.Answer.Quantile(0.5); ok {
		parts = append(parts, "首次响应中位 "+Seconds(half))
	}
	for _, p := range []struct {
		title       string
		part, whole int64
	}{{"超时", f.AnswerLate + f.SolveLate, f.Answered + f.Solved}, {"重开", f.Reopened, f.Solved + f.Open}} {
		if share, ok := Share(p.part, p.whole); ok {
			parts = append(parts, fmt.Sprintf("%s %.1f%%", p.title, share))
		} else if p.part > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.title, p.part))
		}
	}
	if f.Rated > 0 {
		if good, ok := Share(f.Good, f.Rated); ok {
			line := fmt.Sprintf("满意 %.0f%%", good)
			if back, ok := Share(f.Rated, f.Solved); ok {
				line += fmt.Sprintf("（回收 %.0f%%）", back)
			}
			parts = append(parts, line)
		} else {
			parts = append(parts, fmt.Sprintf("满意 %d/%d", f.Good, f.Rated))
		}
	}
	return strings.Join(parts, " · ")
}

// Seconds says a time as people do.
func Seconds(n int64) string {
	switch {
	case n < 60:
		return fmt.Sprintf("%d 秒", n)
	case n < 3600 && n%60 == 0:
		return fmt.Sprintf("%d 分", n/60)
	case n < 600:
		return fmt.Sprintf("%d 分 %02d 秒", n/60, n%60)
	case n < 3600:
		return fmt.Sprintf("%d 分", n/60)
	case n < 48*3600:
		return fmt.Sprintf("%.1f 小时", float64(n)/3600)
	}
	return fmt.Sprintf("%.1f 天", float64(n)/86400)
}

// digest is what is said about a period, the picture with it where files can be
// sent.
type digest struct{ text, picture, name string }

func (d *Desk) digest(ctx context.Context, p Period) (g digest, quiet bool, err error) {
	a, err := d.Analyse(ctx, p, store.FigureFilter{})
	if err != nil {
		return g, false, err
	}
	found, err := d.Findings(ctx, a)
	if err != nil {
		return g, false, err
	}
	g.text, g.name = d.overviewWords(a, found), fmt.Sprintf("frontline-%s.png", p.From.Format("20060102"))
	quiet = a.quiet()
	if d.Files == nil || quiet {
		return g, quiet, nil
	}
	g.picture, err = d.keepPicture(ctx, Poster(a))
	return g, quiet, err
}

// outgoing are the words and then the picture for a place.
func (g digest) outgoing(key string, to chat.Address) []chat.Outgoing {
	body := chat.Body{Text: g.text}
	if to.Kind == chat.Robot {
		body = chat.Body{Markdown: groupMarkdown(g.text)}
	}
	out := []chat.Outgoing{{Key: key, To: to, Body: body}}
	if g.picture != "" {
		out = append(out, pictureTo(key, to, g.name, g.picture))
	}
	return out
}

// groupMarkdown makes the first line of a text bold and keeps the others apart.
func groupMarkdown(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	lines := strings.Split(rest, "\n")
	for i, l := range lines {
		lines[i] = "> " + chat.PlainMarkdown(l)
	}
	return "**" + chat.PlainMarkdown(first) + "**\n" + strings.Join(lines, "\n")
}

// TellPeriod says a period in the support group now, because somebody asked
// for it.
func (d *Desk) TellPeriod(ctx context.Context, actor string, p Period) error {
	if d.Announce == "" {
		return refuse("还没有设置支持群，先在配置里写 announce。")
	}
	g, _, err := d.digest(ctx, p)
	if err != nil {
		return err
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		key := fmt.Sprintf("digest/asked/%d", tx.Serial())
		for _, out := range g.outgoing(key, chat.Address{Kind: chat.Robot, ID: d.Announce}) {
			out.Asked = true
			if err := tx.Enqueue(out); err != nil {
				return err
			}
		}
		return tx.Audit(actor, "analysis.tell", p.Title(), nil)
	})
}
