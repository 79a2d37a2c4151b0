package web

import (
	"frontline/bot/chat"
	"frontline/store"
)

type homePage struct {
	Checks   []checked
	OK       bool
	In, Out  store.Depth
	Entries  int
	Mine     []store.Ticket
	Waiting  []store.Ticket
	Gaps     []store.Question
	Failures []store.Delivered
}

// home is what needs the visitor now. Who only reports sees their own tickets.
func (s *Server) home(v *visit) error {
	ctx := v.r.Context()
	p := homePage{Entries: s.opt.Knowledge.Size()}
	p.Checks, p.OK = s.runChecks(ctx)
	var err error
	if p.Mine, err = s.opt.Store.ListOpenTickets(ctx, v.user.ID, 10); err != nil {
		return err
	}
	if v.user.Roles.Has(chat.Responder, chat.Leader, chat.Admin) {
		if p.Waiting, err = s.opt.Store.ListTickets(ctx, store.TicketQuery{States: []store.TicketState{store.TicketNew, store.TicketReopened}, N: 10}); err != nil {
			return err
		}
	}
	if v.user.Roles.Has(chat.Curator, chat.Admin) {
		if p.Gaps, err = s.opt.Store.ListUnanswered(ctx, s.opt.Store.Now().AddDate(0, 0, -30), 8); err != nil {
			return err
		}
	}
	if !v.user.Roles.Has(chat.Admin) {
		return v.show("home", p)
	}
	if p.Failures, err = s.opt.Store.ListDelivered(ctx, store.LedgerQuery{State: "dead", N: 5}); err != nil {
		return err
	}
	if p.In, err = s.opt.Store.InboxDepth(ctx); err != nil {
		return err
	}
	if p.Out, err = s.opt.Store.OutboxDepth(ctx); err != nil {
		return err
	}
	return v.show("home", p)
}

// greeting names the time of day.
func greeting(hour int) string {
	switch {
	case hour < 6:
		return "夜深了"
	case hour < 11:
		return "早上好"
	case hour < 13:
		return "中午好"
	case hour < 18:
		return "下午好"
	}
	return "晚上好"
}

// Greeting is the first line of the home page.
func (p homePage) Greeting(s shell) string {
	return s.v.t(greeting(s.v.s.opt.Now().Hour())) + s.v.t("，") + s.User.Show()
}
