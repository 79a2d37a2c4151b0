// Package monitor checks business data by the clock: a query or a probe gives
// rows, rows become a table of status, count and share, conditions over the
// table become alerts that take the same way as everybody else's.
package monitor

import (
	"strings"
	"time"

	"frontline/handlers/alert"
	"frontline/handlers/spec"
)

// Item is one monitor as its file says it.
type Item struct {
	Name, Title   string
	Owner, System string
	Labels        map[string]string // of its alerts, besides monitor, rule, system and owner
	Runbook       string            // kb:12, or an address
	When          Schedule
	Timeout       time.Duration
	Probe         Probe
	Beat          *Beat      // a heartbeat: somebody calls in, nothing is asked; nil for checks
	Breakdown     *Breakdown // nil: every number of the first row is a value
	Detail        *Detail    // which objects are in the abnormal status; nil: nobody asks
	Rules         []*Rule
	NoData        Lack // the check came back with nothing to count
	OnError       Lack // the check did not come back
	Baseline      Baseline
	SHA           string // of the file
	Text          string // of the file
	file          string
	root          *spec.Node
}

// Breakdown says how rows become the table.
type Breakdown struct {
	Key, Value string   // columns
	Expect     []string // keys that are always there, with zero where no row has them
	Digits     int      // of shares
	ZeroDigits int      // of a share of nothing: 0.0%
	Total      string   // column of the row that counts everything; "" adds all keys up
}

// Rule is one condition and what it means.
type Rule struct {
	Name     string
	Severity string
	Title    string // what the alert says first; "" is made from the keys it looks at
	When     *condition
	For      Span
	Clear    *condition // nil: not When
	ClearFor Span
}

// Span is how long something must hold: so many checks, or a time.
type Span struct {
	Checks int
	Time   time.Duration
}

// Lack is when missing results become an alert of their own.
type Lack struct {
	After    int // checks in a row; 0 never
	Severity string
	Say      string
}

// Baseline is which earlier results a rule compares with.
type Baseline struct {
	Window, Min int // points looked at, and fewer than which say nothing
}

// limits of an item.
const (
	mostRows     = 2000
	longestCheck = 5 * time.Minute
	defaultCheck = 15 * time.Second
)

// Conditional tells whether a severity is one that alerts have.
func severity(word string) bool {
	switch word {
	case alert.Critical, alert.Major, alert.Warning, alert.Info:
		return true
	}
	return false
}

// Shown is the file as people may see it: without what only its sender may know.
func (i *Item) Shown() string {
	if i.Beat == nil || i.Beat.Token == "" {
		return i.Text
	}
	return strings.ReplaceAll(i.Text, i.Beat.Token, "***")
}

// ShownText is the text of an item as people may see it; one that cannot be read
// says nothing.
func ShownText(text string) string {
	items, _ := Load(map[string][]byte{"x.yaml": []byte(text)}, nil)
	if len(items) == 0 {
		return ""
	}
	return items[0].Shown()
}

// Free tells whether an item asks what its own text names, a URL, an address, a
// program, and not only data sources of the configuration.
func (i *Item) Free() bool {
	probes := []Probe{i.Probe}
	if i.Detail != nil {
		probes = append(probes, i.Detail.Probe)
	}
	for _, p := range probes {
		switch p := p.(type) {
		case *sqlProbe:
		case *httpProbe:
			if p.target == "" {
				return true
			}
		case nil:
		default:
			return true
		}
	}
	return false
}

// Watched is the line of the table that a curve of the item shows: the first
// that a rule looks at, else the first there is.
func (i *Item) Watched(t Table) (Cell, bool) {
	for _, r := range i.Rules {
		if r.When == nil {
			continue
		}
		for _, k := range r.When.keys {
			if c, ok := t.Cell(k); ok {
				return c, true
			}
		}
	}
	if len(t.Cells) == 0 {
		return Cell{}, false
	}
	return t.Cells[0], true
}

// Rule finds a rule by name.
func (i *Item) Rule(name string) *Rule {
	for _, r := range i.Rules {
		if r.Name == name {
			return r
		}
	}
	return nil
}
