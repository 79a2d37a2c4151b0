package web

import (
	"strconv"
	"time"

	"frontline/handlers"
	"frontline/store"
)

// machineRows are the figures of alerts and data construction as a sheet, block
// after block.
func (v *visit) machineRows(a handlers.Analysis) (rows [][]string) {
	n := func(i int64) string { return strconv.FormatInt(i, 10) }
	alerts := func(f store.AlertFigures) []string {
		return []string{n(f.Groups), n(f.Alerts), n(f.Claimed), n(f.Ticketed), n(f.False), n(f.Untouched), n(f.Over), n(f.Open)}
	}
	columns := []string{"件", "响起", "有人认领", "建了工单", "误报", "没人管", "恢复了", "还在告警"}
	if a.Alerts.Any() {
		p := a.Alerts
		rows = append(rows, []string{}, append(v.words("告警"), v.words(columns...)...), append(v.words("本期"), alerts(p.Sum)...), append(v.words("上期"), alerts(p.Before)...),
			[]string{}, v.words("日期", "异常数", "占比", "处理数", "占比", "处理率", "处理耗时（分钟）", "告警", "有人认领", "处理了", "没人管"))
		for _, d := range p.Days {
			e := analysisPage{}.Effect(d)
			rows = append(rows, []string{d.Day.Format(time.DateOnly), e.Abnormal, e.Share, e.Handled, e.HandledShare, e.Rate, e.Minutes, n(d.Alerts.Groups), n(d.Alerts.Claimed), n(d.Alerts.Handled), n(d.Alerts.Untouched)})
		}
		rows = append(rows, []string{}, append(v.words("最吵的规则", "来源"), v.words(columns...)...))
		for _, r := range p.Rules {
			rows = append(rows, append([]string{r.Title, r.Source}, alerts(r.AlertFigures)...))
		}
		rows = append(rows, []string{}, v.words("挂了告警的工单", "告警在先", "人先报"), []string{v.t("本期"), n(p.First), n(p.Person)})
		for _, w := range p.Weeks {
			rows = append(rows, []string{w.From.Format(time.DateOnly), n(w.First), n(w.Person)})
		}
	}
	runs := func(s handlers.RunSums) []string {
		return []string{n(s.Runs), n(s.Done), n(s.Good), n(s.Bad), n(s.Saved)}
	}
	if a.Runs.Sum.Runs+a.Runs.Before.Runs == 0 {
		return rows
	}
	for _, part := range []struct {
		title string
		list  []handlers.RunSums
	}{{"配方", a.Runs.Recipes}, {"部门", a.Runs.Departments}} {
		rows = append(rows, []string{}, v.words(part.title, "次数", "全部做成的", "做成", "没做成", "省下（分钟）"))
		for _, s := range part.list {
			rows = append(rows, append([]string{s.Title}, runs(s)...))
		}
	}
	return append(rows, append(v.words("合计"), runs(a.Runs.Sum)...), append(v.words("上期"), runs(a.Runs.Before)...))
}

// loadRows are the handlers, for leaders only.
func (v *visit) loadRows(list []handlers.HandlerLoad) [][]string {
	n := func(i int64) string { return strconv.FormatInt(i, 10) }
	rows := [][]string{{}, v.words("处理人", "工单", "未关闭", "已解决", "首响超时", "解决超时", "认领告警")}
	for _, l := range list {
		rows = append(rows, []string{l.Name, n(l.Reported), n(l.Open), n(l.Solved), n(l.AnswerLate), n(l.SolveLate), n(l.Alerts)})
	}
	return rows
}
