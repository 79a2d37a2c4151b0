package web

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"time"

	"frontline/handlers"
	"frontline/handlers/monitor"
	"frontline/sheet"
)

// The daily table: what monitors saw and what became of it, and how the alerts
// of a day were worked on.

// trendDays are the days that stand below the chosen one.
const trendDays = 14

type dailyPage struct {
	handlers.AlertDay
	Trend              []handlers.AlertDay
	Curve              template.HTML
	Before, After      string // the days beside, "" for none
	Month              string
	Today              bool
	Day                string
	Columns, AlertCols []string
}

var (
	effectColumns = []string{"监控项", "异常数", "占比", "处理数", "占比", "处理率", "处理耗时（分钟）"}
	alertColumns  = []string{"告警", "系统", "件", "条", "认领", "认领用时（分钟）", "误报", "建了工单", "恢复了", "恢复用时（分钟）", "还在告警"}
)

// dayOf reads a day of the address; today where there is none or it is wrong.
func (s *Server) dayOf(text string) (day, today time.Time) {
	now := s.opt.Now()
	today = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	day, err := time.ParseInLocation(time.DateOnly, text, now.Location())
	if err != nil || day.After(today) || day.Year() < 2000 {
		return today, today
	}
	return day, today
}

func (s *Server) monitorsDaily(v *visit) error {
	day, today := s.dayOf(v.r.URL.Query().Get("day"))
	days, err := s.opt.Desk.AlertDays(v.r.Context(), day.AddDate(0, 0, 1-trendDays), day.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	p := dailyPage{AlertDay: days[0], Trend: days, Before: day.AddDate(0, 0, -1).Format(time.DateOnly), Month: day.Format("2006-01"), Day: day.Format(time.DateOnly), Today: day.Equal(today), Columns: effectColumns, AlertCols: alertColumns}
	if !p.Today {
		p.After = day.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	points := make([]sparkPoint, len(days))
	for i, d := range days {
		points[len(days)-1-i] = sparkPoint{Value: float64(d.Sum.Groups), Known: true, Bad: d.Sum.Open > 0}
	}
	p.Curve = spark(points, 640, 90, v.t("最近 %d 天的告警件数", len(days)))
	return v.show("monitors_daily", p)
}

// exportDaily is a month as a file: the table of monitors, then that of alerts,
// a line each day.
func (s *Server) exportDaily(v *visit) error {
	now := s.opt.Now()
	from, err := time.ParseInLocation("2006-01", v.r.URL.Query().Get("month"), now.Location())
	if err != nil || from.Year() < 2000 {
		from = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, now.Location())
	}
	to := from.AddDate(0, 1, 0)
	if end := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()); to.After(end) {
		to = end
	}
	var days []handlers.AlertDay
	if from.Before(to) {
		if days, err = s.opt.Desk.AlertDays(v.r.Context(), from, to); err != nil {
			return err
		}
	}
	slices.Reverse(days)
	h := v.w.Header()
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(v.t("监控日报")+"-"+from.Format("200601")+".xlsx"))
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w, err := sheet.XLSX(v.w, v.t("监控日报"))
	if err != nil {
		return err
	}
	return errors.Join(dailyRows(days, v.t, w.Row), w.Close())
}

// dailyRows writes days as rows.
func dailyRows(days []handlers.AlertDay, t func(string, ...any) string, row func(cells ...string) error) error {
	head := func(columns []string) []string {
		out := []string{t("日期")}
		for _, c := range columns {
			out = append(out, t(c))
		}
		return out
	}
	if err := row(head(effectColumns)...); err != nil {
		return err
	}
	for _, d := range days {
		for _, e := range d.Effects {
			if err := row(d.Day.Format(time.DateOnly), e.Title+" "+e.Key, monitor.Count(e.Abnormal), e.AbnormalShare(), monitor.Count(e.Handled()), e.HandledShare(), e.Rate(), e.Took()); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(row(), row(head(alertColumns)...)); err != nil {
		return err
	}
	for _, d := range days {
		for _, l := range d.Lines {
			if err := row(d.Day.Format(time.DateOnly), l.Title, l.System, fmt.Sprint(l.Groups), fmt.Sprint(l.Alerts), fmt.Sprint(l.Claimed), l.ClaimTook(), fmt.Sprint(l.False), fmt.Sprint(l.Tickets), fmt.Sprint(l.Solved), l.SolveTook(), fmt.Sprint(l.Open)); err != nil {
				return err
			}
		}
	}
	return nil
}
