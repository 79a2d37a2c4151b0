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
	Group       string // service group that gets it; "" for none
}

// ServiceGroup is a team that works on tickets.
type ServiceGroup struct {
	Name   string
	Leader string
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
			{Name: "data", Title: "数据", Subclasses: []string{"资产持仓", "资金流水", "对账单", "客户资料"}},
			{Name: "program", Title: "程序", Subclasses: []string{"登录", "行情", "交易", "银证转账", "业务办理", "页面显示"}},
			{Name: "consult", Title: "咨询", Subclasses: []string{"规则", "操作", "费用", "权限"}},
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
