package handlers

import (
	"context"
	"fmt"
	"time"

	"frontline/bot/chat"
	"frontline/chart"
	"frontline/handlers/calendar"
	"frontline/handlers/monitor"
)

// alertMonth are the days of a day's month until it, the newest first; what the
// picture and the line of the month are made of.
func (d *Desk) alertMonth(ctx context.Context, day time.Time) ([]AlertDay, error) {
	return d.AlertDays(ctx, time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, day.Location()), day.AddDate(0, 0, 1))
}

// monthSum is a month so far, over all monitors.
type monthSum struct {
	days              int // trading days
	groups, open      int // alerts
	abnormal, handled float64
}

func sumMonth(days []AlertDay, cal *calendar.Calendar) (m monthSum) {
	for _, a := range days {
		if cal.Trading(a.Day) {
			m.days++
		}
		m.groups += a.Sum.Groups
		m.open += a.Sum.Open
		abnormal, handled := a.abnormal()
		m.abnormal += abnormal
		m.handled += handled
	}
	return m
}

// abnormal is what the monitors saw on a day, and what of it was handled.
func (a AlertDay) abnormal() (abnormal, handled float64) {
	for _, e := range a.Effects {
		abnormal += e.Abnormal
		handled += e.Handled()
	}
	return abnormal, handled
}

// words is the month in one line.
func (m monthSum) words() string {
	line := fmt.Sprintf("本月 %d 个交易日 · 告警 %d 件", m.days, m.groups)
	if m.abnormal > 0 {
		line += fmt.Sprintf(" · 异常 %s · 处理 %s · 处理率 %s", monitor.Count(m.abnormal), monitor.Count(m.handled), monitor.Share(m.handled, m.abnormal))
	}
	return line
}

// alertPoster draws the last of some days, the newest first, with the days of its
// month: what was abnormal and alerts, each with what is left of it, and how much
// was handled.
func alertPoster(days []AlertDay, month monthSum) chart.Scene {
	const w, inner = 640, 600
	today := days[0]
	abnormal, handled := today.abnormal()
	figures := []chart.Figure{{Title: "告警", Value: fmt.Sprint(today.Sum.Groups), Note: fmt.Sprintf("本月 %d", month.groups)}, {Title: "认领", Value: fmt.Sprint(today.Sum.Claimed), Note: "用时 " + today.Sum.ClaimTook() + " 分"},
		{Title: "还在告警", Value: fmt.Sprint(today.Sum.Open), Note: fmt.Sprintf("恢复 %d", today.Sum.Solved)}}
	if len(today.Effects) > 0 {
		figures = append(figures, chart.Figure{Title: "异常", Value: monitor.Count(abnormal), Note: "本月 " + monitor.Count(month.abnormal)}, chart.Figure{Title: "处理", Value: monitor.Count(handled), Note: "本月 " + monitor.Count(month.handled)},
			chart.Figure{Title: "处理率", Value: monitor.Share(handled, abnormal), Note: "本月 " + monitor.Share(month.handled, month.abnormal)})
	}
	var found, alerts []chart.Bar
	var rate []chart.Point
	known := 0
	for i := range days {
		a := days[len(days)-1-i]
		label := a.Day.Format("01-02")
		abnormal, handled := a.abnormal()
		found = append(found, chart.Bar{Label: label, Parts: []int64{int64(handled), int64(abnormal - handled)}})
		alerts = append(alerts, chart.Bar{Label: label, Parts: []int64{int64(a.Sum.Solved), int64(a.Sum.Open)}})
		if abnormal > 0 {
			known++
		}
		if wd := a.Day.Weekday(); wd != time.Saturday && wd != time.Sunday {
			p := chart.Point{Label: a.Day.Format("2"), Known: abnormal > 0}
			if p.Known {
				p.Value = 100 * handled / abnormal
			}
			rate = append(rate, p)
		}
	}
	var charts []chart.Scene
	bars := func(about string, names []string, list []chart.Bar) {
		legend := chart.Legend(names)
		legend.About = about
		charts = append(charts, legend, chart.Stacked(inner, 170, "", list))
	}
	if month.abnormal > 0 {
		bars("本月异常", []string{"已处理", "没处理"}, found)
	}
	if known > 1 {
		charts = append(charts, chart.Trend(inner, 150, "本月处理率", rate))
	}
	bars("本月告警", []string{"已恢复", "还在告警"}, alerts)
	return chart.Poster(w, "监控日报", today.Day.Format("2006年1月2日"), figures, charts...)
}

// keepPicture draws a scene and keeps it as a file to send; "" where no files are
// sent.
func (d *Desk) keepPicture(ctx context.Context, s chart.Scene) (string, error) {
	if d.Files == nil {
		return "", nil
	}
	picture, err := s.PNG(2)
	if err != nil {
		return "", err
	}
	return d.Files.Put(ctx, picture)
}

// pictureTo sends a kept picture to a place.
func pictureTo(key string, to chat.Address, name, id string) chat.Outgoing {
	return chat.Outgoing{Key: key + "/picture", To: to, Body: chat.Body{File: &chat.File{Kind: "image", Name: name, Path: id}}, AtMostOnce: true}
}
