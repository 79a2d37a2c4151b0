package handlers

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/handlers/monitor"
	"frontline/store"
)

// The daily table: what monitors saw and what became of it, and how the alerts of
// the day were worked on.

// AlertDay is one day.
type AlertDay struct {
	Day     time.Time // its midnight
	Effects []DayEffect
	Lines   []AlertLine // one a rule and system, the most alerts first
	Sum     AlertLine
}

// DayEffect is a monitor's line of the day.
type DayEffect struct {
	monitor.Effect
	Minutes float64 // from the begin to the end of an object's being abnormal, or else of an alert, the mean; NaN for none
}

// Took is Minutes as people read it.
func (e DayEffect) Took() string { return minutesWords(e.Minutes) }

// AlertLine is how the alerts of one rule were worked on. An alert here is what
// people see as one: a group, with a number.
type AlertLine struct {
	Title, Source, System string
	Groups                int // groups that began
	Alerts                int // single alerts in them
	Claimed               int
	Claim                 float64 // median minutes to the first claim; NaN for none
	False                 int     // 误报
	Tickets               int
	Solved                int
	Solve                 float64 // median minutes to the end; NaN for none
	Open                  int     // that still fire
	claims, solves        []float64
}

// ClaimTook is Claim as people read it.
func (l AlertLine) ClaimTook() string { return minutesWords(l.Claim) }

// SolveTook is Solve as people read it.
func (l AlertLine) SolveTook() string { return minutesWords(l.Solve) }

func minutesWords(m float64) string {
	if math.IsNaN(m) {
		return "–"
	}
	return fmt.Sprintf("%.0f", m)
}

// AlertDays are the days from, included, until to, not, the newest first; both
// are midnights on the readers' clock.
func (d *Desk) AlertDays(ctx context.Context, from, to time.Time) ([]AlertDay, error) {
	groups, err := d.Store.AlertGroupsOpened(ctx, from, to)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	claims, err := d.Store.FirstClaims(ctx, ids)
	if err != nil {
		return nil, err
	}
	systems, err := d.Store.LabelOfGroups(ctx, "system", ids)
	if err != nil {
		return nil, err
	}
	var out []AlertDay
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		next := day.AddDate(0, 0, 1)
		n := 0
		for n < len(groups) && groups[n].Opened.Before(next) {
			n++
		}
		one := AlertDay{Day: day}
		one.count(groups[:n], claims, systems)
		groups = groups[n:]
		if d.Monitors != nil {
			effects, err := d.Monitors.Effects(ctx, day, next)
			if err != nil {
				return nil, err
			}
			one.effects(effects)
		}
		out = append([]AlertDay{one}, out...)
	}
	return out, nil
}

func (a *AlertDay) count(groups []store.AlertGroup, claims map[int64]time.Time, systems map[int64]string) {
	type key struct{ title, source, system string }
	lines := map[key]*AlertLine{}
	for _, g := range groups {
		system := g.Labels["system"]
		if system == "" {
			system = systems[g.ID]
		}
		k := key{g.Title, g.Source, system}
		if g.Labels["name"] != "" {
			k.title = g.Labels["name"]
		}
		if lines[k] == nil {
			lines[k] = &AlertLine{Title: k.title, Source: g.Source, System: system}
		}
		for _, l := range []*AlertLine{lines[k], &a.Sum} {
			l.add(g, claims[g.ID])
		}
	}
	a.Sum.close()
	for _, l := range lines {
		l.close()
		a.Lines = append(a.Lines, *l)
	}
	slices.SortFunc(a.Lines, func(x, y AlertLine) int {
		if x.Alerts != y.Alerts {
			return y.Alerts - x.Alerts
		}
		return strings.Compare(x.Title+x.System, y.Title+y.System)
	})
}

func (l *AlertLine) add(g store.AlertGroup, claimed time.Time) {
	l.Groups++
	l.Alerts += g.Opens
	if claimed.IsZero() {
		claimed = g.Claimed // the timeline is kept less long
	}
	if !claimed.IsZero() {
		l.Claimed++
		l.claims = append(l.claims, claimed.Sub(g.Opened).Minutes())
	}
	if g.Outcome == "false" {
		l.False++
	}
	if g.Ticket != 0 {
		l.Tickets++
	}
	if g.State != store.GroupOpen || g.Firing <= 0 {
		l.Solved++
		end := g.Closed
		if end.IsZero() {
			end = g.Changed
		}
		l.solves = append(l.solves, max(0, end.Sub(g.Opened).Minutes()))
	} else {
		l.Open++
	}
}

func (l *AlertLine) close() { l.Claim, l.Solve = middle(l.claims), middle(l.solves) }

// middle is the median, NaN of nothing.
func middle(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	slices.Sort(list)
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}

func (a *AlertDay) effects(list []monitor.Effect) {
	for _, e := range list {
		row := DayEffect{Effect: e, Minutes: math.NaN()}
		if e.ByObject {
			if e.Handled() > 0 {
				row.Minutes = e.Stay.Minutes()
			}
			a.Effects = append(a.Effects, row)
			continue
		}
		var solves []float64
		for _, l := range a.Lines {
			if l.Source == monitor.SourceName && l.Title == e.Title {
				solves = append(solves, l.solves...)
			}
		}
		if len(solves) > 0 {
			sum := 0.0
			for _, m := range solves {
				sum += m
			}
			row.Minutes = sum / float64(len(solves))
		}
		a.Effects = append(a.Effects, row)
	}
}

var dayTableAt = 17*time.Hour + 30*time.Minute

// TellAlertDay tells the support group the table of the day with a picture of
// the month, and mails the table to who gets the mails of the default route. It does nothing on days without trading,
// when it is not its time, and when there was nothing to look at.
func (d *Desk) TellAlertDay(ctx context.Context) error {
	now := d.Store.Now().In(d.Rules.Calendar.Location())
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	late := now.Sub(midnight.Add(dayTableAt))
	if late < 0 || late >= handoverLate || !d.Rules.Calendar.Trading(now) {
		return nil
	}
	days, err := d.alertMonth(ctx, midnight)
	if err != nil {
		return err
	}
	day := days[0]
	if len(day.Effects) == 0 && day.Sum.Groups == 0 {
		return nil
	}
	month := sumMonth(days, d.Rules.Calendar)
	key := "alerts/day/" + midnight.Format("20060102")
	out := d.announce(key, dayTold(day, month, d.PublicURL), false)
	if len(out) > 0 {
		picture, err := d.keepPicture(ctx, alertPoster(days, month))
		if err != nil {
			return err
		}
		if picture != "" {
			out = append(out, pictureTo(key, out[0].To, "monitors-"+midnight.Format("20060102")+".png", picture))
		}
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, o := range out {
			if err := tx.Enqueue(o); err != nil {
				return err
			}
		}
		page := ""
		if d.PublicURL != "" {
			page = d.PublicURL + "/monitors/daily?day=" + midnight.Format(time.DateOnly)
		}
		if d.Alerts == nil {
			return nil
		}
		return d.Alerts.MailAll(tx, key, "[日报] 监控 "+midnight.Format("2006-01-02"), page, dayHead(day)+"\n"+month.words(), daySheets(day))
	})
}

const dayShown = 5

// dayHead is the day in one line.
func dayHead(a AlertDay) string {
	s := a.Sum
	if s.Groups == 0 {
		return "今天没有告警"
	}
	line := fmt.Sprintf("告警 %d 件（%d 条）· 认领 %d", s.Groups, s.Alerts, s.Claimed)
	if s.Claimed > 0 {
		line += "，一般 " + s.ClaimTook() + " 分钟"
	}
	for _, x := range []struct {
		what string
		n    int
	}{{"误报", s.False}, {"建单", s.Tickets}, {"恢复", s.Solved}, {"还在告警", s.Open}} {
		if x.n > 0 {
			line += fmt.Sprintf(" · %s %d", x.what, x.n)
		}
	}
	return line
}

// dayTold is the day for a group: what a chat shows has no tables.
func dayTold(a AlertDay, month monthSum, url string) string {
	lines := []string{"**监控日报** " + a.Day.Format("01-02"), "> " + dayHead(a)}
	for _, e := range a.Effects[:min(len(a.Effects), dayShown)] {
		line := fmt.Sprintf("%s %s：异常 %s（%s）", chat.PlainMarkdown(e.Title), chat.PlainMarkdown(e.Key), monitor.Count(e.Abnormal), e.AbnormalShare())
		if e.Abnormal > 0 {
			line += fmt.Sprintf(" · 处理 %s（%s）· 处理率 %s", monitor.Count(e.Handled()), e.HandledShare(), e.Rate())
		}
		if !math.IsNaN(e.Minutes) {
			line += " · 平均 " + e.Took() + " 分钟"
		}
		lines = append(lines, line)
	}
	for i, l := range a.Lines[:min(len(a.Lines), dayShown)] {
		line := fmt.Sprintf("%d. %s %d 件 · 认领 %d", i+1, chat.PlainMarkdown(chat.Cut(l.Title, 30)), l.Groups, l.Claimed)
		if !math.IsNaN(l.Solve) {
			line += " · 恢复一般 " + l.SolveTook() + " 分钟"
		}
		lines = append(lines, line)
	}
	if more := len(a.Lines) - dayShown; more > 0 {
		lines = append(lines, fmt.Sprintf("还有 %d 种", more))
	}
	lines = append(lines, month.words())
	if url != "" {
		lines = append(lines, "[全部]("+url+"/monitors/daily?day="+a.Day.Format(time.DateOnly)+")")
	}
	return strings.Join(lines, "\n")
}

// daySheets are the tables of the day for a mail.
func daySheets(a AlertDay) (out []alert.Sheet) {
	if len(a.Effects) > 0 {
		s := alert.Sheet{Title: "监控效果", Head: []string{"监控项", "异常数", "占比", "处理数", "占比", "处理率", "处理耗时(分钟)"}}
		for _, e := range a.Effects {
			s.Rows = append(s.Rows, []string{e.Title + " " + e.Key, monitor.Count(e.Abnormal), e.AbnormalShare(), monitor.Count(e.Handled()), e.HandledShare(), e.Rate(), e.Took()})
		}
		out = append(out, s)
	}
	if len(a.Lines) > 0 {
		s := alert.Sheet{Title: "告警", Head: []string{"告警", "系统", "件", "条", "认领", "认领用时(分钟)", "误报", "建单", "恢复", "恢复用时(分钟)"}}
		for _, l := range a.Lines[:min(len(a.Lines), 50)] {
			s.Rows = append(s.Rows, []string{l.Title, l.System, fmt.Sprint(l.Groups), fmt.Sprint(l.Alerts), fmt.Sprint(l.Claimed), l.ClaimTook(), fmt.Sprint(l.False), fmt.Sprint(l.Tickets), fmt.Sprint(l.Solved), l.SolveTook()})
		}
		out = append(out, s)
	}
	return out
}
