package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

// publishAnyway is the button that says: what publishing would spoil was seen.
const publishAnyway = "publish_anyway"

// helpedShown bounds the questions that are offered to be confirmed.
const helpedShown = 5

// mustRow is a question that must find the entry, and how well it does so now.
type mustRow struct {
	store.Must
	Finds int
}

// Hint is what is said of it in a word.
func (r mustRow) Hint() string {
	return []string{"现在找不到它", "现在让对方选", "现在直接回答"}[r.Finds]
}

// entryMusts fills in the questions that must find the entry, and those it has
// helped with, to be confirmed too.
func (s *Server) entryMusts(ctx context.Context, p *entryPage) error {
	list, err := s.opt.Store.ListMusts(ctx, p.Entry.Number)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, m := range list {
		known[m.Question] = true
		found, err := s.opt.Knowledge.Search(ctx, kb.Query{Text: m.Question, N: 3, Now: s.opt.Now()})
		if err != nil {
			return fmt.Errorf("search the knowledge: %w", err)
		}
		p.Musts = append(p.Musts, mustRow{m, handlers.ReplyOf(found).Finds(m.Entry)})
	}
	helped, err := s.opt.Store.HelpedTexts(ctx, p.Entry.Number, helpedShown+len(list))
	if err != nil {
		return err
	}
	for _, a := range helped {
		if !known[a.Text] && len(p.Helped) < helpedShown {
			p.Helped = append(p.Helped, a)
		}
	}
	return nil
}

// keepMust confirms a question of an entry, or takes that back.
func (s *Server) keepMust(v *visit) error {
	e, _, err := s.entryOf(v)
	if err != nil {
		return err
	}
	question := chat.Cut(strings.TrimSpace(v.r.PostFormValue("question")), 500)
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		switch v.r.PostFormValue("do") {
		case "add":
			return s.opt.Desk.AddMust(tx, v.user, e.Number, question)
		case "drop":
			return s.opt.Desk.DropMust(tx, v.user, e.Number, question)
		}
		return badForm(v.t("表单不完整"))
	})
	if err != nil {
		return err
	}
	return v.redirect("/kb/" + strconv.FormatInt(e.Number, 10))
}

// spoils are the questions that the posted publishing would spoil; none when it
// is no publishing, when that was confirmed, or when the desk will refuse anyway.
func (s *Server) spoils(v *visit, e kb.Entry) ([]handlers.Worse, error) {
	if v.r.PostFormValue("do") != handlers.MovePublish || !handlers.Curates(v.user) {
		return nil, nil
	}
	_, worse, err := s.opt.Desk.CheckMusts(v.r.Context(), e)
	return worse, err
}

// askAnyway shows the page again with what publishing would spoil: a question,
// not a fault.
func (s *Server) askAnyway(v *visit, p entryPage, err error) error {
	if err != nil {
		return err
	}
	return s.showEntry(v, http.StatusOK, p)
}

// replayEntry tells what publishing the words in the form would do to the
// questions that must find their entries, and to those that were asked lately.
func (s *Server) replayEntry(v *visit) error {
	n := int64(0)
	if v.r.PathValue("number") != "new" {
		var err error
		if n, err = v.entryNumber(); err != nil {
			return err
		}
	}
	r, err := s.opt.Desk.Rehearse(v.r.Context(), readEntry(v.r).entry(n))
	if err != nil {
		return err
	}
	return v.part("kb_entry", "replayed", replayed{r, r.Turned[:min(len(r.Turned), turnedShown)]})
}

// turnedShown bounds the questions that a replay names.
const turnedShown = 30

type replayed struct {
	handlers.Rehearsal
	Shown []handlers.Turned
}

// More is how many are not named.
func (r replayed) More() int { return len(r.Turned) - len(r.Shown) }

// Reply is what chat would say, in a few words.
func (s shell) Reply(r handlers.Reply) string {
	var names []string
	for _, e := range r.Entries {
		if e.Number == 0 {
			names = append(names, s.T("这条"))
			continue
		}
		names = append(names, "K"+strconv.FormatInt(e.Number, 10))
	}
	switch {
	case len(names) == 0:
		return s.T("答不上")
	case r.Band == kb.Answer:
		return s.T("答 %s", names[0])
	}
	return s.T("让选 %s", strings.Join(names, s.T("、")))
}
