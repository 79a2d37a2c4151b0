package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

// bulkEntryPage is what a change of many entries would do.
type bulkEntryPage struct {
	Change  handlers.BulkChange
	Rows    []bulkEntryRow // that would change
	Left    []handlers.BulkRow
	Stale   map[int64]bool // changed by somebody else meanwhile
	Back    string
	Filter  string // of the list, to come back to
	Numbers []int64
}

type bulkEntryRow struct {
	handlers.BulkRow
	Diff []kb.FieldDiff
}

// Title is the change in words.
func (p bulkEntryPage) Title() string { return handlers.BulkTitle(p.Change.Kind) }

// bulkChange reads what is to be changed: each kind has a field of its own.
func bulkChange(v *visit) handlers.BulkChange {
	kind := v.r.PostFormValue("do")
	value := v.r.PostFormValue("value")
	if value == "" {
		value = v.r.PostFormValue("to_" + kind)
	}
	return handlers.BulkChange{Kind: kind, Value: chat.Cut(strings.TrimSpace(value), 64)}
}

// lookAtBulk shows what a change of the ticked entries, or of all that the filter
// chooses, would do.
func (s *Server) lookAtBulk(v *visit) error {
	q, err := url.ParseQuery(v.r.PostFormValue("query"))
	if err != nil {
		return badForm(v.t("表单不完整"))
	}
	f := readKBFilter(q)
	var numbers []int64
	if v.r.PostFormValue("all") == "1" {
		query := f.query()
		query.Offset, query.N = 0, handlers.BulkMost+1
		list, err := s.opt.Store.PageEntries(v.r.Context(), query)
		if err != nil {
			return err
		}
		for _, e := range list {
			numbers = append(numbers, e.Number)
		}
	} else {
		for _, t := range v.r.PostForm["t"] {
			if n := number(t); n > 0 {
				numbers = append(numbers, n)
			}
		}
	}
	return s.showBulk(v, http.StatusOK, bulkEntryPage{Change: bulkChange(v), Back: f.address(f.Page), Filter: f.values().Encode(), Numbers: numbers})
}

func (s *Server) showBulk(v *visit, status int, p bulkEntryPage) error {
	rows, err := s.opt.Desk.PlanBulk(v.r.Context(), v.user, p.Change, p.Numbers)
	var no chat.Refusal
	if errors.As(err, &no) {
		return badForm(no.Text)
	}
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Changes() {
			p.Rows = append(p.Rows, bulkEntryRow{r, kb.Diff(r.Old, r.Want)})
		} else {
			p.Left = append(p.Left, r)
		}
	}
	return v.render(status, "kb_bulk", p)
}

// applyBulk makes the change that was looked at. When somebody was faster nothing
// is written, and the page shows what it would do now.
func (s *Server) applyBulk(v *visit) error {
	c := bulkChange(v)
	seen := map[int64]int{}
	var numbers []int64
	for _, t := range v.r.PostForm["t"] {
		n, version, ok := strings.Cut(t, ".")
		k, err := strconv.Atoi(version)
		if !ok || err != nil || number(n) <= 0 {
			return badForm(v.t("表单不完整"))
		}
		seen[number(n)] = k
		numbers = append(numbers, number(n))
	}
	id, err := s.opt.Desk.ApplyBulk(v.r.Context(), v.user, c, seen)
	var conflict handlers.BulkConflict
	var no chat.Refusal
	switch {
	case errors.As(err, &conflict):
		q, _ := url.ParseQuery(v.r.PostFormValue("query"))
		f := readKBFilter(q)
		p := bulkEntryPage{Change: c, Numbers: numbers, Back: f.address(1), Filter: f.values().Encode(), Stale: map[int64]bool{}}
		for _, n := range conflict.Numbers {
			p.Stale[n] = true
		}
		return s.showBulk(v, http.StatusConflict, p)
	case errors.As(err, &no):
		return badForm(no.Text)
	case errors.Is(err, store.ErrNotFound):
		return errNotFound
	case err != nil:
		return err
	}
	v.notice(v.t("已改 %d 条，这里可以撤销", len(seen)))
	return v.redirect(importPath(id))
}
