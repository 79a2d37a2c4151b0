package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"time"

	"frontline/bot/chat"
	"frontline/chart"
	"frontline/handlers"
	"frontline/handlers/monitor"
	"frontline/store"
)

// The parts of the page of figures about alerts, data construction and, for
// leaders, people.

// AlertsAs is the list of the groups of alerts of the period that count for one
// figure; "" for all.
func (p analysisPage) AlertsAs(kind string) string {
	if kind == "" {
		return handlers.AlertsPath(p.From, p.Last())
	}
	return handlers.AlertsPath(p.From, p.Last(), "kind", kind)
}

// AlertsOn is the list of a day's.
func (analysisPage) AlertsOn(d handlers.AlertDayFigures, kind string) string {
	if kind == "" {
		return handlers.AlertsPath(d.Day, d.Day)
	}
	return handlers.AlertsPath(d.Day, d.Day, "kind", kind)
}

// OfRule is the list of a rule's.
func (p analysisPage) OfRule(r handlers.AlertRule, kind string) string {
	more := []string{"rule", r.Title, "source", r.Source}
	if kind != "" {
		more = append(more, "kind", kind)
	}
	return handlers.AlertsPath(p.From, p.Last(), more...)
}

// Effect are the columns of a day of the daily table: abnormal, its share,
// handled, its share, rate, minutes.
func (analysisPage) Effect(d handlers.AlertDayFigures) (out struct{ Abnormal, Share, Handled, HandledShare, Rate, Minutes string }) {
	m := d.Monitors
	out.Abnormal, out.Share, out.Handled, out.HandledShare, out.Rate, out.Minutes = none, none, none, none, none, none
	if m.Items > 0 {
		out.Abnormal, out.Share = monitor.Count(m.Abnormal), monitor.Share(m.Abnormal, m.Total)
		out.Handled, out.HandledShare, out.Rate = monitor.Count(m.Handled), monitor.Share(m.Handled, m.Total), monitor.Share(m.Handled, m.Abnormal)
	}
	if minutes, ok := d.Minutes(); ok {
		out.Minutes = fmt.Sprintf("%.0f", minutes)
	}
	return out
}

// Alerted are the tickets of the period that alerts hang on.
func (p analysisPage) Alerted() int64 { return p.Alerts.First + p.Alerts.Person }

// whoFirst are the tickets with alerts by week: those that an alert preceded,
// and those where a person was first, which should come to none.
func (p analysisPage) whoFirst() template.HTML {
	bars := make([]chart.Bar, len(p.Alerts.Weeks))
	for i, w := range p.Alerts.Weeks {
		_, n := w.From.ISOWeek()
		last := handlers.DaysPeriod(w.From, w.From.AddDate(0, 0, 6))
		bars[i] = chart.Bar{Label: fmt.Sprintf("W%02d", n), Parts: []int64{w.First, w.Person}, Title: p.v.t("W%02d：告警在先 %d 张，人先报 %d 张", n, w.First, w.Person),
			Links: []string{handlers.ListPath(last, store.FigureFilter{}, "alert="+store.AlertBefore), handlers.ListPath(last, store.FigureFilter{}, "alert="+store.AlertAfter)}}
	}
	return template.HTML(chart.Stacked(370, 150, p.v.t("挂了告警的工单，按周：告警在先和人先报"), bars).SVG())
}

// FirstLegend says which colour is which.
func (p analysisPage) FirstLegend() template.HTML {
	return template.HTML(chart.Legend([]string{p.v.t("告警在先"), p.v.t("人先报")}).SVG())
}

// RunsAs is the list of runs of the period, narrowed down; done only for those
// that made everything.
func (p analysisPage) RunsAs(done bool, more ...string) string {
	q := url.Values{"from": {p.From.Format(time.DateOnly)}, "to": {p.Last().Format(time.DateOnly)}}
	if done {
		q.Set("done", "1")
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return "/construct/runs?" + q.Encode()
}

// OfDepartment are the runs that a department ordered.
func (p analysisPage) OfDepartment(name string) string {
	if name == "" {
		return p.RunsAs(false, "dept", noDepartment)
	}
	return p.RunsAs(false, "dept", name)
}

// Saved is a time as people read it.
func (p analysisPage) Saved(minutes int64) string {
	if minutes < 120 {
		return p.v.t("%d 分钟", minutes)
	}
	return p.v.t("%.1f 小时", float64(minutes)/60)
}

// Rate is how many of all pieces came out well.
func (analysisPage) Rate(s handlers.RunSums) string {
	if s.Good+s.Bad == 0 {
		return none
	}
	return strconv.FormatInt(100*s.Good/(s.Good+s.Bad), 10) + "%"
}

// SeesRuns tells whether the visitor may open the lists of everybody's runs.
func (p analysisPage) SeesRuns() bool { return p.v.user.Roles.Has(chat.Leader, chat.Admin) }

// OfHandler is the list of a handler's tickets.
func (p analysisPage) OfHandler(id string, more ...string) string {
	return p.list(append([]string{"who=" + id}, more...)...)
}

// ClaimedBy are the alerts that a handler has claimed.
func (p analysisPage) ClaimedBy(id string) string {
	return handlers.AlertsPath(p.From, p.Last(), "by", id)
}
