package web

import (
	"context"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/store"
)

// ticketRow is one line of the queue.
type ticketRow struct {
	store.Ticket
	Reported chat.User
	Handled  chat.User
	Clock    clockView
	Ago      string
}

// clockView is a ticket's deadline: words first, then the bar.
type clockView struct {
	Text    string
	Look    string // "", o, r: how near it is
	Percent int
	Bar     string // "", o, r, g, n
	Full    string // the due time itself
}

type ticketsPage struct {
	Filter   ticketFilter
	Tabs     []ticketTab
	Rows     []ticketRow
	Total    int64
	First    int
	Last     int
	Pages    []int // 0: some are left out
	Today    int64
	Open     int64
	Classes  []handlers.Class
	People   []chat.User
	Depts    []string
	Fresh    fresh
	More     bool // one of the further filters is set
	States   []store.TicketState
	Shares   bool // may share views
	Exports  bool
	Numbered bool
}

// Full tells that there are more than are counted.
func (p ticketsPage) Full() bool { return p.Total >= store.CountMost }

// At is the address of a page of the list.
func (p ticketsPage) At(page int) template.URL { return template.URL(p.Filter.address(page)) }

// Prev and Next lead to the pages beside this one.
func (p ticketsPage) Prev() int { return p.Filter.Page - 1 }
func (p ticketsPage) Next() int { return p.Filter.Page + 1 }

// Query is the filter as it stands in the address.
func (p ticketsPage) Query() string { return p.Filter.values().Encode() }

// Sizes are the numbers of rows that a page may have.
func (ticketsPage) Sizes() []int { return pageSizes }

// Export is where the same tickets come as a file.
func (p ticketsPage) Export(format string) template.URL {
	q := p.Filter.values()
	q.Set("format", format)
	return template.URL("/tickets/export?" + q.Encode())
}

// ticketList is the queue.
func (s *Server) ticketList(v *visit) error {
	ctx, now := v.r.Context(), s.opt.Now()
	f := readFilter(v.r.URL.Query())
	if n, ok := ticketNumber(f.Text); ok && len(f.Text) < 9 {
		if _, err := s.opt.Store.FindTicket(ctx, n); err == nil {
			return v.redirect("/tickets/" + strconv.FormatInt(n, 10))
		}
	}
	q := f.query(v.user.ID, now)
	if kind, ok := personal(q); ok {
		// A search by a customer's clear value is on record before it is answered.
		err := s.opt.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.Audit(v.user.ID, "ticket.search", "tickets", map[string]string{"by": kind, "value": mask.Text(f.Text)})
		})
		if err != nil {
			return err
		}
	}
	p := ticketsPage{Filter: f, Classes: s.opt.Desk.Rules.Classes, States: allStates, Shares: v.user.Roles.Has(chat.Leader, chat.Admin), Exports: true}
	p.More = f.Group+f.Dept+f.Reporter+f.Version+f.From+f.To != "" || f.Rated || f.Soon
	list, err := s.opt.Store.PageTickets(ctx, q)
	if err != nil {
		return err
	}
	if p.Rows, err = v.ticketRows(ctx, list, now); err != nil {
		return err
	}
	if p.Total, err = s.opt.Store.CountTickets(ctx, q); err != nil {
		return err
	}
	p.paging(len(list))
	if err := s.fillQueue(v, &p, now); err != nil {
		return err
	}
	p.Fresh = freshAfter("/tickets", f.values(), s.opt.Store.IDAt(now))
	return v.show("tickets", p)
}

// fillQueue adds what stands around the rows.
func (s *Server) fillQueue(v *visit, p *ticketsPage, now time.Time) (err error) {
	ctx := v.r.Context()
	if p.People, err = s.opt.Store.Colleagues(ctx); err != nil {
		return err
	}
	if p.Depts, err = s.opt.Store.Departments(ctx); err != nil {
		return err
	}
	if p.Today, err = s.opt.Store.CountTickets(ctx, ticketFilter{State: "all", Day: "today", Size: 1, Page: 1}.query(v.user.ID, now)); err != nil {
		return err
	}
	p.Tabs = builtInTabs()
	kept, err := s.opt.Store.ListTicketViews(ctx, v.user.ID)
	if err != nil {
		return err
	}
	for _, k := range kept {
		q, _ := url.ParseQuery(k.Query) // written by us
		p.Tabs = append(p.Tabs, ticketTab{Title: k.Title, ID: k.ID, Shared: k.Shared, Mine: k.Owner == v.user.ID || v.user.Roles.Has(chat.Admin), filter: readFilter(q)})
	}
	here := p.Filter
	here.Size = pageSizes[0]
	for i := range p.Tabs {
		t := &p.Tabs[i]
		if t.ID == 0 {
			t.Title = v.t(t.Title)
		}
		t.Path = t.filter.address(1)
		t.filter.Size = pageSizes[0]
		t.Current = t.Path == here.address(1)
		if t.Current {
			t.N = p.Total
			continue
		}
		if t.filter.Text != "" {
			continue // words are not counted for a number on a tab
		}
		if t.N, err = s.opt.Store.CountTickets(ctx, t.filter.query(v.user.ID, now)); err != nil {
			return err
		}
	}
	p.Open = p.Tabs[0].N
	return nil
}

// paging chooses the numbers of pages that are offered: the ends and around.
func (p *ticketsPage) paging(n int) {
	p.First, p.Last = (p.Filter.Page-1)*p.Filter.Size+1, (p.Filter.Page-1)*p.Filter.Size+n
	last := int((p.Total + int64(p.Filter.Size) - 1) / int64(p.Filter.Size))
	for i := 1; i <= last; i++ {
		if i == 1 || i == last || i >= p.Filter.Page-1 && i <= p.Filter.Page+1 {
			p.Pages = append(p.Pages, i)
		} else if p.Pages[len(p.Pages)-1] != 0 {
			p.Pages = append(p.Pages, 0)
		}
	}
	p.Numbered = last > 1
}

// HasNext tells whether there is a page after this one.
func (p ticketsPage) HasNext() bool { return int64(p.Filter.Page*p.Filter.Size) < p.Total }

// ticketRows adds to tickets what their lines show.
func (v *visit) ticketRows(ctx context.Context, list []store.Ticket, now time.Time) ([]ticketRow, error) {
	var ids []string
	for _, t := range list {
		ids = append(ids, t.Reporter, t.Assignee)
	}
	people, err := v.s.opt.Store.FindMembers(ctx, ids)
	if err != nil {
		return nil, err
	}
	who := func(id string) chat.User {
		if u, ok := people[id]; ok {
			return u
		}
		return chat.User{ID: id}
	}
	rows := make([]ticketRow, len(list))
	for i, t := range list {
		rows[i] = ticketRow{Ticket: t, Reported: who(t.Reporter), Handled: who(t.Assignee), Clock: v.clockOf(t, now), Ago: v.ago(t.Updated, now)}
	}
	return rows, nil
}

// clockOf says how a ticket stands against its clocks.
func (v *visit) clockOf(t store.Ticket, now time.Time) clockView {
	rules := v.s.opt.Desk.Rules
	whole := rules.Clocks[t.Priority]
	switch {
	case t.State == store.TicketResolved && t.Rating == 0:
		return clockView{Text: v.t("待评价"), Percent: 100, Bar: "g"}
	case !t.State.Open() && t.Rating > 0:
		return clockView{Text: v.t("评价 %d 分", t.Rating), Percent: 100, Bar: "g"}
	case !t.State.Open():
		if t.Resolved.IsZero() {
			return clockView{Text: v.t(t.State.Title())}
		}
		return clockView{Text: v.t("用时 %s", v.lasting(t.Resolved.Sub(t.Created))), Percent: 100, Bar: "g"}
	case t.ResolveDue.IsZero():
		return clockView{Text: "—"}
	}
	left, all, over, rest := rules.Left(t, now), whole.Resolve, "超时 %s", "剩 %s"
	due := t.ResolveDue
	if t.Responded.IsZero() {
		left, all, over, rest, due = rules.LeftToRespond(t, now), whole.Respond, "首响超时 %s", "首响剩 %s", t.RespondDue
	}
	c := clockView{Full: v.t("%s 前", v.when(due))}
	if all > 0 {
		c.Percent = int(max(0, min(100, 100-left*100/all)))
	}
	switch {
	case !t.Paused.IsZero():
		c.Text, c.Bar = v.t("已暂停计时"), "n"
	case left < 0:
		c.Text, c.Look, c.Bar, c.Percent = v.t(over, v.lasting(left)), "r", "r", 100
	case c.Percent >= 75:
		c.Text, c.Look, c.Bar = v.t(rest, v.lasting(left)), "o", "o"
	default:
		c.Text = v.t(rest, v.lasting(left))
	}
	return c
}

// ago says how long ago something was, within a day.
func (v *visit) ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return v.t("刚刚")
	case d < time.Hour:
		return v.t("%d 分钟前", int(d.Minutes()))
	case d < 24*time.Hour:
		return v.t("%d 小时前", int(d.Hours()))
	}
	return v.when(t)
}

// freshTickets tells how many tickets of a filter came since the list was shown.
func (s *Server) freshTickets(v *visit) error {
	q := v.r.URL.Query()
	f := readFilter(q)
	after := number(q.Get("after"))
	query := f.query(v.user.ID, s.opt.Now())
	query.ByDue, query.Skip, query.After = false, 0, after
	h := freshAfter("/tickets", f.values(), after)
	n, err := s.opt.Store.CountTickets(v.r.Context(), query)
	if err != nil {
		return err
	}
	h.N = int(n)
	return v.part("tickets", "fresh", h)
}

// addTicketView keeps the filter of the form under a name.
func (s *Server) addTicketView(v *visit) error {
	title := strings.TrimSpace(v.r.PostFormValue("title"))
	if title == "" {
		return badForm(v.t("给视图起个名字"))
	}
	q, err := url.ParseQuery(v.r.PostFormValue("query"))
	if err != nil {
		return badForm(v.t("表单不完整"))
	}
	f := readFilter(q)
	view := store.TicketView{Owner: v.user.ID, Title: chat.Cut(title, 20), Query: f.values().Encode(), Shared: v.r.PostFormValue("shared") == "1"}
	if view.Shared && !v.user.Roles.Has(chat.Leader, chat.Admin) {
		return needs{chat.Leader, chat.Admin}
	}
	if f.Text != "" {
		if _, ok := personal(f.query(v.user.ID, s.opt.Now())); ok {
			return badForm(v.t("视图里不能有客户的证件号、手机号或客户号"))
		}
	}
	if err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { return tx.AddTicketView(&view) }); err != nil {
		return err
	}
	v.notice(v.t("已保存视图「%s」", view.Title))
	return v.redirect(f.address(1))
}

func (s *Server) deleteTicketView(v *visit) error {
	id := number(v.r.PathValue("id"))
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		return tx.DeleteTicketView(id, v.user.ID, v.user.Roles.Has(chat.Admin))
	})
	if err != nil {
		return err
	}
	v.notice(v.t("视图已删除"))
	return v.redirect("/tickets")
}
