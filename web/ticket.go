package web

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/construct"
	"frontline/kb"
	"frontline/store"
)

// entriesShown bounds a thread; older ones of a longer thread are left out.
const entriesShown = 1000

// entryView is one thing of a thread as people see it.
type entryView struct {
	store.TicketEntry
	Who   chat.User
	Day   string // set on the first of a day
	Fresh bool   // came while the visitor was writing
	Files []fileView
}

// fileView is one attachment.
type fileView struct {
	Name    string
	Path    string // "" when it could not be fetched
	Picture bool
	Size    string
}

type clockLine struct {
	Title, Text, Goal string
	clockView
}

type linkView struct{ Icon, Path, Title, Note string }

// typed is what somebody wrote and could not send; it goes back into the form.
type typed struct {
	Kind                       string // reply, note, ask
	Reply, Note, Ask           string
	Do                         string
	To, Why, Class, Priority   string
	Reason, Method, Words      string
	Whom, Until, Into, Outcome string
	RevealWhy                  string
}

type ticketPage struct {
	Ticket    store.Ticket
	Row       ticketRow
	Reporter  chat.User
	Assignee  chat.User
	Form      store.TicketForm
	Tab       string // talk, files, events
	Talk      []entryView
	Chat      []entryView // what was said before the ticket
	Events    []entryView
	Files     []fileView
	Respond   clockLine
	Resolve   clockLine
	People    []chat.User // who works on tickets
	Followers []chat.User
	Classes   []handlers.Class
	Links     []linkView
	Hits      []kb.Hit
	Similar   []store.Ticket
	Snippets  []store.Snippet
	Lost      []store.Delivered
	Clear     *store.Ticket // with clear values, after a recorded look-up
	ClearForm bool
	Typed     typed
	Fault     string
	Stale     bool
	Seen      int64 // newest entry shown
	Shares    bool
}

// At is the address of a tab.
func (p ticketPage) At(tab string) string {
	return fmt.Sprintf("/tickets/%d?tab=%s", p.Ticket.Number, tab)
}

// CanReopen tells whether the ticket may be taken up again.
func (p ticketPage) CanReopen() bool {
	return p.Ticket.State == store.TicketResolved || p.Ticket.State == store.TicketClosed
}

// Kept is what was typed into a form that the page has no place for any more.
func (p ticketPage) Kept() string {
	if p.Ticket.State.Open() {
		return ""
	}
	t := p.Typed
	return strings.TrimSpace(strings.Join([]string{t.Why, t.Reason, t.Method, t.Words}, "\n"))
}

// ticketOf finds the ticket that an address names.
func (s *Server) ticketOf(v *visit) (store.Ticket, error) {
	n, err := strconv.ParseInt(v.r.PathValue("number"), 10, 64)
	if err != nil || n <= 0 {
		return store.Ticket{}, errNotFound
	}
	return s.opt.Store.FindTicket(v.r.Context(), n)
}

func (s *Server) ticket(v *visit) error {
	t, err := s.ticketOf(v)
	if err != nil {
		return err
	}
	p, err := s.ticketPage(v, t)
	if err != nil {
		return err
	}
	return v.show("ticket", p)
}

// ticketPage gathers what a ticket's page shows.
func (s *Server) ticketPage(v *visit, t store.Ticket) (p ticketPage, err error) {
	ctx, now := v.r.Context(), s.opt.Now()
	p = ticketPage{Ticket: t, Tab: v.r.URL.Query().Get("tab"), Classes: s.opt.Desk.Rules.Classes, Shares: v.user.Roles.Has(chat.Leader, chat.Admin)}
	if p.Tab != "files" && p.Tab != "events" {
		p.Tab = "talk"
	}
	p.Typed.Kind = "reply"
	entries, err := s.opt.Store.ListTicketEntries(ctx, t.ID, entriesShown)
	if err != nil {
		return p, err
	}
	if err := v.thread(ctx, &p, entries, now); err != nil {
		return p, err
	}
	rows, err := v.ticketRows(ctx, []store.Ticket{t}, now)
	if err != nil {
		return p, err
	}
	p.Row, p.Reporter, p.Assignee = rows[0], rows[0].Reported, rows[0].Handled
	p.Respond, p.Resolve = v.clockLines(t, now)
	if p.Form, err = s.opt.Store.FindTicketForm(ctx, t.ID); err != nil {
		return p, err
	}
	if p.People, err = s.opt.Store.Colleagues(ctx); err != nil {
		return p, err
	}
	if p.Snippets, err = s.opt.Store.ListSnippets(ctx, v.user.ID); err != nil {
		return p, err
	}
	if p.Lost, err = s.opt.Store.LostWords(ctx, t.Number); err != nil {
		return p, err
	}
	return p, s.around(v, &p, now)
}

// nearScore is what an entry beside a ticket has at least.
const nearScore = 0.2

// around adds what a ticket is tied to and what resembles it.
func (s *Server) around(v *visit, p *ticketPage, now time.Time) error {
	ctx, t := v.r.Context(), p.Ticket
	followers, err := s.opt.Store.TicketPeople(ctx, t.Number)
	if err != nil {
		return err
	}
	var ids []string
	for _, f := range followers {
		ids = append(ids, f.Member)
	}
	known, err := s.opt.Store.FindMembers(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range slices.Compact(ids) {
		if u, ok := known[id]; ok {
			p.Followers = append(p.Followers, u)
		}
	}
	links, err := s.opt.Store.TicketLinks(ctx, t.Number)
	if err != nil {
		return err
	}
	if t.Master > 0 {
		links = append(links, store.Link{Kind: store.NumberTicket, Number: t.Master})
	}
	for _, l := range links {
		if l.Kind != store.NumberTicket {
			letter := map[string]string{store.NumberEntry: "K", "run": "R", "alert": "A", "session": "S"}[l.Kind]
			view := linkView{Icon: "link", Title: fmt.Sprintf("%s%d", letter, l.Number)}
			if l.Kind == store.NumberAlert {
				if g, err := s.opt.Store.FindAlertGroup(ctx, l.Number); err == nil {
					view = linkView{"bell-ring", fmt.Sprintf("/alerts/%d", g.Number), fmt.Sprintf("A%d %s", g.Number, g.Title), shell{v: v}.AlertState(g)[1]}
				}
			}
			if l.Kind == "run" && s.opt.Desk.Construct != nil {
				if run, err := s.opt.Store.FindRun(ctx, l.Number); err == nil && construct.May(v.user, run) {
					view = linkView{"flask-conical", fmt.Sprintf("/construct/runs/%d", l.Number), fmt.Sprintf("R%d %s", l.Number, run.Title), v.t(construct.StateTitle(run.State))}
				}
			}
			p.Links = append(p.Links, view)
			continue
		}
		other, err := s.opt.Store.FindTicket(ctx, l.Number)
		if err != nil {
			continue // gone with its time
		}
		p.Links = append(p.Links, linkView{"merge", fmt.Sprintf("/tickets/%d", other.Number), fmt.Sprintf("T%d %s", other.Number, other.Title), v.t(other.State.Title())})
	}
	if e := s.opt.Desk.Construct; e != nil && t.State.Open() {
		if rec := e.Suits(t.Title, v.user); rec != nil {
			p.Links = append(p.Links, linkView{"flask-conical", fmt.Sprintf("/construct/%s?p.ticket=%d", rec.Name, t.Number), v.t("造数复现"), rec.Title})
		}
	}
	found, err := s.opt.Knowledge.Search(ctx, kb.Query{Text: chat.Cut(t.Title, 200), N: 3, Now: now})
	if err != nil {
		return err
	}
	for _, h := range found.Hits {
		if found.Band != kb.Refuse && h.Score >= nearScore {
			p.Hits = append(p.Hits, h)
		}
	}
	if t.State.Open() {
		p.Similar, err = s.opt.Desk.Similar(ctx, t.Title, t.Number, 3)
	}
	return err
}

// thread sorts entries into talk, what was said before, and events.
func (v *visit) thread(ctx context.Context, p *ticketPage, entries []store.TicketEntry, now time.Time) error {
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.Author)
	}
	slices.Sort(ids)
	people, err := v.s.opt.Store.FindMembers(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	day := ""
	for _, e := range entries {
		view := entryView{TicketEntry: e, Who: chat.User{ID: e.Author}}
		if u, ok := people[e.Author]; ok {
			view.Who = u
		}
		for i, m := range e.Media {
			view.Files = append(view.Files, v.fileView(p.Ticket.Number, e.ID, i, m))
		}
		p.Files = append(p.Files, view.Files...)
		p.Seen = max(p.Seen, e.ID)
		if e.Kind == "event" {
			p.Events = append(p.Events, view)
		}
		if e.Kind == "talk" {
			p.Chat = append(p.Chat, view)
			continue
		}
		if d := v.day(e.At, now); d != day {
			view.Day, day = d, d
		}
		p.Talk = append(p.Talk, view)
	}
	return nil
}

func (v *visit) fileView(ticket, entry int64, i int, m chat.Media) fileView {
	f := fileView{Name: m.Name, Picture: m.Kind == "image" || strings.HasPrefix(m.Type, "image/")}
	if f.Name == "" {
		f.Name = v.t(map[string]string{"image": "图片", "voice": "语音", "video": "视频"}[m.Kind])
	}
	if f.Name == "" {
		f.Name = v.t("文件")
	}
	if m.File != "" {
		f.Path = fmt.Sprintf("/files/%d/%d/%d", ticket, entry, i)
	}
	if m.Size > 0 {
		f.Size = sizeWords(m.Size)
	}
	return f
}

func sizeWords(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.0f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

var weekdays = [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}

// day names a day as a heading.
func (v *visit) day(t, now time.Time) string {
	t = t.In(now.Location())
	d := t.Format("01-02")
	if t.Year() != now.Year() {
		d = t.Format(time.DateOnly)
	}
	d += " " + v.t(weekdays[t.Weekday()])
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		d = v.t("今天") + " · " + d
	}
	return d
}

// clockLines are both deadlines: how long it took, or is left.
func (v *visit) clockLines(t store.Ticket, now time.Time) (respond, resolve clockLine) {
	rules := v.s.opt.Desk.Rules
	line := func(title string, due, done time.Time, left, whole time.Duration) clockLine {
		c := clockLine{Title: v.t(title)}
		if due.IsZero() {
			c.Text = "—"
			return c
		}
		c.Goal = v.t("最晚 %s", v.when(due))
		if whole > 0 {
			c.Percent = int(max(0, min(100, 100-left*100/whole)))
		}
		switch {
		case !done.IsZero():
			c.Text, c.Bar, c.Look = v.t("用时 %s", v.lasting(done.Sub(t.Created))), "g", "ok"
			if done.After(due) {
				c.Text, c.Bar, c.Look = v.t("用时 %s，超时", v.lasting(done.Sub(t.Created))), "r", "r"
			}
		case !t.State.Open():
			c.Text = v.t(t.State.Title())
		case !t.Paused.IsZero():
			c.Text, c.Bar = v.t("已暂停，剩 %s", v.lasting(max(0, left))), "n"
		case left < 0:
			c.Text, c.Bar, c.Look, c.Percent = v.t("超时 %s", v.lasting(left)), "r", "r", 100
		default:
			c.Text = v.t("剩 %s", v.lasting(left))
			if c.Percent >= 75 {
				c.Bar, c.Look = "o", "o"
			}
		}
		return c
	}
	clock := rules.Clocks[t.Priority]
	respond = line("首次响应", t.RespondDue, t.Responded, rules.LeftToRespond(t, now), clock.Respond)
	resolve = line("解决", t.ResolveDue, t.Resolved, rules.Left(t, now), clock.Resolve)
	if t.State.Open() { // resolved in an earlier cycle
		resolve = line("解决", t.ResolveDue, time.Time{}, rules.Left(t, now), clock.Resolve)
	}
	return respond, resolve
}
