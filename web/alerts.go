package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/alert"
	"frontline/store"
)

// The pages of alerts: what fires, one group with its timeline and who was told
// how, and a wall for a screen in the room. What the buttons do is what the
// words in chat do.

func (s *Server) alertRoutes() []route {
	return []route{
		{method: "GET", path: "/alerts", roles: deskers, nav: "alerts", do: s.alertList},
		{method: "GET", path: "/alerts/fresh", roles: deskers, do: s.freshAlerts},
		{method: "GET", path: "/alerts/wall", roles: deskers, nav: "alerts", do: s.alertWall},
		{method: "GET", path: "/alerts/unread", roles: deskers, nav: "alerts", do: s.unreadAlerts},
		{method: "POST", path: "/alerts/unread/{id}/retry", roles: deskers, do: s.retryUnread},
		{method: "GET", path: "/alerts/{number}", roles: deskers, nav: "alerts", do: s.alertPage},
		{method: "POST", path: "/alerts/{number}/act", roles: deskers, nav: "alerts", do: s.actOnAlert},
		{method: "POST", path: "/alerts/silences/{id}/end", roles: deskers, do: s.endSilence},
	}
}

type alertRow struct {
	store.AlertGroup
	Who string // who claimed it
	For time.Duration
}

type alertsPage struct {
	State, Severity, Text string
	Mine                  bool
	Narrow                alertNarrow
	Total                 int64 // counted where the list is one behind a figure
	Rows                  []alertRow
	Next                  int64
	Silences              []store.AlertSilence
	Fresh                 fresh
	Severities            []string
	Unread                int64 // deliveries that were not understood
}

var severities = []string{alert.Critical, alert.Major, alert.Warning, alert.Info, alert.None}

const alertsPerPage = 50

func alertQuery(v *visit) (alertsPage, store.AlertGroupQuery) {
	q := v.r.URL.Query()
	p := alertsPage{State: q.Get("state"), Severity: q.Get("severity"), Mine: q.Get("mine") == "1", Text: chat.Cut(strings.TrimSpace(q.Get("q")), 100), Severities: severities}
	if p.State != store.GroupClosed && p.State != "all" {
		p.State = store.GroupOpen
	}
	if !slices.Contains(severities, p.Severity) {
		p.Severity = ""
	}
	p.Narrow = readAlertNarrow(q)
	query := store.AlertGroupQuery{State: p.State, Severity: p.Severity, Text: p.Text, Before: number(q.Get("before")), N: alertsPerPage + 1}
	if p.State == "all" {
		query.State = ""
	}
	if p.Mine {
		query.ClaimedBy = v.user.ID
	}
	p.Narrow.narrow(&query, v.s.opt.Store.FigureZone())
	return p, query
}

func (s *Server) alertList(v *visit) error {
	ctx := v.r.Context()
	p, query := alertQuery(v)
	groups, err := s.opt.Store.ListAlertGroups(ctx, query)
	if err != nil {
		return err
	}
	if p.Narrow != (alertNarrow{}) {
		if p.Total, err = s.opt.Store.CountAlertGroups(ctx, query); err != nil {
			return err
		}
	} else if query.Before == 0 {
		p.Fresh = freshAfter("/alerts", v.r.URL.Query(), newest(groups, func(g store.AlertGroup) int64 { return g.ID }))
	}
	if len(groups) > alertsPerPage {
		groups = groups[:alertsPerPage]
		p.Next = groups[alertsPerPage-1].ID
	}
	if p.Rows, err = s.alertRows(v, groups); err != nil {
		return err
	}
	if p.Silences, err = s.opt.Store.ListSilences(ctx); err != nil {
		return err
	}
	depth, err := s.opt.Store.AlertDepth(ctx)
	if err != nil {
		return err
	}
	p.Unread = depth.Dead
	return v.show("alerts", p)
}

func (s *Server) alertRows(v *visit, groups []store.AlertGroup) ([]alertRow, error) {
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.ClaimedBy)
	}
	known, err := s.opt.Store.FindMembers(v.r.Context(), ids)
	if err != nil {
		return nil, err
	}
	now := s.opt.Now()
	rows := make([]alertRow, len(groups))
	for i, g := range groups {
		rows[i] = alertRow{AlertGroup: g, For: now.Sub(g.Opened)}
		if g.Firing <= 0 {
			rows[i].For = g.Changed.Sub(g.Opened)
		}
		if g.ClaimedBy != "" {
			rows[i].Who = g.ClaimedBy
			if u, ok := known[g.ClaimedBy]; ok {
				rows[i].Who = u.Show()
			}
		}
	}
	return rows, nil
}

func (s *Server) freshAlerts(v *visit) error {
	q := v.r.URL.Query()
	after := number(q.Get("after"))
	_, query := alertQuery(v)
	query.Before, query.N = 0, freshMost
	groups, err := s.opt.Store.ListAlertGroups(v.r.Context(), query)
	if err != nil {
		return err
	}
	f := freshAfter("/alerts", q, after)
	for _, g := range groups {
		f.N += above(g.ID, after)
	}
	return v.part("alerts", "fresh", f)
}

// alertWall is for a screen that nobody touches: what fires, the gravest first.
func (s *Server) alertWall(v *visit) error {
	groups, err := s.opt.Store.ListAlertGroups(v.r.Context(), store.AlertGroupQuery{State: store.GroupOpen, N: 1000})
	if err != nil {
		return err
	}
	groups = slices.DeleteFunc(groups, func(g store.AlertGroup) bool { return g.Firing <= 0 })
	handlers.SortAlerts(groups)
	total := len(groups)
	rows, err := s.alertRows(v, groups[:min(len(groups), 24)])
	if err != nil {
		return err
	}
	data := struct {
		Rows  []alertRow
		Total int
		At    time.Time
	}{rows, total, s.opt.Now()}
	if v.htmx() {
		return v.part("alert_wall", "wall", data)
	}
	return v.show("alert_wall", data)
}

type alertEventView struct {
	store.AlertEvent
	Who string
}

type alertGroupPage struct {
	alertRow
	Now      []store.Alert // that fire
	Past     []store.Alert // that ended
	Events   []alertEventView
	Words    []store.Delivered // what the chats and people were told
	Before   []alertRow        // the same before, the newest first
	Silences []store.AlertSilence
	Fault    string
	Stale    bool
	Typed    map[string]string
}

func (s *Server) alertOf(v *visit) (store.AlertGroup, error) {
	n := number(v.r.PathValue("number"))
	if n <= 0 {
		return store.AlertGroup{}, errNotFound
	}
	return s.opt.Store.FindAlertGroup(v.r.Context(), n)
}

func (s *Server) alertPage(v *visit) error {
	p, err := s.alertGroup(v)
	if err != nil {
		return err
	}
	return v.show("alert", p)
}

const alertsShown = 20

func (s *Server) alertGroup(v *visit) (p alertGroupPage, err error) {
	ctx := v.r.Context()
	g, err := s.alertOf(v)
	if err != nil {
		return p, err
	}
	rows, err := s.alertRows(v, []store.AlertGroup{g})
	if err != nil {
		return p, err
	}
	p.alertRow = rows[0]
	if p.Now, err = s.opt.Store.AlertsOfGroup(ctx, g.ID, store.AlertFiring, alertsShown); err != nil {
		return p, err
	}
	if p.Past, err = s.opt.Store.AlertsOfGroup(ctx, g.ID, store.AlertResolved, alertsShown); err != nil {
		return p, err
	}
	if err := s.alertStory(v, &p, g); err != nil {
		return p, err
	}
	if p.Words, err = s.opt.Store.WordsAbout(ctx, fmt.Sprintf("A%d", g.Number), 50); err != nil {
		return p, err
	}
	before, err := s.opt.Store.ListAlertGroups(ctx, store.AlertGroupQuery{Key: g.Key, Before: g.ID, N: 10})
	if err != nil {
		return p, err
	}
	if p.Before, err = s.alertRows(v, before); err != nil {
		return p, err
	}
	all, err := s.opt.Store.ListSilences(ctx)
	for _, x := range all {
		if x.Group == g.Number {
			p.Silences = append(p.Silences, x)
		}
	}
	return p, err
}

// alertStory is the timeline, with names.
func (s *Server) alertStory(v *visit, p *alertGroupPage, g store.AlertGroup) error {
	events, err := s.opt.Store.ListAlertEvents(v.r.Context(), g.ID, 200)
	if err != nil {
		return err
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Actor)
	}
	slices.Sort(ids)
	known, err := s.opt.Store.FindMembers(v.r.Context(), slices.Compact(ids))
	if err != nil {
		return err
	}
	for _, e := range events {
		view := alertEventView{e, e.Actor}
		if u, ok := known[e.Actor]; ok {
			view.Who = u.Show()
		}
		p.Events = append(p.Events, view)
	}
	return nil
}

// silenceChoices are the lengths that a form offers, in minutes.
var silenceChoices = map[string]time.Duration{"30": 30 * time.Minute, "120": 2 * time.Hour, "240": 4 * time.Hour}

// silenceUntil reads the form of a silence: a length, the end of trading, or a
// time.
func (s *Server) silenceUntil(v *visit) (time.Time, error) {
	now := s.opt.Now()
	choice := v.r.PostFormValue("length")
	if x, ok := silenceChoices[choice]; ok {
		return now.Add(x), nil
	}
	if choice == "close" {
		end := time.Date(now.Year(), now.Month(), now.Day(), 15, 0, 0, 0, now.Location())
		if !end.After(now) {
			return end, badForm(v.t("今天已经收盘，请选别的时间。"))
		}
		return end, nil
	}
	t, err := time.ParseInLocation("2006-01-02T15:04", v.r.PostFormValue("until"), now.Location())
	if err != nil {
		return t, badForm(v.t("静默到什么时候？选一个时长，或填一个时间。"))
	}
	return t, nil
}

// actOnAlert does what one of the page's forms asks for.
func (s *Server) actOnAlert(v *visit) error {
	g, err := s.alertOf(v)
	if err != nil {
		return err
	}
	form := func(name string) string { return chat.Cut(strings.TrimSpace(v.r.PostFormValue(name)), 500) }
	said, err := s.doAlert(v, g.Number, form)
	var no chat.Refusal
	var bad problem
	switch {
	case errors.Is(err, alert.ErrUnsure):
		no.Text = v.t("静默超过 4 小时，勾上「我确认」再提交。")
	case errors.As(err, &no):
	case errors.As(err, &bad) && bad.status == http.StatusUnprocessableEntity:
		no.Text = bad.text
	case errors.Is(err, store.ErrStale):
	case err != nil:
		return err
	default:
		v.notice(said)
		return v.redirect(fmt.Sprintf("/alerts/%d", g.Number))
	}
	p, perr := s.alertGroup(v)
	if perr != nil {
		return perr
	}
	p.Fault, p.Stale = no.Text, errors.Is(err, store.ErrStale)
	p.Typed = map[string]string{"do": form("do"), "why": form("why"), "text": form("text")}
	status := http.StatusUnprocessableEntity
	if p.Stale {
		status = http.StatusConflict
	}
	return v.render(status, "alert", p)
}

func (s *Server) doAlert(v *visit, n int64, form func(string) string) (said string, err error) {
	desk, by, page := s.opt.Desk.Alerts, v.user, chat.Address{}
	var do func(tx *store.Tx) error
	switch form("do") {
	case "claim":
		said, do = v.t("A%d 归你处理", n), func(tx *store.Tx) error { _, err := desk.Claim(tx, by, n, page); return err }
	case "release":
		said, do = v.t("A%d 已放回待认领", n), func(tx *store.Tx) error { _, err := desk.Release(tx, by, n, page); return err }
	case "silence":
		until, err := s.silenceUntil(v)
		if err != nil {
			return "", err
		}
		said, do = v.t("A%d 已静默", n), func(tx *store.Tx) error {
			_, err := desk.Silence(tx, by, n, until, form("why"), form("sure") == "1", page)
			return err
		}
	case "unsilence":
		said, do = v.t("A%d 已解除静默", n), func(tx *store.Tx) error { _, err := desk.Unsilence(tx, by, n, page); return err }
	case "false":
		said, do = v.t("A%d 记为误报", n), func(tx *store.Tx) error { _, err := desk.FalseAlarm(tx, by, n, form("why"), page); return err }
	case "escalate":
		said, do = v.t("A%d 已通知组长", n), func(tx *store.Tx) error { _, err := desk.Escalate(tx, by, n, form("why")); return err }
	case "note":
		said, do = v.t("已记入时间线"), func(tx *store.Tx) error { _, err := desk.Note(tx, by, n, form("text")); return err }
	case "ticket":
		do = func(tx *store.Tx) error {
			t, _, err := s.opt.Desk.TicketOf(tx, by, n, form("why"), page)
			said = v.t("A%d 的工单是 T%d", n, t.Number)
			return err
		}
	default:
		return "", badForm(v.t("没有这个操作"))
	}
	err = s.opt.Store.InTx(v.r.Context(), do)
	return said, err
}

func (s *Server) endSilence(v *visit) error {
	id := number(v.r.PathValue("id"))
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { return s.opt.Desk.Alerts.EndSilence(tx, v.user, id) })
	if err != nil {
		return err
	}
	v.notice(v.t("静默已结束"))
	return v.redirect("/alerts")
}

// AlertState is the state of a group of alerts: a shape and a word.
func (s shell) AlertState(g store.AlertGroup) [2]string {
	switch {
	case g.State != store.GroupOpen || g.Firing <= 0:
		return [2]string{"done", s.T("已恢复")}
	case g.Outcome == "false":
		return [2]string{"wait", s.T("误报")}
	case g.ClaimedBy != "":
		return [2]string{"doing", s.T("已认领")}
	case g.Hush != "":
		return [2]string{"wait", s.T("已静默")}
	}
	return [2]string{"new", s.T("告警中")}
}

// Severity is a severity's title.
func (s shell) Severity(severity string) string { return s.T(alert.Title(severity)) }

// SeverityTag is the look of a severity's tag.
func (s shell) SeverityTag(severity string) string {
	return map[string]string{alert.Critical: " r", alert.Major: " o"}[severity]
}

// AlertEvent names what happened in a group of alerts.
func (s shell) AlertEvent(kind string) string { return s.T(handlers.AlertEventTitle(kind)) }

// Hush says why nothing is told of a group.
func (s shell) Hush(hush string) string { return s.T(alert.HushTitle(hush)) }

// Matchers are the conditions of a silence as people write them.
func (s shell) Matchers(list []store.Matcher) string {
	out := make([]string, len(list))
	for i, m := range list {
		out[i] = m.Label + m.Op + m.Value
	}
	return strings.Join(out, " ")
}
