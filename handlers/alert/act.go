package alert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// What people do to a group of alerts, the same for chat and console. Each is
// called inside a transaction; a Refusal says what cannot be, in their words.
// from is where it was said: that chat hears the answer and needs no second line.

// Limits of a silence. Over riskySilence it has to be confirmed, over
// longestSilence it needs a leader.
const (
	DefaultSilence = 30 * time.Minute
	riskySilence   = 4 * time.Hour
	longestSilence = 72 * time.Hour
)

func refuse(format string, args ...any) error {
	return chat.Refusal{Text: fmt.Sprintf(format, args...)}
}

// find reads a group for a change, in words for people when there is none.
func (d *Desk) find(tx *store.Tx, n int64) (store.AlertGroup, error) {
	g, err := tx.TakeAlertGroup(n)
	if errors.Is(err, store.ErrNotFound) {
		return g, refuse("没有找到 A%d。发「告警」看还在告警的。", n)
	}
	return g, err
}

func mustFire(g store.AlertGroup) error {
	if g.State != store.GroupOpen || g.Firing <= 0 {
		return refuse("A%d 已经恢复，不用再处理。", g.Number)
	}
	return nil
}

// Claim takes a group of alerts; the first wins and the second hears who.
func (d *Desk) Claim(tx *store.Tx, by chat.User, n int64, from chat.Address) (store.AlertGroup, error) {
	g, err := d.find(tx, n)
	if err != nil {
		return g, err
	}
	if err := mustFire(g); err != nil {
		return g, err
	}
	switch g.ClaimedBy {
	case "":
	case by.ID:
		return g, refuse("A%d 已经在你手上。", n)
	default:
		return g, refuse("A%d 已由 %s 在 %s 认领。", n, d.name(tx, g.ClaimedBy), clock(g.Claimed, tx.Now(), d.Rules.Zone))
	}
	d.take(&g, by, tx.Now())
	return g, d.done(tx, &g, by, from, "claimed", "", fmt.Sprintf("**A%d** %s 处理中（%s接手）", n, chat.PlainMarkdown(by.Show()), took(g, tx.Now())))
}

// take makes a group somebody's: reminders and escalation stop, what is new in
// it is still told.
func (d *Desk) take(g *store.AlertGroup, by chat.User, now time.Time) {
	g.ClaimedBy, g.Claimed, g.Noted, g.Reminded = by.ID, now, time.Time{}, false
	g.StepAt = now.Add(claimRemind)
}

func took(g store.AlertGroup, now time.Time) string {
	if x := now.Sub(g.Opened); x < time.Hour {
		return fmt.Sprintf("%d 分 %02d 秒", int(x.Minutes()), int(x.Seconds())%60)
	}
	return Span(now.Sub(g.Opened))
}

// Release gives a claimed group back: it is escalated anew.
func (d *Desk) Release(tx *store.Tx, by chat.User, n int64, from chat.Address) (store.AlertGroup, error) {
	g, err := d.find(tx, n)
	if err != nil {
		return g, err
	}
	switch {
	case g.ClaimedBy == "":
		return g, refuse("A%d 没有人认领。", n)
	case g.ClaimedBy != by.ID && !by.Roles.Has(chat.Leader):
		return g, refuse("A%d 在 %s 手上，只有 ta 或组长能放回。", n, d.name(tx, g.ClaimedBy))
	}
	g.ClaimedBy, g.Claimed, g.Reminded = "", time.Time{}, false
	g.Step, g.StepAt, g.Outcome = 0, time.Time{}, ""
	if g.Firing > 0 {
		g.Sends, g.Due = 0, tx.Now().Add(d.Rules.route(g.Route).Repeat)
		if d.Rules.escalates(g.Severity) {
			g.StepAt = tx.Now().Add(d.Rules.NextStep)
		}
	}
	return g, d.done(tx, &g, by, from, "unclaimed", "放回待认领", fmt.Sprintf("**A%d** %s 放回待认领", n, chat.PlainMarkdown(by.Show())))
}

// Silence keeps what a group was put together by from the chat until a time.
// One over four hours has to be sure, one over three days needs a leader.
func (d *Desk) Silence(tx *store.Tx, by chat.User, n int64, until time.Time, why string, sure bool, from chat.Address) (store.AlertGroup, error) {
	g, err := d.find(tx, n)
	if err != nil {
		return g, err
	}
	if err := d.mayHush(tx.Now(), by, until, sure); err != nil {
		return g, err
	}
	var match []store.Matcher
	for label, value := range g.Labels {
		if value != "" {
			match = append(match, store.Matcher{Label: label, Op: "=", Value: value})
		}
	}
	if len(match) == 0 {
		return g, refuse("A%d 是合并的一堆，没有共同的标签可以静默。写条件，例：静默 source=zabbix 30分", n)
	}
	slices.SortFunc(match, func(a, b store.Matcher) int { return strings.Compare(a.Label, b.Label) })
	s := store.AlertSilence{Matchers: match, Group: n, Starts: tx.Now(), Ends: until, Author: by.ID, Reason: mask.Text(why)}
	if err := tx.AddSilence(&s); err != nil {
		return g, err
	}
	g.Due = tx.Now() // looks again, and sees why to be quiet
	text := "到 " + clock(until, tx.Now(), d.Rules.Zone)
	if s.Reason != "" {
		text += "：" + s.Reason
	}
	if err := d.emit(tx, chat.AlertSilenced, &g, by.ID, text, &s); err != nil {
		return g, err
	}
	return g, d.done(tx, &g, by, from, "silenced", text, fmt.Sprintf("**A%d** %s 静默%s", n, chat.PlainMarkdown(by.Show()), chat.PlainMarkdown(text)))
}

// ErrUnsure asks for a confirmation.
var ErrUnsure = errors.New("has to be confirmed")

func (d *Desk) mayHush(now time.Time, by chat.User, until time.Time, sure bool) error {
	switch length := until.Sub(now); {
	case length <= 0:
		return refuse("静默到什么时候？写一个以后的时间，例：30分、2小时、明天9点。")
	case length > longestSilence && !by.Roles.Has(chat.Leader):
		return refuse("静默最长 3 天，更久要组长来。")
	case length > riskySilence && !sure:
		return ErrUnsure
	}
	return nil
}

// SilenceMatching keeps alerts that match from the chat until a time.
func (d *Desk) SilenceMatching(tx *store.Tx, by chat.User, texts []string, until time.Time, why string, sure bool) error {
	if err := d.mayHush(tx.Now(), by, until, sure); err != nil {
		return err
	}
	parsed, err := ParseMatchers(texts)
	if err != nil || len(parsed) == 0 {
		return refuse("条件没看懂。例：静默 system=三方存管 1小时 例行切换")
	}
	s := store.AlertSilence{Starts: tx.Now(), Ends: until, Author: by.ID, Reason: mask.Text(why)}
	for _, m := range parsed {
		s.Matchers = append(s.Matchers, m.Matcher)
	}
	if matchAll(parsed, Labels{Labels: map[string]string{}}) {
		return refuse("这个条件会静默所有告警，没有照做。写明是哪些，例：system=三方存管。")
	}
	if err := tx.AddSilence(&s); err != nil {
		return err
	}
	return d.emit(tx, chat.AlertSilenced, nil, by.ID, "", &s)
}

// EndSilence ends one silence now; one that is over already stays as it is.
func (d *Desk) EndSilence(tx *store.Tx, by chat.User, id int64) error {
	s, ended, err := tx.EndSilence(by.ID, id)
	if err != nil || !ended {
		return err
	}
	return d.unsilenced(tx, by, s)
}

// unsilenced tells the subscribers of the end of a silence.
func (d *Desk) unsilenced(tx *store.Tx, by chat.User, s store.AlertSilence) error {
	var g *store.AlertGroup
	if s.Group > 0 {
		found, err := tx.FindAlertGroup(s.Group)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // it may have been swept
			return err
		}
		if err == nil {
			g = &found
		}
	}
	return d.emit(tx, chat.AlertUnsilenced, g, by.ID, "", &s)
}

// Unsilence ends the silences that were made from a group.
func (d *Desk) Unsilence(tx *store.Tx, by chat.User, n int64, from chat.Address) (store.AlertGroup, error) {
	g, err := d.find(tx, n)
	if err != nil {
		return g, err
	}
	list, err := tx.Silences()
	if err != nil {
		return g, err
	}
	ended := 0
	for _, s := range list {
		if s.Group == n {
			ended++
			if err := d.EndSilence(tx, by, s.ID); err != nil {
				return g, err
			}
		}
	}
	if ended == 0 {
		return g, refuse("A%d 没有静默。", n)
	}
	if g.State == store.GroupOpen {
		g.Due = tx.Now()
	}
	return g, d.done(tx, &g, by, from, "unsilenced", "解除静默", fmt.Sprintf("**A%d** %s 解除静默", n, chat.PlainMarkdown(by.Show())))
}

// FalseAlarm says that there is nothing wrong: it counts as handled, nobody is
// reminded, and it ends when the sender says so.
func (d *Desk) FalseAlarm(tx *store.Tx, by chat.User, n int64, why string, from chat.Address) (store.AlertGroup, error) {
	g, err := d.find(tx, n)
	if err != nil {
		return g, err
	}
	if g.Outcome == "false" {
		return g, refuse("A%d 已经记为误报。", n)
	}
	if g.ClaimedBy == "" {
		d.take(&g, by, tx.Now())
	}
	g.Outcome, g.StepAt = "false", time.Time{}
	why = mask.Text(strings.TrimSpace(why))
	if why != "" {
		g.Solution = why
	}
	line := fmt.Sprintf("**A%d** %s 记为误报", n, chat.PlainMarkdown(by.Show()))
	if why != "" {
		line += "：" + chat.PlainMarkdown(why)
	}
	return g, d.done(tx, &g, by, from, "false", why, line)
}

// Escalate tells the leaders now.
func (d *Desk) Escalate(tx *store.Tx, by chat.User, n int64, why string) (store.AlertGroup, error) {
	g, err := d.find(tx, n)
	if err != nil {
		return g, err
	}
	if err := mustFire(g); err != nil {
		return g, err
	}
	reason := by.Show() + " 请求升级"
	if why = mask.Text(strings.TrimSpace(why)); why != "" {
		reason += "：" + why
	}
	if err := d.tellLeaders(tx, &g, by.ID, chat.Plain(reason)); err != nil {
		return g, err
	}
	g.Step = 2
	if g.ClaimedBy == "" {
		g.StepAt = time.Time{}
	}
	return g, tx.ChangeAlertGroup(&g)
}

// Note is a line for the timeline, and the claimer's sign of life.
func (d *Desk) Note(tx *store.Tx, by chat.User, n int64, text string) (store.AlertGroup, error) {
	g, err := d.find(tx, n)
	if err != nil {
		return g, err
	}
	text = mask.Text(strings.TrimSpace(text))
	if text == "" {
		return g, refuse("记什么？例：记入 A%d 已切 2 号网关，观察", n)
	}
	if g.ClaimedBy == by.ID {
		g.Noted, g.Reminded = tx.Now(), false
		if g.State == store.GroupOpen && g.Outcome == "" {
			g.StepAt = tx.Now().Add(claimRemind)
		}
		g.Solution = text // the handler's last word is the best guess of what helped
	}
	if err := tx.ChangeAlertGroup(&g); err != nil {
		return g, err
	}
	if err := d.emit(tx, chat.AlertCommented, &g, by.ID, text, nil); err != nil {
		return g, err
	}
	return g, tx.AddAlertEvents(store.AlertEvent{Group: g.ID, Kind: "note", Actor: by.ID, Text: text})
}

// Ticketed records the ticket that was made of a group.
func (d *Desk) Ticketed(tx *store.Tx, by chat.User, g *store.AlertGroup, ticket int64, from chat.Address) error {
	g.Ticket = ticket
	if err := tx.LinkTicket(store.Link{Ticket: ticket, Kind: store.NumberAlert, Number: g.Number}); err != nil {
		return err
	}
	return d.done(tx, g, by, from, "ticket", fmt.Sprintf("T%d", ticket), fmt.Sprintf("**A%d** %s 建了工单 T%d", g.Number, chat.PlainMarkdown(by.Show()), ticket))
}

// TicketSolved is told by the tickets: what solved one is what solved its
// alerts. It does not end them.
func (d *Desk) TicketSolved(tx *store.Tx, by chat.User, ticket, n int64, how string) error {
	g, err := tx.TakeAlertGroup(n)
	if errors.Is(err, store.ErrNotFound) {
		return nil // swept
	}
	if err != nil {
		return err
	}
	if how = mask.Text(strings.TrimSpace(how)); how != "" {
		g.Solution = how
	}
	if err := tx.ChangeAlertGroup(&g); err != nil {
		return err
	}
	return tx.AddAlertEvents(store.AlertEvent{Group: g.ID, Kind: "ticket", Actor: by.ID, Text: fmt.Sprintf("工单 T%d 已解决：%s", ticket, how)})
}

// done writes a group with its event, and tells its chats who does what, except
// the one where it was said. A chat with too much to hear is spared: the next
// message about the group says it too.
func (d *Desk) done(tx *store.Tx, g *store.AlertGroup, by chat.User, from chat.Address, kind, text, line string) error {
	if err := tx.ChangeAlertGroup(g); err != nil {
		return err
	}
	if err := tx.AddAlertEvents(store.AlertEvent{Group: g.ID, Kind: kind, Actor: by.ID, Text: text}); err != nil {
		return err
	}
	if event := doneEvents[kind]; event != "" {
		if err := d.emit(tx, event, g, by.ID, text, nil); err != nil {
			return err
		}
	}
	if g.Told.IsZero() {
		return nil // the chats do not know of it yet
	}
	for _, r := range g.Receivers {
		to := place(r)
		if to.Kind == chat.Mailbox {
			continue // who does what is talked about in the chats
		}
		said, err := d.saidIn(tx, r, from)
		if err != nil || said {
			if err != nil {
				return err
			}
			continue
		}
		full, err := d.overflows(tx, to, false)
		if err != nil {
			return err
		}
		if full {
			continue
		}
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("A%d/%d/%s/%s", g.Number, g.Version, kind, r), To: to, Body: chat.Body{Markdown: line}}); err != nil {
			return err
		}
	}
	return nil
}

// saidIn tells whether a chat is the one that a robot speaks to.
func (d *Desk) saidIn(tx *store.Tx, robot string, from chat.Address) (bool, error) {
	if from.Kind != chat.Group {
		return false, nil
	}
	id, err := d.chatOf(tx, robot)
	return err == nil && id != "" && id == from.ID, err
}
