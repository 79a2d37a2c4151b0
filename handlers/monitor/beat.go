package monitor

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"frontline/handlers/alert"
	"frontline/handlers/calendar"
	"frontline/handlers/mask"
	"frontline/handlers/spec"
)

// Beat is what a heartbeat expects: somebody's job calls in, and when it does
// not, that is the alert.
type Beat struct {
	Grace    time.Duration // how late a beat may be
	MostRun  time.Duration // from a start to its end; 0: Grace
	Severity string
	Token    string // of the file; "": made from the name and the program's key
}

// BeatState is when a heartbeat came and when it must come again, in unix
// milliseconds.
type BeatState struct {
	Since int64  `json:"since"`           // when we began to wait for the first one
	Last  int64  `json:"last,omitempty"`  // when anything came last
	Sort  string `json:"sort,omitempty"`  // of what came last: ok, started, failed
	Began int64  `json:"began,omitempty"` // a start whose end did not come yet
	Due   int64  `json:"due"`             // when the next one is too late
	Kept  int64  `json:"kept,omitempty"`  // when a result was last kept
	Spec  string `json:"spec"`            // what Due was counted by
}

// States of the results of a heartbeat, besides ok.
const (
	StateStarted = "started"
	StateFailed  = "failed"
	StateMissed  = "missed"
)

// Rules of a heartbeat: each is an alert of its own.
const (
	missedRule = "missed"
	failedRule = "failed"
)

const (
	defaultGrace = 5 * time.Minute
	longestGrace = 7 * 24 * time.Hour
	// keepEvery bounds the rows that an eager sender makes; each beat counts all
	// the same.
	keepEvery = 10 * time.Second
	longNote  = 10_000
)

var beatToken = regexp.MustCompile(`^[A-Za-z0-9_-]{16,128}$`)

// heartbeat reads an item that waits for somebody to call in.
func (r *reader) heartbeat(root *spec.Node) *Item {
	b := &Beat{Grace: defaultGrace, Severity: alert.Major}
	i := &Item{Labels: map[string]string{}, Beat: b, Probe: waiting{}, root: root}
	str := func(to *string) func(*spec.Node) { return func(n *spec.Node) { *to = r.Text(n) } }
	known := map[string]func(*spec.Node){
		"kind": func(*spec.Node) {},
		"name": func(n *spec.Node) {
			if i.Name = r.Text(n); !itemName.MatchString(i.Name) || i.Name == "daily" {
				r.Fault(n, "名字用小写字母、数字和横线，2 到 48 个字符；daily 是日报的")
			}
		},
		"title": str(&i.Title), "owner": str(&i.Owner), "system": str(&i.System), "runbook": str(&i.Runbook),
		"labels":   func(n *spec.Node) { r.labels(i, n) },
		"expect":   func(n *spec.Node) { i.When = r.schedule(n) },
		"grace":    func(n *spec.Node) { b.Grace = r.Duration(n, longestGrace) },
		"most_run": func(n *spec.Node) { b.MostRun = r.Duration(n, longestGrace) },
		"severity": func(n *spec.Node) { b.Severity = r.severity(n) },
		"token": func(n *spec.Node) {
			if b.Token = r.Text(n); !beatToken.MatchString(b.Token) {
				r.Fault(n, "token 用字母、数字、_ 和 -，16 到 128 个字符；不写就由程序自己算一个")
			}
		},
	}
	for word, where := range elsewhere {
		known[word] = func(n *spec.Node) { r.Fault(n, "%s", where) }
	}
	known["schedule"] = func(n *spec.Node) { r.Fault(n, "心跳什么时候该来写在 expect 里") }
	r.Fields(root, "心跳", known)
	if root.Kind != 'm' {
		return i
	}
	for _, need := range []struct{ field, why string }{{"name", "缺名字 name"}, {"expect", "缺 expect：什么时候该来"}} {
		if root.Get(need.field) == nil {
			r.Fault(root, "%s", need.why)
		}
	}
	if i.When.Jitter != 0 {
		r.Fault(root, "心跳没有 jitter；晚多久算没来写在 grace 里")
	}
	if i.Title == "" {
		i.Title = i.Name
	}
	return i
}

// waiting is the probe of a heartbeat: there is nothing to ask.
type waiting struct{}

func (waiting) Kind() string { return "heartbeat" }

// spec is what the time of the next beat depends on.
func (i *Item) beatSpec() string {
	return fmt.Sprintf("%s %s %s %s", i.When.Text, i.When.Only, i.Beat.Grace, i.Beat.MostRun)
}

// beatDue is when a beat after from is too late.
func (i *Item) beatDue(cal *calendar.Calendar, from time.Time) time.Time {
	at := i.When.Next(cal, i.Name, from)
	if i.When.Every > 0 { // counted from the last beat, not on round times
		at = from.Add(i.When.Every)
		if !i.When.Allowed(cal, at) {
			at = i.When.opens(cal, at).Add(i.When.Every)
		}
	}
	if at.IsZero() {
		return from.AddDate(1, 0, 0)
	}
	return at.Add(i.Beat.Grace)
}

// opens is when it may run again after a time at which it may not.
func (s Schedule) opens(cal *calendar.Calendar, t time.Time) time.Time {
	t = t.In(cal.Location())
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
	if s.Only == TradingHours && cal.Trading(day) {
		for _, of := range sessions {
			if at := day.Add(of[0]); at.After(t) {
				return at
			}
		}
	}
	day = cal.Next(day)
	if s.Only == TradingHours {
		return day.Add(sessions[0][0])
	}
	return day
}

// Call is one beat as it came.
type Call struct {
	Sort string // ok, started, failed
	Code int    // the exit code it named
	Note string // what it brought along
}

// waitFrom is a state to wait from.
func (i *Item) waitFrom(s State, cal *calendar.Calendar, at time.Time) State {
	s.Title = i.Title
	b := BeatState{Since: at.UnixMilli()}
	from := at
	if s.Beat != nil {
		b = *s.Beat
		if from = time.UnixMilli(max(b.Since, b.Last)); b.Began != 0 {
			from = at
		}
	}
	b.Spec, b.Due = i.beatSpec(), i.beatDue(cal, from).UnixMilli()
	s.Beat = &b
	return s
}

// beat brings a state forward by a beat that came.
func (i *Item) beat(s State, c Call, cal *calendar.Calendar, at time.Time) (State, []alert.Signal, Outcome) {
	next := State{Title: i.Title, Rules: map[string]RuleState{}}
	b := BeatState{Since: at.UnixMilli()}
	if s.Beat != nil {
		b = *s.Beat
	}
	out := Outcome{Item: i, At: at, State: c.Sort, Table: Table{Note: chipNote(c.Note)}}
	if b.Last != 0 {
		out.Table.Cells = append(out.Table.Cells, Cell{Key: "距上次（秒）", N: seconds(at.UnixMilli() - b.Last)})
	}
	if b.Began != 0 && c.Sort != StateStarted {
		out.Took = time.Duration(at.UnixMilli()-b.Began) * time.Millisecond
		out.Table.Cells = append(out.Table.Cells, Cell{Key: "用时（秒）", N: seconds(at.UnixMilli() - b.Began)})
	}
	b.Last, b.Sort, b.Spec = at.UnixMilli(), c.Sort, i.beatSpec()
	firing := func(rule string) bool { return s.Rules[rule].Firing }
	var signals []alert.Signal
	if c.Sort == StateStarted {
		// It is on its way: what fires goes on until the end comes.
		b.Began, b.Due = at.UnixMilli(), at.Add(i.longest()).UnixMilli()
		next.Rules = s.Rules
		next.Beat = &b
		return next, nil, out
	}
	b.Began, b.Due = 0, i.beatDue(cal, at).UnixMilli()
	if firing(missedRule) {
		signals = append(signals, i.signal(missedRule, "", alert.Resolved, i.Title+" 心跳来了", out))
	}
	if c.Sort == StateFailed {
		out.Fault = "报告失败"
		if c.Code != 0 {
			out.Fault = fmt.Sprintf("退出码 %d", c.Code)
		}
		next.Rules[failedRule] = RuleState{Firing: true}
		sig := i.signal(failedRule, i.Beat.Severity, alert.Firing, i.Title+" "+out.Fault, out)
		sig.Text = out.Table.Note
		signals = append(signals, sig)
	} else if firing(failedRule) {
		signals = append(signals, i.signal(failedRule, "", alert.Resolved, i.Title+" 成功了", out))
	}
	for rule, r := range s.Rules { // of a monitor that had this name before
		if r.Firing && rule != missedRule && rule != failedRule {
			signals = append(signals, i.signal(rule, "", alert.Resolved, i.Title+" 的规则 "+rule+" 已删除", out))
		}
	}
	next.Beat = &b
	return next, signals, out
}

// longest is how long a run may take from its start.
func (i *Item) longest() time.Duration {
	if i.Beat.MostRun > 0 {
		return i.Beat.MostRun
	}
	return i.Beat.Grace
}

// missed brings a state forward by a beat that did not come. The alert fires
// until one comes; it is looked for again when the one after that is due.
func (i *Item) missed(s State, cal *calendar.Calendar, at time.Time) (State, []alert.Signal, Outcome) {
	b := *s.Beat
	due := time.UnixMilli(b.Due).In(at.Location())
	out := Outcome{Item: i, At: at, State: StateMissed}
	say := "没有按时来：最晚 " + dayClock(due, at)
	if b.Began != 0 {
		say = "开始了没有结束：" + dayClock(time.UnixMilli(b.Began).In(at.Location()), at) + " 开始"
	}
	if b.Last == 0 {
		say += "，从没来过"
	} else if b.Began == 0 {
		say += "，上次 " + dayClock(time.UnixMilli(b.Last).In(at.Location()), at)
	}
	out.Fault = say
	next := State{Title: i.Title, Rules: map[string]RuleState{}, Beat: &b}
	for rule, r := range s.Rules {
		next.Rules[rule] = r
	}
	b.Began, b.Due = 0, i.beatDue(cal, at).UnixMilli()
	next.Rules[missedRule] = RuleState{Firing: true}
	sig := i.signal(missedRule, i.Beat.Severity, alert.Firing, i.Title+" 心跳"+say, out)
	sig.NoData = true
	return next, []alert.Signal{sig}, out
}

func chipNote(note string) string {
	if len(note) > longNote {
		note = note[:longNote]
	}
	return mask.Text(strings.TrimSpace(strings.ToValidUTF8(note, "")))
}

func seconds(ms int64) float64 { return float64(ms/100) / 10 }

// dayClock is a time as people say it: the day only when it is not today.
func dayClock(t, now time.Time) string {
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("01-02 15:04")
}

// ReadCall reads the last part of a beat's address: nothing, start, fail, or an
// exit code.
func ReadCall(word string) (Call, bool) {
	switch word {
	case "":
		return Call{Sort: StateOK}, true
	case "start":
		return Call{Sort: StateStarted}, true
	case "fail":
		return Call{Sort: StateFailed}, true
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n > 255 || word != strconv.Itoa(n) {
		return Call{}, false
	}
	if n == 0 {
		return Call{Sort: StateOK}, true
	}
	return Call{Sort: StateFailed, Code: n}, true
}
