package alert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

const (
	flapWindow = 10 * time.Minute // a new outage so soon after the last is the same story
	flapFrom   = 2                // reopenings in a row that make it a flapping one
	flapQuiet  = 10 * time.Minute // it has to stand still this long
	look       = time.Second      // how often due groups are looked for
	lookMost   = 500
)

// Run tells the chats what is due until ctx ends. It may run on every replica.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		if err := d.Tick(ctx); err != nil && ctx.Err() == nil {
			d.Log.Warn("tell of alerts", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-d.bell:
		}
	}
}

// Tick does what is due now: messages, escalation, digests. Each group is one
// commit of its own; it may run any number of times, on any replica.
func (d *Desk) Tick(ctx context.Context) error {
	var faults []error
	each := func(numbers []int64, err error, do func(tx *store.Tx, number int64) error) {
		if err != nil {
			faults = append(faults, err)
		}
		for _, n := range numbers {
			err := d.Store.InTx(ctx, func(tx *store.Tx) error { return do(tx, n) })
			if err != nil && !errors.Is(err, store.ErrStale) { // somebody works on it: the next look sees it
				faults = append(faults, fmt.Errorf("A%d: %w", n, err))
			}
		}
	}
	numbers, err := d.Store.DueAlertGroups(ctx, lookMost)
	each(numbers, err, d.tell)
	numbers, err = d.Store.AlertGroupsToStep(ctx, lookMost)
	each(numbers, err, d.step)
	return errors.Join(append(faults, d.digests(ctx))...)
}

// view is what is to be said of a group.
type view struct {
	opens, resolves int            // since it was told last
	firing          int            // that people may hear of
	counts          map[string]int // of those, by severity; nil: not known
	sample          []store.Alert  // the newest of those
	hush            string
	until           time.Time // when the reason for the silence may be over
	hushed          int
}

const sampled = 5

// tell says what is due of one group, and sets when it is due next.
func (d *Desk) tell(tx *store.Tx, number int64) error {
	g, err := tx.TakeAlertGroup(number)
	if err != nil {
		return err
	}
	now := tx.Now()
	if g.Due.IsZero() || g.Due.After(now) {
		return nil
	}
	g.Due = time.Time{}
	over := g.Firing <= 0
	switch {
	case over && g.Told.IsZero():
		return d.close(tx, &g, "通知前已自行恢复")
	case g.Flapping && now.Before(g.Changed.Add(flapQuiet)):
		g.Due = g.Changed.Add(flapQuiet)
		return tx.ChangeAlertGroup(&g)
	}
	route := d.Rules.route(g.Route)
	v, err := d.see(tx, &g, route)
	if err != nil {
		return err
	}
	switch {
	case !over && v.firing == 0:
		return d.stayQuiet(tx, &g, v)
	case g.Flapping:
		g.Flapping, g.Flaps = false, 0
		err = d.say(tx, &g, settled, v)
	case g.Flaps >= flapFrom:
		g.Flapping = true
		g.Due = g.Changed.Add(flapQuiet)
		if err = d.event(tx, &g, "flapping", fmt.Sprintf("%d 分钟内第 %d 次", int(flapWindow.Minutes()), g.Flaps+1)); err == nil {
			err = d.say(tx, &g, flapping, v)
		}
		if err != nil {
			return err
		}
		g.Told, g.Hush = now, ""
		return tx.ChangeAlertGroup(&g)
	case over:
		err = d.say(tx, &g, recovered, v)
	case v.opens > 0 || v.resolves > 0 || g.Hush != "":
		err = d.say(tx, &g, news, v)
	case g.ClaimedBy == "" && g.Sends < route.Most:
		g.Sends++
		err = d.say(tx, &g, reminder, v)
	default:
		return tx.ChangeAlertGroup(&g)
	}
	if err != nil {
		return err
	}
	g.Told, g.Hush = now, ""
	if over {
		return d.close(tx, &g, "")
	}
	if g.ClaimedBy == "" && g.Sends < route.Most {
		g.Due = now.Add(route.Repeat)
	}
	return tx.ChangeAlertGroup(&g)
}

func (d *Desk) close(tx *store.Tx, g *store.AlertGroup, why string) error {
	g.State, g.Closed, g.StepAt, g.Due, g.Flapping, g.Hush = store.GroupClosed, g.Changed, time.Time{}, time.Time{}, false, ""
	if err := d.event(tx, g, "closed", why); err != nil {
		return err
	}
	if err := d.tellTicket(tx, g); err != nil {
		return err
	}
	return tx.ChangeAlertGroup(g)
}

// tellTicket tells the ticket of a group that it is over. It does not close it.
func (d *Desk) tellTicket(tx *store.Tx, g *store.AlertGroup) error {
	if g.Ticket == 0 {
		return nil
	}
	t, err := tx.FindTicket(g.Ticket)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return tx.AddTicketEntry(t.ID, store.TicketEntry{Kind: "event", Text: fmt.Sprintf("告警 A%d 已恢复，历时 %s", g.Number, Span(g.Closed.Sub(g.Opened)))})
}

func (d *Desk) event(tx *store.Tx, g *store.AlertGroup, kind, text string) error {
	return tx.AddAlertEvents(store.AlertEvent{Group: g.ID, Kind: kind, Text: text})
}

// stayQuiet records why nothing is said, and looks again when that may be over.
func (d *Desk) stayQuiet(tx *store.Tx, g *store.AlertGroup, v view) error {
	if g.Hush != v.hush {
		if err := d.event(tx, g, "hushed", hushTitle[v.hush]); err != nil {
			return err
		}
	}
	g.Hush, g.Due = v.hush, v.until
	return tx.ChangeAlertGroup(g)
}

// Reasons for saying nothing.
const (
	hushMaintenance = "maintenance"
	hushSilenced    = "silenced"
	hushInhibited   = "inhibited"
)

var hushTitle = map[string]string{hushMaintenance: "维护窗口内，不通知", hushSilenced: "已静默，不通知", hushInhibited: "被更严重的告警抑制，不通知"}

// HushTitle says in Chinese why nothing is told.
func HushTitle(hush string) string { return hushTitle[hush] }

// hushLook is how soon a group is looked at again whose reason for silence has
// no end of its own.
const hushLook = time.Minute

// see looks at a group as people may: without what is silenced, inhibited or in
// maintenance. What it shows counts as told.
func (d *Desk) see(tx *store.Tx, g *store.AlertGroup, route Route) (view, error) {
	v := view{resolves: g.Resolves - g.ToldResolves}
	silences, err := d.silences(tx, route)
	if err != nil {
		return v, err
	}
	if len(silences) == 0 && len(d.Rules.Inhibit) == 0 && len(d.Rules.Maintenance) == 0 {
		v.opens, v.firing = g.Opens-g.ToldOpens, g.Firing
		if v.counts, err = tx.FiringBySeverity(g.ID); err != nil {
			return v, err
		}
		if v.sample, err = tx.AlertsOfGroup(g.ID, store.AlertFiring, sampled); err != nil {
			return v, err
		}
		g.ToldOpens, g.ToldResolves = g.Opens, g.Resolves
		return v, tx.ToldGroup(g.ID)
	}
	return v, d.seeThrough(tx, g, silences, &v)
}

// seeThrough is see when there are reasons for silence: alert by alert.
func (d *Desk) seeThrough(tx *store.Tx, g *store.AlertGroup, silences []silence, v *view) error {
	firing, err := tx.AlertsOfGroup(g.ID, store.AlertFiring, 5000)
	if err != nil {
		return err
	}
	var grave []store.Alert
	if len(d.Rules.Inhibit) > 0 {
		if grave, err = tx.FiringLike(nil); err != nil {
			return err
		}
	}
	var shown []int64
	quiet := map[string][]int64{}
	v.counts = map[string]int{}
	for _, a := range firing {
		hush, until := d.hush(a, silences, grave, tx.Now())
		if hush != "" {
			quiet[hush] = append(quiet[hush], a.ID)
			v.hushed++
			if v.hush == "" || until.Before(v.until) {
				v.hush, v.until = hush, until
			}
			continue
		}
		shown = append(shown, a.ID)
		v.counts[a.Severity]++
		v.firing++
		if a.Told == store.ToldNothing {
			v.opens++
		}
		if len(v.sample) < sampled {
			v.sample = append(v.sample, a)
		}
	}
	g.ToldOpens, g.ToldResolves = g.Opens-v.hushed, g.Resolves
	for hush, ids := range quiet {
		if err := tx.ToldAlerts(ids, store.ToldNothing, hush); err != nil {
			return err
		}
	}
	return tx.ToldAlerts(shown, store.ToldFiring, "")
}

// hush is why nobody hears of an alert, in the order maintenance, silence,
// inhibition.
func (d *Desk) hush(a store.Alert, silences []silence, grave []store.Alert, now time.Time) (string, time.Time) {
	if _, until, in := d.Rules.window(Of(a), now); in {
		return hushMaintenance, until
	}
	for _, s := range silences {
		if matchAll(s.match, Of(a)) {
			return hushSilenced, s.ends
		}
	}
	if d.Rules.inhibited(a, grave) {
		return hushInhibited, now.Add(hushLook)
	}
	return "", time.Time{}
}

type silence struct {
	match []Matcher
	ends  time.Time
}

// silences are those that hold now, unless the route hears everything.
func (d *Desk) silences(tx *store.Tx, route Route) ([]silence, error) {
	if route.Hears {
		return nil, nil
	}
	rows, err := tx.Silences()
	if err != nil {
		return nil, err
	}
	var out []silence
	for _, r := range rows {
		if r.Starts.After(tx.Now()) || len(r.Matchers) == 0 {
			continue
		}
		s := silence{ends: r.Ends}
		for _, m := range r.Matchers {
			c, err := newMatcher(m)
			if err != nil {
				s.match = nil
				break
			}
			s.match = append(s.match, c)
		}
		if len(s.match) > 0 {
			out = append(out, s)
		}
	}
	return out, nil
}

// say tells every group chat of a group: in a message of its own, or, when a
// chat hears too much already, in its next digest.
func (d *Desk) say(tx *store.Tx, g *store.AlertGroup, kind saying, v view) error {
	m, err := d.message(tx, g, kind, v)
	if err != nil {
		return err
	}
	var alone, folded []string
	for _, r := range g.Receivers {
		to := place(r)
		fold, err := d.overflows(tx, to, m.urgent)
		if err != nil {
			return err
		}
		if fold {
			folded = append(folded, r)
			if err := d.fold(tx, r, g, v); err != nil {
				return err
			}
			continue
		}
		alone = append(alone, r)
		out := chat.Outgoing{Key: fmt.Sprintf("A%d/%d/%s", g.Number, g.Version, r), To: to, Body: chat.Body{Markdown: m.text}, Mention: m.mention, Urgent: m.urgent}
		if to.Kind == chat.Mailbox {
			letter, err := d.mail(g, kind, v, m.text)
			if err != nil {
				return err
			}
			out.Body, out.Mention = chat.Body{Mail: letter}, nil
		}
		if err := tx.Enqueue(out); err != nil {
			return err
		}
	}
	for _, e := range []struct {
		kind string
		to   []string
	}{{"told", alone}, {"folded", folded}} {
		if len(e.to) > 0 {
			if err := d.event(tx, g, e.kind, sayingTitle[kind]+" → "+strings.Join(e.to, "、")); err != nil {
				return err
			}
		}
	}
	if len(g.Receivers) == 0 {
		return d.event(tx, g, "untold", "没有配置接收群")
	}
	return nil
}

// What a robot may be used for in a minute before things are put together: of
// its 18, 14 are for ordinary words, and the digests need some of them.
const (
	ordinaryAlone = 12
	urgentAlone   = 16
)

// overflows tells whether a chat hears so much that this has to wait for the digest.
func (d *Desk) overflows(tx *store.Tx, to chat.Address, urgent bool) (bool, error) {
	used, err := tx.WaitingFor(to, tx.Now().Add(-time.Minute))
	if err != nil {
		return false, err
	}
	s, err := tx.FindStorm(to.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if urgent {
		return used >= urgentAlone, nil
	}
	return used >= ordinaryAlone || s.Waiting > 0, nil
}

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
		err = d.tellLeaders(tx, &g, "还没有人认领")
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
	if err := tx.AddAlertEvents(store.AlertEvent{Group: g.ID, Kind: "unclaimed", Text: "两小时没有进展，放回待认领"}); err != nil {
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
		return d.tellLeaders(tx, g, "没有人认领，也没有人值班")
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
	return d.event(tx, g, "escalated", "已通知值班 "+strings.Join(told, "、"))
}

func (d *Desk) tellLeaders(tx *store.Tx, g *store.AlertGroup, why string) error {
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
	return d.event(tx, g, "escalated", why+"，已通知负责人 "+strings.Join(told, "、"))
}

func (d *Desk) unclaimed(g *store.AlertGroup, why string, now time.Time) string {
	return fmt.Sprintf("%s A%d %s：%s\n已 %s，%d 条在告警。回「认领 A%d」接手。", Mark(g.Severity), g.Number, why, chat.Plain(g.Title), Span(now.Sub(g.Opened)), g.Firing, g.Number)
}

// tellOwners tells who answers for a source that something was not understood.
func (d *Desk) tellOwners(tx *store.Tx, src Source, fault string) error {
	owners := src.Owners
	if len(owners) == 0 {
		admins, err := tx.MembersWith(chat.Admin)
		if err != nil {
			return err
		}
		for _, a := range admins {
			owners = append(owners, a.ID)
		}
	}
	for _, o := range owners {
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("hook/%s/%s/%s", src.Name, fault, o), To: chat.Address{Kind: chat.Person, ID: o, Via: chat.App},
			Body: chat.Body{Text: fmt.Sprintf("告警来源 %s 发来的内容没看懂：%s\n原文已留存（死信），不会影响其他告警；同样的问题不再提醒。请检查它的模板或这里的 kind。", chat.Plain(src.Name), chat.Plain(fault))}}); err != nil {
			return err
		}
	}
	return nil
}
