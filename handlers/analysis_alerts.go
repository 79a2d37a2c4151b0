package handlers

import (
	"context"
	"net/url"
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
	Rules         []store.AlertRule // that rang most
	Weeks         []AlertWeek       // the last weeks up to the end of the period
	First, Person int64             // tickets of the period with alerts: those that an alert preceded, those where a person was first
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
	all, err := d.Store.AlertDays(ctx, "", a.From, a.To)
	if err != nil {
		return err
	}
	own, err := d.Store.AlertDays(ctx, monitor.SourceName, a.From, a.To)
	if err != nil {
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
		p.Sum.Add(one.Alerts)
		p.Monitors.Add(one.Monitors)
	}
	if p.Before, err = d.Store.AlertSums(ctx, a.BeforeFrom, a.BeforeTo); err != nil {
		return err
	}
	if p.Rules, err = d.Store.AlertRules(ctx, a.From, a.To, rulesShown); err != nil {
		return err
	}
	return d.readAlertWeeks(ctx, a)
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
