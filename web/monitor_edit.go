package web

import (
	"errors"
	"net/http"

	"frontline/bot/chat"
	"frontline/handlers/monitor"
	"frontline/store"
)

// Monitors are written here: checked as a whole before they count, asked once
// without telling anybody, every edition kept.

var monitorWriters = chat.RoleSet{chat.Leader, chat.Admin}

func (s *Server) monitorEditRoutes() []route {
	return []route{
		{method: "GET", path: "/monitors/new", roles: monitorWriters, nav: "monitors", do: s.editMonitor},
		{method: "POST", path: "/monitors/new", roles: monitorWriters, nav: "monitors", do: s.saveMonitor},
		{method: "GET", path: "/monitors/{monitor}/edit", roles: monitorWriters, nav: "monitors", do: s.editMonitor},
		{method: "POST", path: "/monitors/{monitor}/edit", roles: monitorWriters, nav: "monitors", do: s.saveMonitor},
		{method: "GET", path: "/monitors/{monitor}/editions", roles: monitorWriters, nav: "monitors", do: s.monitorEditions},
	}
}

type monitorEditPage struct {
	textEditor
	HasFile bool // without the console's text a file counts
	Faults  []monitor.Fault
	Asked   *monitorAsked
}

// monitorAsked is one check that nobody was told of.
type monitorAsked struct {
	State [2]string
	Fault string
	Took  int64 // ms
	Lines []monitor.Cell
	Rules []monitor.Judged
	Many  int // objects of the detail
}

func (s *Server) readMonitorText(v *visit) (p monitorEditPage, err error) {
	shelf := s.opt.Monitors.Shelf
	if p.Name = v.r.PathValue("monitor"); p.Name == "" {
		p.Text = monitor.Skeleton
		return p, nil
	}
	if p.Text, p.Edition, err = shelf.Source(v.r.Context(), p.Name); err != nil {
		return p, err
	}
	if p.Text == "" && p.Edition == 0 {
		return p, errNotFound
	}
	p.HasFile = shelf.FileText(p.Name) != ""
	if i := s.opt.Monitors.Find(p.Name); i != nil {
		p.Title = i.Title
		if i.Beat != nil && i.Beat.Token != "" && !v.user.Roles.Has(chat.Admin) {
			return p, badForm(v.t("这个心跳写了自己的 token，只有管理员能看和改"))
		}
	}
	return p, nil
}

func (s *Server) editMonitor(v *visit) error {
	p, err := s.readMonitorText(v)
	if err != nil {
		return err
	}
	return v.show("monitor_edit", p)
}

// saveMonitor checks, asks once, saves, or goes back to the file.
func (s *Server) saveMonitor(v *visit) error {
	ctx, run := v.r.Context(), s.opt.Monitors
	p, err := s.readMonitorText(v)
	if err != nil {
		return err
	}
	newest := p.textEditor
	do := p.typed(v)
	refuse := func(text string) error {
		p.Fault = text
		return v.render(http.StatusUnprocessableEntity, "monitor_edit", p)
	}
	if do == "drop" {
		return s.dropMonitor(v, p, newest)
	}
	if len(p.Text) > monitorYML {
		return refuse(v.t("太长了，一个监控项最多 32 KB"))
	}
	item, faults, err := run.Shelf.Check(ctx, p.Name, p.Text)
	if err != nil {
		return err
	}
	p.Faults, p.Fine = faults, len(faults) == 0
	switch {
	case len(faults) > 0:
		return v.render(http.StatusUnprocessableEntity, "monitor_edit", p)
	case item.Free() && !v.user.Roles.Has(chat.Admin):
		return refuse(v.t("自己写网址、tcp 地址或命令的监控项，只有管理员能试和保存；别人用配置里的数据源（target）"))
	case do == "ask":
		p.Asked = s.askMonitor(v, item)
		return v.render(http.StatusOK, "monitor_edit", p)
	case do != "save":
		return v.render(http.StatusOK, "monitor_edit", p)
	case p.Note == "":
		return refuse(v.t("改了什么？写几个字，别人看版本时用"))
	}
	return s.keepMonitor(v, p, newest, item.Name, p.Text, v.t("已保存，几秒内按新的查"), "/monitors/"+item.Name)
}

// dropMonitor takes the console's editions back: the file counts again, or there
// is no such item any more.
func (s *Server) dropMonitor(v *visit, p monitorEditPage, newest textEditor) error {
	if p.Name == "" || newest.Edition == 0 {
		return badForm(v.t("它只在文件里，这里没有可撤的"))
	}
	p.Text = newest.Text
	if p.Note == "" {
		p.Fault = v.t("为什么撤？写几个字，别人看版本时用")
		return v.render(http.StatusUnprocessableEntity, "monitor_edit", p)
	}
	words, to := v.t("已撤掉控制台里写的，按文件查"), "/monitors/"+p.Name
	if !p.HasFile {
		words, to = v.t("监控项 %s 已移除，在告警的也一并结束", p.Name), "/monitors"
	}
	return s.keepMonitor(v, p, newest, p.Name, "", words, to)
}

func (s *Server) keepMonitor(v *visit, p monitorEditPage, newest textEditor, name, text, words, to string) error {
	ctx, run := v.r.Context(), s.opt.Monitors
	err := run.Shelf.Save(ctx, v.user.ID, name, text, p.Note, p.Edition)
	if errors.Is(err, store.ErrStale) {
		p.overtaken(v, newest)
		return v.render(http.StatusConflict, "monitor_edit", p)
	}
	if err != nil {
		return err
	}
	run.Reread(ctx)
	v.notice(words)
	return v.redirect(to)
}

// askMonitor runs an item once: nothing is kept, nobody is told.
func (s *Server) askMonitor(v *visit, i *monitor.Item) *monitorAsked {
	if i.Beat != nil {
		return &monitorAsked{State: [2]string{"wait", v.t("没有可试的")}, Fault: v.t("心跳由对方送来，不能主动查")}
	}
	out := s.opt.Monitors.Ask(v.r.Context(), i)
	a := &monitorAsked{State: shell{v: v}.ResultState(out.State), Fault: out.Fault, Took: out.Took.Milliseconds(), Lines: out.Table.Cells, Rules: out.Verdicts, Many: -1}
	if i.Detail != nil && out.Objects.Known {
		a.Many = len(out.Objects.Keys)
	}
	return a
}

func (s *Server) monitorEditions(v *visit) error {
	p, err := s.readMonitorText(v)
	if err != nil {
		return err
	}
	e := editionsPage{Name: p.Name, Title: p.Title, Head: v.t("监控项的版本"), Note: v.t("控制台里改过的每一版，新的在前；第一版和文件比"), Edit: "/monitors/" + p.Name + "/edit", Back: "/monitors/" + p.Name}
	if p.Text == "" {
		e.Back = "/monitors"
	}
	shelf := s.opt.Monitors.Shelf
	if e.Rows, err = s.editionRows(v, store.MonitorShelf, p.Name, shelf.FileText(p.Name), monitor.ShownText); err != nil {
		return err
	}
	return v.show("editions", e)
}
