package web

import "strings"

// navGroup is a titled part of the navigation.
type navGroup struct {
	Title string
	Items []navItem
}

type navItem struct {
	Key, Title, Icon, Path string
	Current                bool
	Count                  int64 // 0: none is shown
	Hot                    bool  // the count asks for work
}

// navList is the whole navigation; who may not open a page does not see it.
var navList = []navGroup{
	{"", []navItem{
		{Key: "home", Title: "工作台", Icon: "layout-dashboard", Path: "/"},
		{Key: "tickets", Title: "工单", Icon: "inbox", Path: "/tickets"},
		{Key: "alerts", Title: "告警", Icon: "bell-ring", Path: "/alerts"},
		{Key: "monitors", Title: "监控", Icon: "chart-column", Path: "/monitors"},
		{Key: "oncall", Title: "值班", Icon: "calendar-clock", Path: "/oncall"},
		{Key: "kb", Title: "知识库", Icon: "book-open", Path: "/kb"},
		{Key: "sessions", Title: "直播分享", Icon: "presentation", Path: "/sessions"},
		{Key: "analysis", Title: "分析", Icon: "chart-column", Path: "/analysis"},
		{Key: "construct", Title: "数据构造", Icon: "flask-conical", Path: "/construct"},
		{Key: "help", Title: "自助查询", Icon: "search", Path: "/m/help"},
		{Key: "mine", Title: "我的上报", Icon: "user", Path: "/m/mine"},
		{Key: "profile", Title: "我的设置", Icon: "settings", Path: "/profile"},
	}},
	{"管理", []navItem{
		{Key: "deliveries", Title: "收发记录", Icon: "send", Path: "/deliveries"},
		{Key: "groups", Title: "群与机器人", Icon: "message-square", Path: "/groups"},
		{Key: "webhooks", Title: "事件订阅", Icon: "zap", Path: "/webhooks"},
		{Key: "users", Title: "用户与角色", Icon: "users", Path: "/users"},
		{Key: "audit", Title: "审计日志", Icon: "scroll-text", Path: "/audit"},
		{Key: "settings", Title: "设置与体检", Icon: "settings", Path: "/settings"},
	}},
	{"体验", []navItem{{Key: "simulator", Title: "企微模拟器", Icon: "smartphone", Path: "/simulator"}}},
}

func (v *visit) navigation(p pulse) []navGroup {
	if v.user.ID == "" {
		return nil
	}
	may := map[string]bool{}
	for _, r := range v.s.routes {
		if r.method == "GET" && v.user.Roles.Has(r.roles...) {
			may[r.path] = true
		}
	}
	var out []navGroup
	for _, g := range navList {
		var items []navItem
		for _, i := range g.Items {
			path := i.Path
			if path == "/" {
				path = "/{$}"
			}
			if may[path] {
				i.Title, i.Current = v.t(i.Title), i.Key == v.route.nav
				i.Count, i.Hot = p.navCount(i.Key)
				items = append(items, i)
			}
		}
		if len(items) > 0 {
			title := ""
			if g.Title != "" {
				title = v.t(g.Title)
			}
			out = append(out, navGroup{title, items})
		}
	}
	return out
}

// MayOpen tells whether the visitor may open an address of the console: one
// with a query, but without parameters in its path.
func (s shell) MayOpen(link string) bool {
	path, _, _ := strings.Cut(link, "?")
	return s.May(path)
}

// May tells whether the visitor may open a page, by its pattern.
func (s shell) May(path string) bool {
	for _, r := range s.v.s.routes {
		if r.method == "GET" && r.path == path {
			return s.v.user.Roles.Has(r.roles...)
		}
	}
	return false
}
