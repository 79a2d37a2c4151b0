package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// step escalates what nobody claimed, and takes back a claim without a sign of
// life.
func (d *Desk) step(tx *store.Tx, number int64) error {
	g, err := tx.TakeAlertGroup(number)
	if err != nil {
		return err
	}
	now := tx.Now()
	if g.StepAt.IsZero() || g.StepAt.After(now) {
		return nil
	}
	g.StepAt = time.Time{}
	switch {
	case g.State != store.GroupOpen || g.Firing <= 0:
	case g.ClaimedBy != "":
		err = d.claimClock(tx, &g)
	case g.Hush != "" || g.Flapping:
		g.StepAt = now.Add(d.Rules.NextStep)
	case g.Step == 0:
		err = d.tellDuty(tx, &g)
		g.Step = 1
		if later := g.Changed.Add(d.Rules.LastStep); d.Rules.LastStep > 0 {
			if later.Before(now) {
				later = now.Add(d.Rules.LastStep - d.Rules.NextStep)
			}
			g.StepAt = later
		}
	case g.Step == 1:
		err = d.tellLeaders(tx, &g, "", "还没有人认领")
		g.Step = 2
	}
	if err != nil {
		return err
	}
	return tx.ChangeAlertGroup(&g)
}

func (r *Rules) escalates(severity string) bool {
	return r.NextStep > 0 && (severity == Critical || severity == Major)
}

const (
	claimRemind = 90 * time.Minute
	claimLapse  = 2 * time.Hour
)

// claimClock asks the claimer after 90 minutes without a word, and lets others
// claim after two hours.
func (d *Desk) claimClock(tx *store.Tx, g *store.AlertGroup) error {
	now, since := tx.Now(), g.Claimed
	if g.Noted.After(since) {
		since = g.Noted
	}
	switch {
	case now.Before(since.Add(claimRemind)):
		g.StepAt = since.Add(claimRemind)
		return nil
	case now.Before(since.Add(claimLapse)) && !g.Reminded:
		g.Reminded, g.StepAt = true, since.Add(claimLapse)
		return d.toPerson(tx, g, g.ClaimedBy, "remind", fmt.Sprintf("A%d 你认领已 %s，还在告警：%s\n有进展回「记入 A%d …」；两小时没有消息会放回待认领。", g.Number, Span(now.Sub(g.Claimed)), chat.Plain(g.Title), g.Number))
	}
	who := g.ClaimedBy
	g.ClaimedBy, g.Claimed, g.Reminded, g.Step = "", time.Time{}, false, 0
	g.Due, g.Sends = now, 0
	g.StepAt = now.Add(d.Rules.NextStep)
	const why = "两小时没有进展，放回待认领"
	if err := d.event(tx, g, "unclaimed", why); err != nil {
		return err
	}
	if err := d.emit(tx, chat.AlertReleased, g, "", why, nil); err != nil {
		return err
	}
	return d.toPerson(tx, g, who, "lapse", fmt.Sprintf("A%d 两小时没有进展，已放回待认领：%s", g.Number, chat.Plain(g.Title)))
}

func (d *Desk) toPerson(tx *store.Tx, g *store.AlertGroup, member, event, text string) error {
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("A%d/%d/%s/%s", g.Number, g.Version, event, member), To: chat.Address{Kind: chat.Person, ID: member, Via: chat.App}, Body: chat.Body{Text: text}, Urgent: g.Severity == Critical})
}

// tellDuty tells who is on duty; when nobody is, the leaders.
func (d *Desk) tellDuty(tx *store.Tx, g *store.AlertGroup) error {
	shifts, err := tx.OnDuty(d.Rules.route(g.Route).Duty)
	if err != nil {
		return err
	}
	if len(shifts) == 0 {
		return d.tellLeaders(tx, g, "", "没有人认领，也没有人值班")
	}
	var told []string
	for _, s := range shifts {
		if slices.Contains(told, s.Member) {
			continue
		}
		told = append(told, s.Member)
		if err := d.toPerson(tx, g, s.Member, "duty", d.unclaimed(g, "还没有人认领，你在值班", tx.Now())); err != nil {
			return err
		}
	}
	return d.escalated(tx, g, "", "已通知值班 "+strings.Join(told, "、"))
}

func (d *Desk) escalated(tx *store.Tx, g *store.AlertGroup, by, text string) error {
	if err := d.event(tx, g, "escalated", text); err != nil {
		return err
	}
	return d.emit(tx, chat.AlertEscalated, g, by, text, nil)
}

// tellLeaders tells the leaders; by is who asked for it, "" for the clock.
func (d *Desk) tellLeaders(tx *store.Tx, g *store.AlertGroup, by, why string) error {
	leaders, err := tx.MembersWith(chat.Leader)
	if err != nil {
		return err
	}
	var told []string
	for _, l := range leaders {
		told = append(told, l.ID)
		if err := d.toPerson(tx, g, l.ID, "leader", d.unclaimed(g, why, tx.Now())); err != nil {
			return err
		}
	}
	return d.escalated(tx, g, by, why+"，已通知负责人 "+strings.Join(told, "、"))
}

func (d *Desk) unclaimed(g *store.AlertGroup, why string, now time.Time) string {
	return fmt.Sprintf("%s A%d %s：%s\n已 %s，%d 条在告警。回「认领 A%d」接手。", Mark(g.Severity), g.Number, why, chat.Plain(g.Title), Span(now.Sub(g.Opened)), g.Firing, g.Number)
}
