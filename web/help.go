package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

// The self-service centre, for a phone: ask, look around, read, and go on to a
// person when it is not there.

func (s *Server) helpRoutes() []route {
	return []route{
		{method: "GET", path: "/m/help", roles: anybody, nav: "help", do: s.helpPage},
		{method: "POST", path: "/m/help", roles: anybody, do: s.helpAsk},
		{method: "POST", path: "/m/help/judge", roles: anybody, do: s.helpJudge},
		{method: "GET", path: "/m/help/{number}", roles: anybody, do: s.helpEntry},
	}
}

type helpPage struct {
	Asked    handlers.PageAnswer // what was asked; no message: nothing yet
	Entries  []kb.Entry          // of the category
	Category string
	Names    []string // of the categories
	Hot      []hotEntry
	New      []kb.Entry
	Mine     []store.Question
	Text     string
	Fault    string
}

type hotEntry struct {
	kb.Entry
	Asked int64
}

const (
	helpList = 100 // entries of a category
	helpHot  = 8
	helpMine = 8
	helpNew  = 5
)

// helpPage is the centre's front: a question's answers, a category, or what
// there is to look at.
func (s *Server) helpPage(v *visit) (err error) {
	ctx, q := v.r.Context(), v.r.URL.Query()
	p := helpPage{Category: chat.Cut(q.Get("category"), 64)}
	switch asked := q.Get("asked"); {
	case asked != "":
		if p.Asked, err = s.opt.Desk.AnswerOnPage(ctx, v.user, asked); err != nil {
			return err
		}
		p.Text = p.Asked.Question.Text
	case p.Category != "":
		if p.Entries, err = s.opt.Store.PageEntries(ctx, store.EntryQuery{State: kb.Published, Category: p.Category, N: helpList}); err != nil {
			return err
		}
	default:
		if err := s.helpFront(v, &p); err != nil {
			return err
		}
	}
	return v.showMobile("m_help", p)
}

func (s *Server) helpFront(v *visit, p *helpPage) (err error) {
	ctx := v.r.Context()
	if p.Names, err = s.opt.Store.EntryNames(ctx, "category"); err != nil {
		return err
	}
	week, _ := handlers.NewPeriod("today", s.opt.Now().In(s.opt.Store.FigureZone()))
	sums, err := s.opt.Store.SplitQuestions(ctx, store.ByEntry, week.From.AddDate(0, 0, -6), week.To)
	if err != nil {
		return err
	}
	numbers := make([]string, 0, len(sums))
	for n := range sums {
		numbers = append(numbers, n)
	}
	slices.SortFunc(numbers, func(a, b string) int { return cmp.Or(cmp.Compare(sums[b].Asked, sums[a].Asked), cmp.Compare(a, b)) })
	for _, text := range numbers {
		if len(p.Hot) == helpHot || sums[text].Asked <= 0 {
			break
		}
		n, _ := strconv.ParseInt(text, 10, 64)
		e, err := s.opt.Store.FindEntry(ctx, n)
		if err == nil && e.State == kb.Published {
			p.Hot = append(p.Hot, hotEntry{e, sums[text].Asked})
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if p.New, err = s.opt.Store.PageEntries(ctx, store.EntryQuery{State: kb.Published, N: helpNew}); err != nil {
		return err
	}
	p.Mine, err = s.opt.Store.ListQuestions(ctx, store.QuestionQuery{Asker: v.user.ID, N: helpMine})
	return err
}

func (s *Server) helpAsk(v *visit) error {
	text := chat.Cut(strings.TrimSpace(v.r.PostFormValue("q")), 500)
	message, err := s.opt.Desk.AskOnPage(v.r.Context(), v.user, text)
	var no chat.Refusal
	if errors.As(err, &no) {
		p := helpPage{Text: text, Fault: no.Text}
		if err := s.helpFront(v, &p); err != nil {
			return err
		}
		return v.renderMobile(http.StatusUnprocessableEntity, "m_help", p)
	}
	if err != nil {
		return err
	}
	return v.redirect("/m/help?asked=" + url.QueryEscape(message))
}

func (s *Server) helpJudge(v *visit) error {
	message, said := v.r.PostFormValue("message"), v.r.PostFormValue("judgement")
	if err := s.opt.Desk.JudgeOnPage(v.r.Context(), v.user, message, said, number(v.r.PostFormValue("entry"))); err != nil {
		return err
	}
	switch said {
	case "useful":
		v.notice(v.t("谢谢，记下了"))
	case "useless":
		v.notice(v.t("记下了，会有人来补。要人处理可以直接上报"))
	default:
		v.notice(v.t("有答案了会在企业微信里告诉你"))
	}
	return v.redirect("/m/help?asked=" + url.QueryEscape(message))
}

type helpEntryPage struct {
	kb.Entry
	Owner string
	Asked string // the message that led here
	Can   bool   // the visitor's own question: may be judged
}

// helpEntry is one piece of knowledge with its version and source.
func (s *Server) helpEntry(v *visit) error {
	e, err := s.opt.Store.FindEntry(v.r.Context(), number(v.r.PathValue("number")))
	if err != nil {
		return err
	}
	if e.State != kb.Published {
		return errNotFound
	}
	p := helpEntryPage{Entry: e, Asked: v.r.URL.Query().Get("asked")}
	if u, err := s.opt.Store.FindMember(v.r.Context(), e.Owner); err == nil {
		p.Owner = u.Show()
	}
	if q, err := s.opt.Store.FindQuestion(v.r.Context(), p.Asked); err == nil && p.Asked != "" {
		p.Can = q.Asker == v.user.ID
	}
	return v.showMobile("m_entry", p)
}
