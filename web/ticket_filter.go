package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// ticketFilter is what stands in the address of the queue. Its zero value is
// the first view: everything that is open, most urgent first.
type ticketFilter struct {
	Text     string // number, words, customer number, phone, identity number
	State    string // "": open; all; or one state
	Class    string
	Priority string
	Who      string // userid; me; "-" nobody
	Group    string
	Dept     string // of the reporter
	Reporter string
	Version  string // of the app
	Day      string // today, 7, 30; "" any
	From, To string // 2006-01-02, instead of Day
	Soon     bool
	Rated    bool // two stars at most
	// What only the figures lead to: figures.
	figureFilter
	Newest bool // newest first
	Size   int
	Page   int // from 1
}

var (
	pageSizes   = []int{20, 50, 100}
	openTickets = []store.TicketState{store.TicketNew, store.TicketAssigned, store.TicketInProgress, store.TicketWaiting, store.TicketReopened}
	allStates   = append(slices.Clone(openTickets), store.TicketResolved, store.TicketClosed, store.TicketVoid, store.TicketMerged)
	priorities  = []string{"P1", "P2", "P3", "P4"}
)

// readFilter takes what makes sense of an address; the rest is left out.
func readFilter(q url.Values) ticketFilter {
	text := func(name string, most int) string { return chat.Cut(strings.TrimSpace(q.Get(name)), most) }
	f := ticketFilter{Text: text("q", 200), Class: text("class", 32), Who: text("who", 64), Group: text("group", 64), Dept: text("dept", 128), Reporter: text("reporter", 64), Version: text("version", 64),
		Soon: q.Get("soon") == "1", Rated: q.Get("rated") == "2", Newest: q.Get("sort") == "new", Page: 1, Size: pageSizes[0]}
	if s := q.Get("state"); s == "all" || s == stateCounted || s == stateDone || slices.Contains(allStates, store.TicketState(s)) {
		f.State = s
	}
	if p := q.Get("priority"); slices.Contains(priorities, p) {
		f.Priority = p
	}
	if d := q.Get("day"); d == "today" || d == "7" || d == "30" {
		f.Day = d
	}
	for _, d := range []struct {
		name string
		to   *string
	}{{"from", &f.From}, {"to", &f.To}} {
		if _, err := time.Parse(time.DateOnly, q.Get(d.name)); err == nil {
			*d.to = q.Get(d.name)
		}
	}
	f.figureFilter = readFigureFilter(q)
	if n, _ := strconv.Atoi(q.Get("n")); slices.Contains(pageSizes, n) {
		f.Size = n
	}
	if p, _ := strconv.Atoi(q.Get("page")); p > 1 && (p-1)*f.Size < store.CountMost {
		f.Page = p
	}
	return f
}

// values is the address again, without its page: equal filters have equal ones.
func (f ticketFilter) values() url.Values {
	q := url.Values{}
	for _, p := range [][2]string{{"q", f.Text}, {"state", f.State}, {"class", f.Class}, {"priority", f.Priority}, {"who", f.Who}, {"group", f.Group}, {"dept", f.Dept}, {"reporter", f.Reporter}, {"version", f.Version}, {"day", f.Day}, {"from", f.From}, {"to", f.To}} {
		if p[1] != "" {
			q.Set(p[0], p[1])
		}
	}
	if f.Soon {
		q.Set("soon", "1")
	}
	if f.Rated {
		q.Set("rated", "2")
	}
	f.figureFilter.set(q)
	if f.Newest {
		q.Set("sort", "new")
	}
	if f.Size != pageSizes[0] {
		q.Set("n", strconv.Itoa(f.Size))
	}
	return q
}

// address is the queue with a filter, at a page.
func (f ticketFilter) address(page int) string {
	q := f.values()
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return "/tickets"
	}
	return "/tickets?" + q.Encode()
}

// plain tells whether nothing but a view is chosen.
func (f ticketFilter) plain() bool { return len(f.values()) == 0 }

// soonTime is what 即将超时 looks ahead.
const soonTime = 30 * time.Minute

// query is the filter in the words of the store. Values that identify a
// customer are looked for by their index, never as text.
func (f ticketFilter) query(me string, now time.Time) store.TicketQuery {
	q := store.TicketQuery{Group: f.Group, Department: f.Dept, Reporter: f.Reporter, AppVersion: f.Version, N: f.Size, Skip: (f.Page - 1) * f.Size, ByDue: !f.Newest}
	switch f.State {
	case "":
		q.States = openTickets
	case "all":
		q.ByDue = false
	case stateCounted:
		q.Counted, q.ByDue = true, false
	case stateDone:
		q.States, q.ByDue = []store.TicketState{store.TicketResolved, store.TicketClosed}, false
	default:
		q.States = []store.TicketState{store.TicketState(f.State)}
		q.ByDue = q.ByDue && q.States[0].Open()
	}
	if f.Class != "" {
		q.Classes = []string{f.Class}
	}
	if f.Priority != "" {
		q.Priorities = []string{f.Priority}
	}
	switch f.Who {
	case "me":
		q.Assignee = me
	case "-":
		q.Assignee = store.NoAssignee
	default:
		q.Assignee = f.Who
	}
	if f.Soon {
		q.Soon = now.Add(soonTime)
	}
	if f.Rated {
		q.RatedMost = 2
	}
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch f.Day {
	case "today":
		q.From = day
	case "7":
		q.From = day.AddDate(0, 0, -6)
	case "30":
		q.From = day.AddDate(0, 0, -29)
	}
	if d, err := time.ParseInLocation(time.DateOnly, f.From, now.Location()); err == nil {
		q.From = d
	}
	if d, err := time.ParseInLocation(time.DateOnly, f.To, now.Location()); err == nil {
		q.To = d.AddDate(0, 0, 1)
	}
	f.figureFilter.narrow(&q)
	if f.Text == "" {
		return q
	}
	finds := mask.All(f.Text)
	for _, k := range []struct {
		kind mask.Kind
		to   *string
	}{{mask.Identity, &q.Identity}, {mask.Phone, &q.Phone}, {mask.Customer, &q.Customer}} {
		if found, ok := mask.First(finds, k.kind); ok {
			*k.to = found.Value
			return q
		}
	}
	q.Text = mask.Text(f.Text)
	return q
}

// personal tells whether the filter looks for a customer by a clear value.
func personal(q store.TicketQuery) (kind string, ok bool) {
	switch {
	case q.Identity != "":
		return "identity", true
	case q.Phone != "":
		return "phone", true
	case q.Customer != "":
		return "customer", true
	}
	return "", false
}

// ticketTab is a view of the queue: built in, or kept by somebody.
type ticketTab struct {
	Title   string
	Path    string
	Current bool
	N       int64
	Hot     bool
	ID      int64 // of a kept one
	Shared  bool
	Mine    bool
	filter  ticketFilter
}

// Full tells that there are more than are counted.
func (t ticketTab) Full() bool { return t.N >= store.CountMost }

func builtInTabs() []ticketTab {
	tabs := []ticketTab{
		{Title: "全部未关闭"},
		{Title: "待我处理", filter: ticketFilter{Who: "me"}},
		{Title: "待受理", filter: ticketFilter{State: string(store.TicketNew)}, Hot: true},
		{Title: "即将超时", filter: ticketFilter{Soon: true}, Hot: true},
		{Title: "待补充", filter: ticketFilter{State: string(store.TicketWaiting)}},
		{Title: "已解决待评价", filter: ticketFilter{State: string(store.TicketResolved)}},
	}
	for i := range tabs {
		tabs[i].filter.Size, tabs[i].filter.Page = pageSizes[0], 1
	}
	return tabs
}
