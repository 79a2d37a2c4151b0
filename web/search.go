package web

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
	"frontline/store"
)

type searchPage struct {
	Text    string
	Tickets []store.Ticket
	Alerts  []store.AlertGroup
	Hits    []kb.Hit
	Found   string // the band, in words
	People  []chat.User
}

// search jumps on a number and looks for a text in tickets, knowledge and people.
func (s *Server) search(v *visit) error {
	text := strings.TrimSpace(chat.Cut(v.r.URL.Query().Get("q"), 200))
	p := searchPage{Text: mask.Text(text)}
	if text == "" {
		return v.show("search", p)
	}
	ctx := v.r.Context()
	if n, ok := ticketNumber(text); ok && v.user.Roles.Has(chat.Responder, chat.Leader, chat.Admin) {
		t, err := s.opt.Store.FindTicket(ctx, n)
		if err == nil {
			p.Tickets = append(p.Tickets, t)
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if len(p.Tickets) == 0 && v.user.Roles.Has(chat.Responder, chat.Leader, chat.Admin) {
		q := store.TicketQuery{Text: mask.Text(text), N: 20}
		if f, ok := mask.First(mask.All(text), mask.Phone); ok {
			q = store.TicketQuery{Phone: f.Value, N: 20}
		}
		var err error
		if p.Tickets, err = s.opt.Store.ListTickets(ctx, q); err != nil {
			return err
		}
	}
	if err := s.searchAlerts(v, text, &p); err != nil {
		return err
	}
	found, err := s.opt.Knowledge.Search(ctx, kb.Query{Text: mask.Text(text), N: 5, Now: s.opt.Now()})
	if err != nil {
		return fmt.Errorf("search the knowledge: %w", err)
	}
	p.Hits = found.Hits
	p.Found = v.t(map[kb.Band]string{kb.Answer: "有把握", kb.Clarify: "可能相关", kb.Refuse: "把握不大"}[found.Band])
	people, err := s.opt.Store.ListMembers(ctx)
	if err != nil {
		return err
	}
	for _, u := range people {
		if len(p.People) < 10 && (strings.Contains(u.Name, text) || strings.Contains(u.ID, strings.ToLower(text)) || strings.Contains(u.Department, text)) {
			p.People = append(p.People, u)
		}
	}
	return v.show("search", p)
}

// searchAlerts finds A311, or groups of alerts by their title.
func (s *Server) searchAlerts(v *visit, text string, p *searchPage) (err error) {
	if !v.user.Roles.Has(deskers...) {
		return nil
	}
	ctx := v.r.Context()
	if text[0] == 'A' || text[0] == 'a' {
		if g, err := s.opt.Store.FindAlertGroup(ctx, number(text[1:])); err == nil {
			p.Alerts = append(p.Alerts, g)
			return nil
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	p.Alerts, err = s.opt.Store.ListAlertGroups(ctx, store.AlertGroupQuery{Text: mask.Text(text), N: 10})
	return err
}

// ticketNumber reads T12, t12, #12 and 12.
func ticketNumber(text string) (int64, bool) {
	text = strings.TrimLeft(text, "#＃")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "T"), "t")
	if len(text) > 15 {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}
