package alert

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontline/store"
)

// Route says to which group chats alerts go, and how they are put together.
type Route struct {
	Name     string
	Match    []Matcher     // all of them; none: every alert
	Groups   []string      // group chats by name
	GroupBy  []string      // labels; default source and name
	Wait     time.Duration // before the first message of a group
	Interval time.Duration // between messages about what is new in it
	Repeat   time.Duration // between reminders of what still fires
	Most     int           // reminders at most
	Duty     string        // service group whose person on duty is told when nobody claims
	Continue bool          // further routes are looked at for more group chats
	Hears    bool          // silences do not apply: subscribers keep hearing
}

// Rules decide what happens to an alert between its arrival and the chat.
type Rules struct {
	Routes      []Route // in order; the last one takes everything
	Inhibit     []Inhibit
	Maintenance []Maintenance
	NextStep    time.Duration // unclaimed this long: the person on duty hears by the app
	LastStep    time.Duration // unclaimed this long: the leaders do
	Zone        *time.Location
	URL         string // where people reach the pages; "" without links
}

// Inhibit keeps targets quiet while a source fires that has the same values of
// the labels in Equal. A label that either lacks is not equal.
type Inhibit struct {
	Source, Target []Matcher
	Equal          []string
}

// Defaults of a route.
const (
	DefaultWait     = 20 * time.Second
	DefaultInterval = 2 * time.Minute
	DefaultRepeat   = time.Hour
	DefaultMost     = 4
)

// DefaultRoute takes what no other route takes.
func DefaultRoute(groups ...string) Route {
	return Route{Name: "default", Groups: groups, Wait: DefaultWait, Interval: DefaultInterval, Repeat: DefaultRepeat, Most: DefaultMost}
}

// Chosen is how an alert is routed.
type Chosen struct {
	Route  Route    // puts it into a group
	Groups []string // all group chats that hear of it
	Key    string   // of its group
	By     map[string]string
}

// Choose finds the routes of an alert: the first one that matches groups it,
// and those that it lets follow add group chats.
func (r *Rules) Choose(l Labels) Chosen {
	c := Chosen{}
	for _, route := range r.Routes {
		if !matchAll(route.Match, l) {
			continue
		}
		if c.Key == "" {
			c.Route = route
			c.By, c.Key = groupKey(route, l)
		}
		for _, g := range route.Groups {
			if !slices.Contains(c.Groups, g) {
				c.Groups = append(c.Groups, g)
			}
		}
		if !route.Continue {
			break
		}
	}
	return c
}

func groupKey(route Route, l Labels) (map[string]string, string) {
	by := route.GroupBy
	if len(by) == 0 {
		by = []string{"source", "name"}
	}
	values := make(map[string]string, len(by))
	h := sha256.New()
	fmt.Fprintf(h, "%q", route.Name)
	for _, label := range by {
		v := l.Get(label)
		values[label] = v
		fmt.Fprintf(h, "\x00%q=%q", label, v)
	}
	return values, base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// route finds a route by the name that a group keeps; one that was taken out of
// the configuration is the last.
func (r *Rules) route(name string) Route {
	for _, route := range r.Routes {
		if route.Name == name {
			return route
		}
	}
	if len(r.Routes) == 0 {
		return DefaultRoute()
	}
	return r.Routes[len(r.Routes)-1]
}

// wait is how long the first message of a group waits for company.
func (r Route) wait(severity string) time.Duration {
	if severity == Critical {
		return 0
	}
	return r.Wait
}

// crowd is how many groups a route opens in a minute before further ones are
// put together: a label that is different each time must not fill the list. Of
// critical ones it opens as many again.
const crowd = 60

// crowded is the key and the title of the group for the rest.
func crowded(route Route) (key, title string) {
	_, key = groupKey(Route{Name: route.Name + "\x00crowd"}, Labels{})
	return key, "其他告警（名称太多，已合并）"
}

// Explain is for people who wonder where an alert would go.
func (c Chosen) Explain() string {
	parts := make([]string, 0, len(c.By))
	for k, v := range c.By {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return fmt.Sprintf("route %s, groups %s, grouped by %s, wait %s, interval %s, repeat %s (at most %d)", c.Route.Name, strings.Join(c.Groups, ", "), strings.Join(parts, " "), c.Route.Wait, c.Route.Interval, c.Route.Repeat, c.Route.Most)
}

// inhibited tells whether one of the sources keeps an alert quiet. An alert
// never keeps itself quiet.
func (r *Rules) inhibited(a store.Alert, sources []store.Alert) bool {
	for _, rule := range r.Inhibit {
		if !matchAll(rule.Target, Of(a)) {
			continue
		}
		for _, s := range sources {
			if s.ID != a.ID && matchAll(rule.Source, Of(s)) && !matchAll(rule.Source, Of(a)) && equalIn(rule.Equal, Of(s), Of(a)) {
				return true
			}
		}
	}
	return false
}

func equalIn(labels []string, a, b Labels) bool {
	for _, l := range labels {
		if v := a.Get(l); v == "" || v != b.Get(l) {
			return false
		}
	}
	return true
}
