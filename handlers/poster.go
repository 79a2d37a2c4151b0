package handlers

import (
	"fmt"
	"time"

	"frontline/chart"
)

// Poster draws a period as one picture for a phone: the figures that leaders
// look at, the days, the shares and the weeks.
func Poster(a Analysis) chart.Scene {
	const w, inner = 640, 600
	note := a.From.Format("2006年1月2日")
	if a.Period.Days() > 1 {
		note += " – " + a.Last().Format("1月2日")
	}
	figures := []chart.Figure{{Title: "工单", Value: fmt.Sprint(a.Tickets.Reported), Note: fmt.Sprintf("上期 %d", a.Before.Reported)}, {Title: "提问", Value: fmt.Sprint(a.Questions.Asked), Note: fmt.Sprintf("没答上 %d", a.Questions.Refused)}}
	share := func(title, note string, share float64, ok bool) {
		if ok {
			figures = append(figures, chart.Figure{Title: title, Value: chart.Percent(round(share)), Note: note})
		}
	}
	real, ok := Share(a.Questions.Solved, a.Questions.Asked)
	raw, _ := Share(a.Questions.RawSolved, a.Questions.Asked)
	share("真解决率", "表面 "+chart.Percent(round(raw)), real, ok)
	if half, ok := a.Answer.Quantile(0.5); ok {
		most, _ := a.Answer.Quantile(0.9)
		figures = append(figures, chart.Figure{Title: "首响中位", Value: Seconds(half), Note: "P90 " + Seconds(most)})
	}
	in, ok := InTime(a.Tickets)
	share("时限达标", fmt.Sprintf("超时 %d 次", a.Tickets.AnswerLate+a.Tickets.SolveLate), in, ok)
	if a.Tickets.Rated > 0 {
		figures = append(figures, chart.Figure{Title: "满意度", Value: fmt.Sprintf("%.1f", float64(a.Tickets.Stars)/float64(a.Tickets.Rated)), Note: fmt.Sprintf("%d 人评价", a.Tickets.Rated)})
	}
	var names []string
	var parts []chart.Share
	for _, c := range a.Classes {
		names = append(names, c.Title)
		p := chart.Share{Label: fmt.Sprintf("%s %d 件", c.Title, c.Tickets.Reported), Before: -1}
		if a.Tickets.Reported > 0 {
			p.Part = float64(c.Tickets.Reported) / float64(a.Tickets.Reported)
		}
		if s, ok := Share(c.Tickets.Reported, a.Tickets.Reported); ok {
			p.Value = chart.Percent(round(s))
		}
		if s, ok := Share(c.Before.Reported, a.Before.Reported); ok {
			p.Before = s / 100
		}
		parts = append(parts, p)
	}
	charts := []chart.Scene{}
	if a.Period.Days() > 1 {
		legend := chart.Legend(names)
		legend.About = "每日工单"
		daily := chart.Stacked(inner, 190, "", dayBars(a))
		charts = append(charts, legend, daily)
	}
	charts = append(charts, chart.Shares(inner, "分类占比（竖线为上期）", parts))
	if weeks, known := weekPoints(a); known > 1 {
		charts = append(charts, chart.Trend(inner, 160, "真解决率，近 12 周", weeks))
	}
	return chart.Poster(w, a.Title()+" 运营小结", note, figures, charts...)
}

func round(f float64) float64 { return float64(int64(10*f+0.5)) / 10 }

func dayBars(a Analysis) []chart.Bar {
	bars := make([]chart.Bar, len(a.ByDay))
	for i, d := range a.ByDay {
		bars[i] = chart.Bar{Label: d.Day.Format("01-02"), Parts: d.Tickets}
	}
	return bars
}

func weekPoints(a Analysis) (list []chart.Point, known int) {
	for _, w := range a.Weeks {
		p := chart.Point{Label: weekLabel(w.From)}
		if p.Value, p.Known = Share(w.Solved, w.Asked); p.Known {
			known++
		}
		list = append(list, p)
	}
	return list, known
}

func weekLabel(monday time.Time) string {
	_, n := monday.ISOWeek()
	return fmt.Sprintf("W%02d", n)
}
