package web

import (
	"errors"
	"fmt"
	"strconv"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

// gapsShown bounds the gaps of the page; the rest waits until these are settled.
const gapsShown = 60

type gapRow struct {
	handlers.Gap
	Near  *kb.Hit // the entry that is most like it
	Wrong *kb.Entry
	Owner string // who may know, by name; "" nobody
	Model bool   // may draft
}

type gapsPage struct {
	Tabs  []kbTab
	Many  []gapRow // asked by enough people
	Few   []gapRow
	Total int // questions
	Count int // gaps
	Days  int
	Least int
}

// gaps shows what people asked and the base did not answer.
func (s *Server) gaps(v *visit) error {
	ctx := v.r.Context()
	list, err := s.opt.Desk.Gaps(ctx)
	if err != nil {
		return err
	}
	p := gapsPage{Days: handlers.GapDays, Least: handlers.GapPeople, Count: len(list)}
	if p.Tabs, err = v.kbTabs(ctx, "/kb/gaps"); err != nil {
		return err
	}
	for i, g := range list {
		p.Total += g.Count
		if i >= gapsShown {
			continue
		}
		row, err := s.gapRow(v, g)
		if err != nil {
			return err
		}
		if g.People >= handlers.GapPeople {
			p.Many = append(p.Many, row)
		} else {
			p.Few = append(p.Few, row)
		}
	}
	return v.show("kb_gaps", p)
}

// gapRow adds what an answer may come from: the nearest entry, and with it who
// keeps such knowledge.
func (s *Server) gapRow(v *visit, g handlers.Gap) (row gapRow, err error) {
	ctx := v.r.Context()
	row.Gap, row.Model = g, s.opt.Desk.Drafts()
	found, err := s.opt.Knowledge.Search(ctx, kb.Query{Text: g.Lead.Text, N: 1, Now: s.opt.Now()})
	if err != nil {
		return row, fmt.Errorf("search the knowledge: %w", err)
	}
	if len(found.Hits) > 0 && found.Hits[0].Score >= shownFrom {
		row.Near = &found.Hits[0]
		if row.Owner, err = s.keeperName(v, row.Near.Entry); err != nil {
			return row, err
		}
	}
	if g.Shown > 0 {
		e, err := s.opt.Store.FindEntry(ctx, g.Shown)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return row, err
		}
		if err == nil {
			row.Wrong = &e
		}
	}
	return row, nil
}

func (s *Server) keeperName(v *visit, e kb.Entry) (string, error) {
	if e.Owner == "" {
		return e.Group, nil
	}
	u, err := s.opt.Store.FindMember(v.r.Context(), e.Owner)
	if errors.Is(err, store.ErrNotFound) {
		return e.Owner, nil
	}
	return u.Show(), err
}

// gapOf finds the gap of a message; one that is settled by now is a conflict.
func (s *Server) gapOf(v *visit, message string) (handlers.Gap, error) {
	g, err := s.opt.Desk.GapOf(v.r.Context(), message)
	var no chat.Refusal
	if errors.As(err, &no) {
		return g, conflict(v.t("这个缺口已经处理了"))
	}
	return g, err
}

// settleGap files a gap under an entry, as wordings or as what is not meant, or
// ignores it.
func (s *Server) settleGap(v *visit) error {
	g, err := s.gapOf(v, v.r.PostFormValue("gap"))
	if err != nil {
		return err
	}
	do := v.r.PostFormValue("do")
	if do == "draft" {
		return s.draftGap(v, g)
	}
	n, named := entryNumber(v.r.PostFormValue("entry"))
	if !named {
		n = number(v.r.PostFormValue("entry"))
	}
	if n == 0 && do != "ignore" {
		return badForm(v.t("写上知识的编号，如 K12"))
	}
	words := v.t("已忽略 %d 问；以后再有人问会重新出现", g.Count)
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		switch do {
		case "ignore":
			return s.opt.Desk.IgnoreGap(tx, v.user, g)
		case "similar", "negative":
			_, added, err := s.opt.Desk.AddWordings(tx, v.user, n, g.Wordings(), g.Messages, do == "negative")
			words = v.t("%d 种问法加到 K%d", added, n)
			return err
		}
		return badForm(v.t("表单不完整"))
	})
	var no chat.Refusal
	if errors.As(err, &no) {
		return conflict(no.Text)
	}
	if err != nil {
		return err
	}
	v.notice(words)
	return v.redirect("/kb/gaps")
}

// draftGap lets the model write a draft, and goes on to it.
func (s *Server) draftGap(v *visit, g handlers.Gap) error {
	e, ticket, err := s.opt.Desk.DraftFromGap(v.r.Context(), v.user.ID, g)
	if err == nil {
		e.Question, e.Similar, e.Owner = g.Lead.Text, g.Wordings()[1:], v.user.ID
		err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
			if e, err = s.opt.Desk.CreateEntry(tx, v.user, e, ""); err != nil {
				return err
			}
			return s.opt.Desk.LearnGap(tx, v.user, g, e.Number)
		})
	}
	var no chat.Refusal
	if errors.As(err, &no) {
		return conflict(no.Text)
	}
	if err != nil {
		return err
	}
	v.notice(v.t("大模型按 T%d 起草了 K%d，逐字核对后再发布", ticket, e.Number))
	return v.redirect(fmt.Sprintf("/kb/%d", e.Number))
}

// Draftable tells whether there is a ticket that a draft could be made of.
func (r gapRow) Draftable() bool { return len(r.Tickets) > 0 }

// TicketNames are the numbers of tickets, as people say them.
func (r gapRow) TicketNames() (out []string) {
	for _, n := range r.Tickets {
		out = append(out, "T"+strconv.FormatInt(n, 10))
	}
	return out
}
