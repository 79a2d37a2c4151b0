package web

import (
	"time"

	"frontline/handlers"
	"frontline/store"
)

// The figures of alerts, data construction and people for programs.

type apiAlertFigures struct {
	Groups    int64 `json:"groups"`
	Alerts    int64 `json:"alerts"`
	Claimed   int64 `json:"claimed"`
	False     int64 `json:"false_alarms"`
	Ticketed  int64 `json:"ticketed"`
	Untouched int64 `json:"untouched"`
	Over      int64 `json:"over"`
	Handled   int64 `json:"handled"`
	Open      int64 `json:"firing"`
	EndTime   int64 `json:"end_ms"` // from begin to end of those that are over, all together
}

type apiMonitorFigures struct {
	Abnormal float64 `json:"abnormal"`
	Handled  float64 `json:"handled"`
	Total    float64 `json:"total"`
}

type apiAlertDay struct {
	Day      string             `json:"day"`
	Alerts   apiAlertFigures    `json:"alerts"`
	Monitors *apiMonitorFigures `json:"monitors"` // null: no monitor with a table of statuses looked
	Minutes  *float64           `json:"minutes"`  // from a monitor's alert to its end, the mean
}

type apiAlertRule struct {
	Title  string          `json:"title"`
	Source string          `json:"source"`
	Alerts apiAlertFigures `json:"alerts"`
}

type apiAlertWeek struct {
	From   string `json:"from"` // a Monday
	First  int64  `json:"alert_first"`
	Person int64  `json:"person_first"`
}

type apiAlertStats struct {
	Sum    apiAlertFigures `json:"sum"`
	Before apiAlertFigures `json:"before"`
	Days   []apiAlertDay   `json:"days"`
	Rules  []apiAlertRule  `json:"noisiest_rules"`
	Weeks  []apiAlertWeek  `json:"weeks"` // tickets with alerts, by who was first
	First  int64           `json:"alert_first"`
	Person int64           `json:"person_first"`
}

func alertFiguresOf(f store.AlertFigures) apiAlertFigures { return apiAlertFigures(f) }

func alertStatsOf(p handlers.AlertPart) *apiAlertStats {
	out := &apiAlertStats{Sum: alertFiguresOf(p.Sum), Before: alertFiguresOf(p.Before), Days: []apiAlertDay{}, Rules: []apiAlertRule{}, Weeks: []apiAlertWeek{}, First: p.First, Person: p.Person}
	for _, d := range p.Days {
		x := apiAlertDay{Day: d.Day.Format(time.DateOnly), Alerts: alertFiguresOf(d.Alerts)}
		if m := d.Monitors; m.Items > 0 {
			x.Monitors = &apiMonitorFigures{m.Abnormal, m.Handled, m.Total}
		}
		if minutes, ok := d.Minutes(); ok {
			x.Minutes = &minutes
		}
		out.Days = append(out.Days, x)
	}
	for _, r := range p.Rules {
		out.Rules = append(out.Rules, apiAlertRule{r.Title, r.Source, alertFiguresOf(r.AlertFigures)})
	}
	for _, w := range p.Weeks {
		out.Weeks = append(out.Weeks, apiAlertWeek{w.From.Format(time.DateOnly), w.First, w.Person})
	}
	return out
}

type apiRunFigures struct {
	Name  string `json:"name"` // of the recipe or department; empty: none, or all together
	Runs  int64  `json:"runs"`
	Done  int64  `json:"done"` // made everything
	Good  int64  `json:"good"` // pieces
	Bad   int64  `json:"bad"`
	Saved int64  `json:"saved_minutes"`
}

type apiRunStats struct {
	Sum         apiRunFigures   `json:"sum"`
	Before      apiRunFigures   `json:"before"`
	Recipes     []apiRunFigures `json:"recipes"`
	Departments []apiRunFigures `json:"departments"`
}

func runFiguresOf(list ...handlers.RunSums) []apiRunFigures {
	out := make([]apiRunFigures, len(list))
	for i, s := range list {
		out[i] = apiRunFigures{s.Name, s.Runs, s.Done, s.Good, s.Bad, s.Saved}
	}
	return out
}

func runStatsOf(p handlers.RunPart) *apiRunStats {
	if !p.On {
		return nil
	}
	return &apiRunStats{runFiguresOf(p.Sum)[0], runFiguresOf(p.Before)[0], runFiguresOf(p.Recipes...), runFiguresOf(p.Departments...)}
}

// apiHandlerStats is what one handler had to do.
type apiHandlerStats struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Tickets apiTickets `json:"tickets"`
	Alerts  int64      `json:"alerts_claimed"`
}
