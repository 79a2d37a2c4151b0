package web

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/store"
)

// One tap on the page of health: what is due is put off or retired, what helps nobody
// is handed to who keeps it. Entries change as in bulk, so that it can be taken back.

// againAfterMonths is how much longer an entry is good once somebody has looked at it.
const againAfterMonths = 6

// tapHealth does what was tapped for one entry.
func (s *Server) tapHealth(v *visit) error {
	n, version := number(v.r.PostFormValue("entry")), number(v.r.PostFormValue("version"))
	if n <= 0 || version <= 0 {
		return badForm(v.t("表单不完整"))
	}
	later := s.opt.Now().AddDate(0, againAfterMonths, 0).Format(time.DateOnly)
	var c handlers.BulkChange
	switch v.r.PostFormValue("do") {
	case "review":
		c = handlers.BulkChange{Kind: handlers.BulkReview, Value: later}
	case "extend":
		c = handlers.BulkChange{Kind: handlers.BulkValid, Value: later}
	case "retire":
		c = handlers.BulkChange{Kind: handlers.BulkRetire}
	case "ask":
		return s.askKeeper(v, n)
	default:
		return badForm(v.t("表单不完整"))
	}
	id, err := s.opt.Desk.ApplyBulk(v.r.Context(), v.user, c, map[int64]int{n: int(version)})
	var stale handlers.BulkConflict
	var no chat.Refusal
	switch {
	case errors.As(err, &stale):
		return conflict(v.t("K%d 刚被别人改过，看一眼再点", n))
	case errors.As(err, &no):
		return badForm(no.Text)
	case errors.Is(err, store.ErrNotFound):
		return errNotFound
	case err != nil:
		return err
	}
	return v.redirect("/kb/health?done=" + strconv.FormatInt(id, 10))
}

// askKeeper asks who keeps an entry to look at it.
func (s *Server) askKeeper(v *visit, n int64) error {
	e, err := s.opt.Store.FindEntry(v.r.Context(), n)
	if errors.Is(err, store.ErrNotFound) {
		return errNotFound
	}
	if err != nil {
		return err
	}
	uses, err := s.opt.Store.EntryUses(v.r.Context(), []int64{n}, s.opt.Now().AddDate(0, 0, -healthDays))
	if err != nil {
		return err
	}
	var asked []string
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) (err error) {
		asked, err = s.opt.Desk.AskKeepers(tx, v.user, e, uses[n], healthDays)
		return err
	})
	if err != nil {
		return err
	}
	people, err := s.opt.Store.FindMembers(v.r.Context(), asked)
	if err != nil {
		return err
	}
	var names []string
	for _, id := range asked {
		names = append(names, nameIn(people, id))
	}
	v.notice(v.t("已请 %s 看 K%d", chat.Cut(strings.Join(names, "、"), 60), n))
	return v.redirect("/kb/health")
}

// doneHere is the change that the address names, so that it can be taken back.
func (v *visit) doneHere(ctx context.Context) (store.Import, error) {
	id, err := strconv.ParseInt(v.r.URL.Query().Get("done"), 10, 64)
	if err != nil {
		return store.Import{}, nil
	}
	im, err := v.s.opt.Store.FindImport(ctx, id)
	if errors.Is(err, store.ErrNotFound) || im.State != store.ImportDone {
		return store.Import{}, nil
	}
	return im, err
}
