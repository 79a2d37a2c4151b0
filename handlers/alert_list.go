package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/store"
)

const alertsShown = 8

// alerts is 告警: what fires now, what nobody has first; with a number, one.
func (d *Desk) alerts(ctx context.Context, r Request) (Result, error) {
	if n, _, ok := alertAndRest(r.Args); ok {
		return d.showAlert(ctx, r, n)
	}
	open, err := d.Store.ListAlertGroups(ctx, store.AlertGroupQuery{State: store.GroupOpen, N: 1000})
	if err != nil {
		return Result{}, err
	}
	list := slices.DeleteFunc(open, func(g store.AlertGroup) bool { return g.Firing <= 0 })
	if len(list) == 0 {
		return say("现在没有在告警的。"), nil
	}
	SortAlerts(list)
	free := 0
	for _, g := range list {
		if g.ClaimedBy == "" {
			free++
		}
	}
	lines := []string{fmt.Sprintf("在告警 %d 件，%d 件没人认领：", len(list), free)}
	res := Result{List: []string{}}
	for i, g := range list[:min(len(list), alertsShown)] {
		line := fmt.Sprintf("%d  %s A%d %s · %s", i+1, alert.Mark(g.Severity), g.Number, chat.Plain(chat.Cut(g.Title, 24)), short(r.Now.Sub(g.Opened)))
		item := fmt.Sprintf("认领 A%d", g.Number)
		switch {
		case g.ClaimedBy != "":
			line += " · " + d.nameOf(ctx, g.ClaimedBy)
			item = fmt.Sprintf("告警 A%d", g.Number)
		case g.Hush != "":
			line += " · " + alert.HushTitle(g.Hush)
		}
		lines = append(lines, line)
		res.List = append(res.List, item)
	}
	if more := len(list) - alertsShown; more > 0 {
		lines = append(lines, fmt.Sprintf("还有 %d 件没列出。", more))
	}
	res.Say = say(strings.Join(append(lines, "回数字认领；「告警 A…」看一件。"), "\n")).Say
	return res, nil
}

// SortAlerts puts what nobody claimed first, then the gravest, then the oldest.
func SortAlerts(list []store.AlertGroup) {
	slices.SortStableFunc(list, func(a, b store.AlertGroup) int {
		switch free := a.ClaimedBy == ""; {
		case free != (b.ClaimedBy == "") && free:
			return -1
		case free != (b.ClaimedBy == ""):
			return 1
		case alert.Graver(a.Severity, b.Severity):
			return -1
		case alert.Graver(b.Severity, a.Severity):
			return 1
		}
		return a.Opened.Compare(b.Opened)
	})
}

// eventTitle names what happened in a group of alerts.
var eventTitle = map[string]string{"opened": "告警", "resolved": "恢复", "severity": "级别变化", "claimed": "认领", "unclaimed": "放回", "silenced": "静默", "unsilenced": "解除静默", "ticket": "工单", "escalated": "升级",
	"note": "记录", "false": "误报", "reopened": "又告警", "closed": "结束", "told": "", "folded": "并入汇总", "hushed": "不通知", "untold": "没有通知", "flapping": "抖动"}

// AlertEventTitle names a kind of event of a group of alerts in Chinese.
func AlertEventTitle(kind string) string { return eventTitle[kind] }

// showAlert is one group: what it is, who has it, what solved it last time,
// the last of what people did.
func (d *Desk) showAlert(ctx context.Context, r Request, n int64) (Result, error) {
	g, err := d.Store.FindAlertGroup(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return Result{}, refuse(fmt.Sprintf("没有找到 A%d。发「告警」看还在告警的。", n))
	}
	if err != nil {
		return Result{}, err
	}
	events, err := d.Store.ListAlertEvents(ctx, g.ID, 100)
	if err != nil {
		return Result{}, err
	}
	state := fmt.Sprintf("%d 条在告警，已 %s", g.Firing, short(r.Now.Sub(g.Opened)))
	if g.Firing <= 0 {
		state = "已恢复，历时 " + short(g.Changed.Sub(g.Opened))
	}
	lines := []string{fmt.Sprintf("%s A%d %s：%s", alert.Mark(g.Severity), n, alert.Title(g.Severity), chat.Plain(g.Title)), when(g.Opened, r.Now) + " 起，" + state}
	if g.ClaimedBy != "" {
		lines = append(lines, "处理人 "+d.nameOf(ctx, g.ClaimedBy))
	}
	if g.Ticket != 0 {
		lines = append(lines, fmt.Sprintf("工单 T%d", g.Ticket))
	}
	if g.Hush != "" {
		lines = append(lines, alert.HushTitle(g.Hush))
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		last, err := d.Alerts.LastTime(tx, g)
		if err != nil {
			return err
		}
		if last != "" {
			lines = append(lines, chat.Plain(last))
		}
		lines = append(lines, d.lastEvents(tx, events, r.Now)...)
		if g.Firing > 0 && g.ClaimedBy == "" {
			lines = append(lines, "1  认领", "2  静默 30 分", "3  建单", "4  误报")
			out.List = []string{fmt.Sprintf("认领 A%d", n), fmt.Sprintf("静默 A%d 30分", n), fmt.Sprintf("建单 A%d", n), fmt.Sprintf("误报 A%d", n)}
		}
		out.Say = append(out.Say, say(strings.Join(lines, "\n")).Say...)
		return nil
	}}, nil
}

// lastEvents are the last four things that people did to a group.
func (d *Desk) lastEvents(tx *store.Tx, events []store.AlertEvent, now time.Time) []string {
	var lines []string
	for _, e := range events {
		if len(lines) == 4 {
			break
		}
		if e.Kind == "opened" || e.Kind == "resolved" || e.Kind == "told" || e.Kind == "folded" {
			continue
		}
		who := d.nameIn(tx, e.Actor)
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", when(e.At, now), who, eventTitle[e.Kind], chat.Plain(chat.Cut(oneLine(e.Text), 60)))))
	}
	slices.Reverse(lines)
	return lines
}
