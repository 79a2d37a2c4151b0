package alert

import (
	"fmt"
	"maps"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// applying is one delivery on its way into the tables.
type applying struct {
	d      *Desk
	tx     *store.Tx
	src    Source
	tally  store.AlertTally
	urgent bool // something is to be told at once

	known  map[string]store.Alert
	found  map[string]store.AlertGroup // open groups by their keys, as they were
	asked  map[string]bool             // keys for which found knows the answer
	saw    []int64                     // alerts that were reported once more, with nothing new
	fresh  []*store.Alert              // in the order they came
	byFP   map[string]*store.Alert
	dirty  map[string]bool // known ones that changed
	groups map[int64]*store.AlertGroup
	byKey  map[string]*store.AlertGroup
	isNew  map[*store.AlertGroup]bool
	moved  map[*store.AlertGroup]bool
	order  []*store.AlertGroup
	heard  map[*store.AlertGroup]string // what subscribers hear of a group
	events []event
}

// event is a line of a timeline whose group and alert have no ids yet.
type event struct {
	group *store.AlertGroup
	alert *store.Alert
	kind  string
	text  string
}

func (a *applying) apply(items []item, notListed int) error {
	fps := make([]string, 0, len(items))
	seen := map[string]bool{}
	for _, it := range items {
		if !seen[it.fp] {
			seen[it.fp] = true
			fps = append(fps, it.fp)
		}
	}
	var err error
	if a.known, err = a.tx.AlertsByFP(fps); err != nil {
		return err
	}
	a.byFP, a.dirty = map[string]*store.Alert{}, map[string]bool{}
	a.heard = map[*store.AlertGroup]string{}
	a.byKey, a.isNew, a.moved = map[string]*store.AlertGroup{}, map[*store.AlertGroup]bool{}, map[*store.AlertGroup]bool{}
	var ids []int64
	for fp, k := range a.known {
		a.byFP[fp] = &k
		if k.State == store.AlertFiring && k.GroupID != 0 {
			ids = append(ids, k.GroupID)
		}
	}
	if a.groups, err = a.tx.AlertGroupsByID(ids); err != nil {
		return err
	}
	if err := a.findGroups(items); err != nil {
		return err
	}
	for _, it := range items {
		if err := a.one(it); err != nil {
			return err
		}
	}
	for _, g := range a.order {
		if notListed > 0 {
			g.NotListed = notListed
		}
	}
	return a.save()
}

// one applies one signal: firing while open is a repeat, resolved while closed
// is resolved again, and nothing else is looked at.
func (a *applying) one(it item) error {
	cur := a.byFP[it.fp]
	firing := cur != nil && cur.State == store.AlertFiring
	switch {
	case firing && it.State != Resolved:
		a.tally.Repeated++
		return a.repeat(cur, it)
	case it.State == Update:
		return nil // of something that is over, or was never reported
	case it.State == Firing:
		a.tally.Opened++
		return a.open(cur, it)
	case firing:
		a.tally.Resolved++
		return a.resolve(cur, it)
	case cur != nil:
		a.tally.Again++
		return nil
	}
	a.tally.WithoutOpen++
	it.rest()
	n := a.alert(it)
	n.State, n.Ended = store.AlertResolved, a.ended(it)
	a.add(n)
	return nil
}

func (a *applying) add(n *store.Alert) {
	a.byFP[n.FP] = n
	a.fresh = append(a.fresh, n)
}

func (a *applying) alert(it item) *store.Alert {
	now := a.tx.Now()
	return &store.Alert{FP: it.fp, Source: a.src.Name, Kind: a.src.Kind.Name, UpstreamID: it.ID, Name: it.Name, Severity: it.Severity, State: store.AlertFiring, Title: it.Title, Text: it.Text, Value: it.Value,
		Labels: it.Labels, Annotations: it.Annotations, Links: it.Links, NoData: it.NoData, Started: a.started(it), Opened: now, Last: now, Seen: 1}
}

// started is when the sender says it began, unless that cannot be.
func (a *applying) started(it item) time.Time {
	if now := a.tx.Now(); it.Started.IsZero() || it.Started.After(now.Add(10*time.Minute)) {
		return now
	}
	return it.Started
}

func (a *applying) ended(it item) time.Time {
	if now := a.tx.Now(); it.Ended.IsZero() || it.Ended.After(now.Add(10*time.Minute)) || it.Ended.Before(it.Started) {
		return now
	}
	return it.Ended
}

func (a *applying) open(cur *store.Alert, it item) error {
	it.rest()
	n := a.alert(it)
	n.Opens = 1
	if cur != nil {
		id, opens := cur.ID, cur.Opens+1
		*cur = *n
		cur.ID, cur.Opens = id, opens
		n = cur
		a.changed(cur)
	} else {
		a.add(n)
	}
	g, err := a.groupFor(it)
	if err != nil {
		return err
	}
	now := a.tx.Now()
	if g.Firing == 0 && !a.isNew[g] && now.Sub(g.Changed) < flapWindow {
		g.Flaps++
	} else if g.Firing == 0 {
		g.Flaps = 0
	}
	g.Firing++
	g.Opens++
	graver := Graver(n.Severity, g.Severity)
	if graver {
		g.Severity = n.Severity
		a.raised(g)
	}
	g.Changed = now
	if g.StepAt.IsZero() && g.ClaimedBy == "" && a.d.Rules.escalates(g.Severity) {
		g.StepAt = now.Add(a.d.Rules.NextStep)
	}
	a.due(g, n.Severity, graver)
	a.events = append(a.events, event{g, n, "opened", n.Title})
	a.moved[g] = true
	n.GroupID = g.ID // of a new group it is known when that is written
	return nil
}

// due sets when the chat hears of what is new.
func (a *applying) due(g *store.AlertGroup, severity string, graver bool) {
	now, route := a.tx.Now(), a.d.Rules.route(g.Route)
	at := now.Add(route.wait(severity))
	if !g.Told.IsZero() && !(graver && severity == Critical && g.Flaps == 0) {
		if next := g.Told.Add(route.Interval); next.After(at) {
			at = next
		}
	}
	if g.Flapping {
		at = now.Add(flapQuiet)
		g.Due = time.Time{}
	}
	if g.Due.IsZero() || at.Before(g.Due) {
		g.Due = at
	}
	a.urgent = a.urgent || !g.Due.After(now)
}

func (a *applying) resolve(cur *store.Alert, it item) error {
	now := a.tx.Now()
	cur.State, cur.Ended, cur.Last = store.AlertResolved, a.ended(it), now
	a.changed(cur)
	g, err := a.groupOf(cur)
	if g == nil || err != nil {
		return err
	}
	g.Firing--
	g.Resolves++
	g.Changed = now
	a.moved[g] = true
	route := a.d.Rules.route(g.Route)
	at := now
	if next := g.Told.Add(route.Interval); next.After(at) && !g.Told.IsZero() {
		at = next
	}
	if g.Told.IsZero() {
		at = g.Due // it may be over before anybody heard of it
	}
	switch {
	case g.Flapping:
		g.Due = now.Add(flapQuiet)
	case g.Due.IsZero() || at.Before(g.Due):
		g.Due = at
	}
	a.urgent = a.urgent || !g.Due.After(now)
	a.events = append(a.events, event{g, cur, "resolved", cur.Title})
	return nil
}

// repeat records that something still fires, or fires differently.
func (a *applying) repeat(cur *store.Alert, it item) error {
	if cur.ID == 0 {
		cur.Seen++
		return nil
	}
	if cur.Severity == it.Severity && cur.Title == it.Title && cur.Value == it.Value && it.State != Update {
		if a.dirty[cur.FP] {
			cur.Seen++
			return nil
		}
		a.saw = append(a.saw, cur.ID)
		return nil
	}
	worse := Graver(it.Severity, cur.Severity)
	old := cur.Severity
	it.rest()
	note := it.Annotations["update"]
	cur.Title, cur.Value, cur.Severity, cur.Last = it.Title, it.Value, it.Severity, a.tx.Now()
	if it.State != Update {
		cur.Text, cur.Annotations, cur.Links, cur.NoData = it.Text, it.Annotations, it.Links, it.NoData
	}
	cur.Seen++
	a.changed(cur)
	g, err := a.groupOf(cur)
	if g == nil || err != nil {
		return err
	}
	if note != "" {
		a.events = append(a.events, event{g, cur, "note", note})
	}
	if old != it.Severity {
		a.events = append(a.events, event{g, cur, "severity", severityTitle[old] + " → " + severityTitle[it.Severity]})
	}
	if worse && Graver(it.Severity, g.Severity) {
		g.Severity = it.Severity
		a.raised(g)
		a.moved[g] = true
		cur.Told = store.ToldNothing
		a.due(g, it.Severity, true)
	}
	return nil
}

// raised is told of a group that was there before, and was not graver then.
func (a *applying) raised(g *store.AlertGroup) {
	if a.heard[g] == "" {
		a.heard[g] = chat.AlertRaised
	}
}

func (a *applying) changed(cur *store.Alert) {
	if cur.ID != 0 {
		a.dirty[cur.FP] = true
	}
}

// groupOf is the group of a firing alert; nil when it is gone.
func (a *applying) groupOf(cur *store.Alert) (*store.AlertGroup, error) {
	if cur.GroupID == 0 {
		for _, e := range a.events {
			if e.alert == cur && e.kind == "opened" {
				return e.group, nil
			}
		}
		return nil, nil
	}
	g := a.groups[cur.GroupID]
	if g != nil && a.byKey[g.Key] == nil {
		a.byKey[g.Key] = g
		a.order = append(a.order, g)
	}
	return g, nil
}

// groupFor is the open group of an alert that begins, or a new one.
func (a *applying) groupFor(it item) (*store.AlertGroup, error) {
	g, err := a.findGroup(it.chosen.Key)
	if g != nil || err != nil {
		return g, err
	}
	n, err := a.tx.CountGroupsSince(it.chosen.Route.Name, a.tx.Now().Add(-time.Minute))
	if err != nil {
		return nil, err
	}
	for g := range a.isNew {
		if g.Route == it.chosen.Route.Name {
			n++
		}
	}
	key, title, by := it.chosen.Key, it.Name, it.chosen.By
	if it.chosen.By["name"] == "" {
		title = it.Title
	}
	most := int64(crowd)
	if it.Severity == Critical {
		most *= 2 // what is ordinary must not hide it
	}
	if n >= most {
		key, title = crowded(it.chosen.Route)
		by = nil
		if g, err := a.findGroup(key); g != nil || err != nil {
			return g, err
		}
	}
	now := a.tx.Now()
	g = &store.AlertGroup{Route: it.chosen.Route.Name, Key: key, Title: title, Source: a.src.Name, Labels: by, Receivers: it.chosen.Groups, State: store.GroupOpen, Opened: now, Changed: now}
	a.isNew[g], a.heard[g] = true, chat.AlertOpened
	a.byKey[key] = g
	a.order = append(a.order, g)
	return g, nil
}

// findGroups reads at once the groups in which something may open.
func (a *applying) findGroups(items []item) error {
	a.found, a.asked = map[string]store.AlertGroup{}, map[string]bool{}
	var keys []string
	for _, it := range items {
		if cur := a.byFP[it.fp]; it.State != Firing || a.asked[it.chosen.Key] || cur != nil && cur.State == store.AlertFiring {
			continue
		}
		a.asked[it.chosen.Key] = true
		keys = append(keys, it.chosen.Key)
	}
	return a.ask(keys)
}

// ask reads the groups of some keys.
func (a *applying) ask(keys []string) error {
	found, err := a.tx.OpenAlertGroups(keys, a.tx.Now().Add(-flapWindow))
	maps.Copy(a.found, found)
	for _, k := range keys {
		a.asked[k] = true
	}
	return err
}

// findGroup is the open group of a key, or one that ended so lately that this
// is the same story; nil when there is none.
func (a *applying) findGroup(key string) (*store.AlertGroup, error) {
	if g := a.byKey[key]; g != nil {
		return g, nil
	}
	if !a.asked[key] {
		if err := a.ask([]string{key}); err != nil {
			return nil, err
		}
	}
	found, ok := a.found[key]
	if !ok {
		return nil, nil
	}
	g := &found
	if known := a.groups[g.ID]; known != nil {
		g = known
	}
	if g.State != store.GroupOpen {
		g.State, g.Closed, g.Outcome, g.Sends, g.Step, g.StepAt = store.GroupOpen, time.Time{}, "", 0, 0, time.Time{}
		a.events = append(a.events, event{g, nil, "reopened", ""})
		a.heard[g] = chat.AlertReopened
	}
	a.groups[g.ID], a.byKey[key] = g, g
	a.order = append(a.order, g)
	return g, nil
}

func (a *applying) save() error {
	for _, g := range a.order {
		var err error
		switch {
		case a.isNew[g]:
			err = a.tx.AddAlertGroup(g)
		case a.moved[g]:
			err = a.tx.ChangeAlertGroup(g)
		}
		if err != nil {
			return err
		}
	}
	for _, g := range a.order {
		if e := a.heard[g]; e != "" {
			if err := a.d.emit(a.tx, e, g, "", "", nil); err != nil {
				return err
			}
		}
	}
	for _, e := range a.events {
		if e.kind == "opened" {
			e.alert.GroupID = e.group.ID
		}
	}
	if err := a.tx.AddAlerts(a.fresh); err != nil {
		return err
	}
	if err := a.tx.SawAlerts(a.saw); err != nil {
		return err
	}
	for fp := range a.dirty {
		if err := a.tx.ChangeAlert(a.byFP[fp]); err != nil {
			return err
		}
	}
	events := make([]store.AlertEvent, len(a.events))
	for i, e := range a.events {
		events[i] = store.AlertEvent{Group: e.group.ID, Kind: e.kind, Text: e.text}
		if e.alert != nil {
			events[i].Alert = e.alert.ID
		}
	}
	if err := a.tx.AddAlertEvents(events...); err != nil {
		return fmt.Errorf("timeline: %w", err)
	}
	return nil
}
