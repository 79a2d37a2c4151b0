package monitor

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"frontline/handlers/alert"
	"frontline/store"
)

// State is where the rules of an item stand between two checks. It is kept as
// JSON; a restart begins where it was, so that nobody is told anything because
// of one.
type State struct {
	Title  string               `json:"title"` // of the item, to speak of it when its file is gone
	Rules  map[string]RuleState `json:"rules,omitempty"`
	NoData Streak               `json:"no_data"`
	Error  Streak               `json:"error"`
	Beat   *BeatState           `json:"beat,omitempty"` // of a heartbeat
}

// RuleState is one rule: how long it holds, and how long it is over.
type RuleState struct {
	Firing bool   `json:"firing,omitempty"`
	On     Streak `json:"on"`
	Off    Streak `json:"off"`
}

// Streak is so many checks in a row, since when.
type Streak struct {
	N      int   `json:"n,omitempty"`
	Since  int64 `json:"since,omitempty"` // unix milliseconds
	Firing bool  `json:"firing,omitempty"`
}

func (s Streak) more(at time.Time) Streak {
	if s.N == 0 {
		s.Since = at.UnixMilli()
	}
	s.N++
	return s
}

// lasts tells whether a streak is as long as a rule wants.
func (s Streak) lasts(want Span, at time.Time) bool {
	if want.Time > 0 {
		return s.N > 0 && at.Sub(time.UnixMilli(s.Since)) >= want.Time
	}
	return s.N >= max(1, want.Checks)
}

// Names of the two alerts that are not rules.
const (
	noDataRule = "no-data"
	errorRule  = "error"
)

// advance brings a state forward by one check and says what to report. Missing
// data never ends an alert, nor does a rule that cannot tell.
func (i *Item) advance(s State, o Outcome) (State, []alert.Signal) {
	next := State{Title: i.Title, Rules: map[string]RuleState{}, NoData: s.NoData, Error: s.Error}
	for name, r := range s.Rules {
		next.Rules[name] = r
	}
	var out []alert.Signal
	switch o.State {
	case StateError:
		next.Error = next.Error.more(o.At)
		out = append(out, i.lack(&next.Error, i.OnError, errorRule, "监控没有查成："+o.Fault, o)...)
		return next, out
	case StateNoData:
		out = append(out, i.over(&next.Error, errorRule, o)...)
		next.NoData = next.NoData.more(o.At)
		say := i.NoData.Say
		if say == "" {
			say = o.Fault
		}
		out = append(out, i.lack(&next.NoData, i.NoData, noDataRule, say, o)...)
		return next, out
	}
	out = append(out, i.over(&next.Error, errorRule, o)...)
	out = append(out, i.over(&next.NoData, noDataRule, o)...)
	for n, r := range i.Rules {
		was := next.Rules[r.Name]
		now, signals := i.rule(r, was, o.Verdicts[n], o)
		next.Rules[r.Name] = now
		out = append(out, signals...)
	}
	for name, r := range next.Rules { // rules that were taken out of the file
		if i.Rule(name) != nil {
			continue
		}
		if r.Firing {
			out = append(out, i.signal(name, "", alert.Resolved, i.Title+" 的规则 "+name+" 已删除", o))
		}
		delete(next.Rules, name)
	}
	return next, out
}

func (i *Item) rule(r *Rule, s RuleState, j Judged, o Outcome) (RuleState, []alert.Signal) {
	switch j.When {
	case True:
		s.On = s.On.more(o.At)
	case False:
		s.On = Streak{}
	}
	switch {
	case !s.Firing && j.When == True && s.On.lasts(r.For, o.At):
		s.Firing, s.Off = true, Streak{}
	case s.Firing && j.Clear == True:
		if s.Off = s.Off.more(o.At); s.Off.lasts(r.ClearFor, o.At) {
			return RuleState{}, []alert.Signal{i.signal(r.Name, r.Severity, alert.Resolved, i.headline(r, o.Table), o)}
		}
	case s.Firing && j.Clear == False:
		s.Off = Streak{}
	}
	if !s.Firing {
		return s, nil
	}
	return s, []alert.Signal{i.signal(r.Name, r.Severity, alert.Firing, i.headline(r, o.Table), o)}
}

// lack reports that results are missing, when there were enough of them.
func (i *Item) lack(s *Streak, l Lack, rule, say string, o Outcome) []alert.Signal {
	if l.After == 0 || s.N < l.After {
		return nil
	}
	s.Firing = true
	sig := i.signal(rule, l.Severity, alert.Firing, i.Title+" "+say, o)
	sig.NoData = true
	return []alert.Signal{sig}
}

func (i *Item) over(s *Streak, rule string, o Outcome) []alert.Signal {
	was := s.Firing
	*s = Streak{}
	if !was {
		return nil
	}
	return []alert.Signal{i.signal(rule, "", alert.Resolved, i.Title+" 又查到了", o)}
}

// signal is one alert of an item. Who it is never depends on what was found.
func (i *Item) signal(rule, severity string, state alert.State, title string, o Outcome) alert.Signal {
	labels := map[string]string{"monitor": i.Name, "rule": rule}
	for k, v := range map[string]string{"system": i.System, "owner": i.Owner} {
		if v != "" {
			labels[k] = v
		}
	}
	for k, v := range i.Labels {
		labels[k] = v
	}
	s := alert.Signal{ID: i.Name + "/" + rule, Name: i.Title, Title: title, Severity: severity, State: state, Labels: labels, Text: strings.Join(o.Table.Lines(), "\n"), Value: i.value(rule, o.Table)}
	if state == alert.Resolved {
		s.Ended = o.At
	} else {
		s.Started = o.At
	}
	if strings.HasPrefix(i.Runbook, "http") {
		s.Links = []store.AlertLink{{Title: "处理办法", URL: i.Runbook}}
	} else if k, ok := strings.CutPrefix(i.Runbook, "kb:"); ok {
		s.Annotations = map[string]string{"runbook": "K" + k}
	}
	return s
}

// value is the number of the first key that a rule looks at.
func (i *Item) value(rule string, t Table) string {
	r := i.Rule(rule)
	if r == nil || r.When == nil {
		return ""
	}
	for _, k := range r.When.keys {
		if c, ok := t.Cell(k); ok {
			return strings.TrimSpace(Count(c.N) + " " + c.Share)
		}
	}
	return ""
}

// headline is what an alert of a rule says first: its own title, or the name of
// the item with the numbers the rule looks at.
func (i *Item) headline(r *Rule, t Table) string {
	var parts []string
	for _, k := range r.When.keys {
		if c, ok := t.Cell(k); ok {
			parts = append(parts, c.words())
		}
	}
	if len(parts) == 0 && len(t.Unexpected) > 0 {
		parts = append(parts, strings.Join(t.Unexpected, "、"))
	}
	head := i.Title
	if r.Title != "" {
		head = r.Title
	}
	return strings.TrimSpace(head + " " + strings.Join(parts, "，"))
}

// words is a line of the table within a sentence.
func (c Cell) words() string {
	if c.Share == "" {
		return fmt.Sprintf("%s %s", c.Key, Count(c.N))
	}
	return fmt.Sprintf("%s %s（%s）", c.Key, Count(c.N), c.Share)
}

// Alarming tells whether anything fires, and Firing names what.
func (s State) Alarming() bool { return len(s.Firing()) > 0 }

// Firing are the names of the rules that fire, sorted.
func (s State) Firing() []string {
	var out []string
	for name, r := range s.Rules {
		if r.Firing {
			out = append(out, name)
		}
	}
	if s.NoData.Firing {
		out = append(out, noDataRule)
	}
	if s.Error.Firing {
		out = append(out, errorRule)
	}
	sort.Strings(out)
	return out
}

// gone reports the end of everything of an item whose file is not there any
// more: nothing else would ever end it.
func gone(name string, s State, at time.Time) []alert.Signal {
	i := &Item{Name: name, Title: s.Title}
	if i.Title == "" {
		i.Title = name
	}
	var out []alert.Signal
	for _, rule := range s.Firing() {
		out = append(out, i.signal(rule, "", alert.Resolved, i.Title+" 已停止监控", Outcome{At: at}))
	}
	return out
}
