package alert

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// saying is what a message is about.
type saying int

const (
	news saying = iota
	reminder
	recovered
	flapping
	settled
)

var sayingTitle = map[saying]string{news: "通知", reminder: "提醒", recovered: "恢复", flapping: "抖动", settled: "抖动结束"}

type message struct {
	text    string
	mention []string
	urgent  bool
}

// robotBytes is what one robot message may hold; the mention comes on top.
const robotBytes = 3900

var marks = map[string]string{Critical: "🔴", Major: "🟠", Warning: "🟡", Info: "🔵", None: "⚪"}

// Mark is a severity as a sign.
func Mark(severity string) string {
	if m := marks[severity]; m != "" {
		return m
	}
	return "⚪"
}

func (d *Desk) message(tx *store.Tx, g *store.AlertGroup, kind saying, v view) (message, error) {
	m := message{urgent: g.Severity == Critical}
	title := chat.PlainMarkdown(chat.Cut(g.Title, 80))
	var lines []string
	switch over := g.Firing <= 0; {
	case kind == recovered:
		lines = append(lines, fmt.Sprintf("🟢 **A%d** 已恢复 · %s", g.Number, title), "> "+d.ending(tx, g))
	case kind == settled && over:
		lines = append(lines, fmt.Sprintf("🟢 **A%d** 抖动结束，已恢复 · %s", g.Number, title), "> "+d.ending(tx, g))
	case kind == flapping:
		state := fmt.Sprintf("当前 %d 条在告警", g.Firing)
		if over {
			state = "当前已恢复"
		}
		lines = append(lines, fmt.Sprintf("🔁 **A%d** 开始抖动 · %s", g.Number, title), fmt.Sprintf("> 短时间内第 %d 次，%s。稳定 10 分钟后再说结果。", g.Flaps+1, state))
	default:
		var err error
		if lines, err = d.firingLines(tx, g, kind, v); err != nil {
			return m, err
		}
		if m.mention, err = d.onDuty(tx, g, kind); err != nil {
			return m, err
		}
	}
	if d.Rules.URL != "" {
		lines = append(lines, fmt.Sprintf("[详情](%s/alerts/%d)", d.Rules.URL, g.Number))
	}
	m.text = fit(lines)
	return m, nil
}

// ending is how a group ended: how long it took, who had it, its ticket.
func (d *Desk) ending(tx *store.Tx, g *store.AlertGroup) string {
	parts := []string{"历时 " + Span(g.Changed.Sub(g.Opened))}
	if g.Opens > 1 {
		parts = append(parts, fmt.Sprintf("共 %d 条", g.Opens))
	}
	if g.ClaimedBy != "" {
		parts = append(parts, "处理人 "+d.name(tx, g.ClaimedBy))
	}
	if g.Ticket != 0 {
		parts = append(parts, fmt.Sprintf("工单 T%d（不会自动关闭）", g.Ticket))
	}
	return strings.Join(parts, " · ")
}

func (d *Desk) firingLines(tx *store.Tx, g *store.AlertGroup, kind saying, v view) ([]string, error) {
	now := tx.Now()
	head := fmt.Sprintf("%s **A%d** %s %s · %s", Mark(g.Severity), g.Number, Priority(g.Severity), Title(g.Severity), chat.PlainMarkdown(chat.Cut(g.Title, 80)))
	switch kind {
	case reminder:
		head = fmt.Sprintf("%s **A%d** 仍在告警（第 %d 次提醒）· %s", Mark(g.Severity), g.Number, g.Sends, chat.PlainMarkdown(chat.Cut(g.Title, 80)))
	case settled:
		head = fmt.Sprintf("%s **A%d** 抖动结束，仍在告警 · %s", Mark(g.Severity), g.Number, chat.PlainMarkdown(chat.Cut(g.Title, 80)))
	}
	began := g.Opened
	if len(v.sample) == 1 && v.firing == 1 {
		began = v.sample[0].Started
	}
	state := fmt.Sprintf("> %s 起，已 %s · %d 条在告警", clock(began, now, d.Rules.Zone), Span(now.Sub(began)), v.firing)
	if !g.Told.IsZero() && (v.opens > 0 || v.resolves > 0) {
		state += fmt.Sprintf("（新增 %d，恢复 %d）", v.opens, v.resolves)
	} else if v.opens > v.firing {
		state += fmt.Sprintf("（共 %d 条，其余已恢复）", v.opens)
	}
	if g.NotListed > 0 {
		state += fmt.Sprintf("，另有 %d 条对方没有列出", g.NotListed)
	}
	if v.hushed > 0 {
		state += fmt.Sprintf("，%d 条静默", v.hushed)
	}
	lines := []string{head, state}
	for _, a := range v.sample {
		line := "> · " + chat.PlainMarkdown(chat.Cut(a.Title, 90))
		if a.NoData {
			line += "（没有数据）"
		}
		if a.Value != "" && !strings.Contains(a.Title, a.Value) {
			line += " 值 " + chat.PlainMarkdown(chat.Cut(a.Value, 30))
		}
		lines = append(lines, line)
	}
	if more := v.firing - len(v.sample); more > 0 {
		lines = append(lines, fmt.Sprintf("> …共 %d 条", v.firing))
	}
	last, err := d.LastTime(tx, *g)
	if err != nil {
		return nil, err
	}
	if last != "" {
		lines = append(lines, "> "+chat.PlainMarkdown(last))
	}
	if g.ClaimedBy != "" {
		lines = append(lines, "> 处理中："+d.name(tx, g.ClaimedBy))
	} else {
		lines = append(lines, fmt.Sprintf("回「认领 A%d」「静默 A%d 30分」「建单 A%d」「误报 A%d」", g.Number, g.Number, g.Number, g.Number))
	}
	return lines, nil
}

// historySpan is how far back people care what solved it.
const historySpan = 30 * 24 * time.Hour

// LastTime says when this happened last, how long it took and what solved it.
func (d *Desk) LastTime(tx *store.Tx, g store.AlertGroup) (string, error) {
	last, minutes, err := tx.LastSolved(g, tx.Now().Add(-historySpan))
	if err != nil || last.ID == 0 {
		return "", err
	}
	zone := d.Rules.Zone
	line := fmt.Sprintf("上次同类 %s，%s 恢复", last.Opened.In(zone).Format("1月2日"), Span(last.Closed.Sub(last.Opened)))
	switch {
	case last.Outcome == "false":
		line += "：误报"
	case last.Solution != "":
		line += "：" + chat.Cut(last.Solution, 60)
	}
	if last.Ticket != 0 {
		line += fmt.Sprintf("（T%d）", last.Ticket)
	}
	if len(minutes) > 1 {
		sort.Float64s(minutes)
		line += fmt.Sprintf(" · 30 天 %d 次，中位 %s", len(minutes), Span(time.Duration(minutes[len(minutes)/2]*float64(time.Minute))))
	}
	return line, nil
}

// onDuty is who is mentioned: only for what is critical and new.
func (d *Desk) onDuty(tx *store.Tx, g *store.AlertGroup, kind saying) ([]string, error) {
	if g.Severity != Critical || kind != news || g.ClaimedBy != "" || !g.Told.IsZero() {
		return nil, nil
	}
	shifts, err := tx.OnDuty(d.Rules.route(g.Route).Duty)
	var out []string
	for _, s := range shifts {
		out = append(out, s.Member)
	}
	return out, err
}

func (d *Desk) name(tx *store.Tx, id string) string {
	u, err := tx.FindMember(id)
	if err != nil {
		return chat.PlainMarkdown(id)
	}
	return chat.PlainMarkdown(u.Show())
}

// fit joins lines to one message; what does not fit is left out from the middle,
// so that the head and the way to go on stay.
func fit(lines []string) string {
	text := strings.Join(lines, "\n")
	for len(text) > robotBytes && len(lines) > 3 {
		lines = append(lines[:len(lines)-2:len(lines)-2], lines[len(lines)-1])
		text = strings.Join(lines, "\n")
	}
	return clip(text, robotBytes)
}

// Span says a duration as people do.
func Span(x time.Duration) string {
	m := int(x.Round(time.Minute).Minutes())
	switch {
	case m < 1:
		return "不到 1 分钟"
	case m < 60:
		return fmt.Sprintf("%d 分钟", m)
	case m < 48*60 && m%60 == 0:
		return fmt.Sprintf("%d 小时", m/60)
	case m < 48*60:
		return fmt.Sprintf("%d 小时 %d 分", m/60, m%60)
	}
	return fmt.Sprintf("%d 天", m/60/24)
}

func seconds(x time.Duration) string {
	if x < 2*time.Minute {
		return fmt.Sprintf("%d 秒", int(x.Seconds()))
	}
	return Span(x)
}

func clock(t, now time.Time, zone *time.Location) string {
	t, now = t.In(zone), now.In(zone)
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("01-02 15:04")
}
