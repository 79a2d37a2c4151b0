package web

import (
	"errors"
	"net/http"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

type synonymsPage struct {
	Tabs   []kbTab
	Groups []synonymRow
	People map[string]chat.User
	Line   string // what somebody typed, when there is something wrong with it
	Fault  string
}

type synonymRow struct{ store.SynonymGroup }

// Line is the group as it is typed.
func (r synonymRow) Line() string { return strings.Join(r.Words, " ") }

// Name is a person by name.
func (p synonymsPage) Name(id string) string { return nameIn(p.People, id) }

// synonyms lists the house's own groups of words.
func (s *Server) synonyms(v *visit) error { return s.showSynonyms(v, http.StatusOK, "", "") }

func (s *Server) showSynonyms(v *visit, status int, line, fault string) (err error) {
	ctx := v.r.Context()
	p := synonymsPage{Line: line, Fault: fault}
	if p.Tabs, err = v.kbTabs(ctx, "/kb/synonyms"); err != nil {
		return err
	}
	list, err := s.opt.Store.ListSynonyms(ctx)
	if err != nil {
		return err
	}
	authors := make([]string, len(list))
	for i, g := range list {
		p.Groups, authors[i] = append(p.Groups, synonymRow{g}), g.Author
	}
	if p.People, err = s.opt.Store.FindMembers(ctx, authors); err != nil {
		return err
	}
	return v.render(status, "kb_synonyms", p)
}

// keepSynonyms adds, changes or removes a group.
func (s *Server) keepSynonyms(v *visit) error {
	id, line, words := number(v.r.PostFormValue("id")), chat.Cut(v.r.PostFormValue("words"), 500), ""
	err := s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error {
		switch do := v.r.PostFormValue("do"); {
		case do == "add" || do == "save" && id != 0:
			if do == "add" {
				id = 0
			}
			kept, err := s.opt.Desk.PutSynonyms(tx, v.user, id, line)
			words = v.t(map[string]string{"add": "已加上：%s", "save": "已保存：%s"}[do], strings.Join(kept, " "))
			return err
		case do == "drop" && id != 0:
			words = v.t("已移除这一组")
			return s.opt.Desk.DropSynonyms(tx, v.user, id)
		}
		return badForm(v.t("表单不完整"))
	})
	var no chat.Refusal
	if errors.As(err, &no) {
		return s.showSynonyms(v, http.StatusUnprocessableEntity, line, no.Text)
	}
	if err != nil {
		return err
	}
	v.notice(words)
	return v.redirect("/kb/synonyms")
}

// trySynonyms tells what a group would do.
func (s *Server) trySynonyms(v *visit) error {
	r, err := s.opt.Desk.TrySynonyms(v.r.Context(), number(v.r.PostFormValue("id")), chat.Cut(v.r.PostFormValue("words"), 500))
	if err != nil {
		return err
	}
	return v.part("kb_synonyms", "reread", reread{r, r.Turned[:min(len(r.Turned), turnedShown)]})
}

type reread struct {
	handlers.Reread
	Shown []handlers.Turned
}

// More is how many are not named.
func (r reread) More() int { return len(r.Turned) - len(r.Shown) }
