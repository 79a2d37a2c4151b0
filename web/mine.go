package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/handlers/mask"
	"frontline/store"
)

// A reporter's own tickets, on a phone. Somebody else's answers like one that
// there is not.

type mineRow struct {
	store.Ticket
	Step     int    // 1 to 4 on the way: sent, taken, worked on, resolved
	Question string // what the reporter is asked
	Asker    string
	Place    int // in the queue, from 1; 0: not in it
	Nudge    bool
}

type minePage struct {
	Tab                       string // open, rate, all
	Rows                      []mineRow
	Open, Rate                int
	More                      bool
	Back                      int64
	Notice                    string
	Ticket                    mineRow
	Steps                     []mineStep
	Handler                   chat.User
	New                       bool
	Expect                    string
	Fault                     string
	Text, Comment             string
	Stars                     int
	Chips                     []string
	CanSay, CanRate, CanAgain bool
}

type mineStep struct {
	Text, Who string
	At        time.Time
	Files     []fileView
	Mine      bool
}

// ratingChips are what people tick beside the stars.
var ratingChips = []string{"响应快", "说得清楚", "态度好", "根因说明", "一次解决"}

// AllChips are the ones to choose from.
func (minePage) AllChips() []string { return ratingChips }

// Has tells whether a chip is ticked.
func (p minePage) Has(chip string) bool { return slices.Contains(p.Chips, chip) }

func step(t store.Ticket) int {
	switch t.State {
	case store.TicketNew, store.TicketReopened:
		return 1
	case store.TicketAssigned:
		return 2
	case store.TicketInProgress, store.TicketWaiting:
		return 3
	}
	return 4
}

const mineRows = 50

// mine lists a reporter's tickets.
func (s *Server) mine(v *visit) error {
	ctx, now := v.r.Context(), s.opt.Now()
	p := minePage{Tab: v.r.URL.Query().Get("tab")}
	all, err := s.opt.Store.ListTickets(ctx, store.TicketQuery{Reporter: v.user.ID, N: 200})
	if err != nil {
		return err
	}
	queue, err := s.opt.Store.PageTickets(ctx, store.TicketQuery{States: []store.TicketState{store.TicketNew}, ByDue: true, N: 200})
	if err != nil {
		return err
	}
	for _, t := range all {
		open, rate := t.State.Open(), canRate(t, now)
		if open {
			p.Open++
		}
		if rate {
			p.Rate++
		}
		if p.Tab == "rate" && !rate || p.Tab == "" && !open && !(t.State == store.TicketResolved) {
			continue
		}
		if len(p.Rows) == mineRows {
			p.More = true
			continue
		}
		r := mineRow{Ticket: t, Step: step(t), Nudge: open && handlers.NudgeIn(t, now) == 0}
		r.Place = 1 + slices.IndexFunc(queue, func(q store.Ticket) bool { return q.ID == t.ID })
		if t.State == store.TicketWaiting && t.WaitFor == "reporter" {
			if r.Question, r.Asker, err = s.lastQuestion(v, t); err != nil {
				return err
			}
		}
		p.Rows = append(p.Rows, r)
	}
	return v.showMobile("m_mine", p)
}

// lastQuestion is what the reporter of a ticket was asked last.
func (s *Server) lastQuestion(v *visit, t store.Ticket) (text, who string, err error) {
	entries, err := s.opt.Store.ListTicketEntries(v.r.Context(), t.ID, entriesShown)
	for _, e := range entries {
		if e.Kind == "question" {
			text, who = e.Text, e.Author
		}
	}
	if u, ferr := s.opt.Store.FindMember(v.r.Context(), who); ferr == nil {
		who = u.Show()
	}
	return text, who, err
}

func canRate(t store.Ticket, now time.Time) bool {
	return (t.State == store.TicketResolved || t.State == store.TicketClosed) && t.Rating == 0 && now.Sub(t.Resolved) < handlers.ReopenTime
}

func canReopen(t store.Ticket, now time.Time) bool {
	return (t.State == store.TicketResolved || t.State == store.TicketClosed) && now.Sub(t.Resolved) < handlers.ReopenTime
}

// myTicket finds a ticket of the visitor's own.
func (s *Server) myTicket(v *visit) (store.Ticket, error) {
	t, err := s.ticketOf(v)
	if err == nil && t.Reporter != v.user.ID {
		err = errNotFound
	}
	return t, err
}

func (s *Server) mineTicket(v *visit) error {
	t, err := s.ticketOf(v)
	if err != nil {
		return err
	}
	if t.Reporter != v.user.ID {
		if v.user.Roles.Has(deskers...) {
			return v.redirect(fmt.Sprintf("/tickets/%d", t.Number))
		}
		return errNotFound
	}
	p, err := s.minePage(v, t)
	if err != nil {
		return err
	}
	return v.showMobile("m_ticket", p)
}

// minePage is what a reporter sees of a ticket: what was said to them and by
// them, and the milestones; nothing of the notes.
func (s *Server) minePage(v *visit, t store.Ticket) (p minePage, err error) {
	ctx, now := v.r.Context(), s.opt.Now()
	p = minePage{Ticket: mineRow{Ticket: t, Step: step(t), Nudge: t.State.Open() && handlers.NudgeIn(t, now) == 0}, New: v.r.URL.Query().Has("new"), CanSay: t.State.Open(), CanRate: canRate(t, now), CanAgain: canReopen(t, now)}
	entries, err := s.opt.Store.ListTicketEntries(ctx, t.ID, entriesShown)
	if err != nil {
		return p, err
	}
	ids := []string{t.Assignee}
	for _, e := range entries {
		ids = append(ids, e.Author)
	}
	people, err := s.opt.Store.FindMembers(ctx, ids)
	if err != nil {
		return p, err
	}
	p.Handler = people[t.Assignee]
	for _, e := range entries {
		text, ok := forReporter(e)
		if !ok {
			continue
		}
		line := mineStep{Text: text, At: e.At, Mine: e.Author == t.Reporter}
		if u, known := people[e.Author]; known && !line.Mine {
			line.Who = u.Show()
		}
		for i, m := range e.Media {
			line.Files = append(line.Files, v.fileView(t.Number, e.ID, i, m))
		}
		p.Steps = append(p.Steps, line)
	}
	slices.Reverse(p.Steps)
	if t.State == store.TicketWaiting && t.WaitFor == "reporter" {
		if p.Ticket.Question, p.Ticket.Asker, err = s.lastQuestion(v, t); err != nil {
			return p, err
		}
	}
	if t.State.Open() && t.Paused.IsZero() {
		err = s.opt.Store.InTx(ctx, func(tx *store.Tx) error { p.Expect = s.opt.Desk.Expect(tx, t); return nil })
	}
	return p, err
}

// milestones are the beginnings of events that a reporter sees; what stands
// behind 转给 is for colleagues.
var milestones = []string{"接手", "转给", "挂起", "解决", "重开", "作废", "报障人", "并到", "催办", "评价"}

// forReporter is what an entry says to the reporter.
func forReporter(e store.TicketEntry) (string, bool) {
	switch e.Kind {
	case "note", "talk":
		return "", false
	case "event":
		for _, m := range milestones {
			if strings.HasPrefix(e.Text, m) {
				if m == "转给" {
					who, _, _ := strings.Cut(e.Text, "：")
					return who, true
				}
				return e.Text, true
			}
		}
		return "", false
	}
	return e.Text, true
}

// mineAct is what a reporter does to a ticket of theirs.
func (s *Server) mineAct(v *visit) error {
	t, err := s.myTicket(v)
	if err != nil {
		return err
	}
	do := v.r.PostFormValue("do")
	text := chat.Cut(strings.TrimSpace(v.r.PostFormValue("text")), 2000)
	stars, _ := strconv.Atoi(v.r.PostFormValue("stars"))
	comment := chat.Cut(strings.TrimSpace(v.r.PostFormValue("comment")), 200)
	var chips []string
	for _, c := range v.r.PostForm["chip"] {
		if slices.Contains(ratingChips, c) && !slices.Contains(chips, c) {
			chips = append(chips, c)
		}
	}
	done, err := s.mineChange(v, t, do, text, stars, chips, comment)
	var no chat.Refusal
	var bad problem
	switch {
	case errors.As(err, &no):
	case errors.As(err, &bad) && bad.status == http.StatusUnprocessableEntity:
		no.Text = bad.text
	case errors.Is(err, store.ErrMove):
		no.Text = v.t("这张单现在不能这样做。")
	case err != nil:
		return err
	default:
		v.notice(done)
		return v.redirect(fmt.Sprintf("/m/t/%d", t.Number))
	}
	if t, err = s.opt.Store.FindTicket(v.r.Context(), t.Number); err != nil {
		return err
	}
	p, err := s.minePage(v, t)
	if err != nil {
		return err
	}
	p.Fault, p.Text, p.Stars, p.Chips, p.Comment = no.Text, text, stars, chips, comment
	return v.renderMobile(http.StatusUnprocessableEntity, "m_ticket", p)
}

func (s *Server) mineChange(v *visit, t store.Ticket, do, text string, stars int, chips []string, comment string) (done string, err error) {
	desk := s.opt.Desk
	media, err := s.takeFiles(v)
	if err != nil {
		return "", err
	}
	if do == "say" && text == "" && len(media) == 0 {
		return "", badForm(v.t("写点什么，或加一张图片"))
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		t, err := tx.FindTicket(t.Number)
		if err != nil {
			return err
		}
		switch do {
		case "say":
			if !t.State.Open() {
				return chat.Refusal{Text: v.t("这张单已结束；问题还在就点「没解决，重开」。")}
			}
			done = v.t("已补充")
			clean, _ := mask.Scrub(text)
			return desk.Said(tx, v.user, &t, clean, clean, media, newMark())
		case "nudge":
			done = v.t("已提醒处理人")
			return desk.Nudge(tx, v.user, &t)
		case "void":
			done = v.t("已撤回")
			return desk.Void(tx, v.user, &t, "报障人撤回")
		case "again":
			done = v.t("已重开")
			return desk.Reopen(tx, v.user, &t, text)
		case "rate":
			if stars < 1 || stars > 5 {
				return badForm(v.t("点几颗星"))
			}
			done = v.t("谢谢评价")
			if t.State == store.TicketResolved {
				if err := desk.Confirm(tx, v.user, &t); err != nil {
					return err
				}
			}
			return desk.Rate(tx, v.user, &t, stars, strings.TrimSpace(strings.Join(chips, "、")+" "+comment))
		}
		return badForm(v.t("没有这个操作"))
	})
	return done, err
}

// NudgeWait says when the handler may be reminded again.
func (s shell) NudgeWait(t store.Ticket) string {
	if wait := handlers.NudgeIn(t, s.v.s.opt.Now()); wait > 0 {
		return s.T("%d 分钟后可再催", int(wait.Minutes())+1)
	}
	return ""
}
