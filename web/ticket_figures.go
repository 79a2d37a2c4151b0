package web

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// States of the queue's filter that the figures lead to.
const (
	stateCounted = "counted" // not withdrawn
	stateDone    = "done"    // resolved or closed
)

// figureFilter is what the queue's filter has for the lists behind figures; it
// has no fields of its own on the page, only a line that says what it is.
type figureFilter struct {
	Subclass string
	Late     string // answer, solve, any
	Stars    string // rated, good
	Reopened bool
	Alert    string // with alerts: any, before, after
	Weekday  string // 0 to 6, with Hour
	Hour     string // 0 to 23
}

// mostSpans bounds the hours that one cell of the heat map stands for.
const mostSpans = 60

func readFigureFilter(q url.Values) (f figureFilter) {
	one := func(name string, of ...string) string {
		for _, o := range of {
			if q.Get(name) == o {
				return o
			}
		}
		return ""
	}
	small := func(name string, below int) string {
		if n, err := strconv.Atoi(q.Get(name)); err == nil && n >= 0 && n < below {
			return strconv.Itoa(n)
		}
		return ""
	}
	f.Subclass = chat.Cut(strings.TrimSpace(q.Get("subclass")), 64)
	f.Late, f.Stars = one("late", "any", "answer", "solve"), one("stars", "rated", "good")
	f.Reopened = q.Get("reopened") == "1"
	f.Alert = one("alert", store.AlertAny, store.AlertBefore, store.AlertAfter)
	if h, d := small("hour", 24), small("weekday", 7); h != "" && d != "" {
		f.Hour, f.Weekday = h, d
	}
	return f
}

func (f figureFilter) set(q url.Values) {
	for _, p := range f.Hidden() {
		q.Set(p[0], p[1])
	}
}

// Hidden are the names and values that a form has to keep.
func (f figureFilter) Hidden() (out [][2]string) {
	for _, p := range [][2]string{{"subclass", f.Subclass}, {"late", f.Late}, {"stars", f.Stars}, {"alert", f.Alert}, {"hour", f.Hour}, {"weekday", f.Weekday}} {
		if p[1] != "" {
			out = append(out, p)
		}
	}
	if f.Reopened {
		out = append(out, [2]string{"reopened", "1"})
	}
	return out
}

// narrow adds to a query whose From and To are set already.
func (f figureFilter) narrow(q *store.TicketQuery) {
	q.Subclass, q.Late, q.Reopened, q.Alerts = f.Subclass, f.Late, f.Reopened, f.Alert
	switch f.Stars {
	case "rated":
		q.RatedLeast = 1
	case "good":
		q.RatedLeast = 4
	}
	if f.Hour == "" || q.From.IsZero() || q.To.IsZero() {
		return
	}
	hour, _ := strconv.Atoi(f.Hour)
	weekday, _ := strconv.Atoi(f.Weekday)
	q.Spans = hoursOf(q.From, q.To, time.Weekday(weekday), hour)
}

// hoursOf are the hours of one weekday between two midnights.
func hoursOf(from, to time.Time, weekday time.Weekday, hour int) (out [][2]time.Time) {
	for d := from; d.Before(to) && len(out) < mostSpans; d = d.AddDate(0, 0, 1) {
		if d.Weekday() != weekday {
			continue
		}
		at := time.Date(d.Year(), d.Month(), d.Day(), hour, 0, 0, 0, d.Location())
		out = append(out, [2]time.Time{at, at.Add(time.Hour)})
	}
	if len(out) == 0 {
		out = [][2]time.Time{{from, from}} // no such day: nothing
	}
	return out
}

// FigureWords say what the figures' part of a filter leaves.
func (p ticketsPage) FigureWords() (out []string) {
	f := p.Filter
	for _, w := range []struct {
		is   bool
		text string
	}{{f.State == stateCounted, "未撤回"}, {f.State == stateDone, "已解决或关闭"}, {f.Late == "any", "超时"}, {f.Late == "answer", "首响超时"}, {f.Late == "solve", "解决超时"},
		{f.Stars == "rated", "已评价"}, {f.Stars == "good", "4 星以上"}, {f.Reopened, "重开过"}, {f.Alert == store.AlertAny, "挂了告警"}, {f.Alert == store.AlertBefore, "告警在先"}, {f.Alert == store.AlertAfter, "人先报"}} {
		if w.is {
			out = append(out, w.text)
		}
	}
	return out
}
