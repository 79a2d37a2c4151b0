package web

import (
	"errors"
	"strconv"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

// versionsShown bounds the versions of one page.
const versionsShown = 100

type versionRow struct {
	store.Revision
	By   string
	Diff []kb.FieldDiff // against the version before; nil for the first
	From string         // state before, when it changed
}

type versionsPage struct {
	Entry    kb.Entry
	Versions []versionRow
	Restores bool
}

// versions shows every version of an entry with what it changed.
func (s *Server) versions(v *visit) error {
	e, _, err := s.entryOf(v)
	if err != nil {
		return err
	}
	list, err := s.opt.Store.ListRevisions(v.r.Context(), e.Number, versionsShown)
	if err != nil {
		return err
	}
	authors := make([]string, len(list))
	for i, r := range list {
		authors[i] = r.Author
	}
	people, err := s.opt.Store.FindMembers(v.r.Context(), authors)
	if err != nil {
		return err
	}
	p := versionsPage{Entry: e, Restores: handlers.Curates(v.user)}
	for i, r := range list {
		row := versionRow{Revision: r, By: nameIn(people, r.Author)}
		if i+1 < len(list) {
			before := list[i+1].Entry
			row.Diff = kb.Diff(before, r.Entry)
		}
		p.Versions = append(p.Versions, row)
	}
	return v.show("kb_versions", p)
}

// restoreEntry brings an older version back, as a new one.
func (s *Server) restoreEntry(v *visit) error {
	e, _, err := s.entryOf(v)
	if err != nil {
		return err
	}
	to := int(number(v.r.PostFormValue("to")))
	if to == 0 {
		return badForm(v.t("表单不完整"))
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) (err error) {
		e, err = s.opt.Desk.RestoreEntry(tx, v.user, e.Number, to)
		return err
	})
	var no chat.Refusal
	if errors.As(err, &no) {
		return conflict(no.Text)
	}
	if errors.Is(err, store.ErrFirst) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	v.notice(v.t("K%d 已恢复成第 %d 版的样子", e.Number, to))
	return v.redirect("/kb/" + strconv.FormatInt(e.Number, 10))
}
