package web

import (
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/handlers/monitor"
	"frontline/store"
)

// The pages of monitors: what is checked, how it went, and what people do by
// hand. What they are is written in files, or here (monitor_edit.go).

func (s *Server) monitorRoutes() []route {
	return []route{
		{method: "GET", path: "/monitors", roles: deskers, nav: "monitors", do: s.monitors},
		{method: "GET", path: "/monitors/daily", roles: deskers, nav: "monitors", do: s.monitorsDaily},
		{method: "GET", path: "/monitors/daily/export", roles: deskers, do: s.exportDaily},
		{method: "GET", path: "/monitors/{monitor}", roles: deskers, nav: "monitors", do: s.monitorPage},
		{method: "POST", path: "/monitors/{monitor}/run", roles: deskers, do: s.runMonitor},
		{method: "POST", path: "/monitors/{monitor}/try", roles: deskers, nav: "monitors", do: s.tryMonitor},
		{method: "POST", path: "/monitors/{monitor}/pause", roles: deskers, nav: "monitors", do: s.pauseMonitor},
		{method: "POST", path: "/monitors/{monitor}/resume", roles: deskers, do: s.resumeMonitor},
	}
}

const (
	sparkled   = 40  // results in the curve of a list
	curved     = 200 // results in the curve of a page
	monitorLog = 30  // results that a page lists
	monitorYML = 32 << 10
)

var tryChoices = []int{50, 200, 1000}

// monitorRow is an item with where it stands.
type monitorRow struct {
	*monitor.Item
	Firing []string // rules
	Held   *store.MonitorHold
	Last   *store.MonitorResult
	Value  string // what was found last, in a few words
	Next   time.Time
	Curve  template.HTML
}

type monitorsPage struct {
	Rows   []monitorRow
	Faults []monitor.Fault // of the files: what is shown is from before
}

func (s *Server) monitors(v *visit) error {
	ctx, run := v.r.Context(), s.opt.Monitors
	items, faults := run.Items()
	p := monitorsPage{Faults: faults}
	states, err := s.opt.Store.MonitorStates(ctx)
	if err != nil {
		return err
	}
	holds, err := s.opt.Store.MonitorHolds(ctx)
	if err != nil {
		return err
	}
	for _, i := range items {
		row, _, err := s.monitorRow(ctx, v, i, states[i.Name], holds, sparkled)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, row)
	}
	slices.SortStableFunc(p.Rows, func(a, b monitorRow) int { return b.weight() - a.weight() })
	return v.show("monitors", p)
}

// weight brings what needs somebody to the top.
func (r monitorRow) weight() int {
	switch {
	case r.Held != nil:
		return 1
	case len(r.Firing) > 0:
		return 3
	case r.Last != nil && r.Last.State == monitor.StateError:
		return 2
	}
	return 0
}

func (s *Server) monitorRow(ctx context.Context, v *visit, i *monitor.Item, text []byte, holds map[string]store.MonitorHold, n int) (row monitorRow, list []store.MonitorResult, err error) {
	row = monitorRow{Item: i}
	var state monitor.State
	if len(text) > 0 {
		if err := json.Unmarshal(text, &state); err != nil {
			return row, nil, err
		}
	}
	row.Firing = state.Firing()
	if h, held := holds[i.Name]; held {
		row.Held = &h
	} else if i.Beat == nil {
		row.Next = s.opt.Monitors.Next(i, s.opt.Now())
	} else if state.Beat != nil {
		row.Next = time.UnixMilli(state.Beat.Due)
	}
	if list, err = s.opt.Store.MonitorResults(ctx, store.MonitorQuery{Item: i.Name, N: n}); err != nil || len(list) == 0 {
		return row, list, err
	}
	row.Last = &list[0]
	points := make([]sparkPoint, len(list))
	for k, r := range list {
		at := len(list) - 1 - k
		points[at].Bad = r.Alarming
		c, ok := watched(i, r)
		if points[at].Value, points[at].Known = c.N, ok; k == 0 && ok {
			row.Value = strings.TrimSpace(c.Key + " " + monitor.Count(c.N) + " " + c.Share)
		}
	}
	width, height := 120, 24
	if n > sparkled {
		width, height = 640, 120
	}
	row.Curve = spark(points, width, height, v.t("%s 最近 %d 次", i.Title, len(list)))
	return row, list, nil
}

// yearCurve shows the most of each day of a year.
func (s *Server) yearCurve(v *visit, i *monitor.Item) (template.HTML, error) {
	days, err := s.opt.Monitors.LongCurve(v.r.Context(), i, s.opt.Now().AddDate(-1, 0, 0))
	if err != nil {
		return "", err
	}
	points := make([]sparkPoint, len(days))
	for k, d := range days {
		points[k] = sparkPoint{Value: d.Cell.Most, Known: d.Cell.N > 0, Bad: d.Alarming}
	}
	return spark(points, 640, 120, v.t("%s 一年里每天最多", i.Title)), nil
}

// watched is the line of a result that a curve shows.
func watched(i *monitor.Item, r store.MonitorResult) (monitor.Cell, bool) {
	var t monitor.Table
	if json.Unmarshal(r.Table, &t) != nil {
		return monitor.Cell{}, false
	}
	return i.Watched(t)
}

type monitorLine struct {
	monitor.Cell
	Delta string // against the result before
}

type monitorRule struct {
	*monitor.Rule
	Judged monitor.Judged
	Firing bool
}

type monitorLogRow struct {
	store.MonitorResult
	Value string
	Note  string
}

type monitorPage struct {
	monitorRow
	Year       bool // the curve is of a year
	Lines      []monitorLine
	Total      string
	Unexpected []string
	Rules      []monitorRule
	Log        []monitorLogRow
	Alerts     []alertRow // that fire now
	Address    string     // of a heartbeat, for administrators
	Text       string     // of the file, or as it was typed
	N          int        // results that were tried on
	Choices    []int
	Faults     []monitor.Fault
	Steps      []monitorChange
	Tried      bool
	Was, Would int // alarms by the file and by the typed text
	Looked     int // results
	Fault      string
	Why        string // typed
}

type monitorChange struct {
	At time.Time
	monitor.Change
}

func (s *Server) monitorOf(v *visit) (*monitor.Item, error) {
	i := s.opt.Monitors.Find(v.r.PathValue("monitor"))
	if i == nil {
		return nil, errNotFound
	}
	return i, nil
}

func (s *Server) monitorPage(v *visit) error {
	i, err := s.monitorOf(v)
	if err != nil {
		return err
	}
	p, err := s.readMonitor(v, i)
	if err != nil {
		return err
	}
	return v.show("monitor", p)
}

func (s *Server) readMonitor(v *visit, i *monitor.Item) (p monitorPage, err error) {
	ctx := v.r.Context()
	text, _, err := s.opt.Store.MonitorState(ctx, i.Name)
	if err != nil {
		return p, err
	}
	holds, err := s.opt.Store.MonitorHolds(ctx)
	if err != nil {
		return p, err
	}
	p = monitorPage{Text: i.Shown(), N: tryChoices[1], Choices: tryChoices}
	var list []store.MonitorResult
	if p.monitorRow, list, err = s.monitorRow(ctx, v, i, text, holds, curved); err != nil {
		return p, err
	}
	if p.Year = v.r.URL.Query().Get("curve") == "year"; p.Year {
		if p.Curve, err = s.yearCurve(v, i); err != nil {
			return p, err
		}
	}
	if i.Beat != nil && v.user.Roles.Has(chat.Admin) {
		p.Address = s.opt.Monitors.Address(i)
	}
	for k, r := range list[:min(len(list), monitorLog)] {
		row := monitorLogRow{MonitorResult: r}
		if c, ok := watched(i, r); ok {
			row.Value = strings.TrimSpace(c.Key + " " + monitor.Count(c.N) + " " + c.Share)
		}
		var t monitor.Table
		if json.Unmarshal(r.Table, &t) == nil {
			row.Note = t.Note
		}
		p.Log = append(p.Log, row)
		if k == 0 {
			var before monitor.Table
			if len(list) > 1 {
				json.Unmarshal(list[1].Table, &before) // what does not decode was not written by us
			}
			p.lines(t, before)
		}
	}
	p.rules(list)
	groups, err := s.opt.Store.ListAlertGroups(ctx, store.AlertGroupQuery{State: store.GroupOpen, Source: monitor.SourceName, N: 200})
	if err != nil {
		return p, err
	}
	ours, err := s.opt.Store.FiringGroups(ctx, monitor.SourceName, i.Name+"/")
	if err != nil {
		return p, err
	}
	groups = slices.DeleteFunc(groups, func(g store.AlertGroup) bool { return !slices.Contains(ours, g.ID) })
	p.Alerts, err = s.alertRows(v, groups)
	return p, err
}

// lines are the last table, and how each line moved.
func (p *monitorPage) lines(t, before monitor.Table) {
	for _, c := range t.Cells {
		line := monitorLine{Cell: c}
		if old, ok := before.Cell(c.Key); ok && old.N != c.N {
			if line.Delta = monitor.Count(c.N - old.N); c.N > old.N {
				line.Delta = "+" + line.Delta
			}
		}
		p.Lines = append(p.Lines, line)
	}
	p.Unexpected = t.Unexpected
	if p.Breakdown != nil && len(t.Cells) > 0 {
		p.Total = monitor.Count(t.Total)
	}
}

func (p *monitorPage) rules(list []store.MonitorResult) {
	var said []monitor.Judged
	if len(list) > 0 {
		json.Unmarshal(list[0].Verdicts, &said) // as above
	}
	for _, r := range p.Item.Rules {
		row := monitorRule{Rule: r, Firing: slices.Contains(p.Firing, r.Name)}
		for _, j := range said {
			if j.Rule == r.Name {
				row.Judged = j
			}
		}
		p.Rules = append(p.Rules, row)
	}
}

// runWait is how long a page waits for a check that somebody asked for.
const runWait = 10 * time.Second

func (s *Server) runMonitor(v *visit) error {
	i, err := s.monitorOf(v)
	if err != nil {
		return err
	}
	if i.Beat != nil {
		return badForm(v.t("心跳由对方送来，不能主动查"))
	}
	ended, err := s.opt.Monitors.RunNow(v.r.Context(), i)
	switch {
	case errors.Is(err, monitor.ErrHeld):
		v.notice(v.t("已暂停，先继续监控再查"))
	case errors.Is(err, monitor.ErrBusy):
		v.notice(v.t("正在查，请稍后刷新"))
	case err != nil:
		return err
	default:
		wait := time.NewTimer(runWait)
		defer wait.Stop()
		select {
		case <-ended:
			v.notice(v.t("查完了"))
		case <-wait.C:
			v.notice(v.t("正在查，请稍后刷新"))
		}
	}
	return v.redirect("/monitors/" + i.Name)
}

// tryMonitor applies what was typed to the last results and shows the page with
// what would have been told.
func (s *Server) tryMonitor(v *visit) error {
	i, err := s.monitorOf(v)
	if err != nil {
		return err
	}
	if i.Beat != nil {
		return badForm(v.t("心跳没有可试的规则"))
	}
	p, err := s.readMonitor(v, i)
	if err != nil {
		return err
	}
	p.Text = strings.ReplaceAll(v.r.PostFormValue("text"), "\r\n", "\n")
	if n := int(number(v.r.PostFormValue("n"))); slices.Contains(tryChoices, n) {
		p.N = n
	}
	if len(p.Text) > monitorYML {
		p.Fault = v.t("太长了，一个监控项最多 32 KB")
		return v.render(http.StatusUnprocessableEntity, "monitor", p)
	}
	steps, faults, err := s.opt.Monitors.Try(v.r.Context(), i, p.Text, p.N)
	if err != nil {
		return err
	}
	if p.Faults = faults; len(faults) > 0 {
		return v.render(http.StatusUnprocessableEntity, "monitor", p)
	}
	now, err := s.opt.Monitors.Replay(v.r.Context(), i, p.N)
	if err != nil {
		return err
	}
	p.Tried, p.Looked = true, len(steps)
	p.Was, p.Would = begins(now), begins(steps)
	for _, st := range steps {
		for _, c := range st.Changes {
			p.Steps = append(p.Steps, monitorChange{st.At, c})
		}
	}
	slices.Reverse(p.Steps)
	p.Steps = p.Steps[:min(len(p.Steps), 100)]
	return v.render(http.StatusOK, "monitor", p)
}

func begins(steps []monitor.Step) (n int) {
	for _, st := range steps {
		for _, c := range st.Changes {
			if !c.Ends {
				n++
			}
		}
	}
	return n
}

func (s *Server) pauseMonitor(v *visit) error {
	i, err := s.monitorOf(v)
	if err != nil {
		return err
	}
	why := mask.Text(chat.Cut(strings.TrimSpace(v.r.PostFormValue("why")), 200))
	fault, status := "", http.StatusUnprocessableEntity
	if why == "" {
		fault = v.t("写一下为什么暂停")
	} else {
		switch err := s.opt.Monitors.Hold(v.r.Context(), i, v.user.ID, why); {
		case errors.Is(err, store.ErrStale):
			fault, status = v.t("已经暂停了"), http.StatusConflict
		case err != nil:
			return err
		default:
			v.notice(v.t("已暂停，在告警的也一并结束"))
			return v.redirect("/monitors/" + i.Name)
		}
	}
	p, err := s.readMonitor(v, i)
	if err != nil {
		return err
	}
	p.Fault, p.Why = fault, why
	return v.render(status, "monitor", p)
}

func (s *Server) resumeMonitor(v *visit) error {
	i, err := s.monitorOf(v)
	if err != nil {
		return err
	}
	switch err := s.opt.Monitors.Release(v.r.Context(), i, v.user.ID); {
	case errors.Is(err, store.ErrStale):
		v.notice(v.t("没有暂停"))
	case err != nil:
		return err
	default:
		v.notice(v.t("已继续监控"))
	}
	return v.redirect("/monitors/" + i.Name)
}

// MonitorState is where an item stands: a shape and a word.
func (s shell) MonitorState(r monitorRow) [2]string {
	switch {
	case r.Held != nil:
		return [2]string{"wait", s.T("已暂停")}
	case len(r.Firing) > 0:
		return [2]string{"new", s.T("告警中")}
	case r.Last == nil && r.Beat != nil:
		return [2]string{"wait", s.T("等第一次")}
	case r.Last == nil:
		return [2]string{"wait", s.T("还没查过")}
	}
	return s.ResultState(r.Last.State)
}

// ResultState is how one check or beat went.
func (s shell) ResultState(state string) [2]string {
	switch state {
	case monitor.StateError:
		return [2]string{"new", s.T("没查成")}
	case monitor.StateNoData:
		return [2]string{"wait", s.T("没有数据")}
	case monitor.StateMissed:
		return [2]string{"new", s.T("没按时来")}
	case monitor.StateFailed:
		return [2]string{"new", s.T("报告失败")}
	case monitor.StateStarted:
		return [2]string{"doing", s.T("开始了")}
	}
	return [2]string{"done", s.T("正常")}
}

// MonitorRow is the row of a page's item.
func (p monitorPage) MonitorRow() monitorRow { return p.monitorRow }

// Num writes a number as people do.
func (s shell) Num(n float64) string { return monitor.Count(n) }

// Verdict is what a rule said.
func (s shell) Verdict(v monitor.Verdict) string {
	switch v {
	case monitor.True:
		return s.T("成立")
	case monitor.False:
		return s.T("不成立")
	case monitor.Unknown:
		return s.T("不知道")
	}
	return "—"
}
