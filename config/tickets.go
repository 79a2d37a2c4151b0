package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
)

// Tickets are the rules of tickets.
type Tickets struct {
	// Group (by name, of this file or of the console) whose robot tells of new tickets; empty: nobody is told.
	Group string `yaml:"group" example:"trading-support"`
	// What a report must have before it gets its number: symptom, system, app_version, urgency, customer.
	Required []string `yaml:"required" default:"[symptom]"`
	// A resolved ticket whose reporter says nothing is closed after this working time: 8h, or 2d for two working days.
	Silence string `yaml:"silence" default:"2d"`
	// Clocks by priority; one that is left out keeps its built-in times (P1 5m/1h always, P2 10m/2h, P3 30m/8h, P4 2h/2d).
	Clocks []Clock `yaml:"clocks"`
	// Classes of matters; left out: 数据, 程序, 咨询, 其他.
	Classes []Class `yaml:"classes"`
}

// Clock is how soon tickets of a priority are answered and resolved, in working time.
type Clock struct {
	// P1, P2, P3 or P4.
	Priority string `yaml:"priority" example:"P2"`
	// Time to the first response: 10m, 2h, 1d (a working day).
	Respond string `yaml:"respond" example:"10m"`
	// Time to the resolution.
	Resolve string `yaml:"resolve" example:"2h"`
	// Runs day and night, on all days.
	Always bool `yaml:"always" example:"false"`
}

// Class is a kind of matter.
type Class struct {
	// Stable name: small letters, digits and dashes. consult gets priority P4 by itself.
	Name string `yaml:"name" example:"data"`
	// What people call it.
	Title string `yaml:"title" example:"数据"`
	// Finer kinds.
	Subclasses []string `yaml:"subclasses" example:"[资产持仓, 资金流水]"`
	// Service group (by name) that gets its tickets; empty: none, everybody sees them.
	Group string `yaml:"group" example:"trading"`
	// Words that speak for it before there is anything to learn from.
	Words []string `yaml:"words" example:"[持仓, 对账单]"`
	// What a report of this class must have besides tickets.required.
	Required []string `yaml:"required" example:"[customer]"`
}

// ServiceGroup is a team that works on tickets and alerts.
type ServiceGroup struct {
	// Name used in this file: small letters, digits and dashes.
	Name string `yaml:"name" example:"trading"`
	// Title people know it by.
	Title string `yaml:"title" example:"交易支持组"`
	// Userid of its leader: hears of escalations and bad ratings.
	Leader string `yaml:"leader" example:"chenshuo"`
	// Who is on duty every week: days (mon-fri, sat,sun, daily, or trading for the exchanges' trading days), from-to, userids. Up to the next day: 17:30-09:00.
	Duty []string `yaml:"duty" example:"[trading 08:30-17:30 fangyichen guyuan]"`
	// Who is best at what: a userid and subclasses, class titles or systems. Of those on duty they get such tickets first; else the one with the fewest, in turn.
	Skills []string `yaml:"skills" example:"[fangyichen 银证转账 交易, guyuan 登录]"`
}

// SkillsOf are the skills by userid.
func (g ServiceGroup) SkillsOf() map[string][]string {
	out := map[string][]string{}
	for _, line := range g.Skills {
		if words := strings.Fields(line); len(words) > 1 {
			out[words[0]] = append(out[words[0]], words[1:]...)
		}
	}
	return out
}

// Webhook is a program that hears of events.
type Webhook struct {
	// Name: small letters, digits and dashes.
	Name string `yaml:"name" example:"itsm"`
	// Where events are posted to.
	URL string `yaml:"url" example:"https://itsm.example.com/frontline"`
	// What they are signed with: whsec_ and base64 of 24 to 64 bytes (echo whsec_$(openssl rand -base64 32)).
	Secret Secret `yaml:"secret"`
	// What it hears of, by name or by kind: ticket.*, alert.*, entry.*, gap.*, run.*; left out: all. docs/api.md lists them with their bodies.
	Events []string `yaml:"events" example:"[ticket.created, ticket.resolved, alert.*]"`
}

// Span is a length of working time: 10m, 2h, 1h30m, or 2d for working days of
// the given length.
func Span(text string, day time.Duration) (time.Duration, error) {
	if n, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.Atoi(n)
		if err != nil || days < 1 || days > 366 {
			return 0, errSpan
		}
		return time.Duration(days) * day, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > 366*24*time.Hour {
		return 0, errSpan
	}
	return d, nil
}

var errSpan = errors.New("must be a time such as 10m, 2h or 2d (working days)")

// DutyLine is one line of a weekly roster.
type DutyLine struct {
	Days     [7]bool // by time.Weekday
	Trading  bool    // trading days instead
	From, To time.Duration
	Members  []string
}

var dutyLine = regexp.MustCompile(`^(\S+)\s+([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])\s+(\S.*)$`)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseDuty reads "mon-fri 09:00-17:30 userid userid". When To is not after
// From the shift ends on the next day.
func ParseDuty(line string) (d DutyLine, err error) {
	m := dutyLine.FindStringSubmatch(strings.TrimSpace(line))
	if m == nil {
		return d, fmt.Errorf("%q must be like: mon-fri 09:00-17:30 userid userid", line)
	}
	for _, part := range strings.Split(m[1], ",") {
		from, to, span := strings.Cut(part, "-")
		a, b := slices.Index(weekdays, from), slices.Index(weekdays, to)
		switch {
		case part == "daily":
			d.Days = [7]bool{true, true, true, true, true, true, true}
		case part == "trading":
			d.Trading = true
		case a < 0 || span && b < 0:
			return d, fmt.Errorf("%q: the days must be mon to sun, such as mon-fri or sat,sun, or daily, or trading", line)
		case !span:
			d.Days[a] = true
		default:
			for i := a; ; i = (i + 1) % 7 {
				d.Days[i] = true
				if i == b {
					break
				}
			}
		}
	}
	if d.Trading && d.Days != [7]bool{} {
		return d, fmt.Errorf("%q: trading stands alone", line)
	}
	clock := func(h, m string) time.Duration {
		hh, _ := strconv.Atoi(h)
		mm, _ := strconv.Atoi(m)
		return time.Duration(hh)*time.Hour + time.Duration(mm)*time.Minute
	}
	d.From, d.To = clock(m[2], m[3]), clock(m[4], m[5])
	if d.From >= 24*time.Hour || d.To > 24*time.Hour {
		return d, fmt.Errorf("%q: the times must lie between 00:00 and 24:00", line)
	}
	d.Members = strings.FieldsFunc(m[6], func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	if len(d.Members) == 0 {
		return d, fmt.Errorf("%q names nobody", line)
	}
	return d, nil
}

var ticketFields = []string{"symptom", "system", "app_version", "urgency", "customer"}

// checkTickets names what is wrong with tickets, classes, service groups and
// subscribers.
func (c *Config) checkTickets(f *Faults) {
	for _, k := range c.Tickets.Required {
		oneOf(f, "tickets.required", k, ticketFields...)
	}
	c.checkClocks(f)
	groups := c.checkServiceGroups(f)
	c.checkClasses(f, groups)
	c.checkWebhooks(f)
	if len(c.ServiceGroups) == 0 {
		return
	}
	if !groups[c.Alerts.Duty] {
		f.add("alerts.duty: service_groups has no %q", c.Alerts.Duty)
	}
	for _, r := range c.Alerts.Routes {
		if !groups[r.Duty] {
			f.add("alerts.routes (%s): duty: service_groups has no %q", r.Name, r.Duty)
		}
	}
}

func (c *Config) checkClocks(f *Faults) {
	span := func(name, text string) {
		if _, err := Span(text, time.Hour); err != nil {
			f.add("%s: %v", name, err)
		}
	}
	span("tickets.silence", c.Tickets.Silence)
	seen := map[string]bool{}
	for _, k := range c.Tickets.Clocks {
		oneOf(f, "tickets.clocks: priority", k.Priority, "P1", "P2", "P3", "P4")
		span("tickets.clocks ("+k.Priority+"): respond", k.Respond)
		span("tickets.clocks ("+k.Priority+"): resolve", k.Resolve)
		if seen[k.Priority] {
			f.add("tickets.clocks: %s stands there twice", k.Priority)
		}
		seen[k.Priority] = true
	}
}

// checkServiceGroups returns the names there are, "" among them.
func (c *Config) checkServiceGroups(f *Faults) map[string]bool {
	groups := map[string]bool{"": true}
	for _, g := range c.ServiceGroups {
		switch {
		case !groupName.MatchString(g.Name):
			f.add("service_groups: the name %q must be small letters, digits and dashes", g.Name)
		case groups[g.Name]:
			f.add("service_groups: the name %q stands there twice", g.Name)
		}
		groups[g.Name] = true
		for _, line := range g.Duty {
			if _, err := ParseDuty(line); err != nil {
				f.add("service_groups (%s): duty: %v", g.Name, err)
			}
		}
		for _, line := range g.Skills {
			if len(strings.Fields(line)) < 2 {
				f.add("service_groups (%s): skills: %q must be a userid and what they are best at, as in fangyichen 银证转账", g.Name, line)
			}
		}
	}
	return groups
}

func (c *Config) checkWebhooks(f *Faults) {
	seen := map[string]bool{}
	for _, h := range c.Webhooks {
		at := "webhooks (" + h.Name + ")"
		switch {
		case !groupName.MatchString(h.Name):
			f.add("webhooks: the name %q must be small letters, digits and dashes", h.Name)
		case seen[h.Name]:
			f.add("webhooks: the name %q stands there twice", h.Name)
		case h.URL == "":
			f.add("%s: url: must be set", at)
		}
		seen[h.Name] = true
		webAddress(f, at+": url", h.URL)
		if _, err := h.Key(); err != nil {
			f.add("%s: secret: %v", at, err)
		}
		for _, e := range h.Events {
			if !chat.Choosable(e) {
				f.add("%s: events: there is no %q; choose of %s, or a kind as in alert.*", at, e, strings.Join(chat.EventTypes, ", "))
			}
		}
	}
}

// Key is what events are signed with. The error never holds the secret.
func (h Webhook) Key() ([]byte, error) {
	text, ok := strings.CutPrefix(string(h.Secret), "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("must be whsec_ and base64 of 24 to 64 bytes (echo whsec_$(openssl rand -base64 32))")
	}
	return key, nil
}

func (c *Config) checkClasses(f *Faults, groups map[string]bool) {
	seen := map[string]bool{}
	for _, k := range c.Tickets.Classes {
		at := fmt.Sprintf("tickets.classes (%s)", k.Name)
		switch {
		case !groupName.MatchString(k.Name) || len(k.Name) > 16:
			f.add("tickets.classes: the name %q must be at most 16 small letters, digits and dashes", k.Name)
		case seen[k.Name]:
			f.add("tickets.classes: the name %q stands there twice", k.Name)
		case k.Title == "":
			f.add("%s: title: must be set", at)
		}
		seen[k.Name] = true
		if !groups[k.Group] {
			f.add("%s: group: service_groups has no %q", at, k.Group)
		}
		for _, r := range k.Required {
			oneOf(f, at+": required", r, ticketFields...)
		}
	}
	if len(c.Tickets.Classes) > 0 && !seen["other"] {
		f.add("tickets.classes: one must be named other; it takes what fits nowhere")
	}
}
