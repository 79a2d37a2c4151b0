package web

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"time"

	"frontline/bot/chat"
	"frontline/chart"
	"frontline/handlers"
	"frontline/store"
)

// The page of figures: what came in, how it went, and the list behind each
// figure.

var analysts = chat.RoleSet{chat.Responder, chat.Leader, chat.Admin}

func (s *Server) analysisRoutes() []route {
	return []route{
		{method: "GET", path: "/analysis", roles: analysts, nav: "analysis", do: s.analysis},
		{method: "GET", path: "/analysis/export", roles: analysts, do: s.exportAnalysis},
		{method: "GET", path: "/analysis/picture", roles: analysts, do: s.analysisPicture},
		{method: "POST", path: "/analysis/tell", roles: readers, nav: "analysis", do: s.tellAnalysis},
		{method: "GET", path: "/analysis/questions", roles: analysts, nav: "analysis", do: s.questionList},
	}
}

type analysisPage struct {
	handlers.Analysis
	Figures                            []headFigure
	Daily, Shares, Weekly, Spans, Heat template.HTML
	BranchNames                        []string
	Group                              string
	GroupNames                         []handlers.ServiceGroup
	Findings                           []handlers.Finding
	Tells                              bool
	Few                                bool // too few tickets for shares
	TopBranches                        []branchRow
	v                                  *visit
	WhoFirst                           template.HTML
	Loads                              []handlers.HandlerLoad // for leaders
}

// headFigure is one number of the head with the one before.
type headFigure struct {
	Title, Means string
	Value, Unit  string
	Note         string
	Look         string // up, dn: better, worse
	Path         string
}

type branchRow struct {
	handlers.PartFigures
	Path   string
	Bar    int
	InTime string
	Low    bool
	Stars  string
}

// readPeriod takes the period of an address: a name, or two days; a month else.
func (s *Server) readPeriod(q url.Values) handlers.Period {
	now := s.opt.Now().In(s.opt.Store.FigureZone())
	from, err1 := time.ParseInLocation(time.DateOnly, q.Get("from"), now.Location())
	to, err2 := time.ParseInLocation(time.DateOnly, q.Get("to"), now.Location())
	if err1 == nil && err2 == nil && q.Get("p") == "" {
		chosen := handlers.DaysPeriod(from, to)
		for _, name := range handlers.PeriodNames { // days that are a period with a name are that one
			if p, _ := handlers.NewPeriod(name, now); p.From.Equal(chosen.From) && p.To.Equal(chosen.To) {
				return p
			}
		}
		return chosen
	}
	if p, ok := handlers.NewPeriod(q.Get("p"), now); ok {
		return p
	}
	p, _ := handlers.NewPeriod("month", now)
	return p
}

func (s *Server) readAnalysis(v *visit) (handlers.Analysis, error) {
	q := v.r.URL.Query()
	f := store.FigureFilter{Branch: chat.Cut(q.Get("dept"), 128)}
	if f.Branch == "" {
		f.Group = chat.Cut(q.Get("group"), 64)
	}
	return s.opt.Desk.Analyse(v.r.Context(), s.readPeriod(q), f)
}

func (s *Server) analysis(v *visit) error {
	ctx := v.r.Context()
	a, err := s.readAnalysis(v)
	if err != nil {
		return err
	}
	p := analysisPage{Analysis: a, v: v, Group: a.Filter.Group, GroupNames: s.opt.Desk.Rules.Groups, Few: a.Tickets.Reported < handlers.FewTickets, Tells: v.user.Roles.Has(readers...) && s.opt.Desk.Announce != ""}
	if p.BranchNames, err = s.opt.Store.Departments(ctx); err != nil {
		return err
	}
	if a.Filter == (store.FigureFilter{}) {
		if p.Findings, err = s.opt.Desk.Findings(ctx, a); err != nil {
			return err
		}
	}
	p.Figures = p.head()
	p.Daily, p.Shares, p.Weekly, p.Spans, p.Heat = p.daily(), p.shares(), p.weekly(), p.spans(), p.heat()
	p.TopBranches = p.branches()
	if p.Alerts.Any() {
		p.WhoFirst = p.whoFirst()
	}
	if a.Filter == (store.FigureFilter{}) && handlers.SeesLoads(v.user) {
		if p.Loads, err = s.opt.Desk.Loads(ctx, a); err != nil {
			return err
		}
	}
	return v.show("analysis", p)
}

// Path is this page for another period.
func (p analysisPage) Path(name string) string {
	return "/analysis?" + p.query(url.Values{"p": {name}}).Encode()
}

// Here is what a link about the same figures has in its address.
func (p analysisPage) Here() template.URL {
	return template.URL(p.query(url.Values{"from": {p.From.Format(time.DateOnly)}, "to": {p.Last().Format(time.DateOnly)}}).Encode())
}

func (p analysisPage) query(q url.Values) url.Values {
	if p.Filter.Branch != "" {
		q.Set("dept", p.Filter.Branch)
	}
	if p.Filter.Group != "" {
		q.Set("group", p.Filter.Group)
	}
	return q
}

// Periods are the names of the periods offered.
func (analysisPage) Periods() []string { return handlers.PeriodNames }

// list is the address of tickets of the period.
func (p analysisPage) list(more ...string) string {
	return handlers.ListPath(p.Period, p.Filter, more...)
}

// asked is the address of questions of the period.
func (p analysisPage) asked(kind string) string {
	q := url.Values{"from": {p.From.Format(time.DateOnly)}, "to": {p.Last().Format(time.DateOnly)}, "kind": {kind}}
	if p.Filter.Branch != "" {
		q.Set("dept", p.Filter.Branch)
	}
	return "/analysis/questions?" + q.Encode()
}

// Asked is the list of the questions for which an entry was shown.
func (p analysisPage) Asked(entry int64) string {
	return p.asked("asked") + "&entry=" + strconv.FormatInt(entry, 10)
}

// List is the list of tickets with one more parameter.
func (p analysisPage) List(name, value string) string { return p.list(name + "=" + value) }

const none = "—"

// head are the six figures at the top of the page.
func (p analysisPage) head() []headFigure {
	t, v := p.Tickets, p.v
	head := []headFigure{{Title: "工单", Means: "这段时间上报、没有撤回的工单；并单也算，因为有人报过", Value: p.v.amount(t.Reported), Unit: v.t("张"), Path: p.list(), Note: v.change(float64(t.Reported), float64(p.Before.Reported))}}
	real, ok := handlers.Share(p.Questions.Solved, p.Questions.Asked)
	self := headFigure{Title: "真解决率", Means: "机器人答了、没人说没用、没转工单、7 天内没再问的提问 ÷ 全部提问；括号里是没扣除这些的表面值", Value: none, Path: p.asked("solved")}
	if ok {
		raw, _ := handlers.Share(p.Questions.RawSolved, p.Questions.Asked)
		self.Value, self.Unit, self.Note = fmt.Sprintf("%.1f", real), "%", v.t("表面 %s", chart.Percent(raw))
		if was, ok := handlers.Share(p.AskedBy.Solved, p.AskedBy.Asked); ok {
			self.Note += " · " + v.points(real-was)
			self.Look = better(real - was)
		}
	} else if p.Questions.Asked > 0 {
		self.Value, self.Note = fmt.Sprintf("%d/%d", p.Questions.Solved, p.Questions.Asked), v.t("提问太少，不算百分比")
	}
	head = append(head, self,
		p.timeFigure("首响中位", "从上报到第一次有人接手或回复，一半工单不超过这个时间（自然时间）", p.Answer, p.AnswerBefore),
		p.timeFigure("解决中位", "从上报到最后一次解决，一半工单不超过这个时间（自然时间）", p.Solve, p.SolveBefore))
	in := headFigure{Title: "时限达标", Means: "1 −（首响超时 + 解决超时）÷（首响数 + 解决数），按工作时间的时限算，挂起不计", Value: none, Path: p.list("late=any")}
	if share, ok := handlers.InTime(t); ok {
		in.Value, in.Unit, in.Note = fmt.Sprintf("%.1f", share), "%", v.t("超时 %d 次", t.AnswerLate+t.SolveLate)
		if was, ok := handlers.InTime(p.Before); ok {
			in.Look = better(share - was)
			in.Note += " · " + v.points(share-was)
		}
	} else if t.AnswerLate+t.SolveLate > 0 {
		in.Note = v.t("超时 %d 次", t.AnswerLate+t.SolveLate)
	}
	stars := headFigure{Title: "满意度", Means: "评价的平均星数；回收率 = 已评价 ÷ 已解决", Value: none, Path: p.list("stars=rated")}
	if t.Rated > 0 {
		stars.Value, stars.Unit = fmt.Sprintf("%.1f", float64(t.Stars)/float64(t.Rated)), "/ 5"
		stars.Note = v.t("%d 人评价", t.Rated)
		if back, ok := handlers.Share(t.Rated, t.Solved); ok {
			stars.Note = v.t("回收 %s", chart.Percent(back))
		}
	}
	return append(head, in, stars)
}

func (p analysisPage) timeFigure(title, means string, now, before store.Times) headFigure {
	f := headFigure{Title: title, Means: means, Value: none, Path: p.list()}
	half, ok := now.Quantile(0.5)
	if !ok {
		if p.Filter.Branch != "" {
			f.Note = p.v.t("按营业部不统计用时")
		}
		return f
	}
	f.Value = p.v.seconds(half)
	most, _ := now.Quantile(0.9)
	f.Note = "P90 " + p.v.seconds(most)
	if was, ok := before.Quantile(0.5); ok {
		f.Note += " · " + p.v.t("上期 %s", p.v.seconds(was))
		f.Look = better(float64(was - half))
	}
	return f
}

func better(by float64) string {
	switch {
	case by > 0:
		return "up"
	case by < 0:
		return "dn"
	}
	return ""
}

// Legend is the classes with their colours.
func (p analysisPage) Legend() template.HTML {
	return template.HTML(chart.Legend(p.v.classTitles(p.Analysis)).SVG())
}

func (p analysisPage) daily() template.HTML {
	bars := make([]chart.Bar, len(p.ByDay))
	for i, d := range p.ByDay {
		day := d.Day.Format(time.DateOnly)
		b := chart.Bar{Label: d.Day.Format("01-02"), Parts: d.Tickets, Title: p.v.t("%s：%d 件", d.Day.Format("01-02"), d.All)}
		for _, c := range p.Classes {
			b.Links = append(b.Links, p.list("class="+c.Name, "from="+day, "to="+day))
		}
		bars[i] = b
	}
	return template.HTML(chart.Stacked(760, 230, p.v.t("每日工单，按分类"), bars).SVG())
}

func (p analysisPage) shares() template.HTML {
	all, before := int64(0), int64(0)
	for _, c := range p.Classes {
		all, before = all+c.Tickets.Reported, before+c.Before.Reported
	}
	var list []chart.Share
	for _, c := range p.Classes {
		sh := chart.Share{Label: p.v.t("%s %d 件", p.v.class(c.Title), c.Tickets.Reported), Before: -1, Link: p.list("class=" + c.Name)}
		if all > 0 {
			sh.Part = float64(c.Tickets.Reported) / float64(all)
		}
		if share, ok := handlers.Share(c.Tickets.Reported, all); ok {
			sh.Value = chart.Percent(share)
		}
		if share, ok := handlers.Share(c.Before.Reported, before); ok {
			sh.Before = share / 100
			sh.Value += "  " + p.v.t("上期 %s", chart.Percent(share))
		}
		list = append(list, sh)
	}
	return template.HTML(chart.Shares(340, p.v.t("分类占比"), list).SVG())
}

func (p analysisPage) weekly() template.HTML {
	list := make([]chart.Point, len(p.Weeks))
	for i, w := range p.Weeks {
		_, n := w.From.ISOWeek()
		list[i].Label = fmt.Sprintf("W%02d", n)
		list[i].Value, list[i].Known = handlers.Share(w.Solved, w.Asked)
		q := url.Values{"from": {w.From.Format(time.DateOnly)}, "to": {w.From.AddDate(0, 0, 6).Format(time.DateOnly)}, "kind": {"solved"}}
		if p.Filter.Branch != "" {
			q.Set("dept", p.Filter.Branch)
		}
		list[i].Link = "/analysis/questions?" + q.Encode()
	}
	return template.HTML(chart.Trend(370, 150, p.v.t("真解决率，近 12 周"), list).SVG())
}

// goal is the dashed line of the times to solve.
const goal = 4 * 3600

func (p analysisPage) spans() template.HTML {
	var list []chart.Span
	for _, c := range p.Classes {
		s := chart.Span{Label: p.v.class(c.Title), Link: p.list("class="+c.Name, "state=done")}
		if s.Low, s.Known = c.Solve.Quantile(0.5); s.Known {
			s.Top, _ = c.Solve.Quantile(0.9)
			s.Title = "P50 " + p.v.seconds(s.Low) + " · P90 " + p.v.seconds(s.Top)
		}
		list = append(list, s)
	}
	return template.HTML(chart.Spans(370, 150, p.v.t("各分类解决用时"), list, goal).SVG())
}

func (p analysisPage) heat() template.HTML {
	if p.Hours == nil {
		return ""
	}
	days := map[time.Weekday]float64{}
	for d := p.From; d.Before(p.To); d = d.AddDate(0, 0, 1) {
		days[d.Weekday()]++
	}
	first, last := 9, 17 // what a working day has, and more where there is more
	var rows []string
	var order []time.Weekday
	for i := range 7 {
		day := time.Weekday((i + 1) % 7)
		if i >= 5 && len(p.Hours[day]) == 0 {
			continue
		}
		order = append(order, day)
		rows = append(rows, p.v.t(weekdays[day]))
		for h, n := range p.Hours[day] {
			if n.Tickets > 0 {
				first, last = min(first, h), max(last, h)
			}
		}
	}
	var columns []string
	for h := first; h <= last; h++ {
		columns = append(columns, strconv.Itoa(h))
	}
	cells := make([][]chart.Cell, len(order))
	for i, day := range order {
		for h := first; h <= last; h++ {
			n := p.Hours[day][h]
			c := chart.Cell{Title: p.v.t("%s %d 时：%d 件，%d 问", p.v.t(weekdays[day]), h, n.Tickets, n.Questions), Link: p.list(fmt.Sprintf("weekday=%d", day), fmt.Sprintf("hour=%d", h))}
			if days[day] > 0 {
				c.Value = float64(int64(10*float64(n.Tickets)/days[day]+0.5)) / 10
			}
			cells[i] = append(cells[i], c)
		}
	}
	return template.HTML(chart.Heat(370, 150, p.v.t("日均工单，按星期和钟点"), rows, columns, cells).SVG())
}

const branchesShown = 10

func (p analysisPage) branches() []branchRow {
	var out []branchRow
	for _, b := range p.Branches[:min(branchesShown, len(p.Branches))] {
		r := branchRow{PartFigures: b, InTime: none, Stars: none, Bar: int(100 * b.Reported / max(1, p.Branches[0].Reported))}
		if b.Name != "" {
			r.Path = handlers.ListPath(p.Period, store.FigureFilter{Branch: b.Name})
		}
		if share, ok := handlers.InTime(b.TicketFigures); ok {
			r.InTime, r.Low = chart.Percent(share), share < 95
		}
		if b.Rated > 0 {
			r.Stars = fmt.Sprintf("%.1f", float64(b.Stars)/float64(b.Rated))
		}
		out = append(out, r)
	}
	return out
}

// Solved is an entry's share of questions that it solved.
func (analysisPage) Solved(e handlers.EntryFigures) string {
	if e.Asked == 0 {
		return none
	}
	return chart.Percent(float64(int64(1000*float64(e.Solved)/float64(e.Asked)+0.5)) / 10)
}

// Half is a group's median time to the first response.
func (p analysisPage) Half(t store.Times) string {
	if half, ok := t.Quantile(0.5); ok {
		return p.v.seconds(half)
	}
	return none
}

// TopSubclasses are the subclasses with most tickets.
func (p analysisPage) TopSubclasses() []handlers.SubclassFigures {
	return p.Subclasses[:min(12, len(p.Subclasses))]
}

// TopVersions are the versions with most tickets.
func (p analysisPage) TopVersions() []handlers.PartFigures {
	known := slices.DeleteFunc(slices.Clone(p.Versions), func(v handlers.PartFigures) bool { return v.Name == "" })
	return known[:min(8, len(known))]
}
