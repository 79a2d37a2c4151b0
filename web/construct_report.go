package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/construct"
	"frontline/sheet"
	"frontline/store"
)

// Pages about data construction as a whole: how it is used, what somebody made
// that is still there, and the environments with a look at their targets.

var makeReaders = chat.RoleSet{chat.Tester, chat.Leader, chat.Admin}

func (s *Server) constructReportRoutes() []route {
	return []route{
		{method: "GET", path: "/construct/report", roles: makeReaders, nav: "construct", do: s.constructReport},
		{method: "GET", path: "/construct/report/export", roles: makeReaders, do: s.exportConstructReport},
		{method: "GET", path: "/construct/data", roles: makers, nav: "construct", do: s.constructData},
		{method: "GET", path: "/construct/environments", roles: admins, nav: "construct", do: s.environments},
		{method: "POST", path: "/construct/environments/{name}/reach", roles: admins, nav: "construct", do: s.reachEnvironment},
	}
}

// reportDays are the times that the report is offered for.
var reportDays = []int{7, 30, 90, 365}

type constructReportPage struct {
	construct.Report
	Days    int
	Choices []int
}

func (s *Server) readReport(v *visit) (p constructReportPage, err error) {
	p = constructReportPage{Days: 30, Choices: reportDays}
	if n := int(number(v.r.URL.Query().Get("days"))); slices.Contains(reportDays, n) {
		p.Days = n
	}
	p.Report, err = s.opt.Desk.Construct.Report(v.r.Context(), s.opt.Now().AddDate(0, 0, -p.Days))
	return p, err
}

func (s *Server) constructReport(v *visit) error {
	p, err := s.readReport(v)
	if err != nil {
		return err
	}
	return v.show("construct_report", p)
}

func (s *Server) exportConstructReport(v *visit) error {
	p, err := s.readReport(v)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(v.t("数据构造")+"-"+s.opt.Now().Format("20060102")+".xlsx"))
	h.Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w, err := sheet.XLSX(v.w, v.t("使用"))
	if err != nil {
		return err
	}
	rows := [][]string{{v.t("配方"), v.t("次数"), v.t("成功"), v.t("失败"), v.t("成功率"), v.t("人数"), "p50", "p95", v.t("省下（分钟）")}}
	for _, l := range p.Lines {
		rows = append(rows, []string{l.Title, fmt.Sprint(l.Runs), fmt.Sprint(l.Good), fmt.Sprint(l.Bad), fmt.Sprint(l.Rate()) + "%", fmt.Sprint(l.People), seconds(l.Half), seconds(l.Most), fmt.Sprint(l.Saved)})
	}
	rows = append(rows, []string{}, []string{v.t("目标"), v.t("步骤"), v.t("调用"), v.t("失败")})
	for _, t := range p.Targets {
		rows = append(rows, []string{t.Target, t.Title, fmt.Sprint(t.Calls), fmt.Sprint(t.Failed)})
	}
	for _, r := range rows {
		if err := w.Row(r...); err != nil {
			return err
		}
	}
	return w.Close()
}

func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}

type constructDataPage struct {
	Runs []store.Run
	Now  time.Time
}

// constructData is what the visitor made that is still there, the next to
// expire first.
func (s *Server) constructData(v *visit) error {
	p := constructDataPage{Now: s.opt.Now()}
	runs, err := s.opt.Store.ListRuns(v.r.Context(), store.RunQuery{Requester: v.user.ID, States: []string{store.RunDone, store.RunPartly, store.RunAttention, store.RunResidue}, N: 200})
	if err != nil {
		return err
	}
	p.Runs = runs
	slices.SortStableFunc(p.Runs, func(a, b store.Run) int {
		if a.Expires.IsZero() != b.Expires.IsZero() {
			if a.Expires.IsZero() {
				return 1
			}
			return -1
		}
		return a.Expires.Compare(b.Expires)
	})
	return v.show("construct_data", p)
}

type environmentsPage struct {
	Envs   []*construct.Environment
	Looked string // the environment whose targets were asked
	Reach  []construct.Reach
}

func (s *Server) environments(v *visit) error {
	return v.show("environments", environmentsPage{Envs: s.opt.Desk.Construct.Sorted()})
}

// reachEnvironment asks the targets who they are; the answer is in the page
// itself, for it is true only now.
func (s *Server) reachEnvironment(v *visit) error {
	e := s.opt.Desk.Construct
	env := e.Envs[v.r.PathValue("name")]
	if env == nil {
		return errNotFound
	}
	return v.render(http.StatusOK, "environments", environmentsPage{Envs: e.Sorted(), Looked: env.Name, Reach: e.Reach(v.r.Context(), env)})
}

// TargetsOf are an environment's targets by name.
func (environmentsPage) TargetsOf(env *construct.Environment) []*construct.Target {
	out := make([]*construct.Target, 0, len(env.Targets))
	for _, t := range env.Targets {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *construct.Target) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// ReachOf is what the look found at a target; nil when there was none.
func (p environmentsPage) ReachOf(env *construct.Environment, t *construct.Target) *construct.Reach {
	if env.Name != p.Looked {
		return nil
	}
	for i := range p.Reach {
		if p.Reach[i].Target.Name == t.Name {
			return &p.Reach[i]
		}
	}
	return nil
}
