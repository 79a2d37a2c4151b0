package handlers

import (
	"slices"
	"time"

	"frontline/handlers/calendar"
)

// Rules are the house's own: who works on what, and how soon.
type Rules struct {
	Calendar *calendar.Calendar
	Clocks   map[string]Clock // by priority
	Classes  []Class
	Groups   []ServiceGroup
	// Silence closes a resolved ticket whose reporter says nothing.
	Silence time.Duration
}

// Clock is how soon a ticket is answered and resolved, in working time.
type Clock struct {
	Respond, Resolve time.Duration
	Always           bool // runs day and night
}

// Class is a kind of matter. Consultation is expected to be most of it.
type Class struct {
	Name, Title string
	Subclasses  []string
	Group       string   // service group that gets it; "" for none
	Words       []string // speak for it before there is anything to learn from
	Required    []string // fields that its reports must have, besides the general ones
}

// ServiceGroup is a team that works on tickets.
type ServiceGroup struct {
	Name, Title string
	Leader      string
	Duty        []DutyLine // every week
	// Skills are, by userid, the subclasses, classes and systems somebody is
	// best at.
	Skills map[string][]string
}

// DutyLine is who is on duty every week. Times are since midnight; a shift whose
// To is not after From ends on the next day.
type DutyLine struct {
	Days     [7]bool // by time.Weekday
	Trading  bool    // on trading days instead
	From, To time.Duration
	Members  []string
}

// DefaultRules hold where the configuration says nothing.
func DefaultRules() Rules {
	c := calendar.Default()
	return Rules{
		Calendar: c,
		Clocks: map[string]Clock{
			"P1": {Respond: 5 * time.Minute, Resolve: time.Hour, Always: true},
			"P2": {Respond: 10 * time.Minute, Resolve: 2 * time.Hour},
			"P3": {Respond: 30 * time.Minute, Resolve: 8 * time.Hour},
			"P4": {Respond: 2 * time.Hour, Resolve: 2 * c.Day()},
		},
		Classes: []Class{
			{Name: "data", Title: "数据", Subclasses: []string{"资产持仓", "资金流水", "对账单", "客户资料"},
				Words: []string{"持仓", "资产", "成本价", "市值", "盈亏", "资金流水", "流水", "对账单", "金额不对", "数量不对", "对不上", "少了", "多了", "数据", "余额", "份额", "资料"}},
			{Name: "program", Title: "程序", Subclasses: []string{"登录", "行情", "交易", "银证转账", "业务办理", "页面显示"},
				Words: []string{"登录", "闪退", "白屏", "黑屏", "打不开", "卡", "转圈", "报错", "提示", "没反应", "不刷新", "验证码", "崩溃", "显示", "页面", "超时", "失败", "异常", "绑定"}},
			{Name: "consult", Title: "咨询", Subclasses: []string{"规则", "操作", "费用", "权限"},
				Words: []string{"怎么", "如何", "能不能", "可以吗", "多久", "什么时候", "规则", "费用", "手续费", "佣金", "条件", "流程", "在哪", "多少", "咨询", "需要"}},
			{Name: "other", Title: "其他"},
		},
		Silence: 2 * c.Day(),
	}
}

// ClassTitle is what people call a class.
func (r Rules) ClassTitle(name string) string {
	if i := slices.IndexFunc(r.Classes, func(c Class) bool { return c.Name == name }); i >= 0 {
		return r.Classes[i].Title
	}
	return name
}

// GroupTitle is what people call a service group.
func (r Rules) GroupTitle(name string) string {
	if i := slices.IndexFunc(r.Groups, func(g ServiceGroup) bool { return g.Name == name }); i >= 0 && r.Groups[i].Title != "" {
		return r.Groups[i].Title
	}
	return name
}

// after is the instant when d of the priority's time has passed since t.
func (r Rules) after(priority string, t time.Time, d time.Duration) time.Time {
	if r.Clocks[priority].Always {
		return t.Add(d)
	}
	return r.Calendar.Add(t, d)
}

// between is the time of the priority's clock from a to b.
func (r Rules) between(priority string, a, b time.Time) time.Duration {
	if r.Clocks[priority].Always {
		return b.Sub(a)
	}
	return r.Calendar.Between(a, b)
}

// quiet tells whether a matter of this priority leaves people alone at t: at
// night and on holidays only P1 and P2 are pushed.
func (r Rules) quiet(priority string, t time.Time) bool {
	if priority == "P1" || priority == "P2" {
		return false
	}
	hour := t.In(r.Calendar.Location()).Hour()
	return hour >= 22 || hour < 8
}

// morning is when people hear of what came in the night.
func (r Rules) morning(t time.Time) time.Time {
	t = t.In(r.Calendar.Location())
	at := time.Date(t.Year(), t.Month(), t.Day(), 8, 0, 0, 0, t.Location())
	if !at.After(t) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}
