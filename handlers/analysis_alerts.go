package handlers

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"frontline/handlers/monitor"
	"frontline/store"
)

// AlertPart is the part of an analysis about alerts; docs/analysis.md says what
// each figure means.
type AlertPart struct {
	Sum, Before   store.AlertFigures
	Days          []AlertDayFigures // of the period, those on which there was anything
	Monitors      store.MonitorSums
	Rules         []AlertRule // that rang most
	Weeks         []AlertWeek // the last weeks up to the end of the period
	First, Person int64       // tickets of the period with alerts: those that an alert preceded, those where a person was first
	claimed       map[string]int64
}

// AlertRule are the groups of one rule of a sender.
type AlertRule struct {
	Title, Source string
	store.AlertFigures
}

// AlertDayFigures are one line of the table of effects.
type AlertDayFigures struct {
	Day      time.Time
	Monitors store.MonitorSums  // what monitors with a table of statuses saw
	Own      store.AlertFigures // alerts that monitors made of it
	Alerts   store.AlertFigures // all alerts
}

// Minutes is the mean from an alert of a monitor to its end; false where none ended.
func (d AlertDayFigures) Minutes() (float64, bool) {
	if d.Own.Over == 0 {
		return 0, false
	}
	return float64(d.Own.EndTime) / float64(d.Own.Over) / 60_000, true
}

// AlertWeek is how many tickets of a week alerts hang on, and who was first.
type AlertWeek struct {
	From          time.Time
	First, Person int64
}

// Any tells whether there was anything.
func (a AlertPart) Any() bool {
	return a.Sum.Groups+a.Before.Groups+a.Monitors.Items+a.First+a.Person > 0 || len(a.Days) > 0
}

const rulesShown = 10

// readAlerts reads the alerts of a period. They know no branch and no service
// group.
func (d *Desk) readAlerts(ctx context.Context, a *Analysis) (err error) {
	if a.Filter != (store.FigureFilter{}) {
		return nil
	}
	p := &a.Alerts
	p.claimed = map[string]int64{}
	all, own, rules := map[int64]store.AlertFigures{}, map[int64]store.AlertFigures{}, map[[2]string]*AlertRule{}
	err = d.Store.EachAlert(ctx, a.From, a.To, func(r store.AlertRow) {
		p.Sum.Add(r.AlertFigures)
		addTo(all, r)
		if r.Source == monitor.SourceName {
			addTo(own, r)
		}
		if r.ClaimedBy != "" {
			p.claimed[r.ClaimedBy]++
		}
		k := [2]string{r.Title, r.Source}
		if rules[k] == nil {
			rules[k] = &AlertRule{Title: r.Title, Source: r.Source}
		}
		rules[k].Add(r.AlertFigures)
	})
	if err != nil {
		return err
	}
	p.Rules = noisiest(rules)
	if err := d.Store.EachAlert(ctx, a.BeforeFrom, a.BeforeTo, func(r store.AlertRow) { p.Before.Add(r.AlertFigures) }); err != nil {
		return err
	}
	seen, err := d.Store.MonitorDays(ctx, a.From, a.To)
	if err != nil {
		return err
	}
	for day := a.From; day.Before(a.To); day = day.AddDate(0, 0, 1) {
		key := d.Store.DayKey(day)
		one := AlertDayFigures{Day: day, Monitors: seen[key], Own: own[key], Alerts: all[key]}
		if one.Alerts.Groups+one.Monitors.Items > 0 {
			p.Days = append(p.Days, one)
		}
		p.Monitors.Add(one.Monitors)
	}
	return d.readAlertWeeks(ctx, a)
}

func addTo(days map[int64]store.AlertFigures, r store.AlertRow) {
	sum := days[r.Day]
	sum.Add(r.AlertFigures)
	days[r.Day] = sum
}

// noisiest are the rules that rang most, the noisiest first.
func noisiest(rules map[[2]string]*AlertRule) (out []AlertRule) {
	for _, r := range rules {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(x, y AlertRule) int {
		return cmp.Or(cmp.Compare(y.Groups, x.Groups), cmp.Compare(x.Title, y.Title), cmp.Compare(x.Source, y.Source))
	})
	return out[:min(rulesShown, len(out))]
}

// readAlertWeeks counts the tickets that alerts hang on, by week and in the
// period.
func (d *Desk) readAlertWeeks(ctx context.Context, a *Analysis) error {
	monday := a.Last().AddDate(0, 0, -(int(a.Last().Weekday())+6)%7)
	first := monday.AddDate(0, 0, -7*(weeksShown-1))
	from := first
	if a.From.Before(from) {
		from = a.From
	}
	to := monday.AddDate(0, 0, 7)
	list, err := d.Store.AlertedTickets(ctx, from, to)
	if err != nil {
		return err
	}
	for i := range weeksShown {
		a.Alerts.Weeks = append(a.Alerts.Weeks, AlertWeek{From: first.AddDate(0, 0, 7*i)})
	}
	for _, t := range list {
		add := func(first, person *int64) {
			if t.PersonFirst() {
				*person++
			} else {
				*first++
			}
		}
		if !t.Created.Before(a.From) && t.Created.Before(a.To) {
			add(&a.Alerts.First, &a.Alerts.Person)
		}
		for i := range a.Alerts.Weeks {
			if w := &a.Alerts.Weeks[i]; !t.Created.Before(w.From) && t.Created.Before(w.From.AddDate(0, 0, 7)) {
				add(&w.First, &w.Person)
			}
		}
	}
	return nil
}

// AlertsPath is the address of the groups of alerts of the days from one to
// another, narrowed down by more parameters, each name and value.
func AlertsPath(from, last time.Time, more ...string) string {
	q := url.Values{"state": {"all"}, "from": {from.Format(time.DateOnly)}, "to": {last.Format(time.DateOnly)}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/alerts?" + q.Encode()
}
