package web

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

const (
	importsShown = 30
	// inlineRows are imported before the answer; more go on behind the page.
	inlineRows  = 400
	faultsShown = 100
	plansShown  = 20
)

type importsPage struct {
	Tabs    []kbTab
	Imports []store.Import
	People  map[string]chat.User
	Formats []string
	Fault   string // of the file as a whole
}

// Name is a person by name.
func (p importsPage) Name(id string) string { return nameIn(p.People, id) }

// imports is where files come in, and what came in; with ?id= one of them.
func (s *Server) imports(v *visit) error {
	if v.r.URL.Query().Has("id") {
		return s.showImport(v)
	}
	return s.showImports(v, http.StatusOK, "")
}

func (s *Server) showImports(v *visit, status int, fault string) (err error) {
	ctx := v.r.Context()
	p := importsPage{Formats: []string{"xlsx", "csv", "jsonl", "md"}, Fault: fault}
	if p.Tabs, err = v.kbTabs(ctx, "/kb/import"); err != nil {
		return err
	}
	if p.Imports, err = s.opt.Store.ListImports(ctx, importsShown); err != nil {
		return err
	}
	authors := make([]string, len(p.Imports))
	for i, im := range p.Imports {
		authors[i] = im.Author
	}
	if p.People, err = s.opt.Store.FindMembers(ctx, authors); err != nil {
		return err
	}
	return v.render(status, "kb_imports", p)
}

// takeImport keeps a file and leads to what it would do. A file that cannot be
// read is not kept.
func (s *Server) takeImport(v *visit) error {
	f, head, err := v.r.FormFile("file")
	if err != nil {
		return s.showImports(v, http.StatusUnprocessableEntity, v.t("选一个文件"))
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	name := fileName(head.Filename)
	rows, _, err := handlers.ReadImport(name, content)
	if err != nil {
		return s.showImports(v, http.StatusUnprocessableEntity, err.Error())
	}
	if len(rows) == 0 {
		return s.showImports(v, http.StatusUnprocessableEntity, v.t("文件里没有知识"))
	}
	im := store.Import{Name: name, Author: v.user.ID, Mode: handlers.ImportMerge, Rows: len(rows)}
	for _, r := range rows {
		if r.Err != nil {
			im.Bad++
		}
	}
	err = s.opt.Store.InTx(v.r.Context(), func(tx *store.Tx) error { im.ID, err = tx.NewImport(im, content); return err })
	if err != nil {
		return err
	}
	return v.redirect(importPath(im.ID))
}

func importPath(id int64) string { return "/kb/import?id=" + strconv.FormatInt(id, 10) }

// fileName is what is shown of a file's name: no path, nothing that cannot be
// seen, and its ending whatever its length.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, name)
	end := path.Ext(name)
	return chat.Cut(strings.TrimSuffix(name, end), 48) + chat.Cut(end, 8) // fits the store whatever the characters
}

type importPage struct {
	Import   store.Import
	Plan     handlers.Plan
	Warnings []string
	Faults   []string
	New      []handlers.PlannedRow
	Changed  []plannedChange
	Modes    []string
	Second   bool
}

type plannedChange struct {
	handlers.PlannedRow
	Diff []kb.FieldDiff
}

// More is how many of some rows are not shown.
func (importPage) More(all, shown int) int { return max(0, all-shown) }

// Percent is how far it is.
func (p importPage) Percent() int {
	if p.Import.Rows == 0 {
		return 0
	}
	return 100 * p.Import.Pos / p.Import.Rows
}

func (s *Server) importOf(v *visit) (store.Import, error) {
	n, err := strconv.ParseInt(v.r.FormValue("id"), 10, 64)
	if err != nil {
		return store.Import{}, errNotFound
	}
	return s.opt.Store.FindImport(v.r.Context(), n)
}

// showImport is what a file would do, how far it is, or what it did.
func (s *Server) showImport(v *visit) error {
	im, err := s.importOf(v)
	if err != nil {
		return err
	}
	p := importPage{Import: im, Modes: handlers.ImportModes, Second: s.opt.Desk.SecondPerson}
	if im.State == store.ImportRunning || im.State == store.ImportUndoing {
		if v.htmx() {
			return v.part("kb_import", "progress", p)
		}
		return v.show("kb_import", p)
	}
	if v.htmx() { // it is over: the page shows what became of it
		return v.redirect(importPath(im.ID))
	}
	if im.State == store.ImportPending {
		if m := v.r.URL.Query().Get("mode"); m != "" {
			p.Import.Mode = m
		}
		if err := s.planImport(v, &p); err != nil {
			return err
		}
	}
	return v.show("kb_import", p)
}

func (s *Server) planImport(v *visit, p *importPage) error {
	ctx := v.r.Context()
	content, err := s.opt.Store.ImportFile(ctx, p.Import.ID)
	if err != nil {
		return err
	}
	rows, warnings, err := handlers.ReadImport(p.Import.Name, content)
	if err != nil {
		return badForm(err.Error())
	}
	p.Warnings = warnings
	if p.Plan, err = s.opt.Desk.PlanImport(ctx, rows, p.Import.Mode); err != nil {
		return err
	}
	for _, r := range p.Plan.Rows {
		switch {
		case r.Err != nil && len(p.Faults) < faultsShown:
			p.Faults = append(p.Faults, r.Err.Error())
		case r.Verdict == handlers.RowNew && len(p.New) < plansShown:
			p.New = append(p.New, r)
		case r.Verdict == handlers.RowChanged && len(p.Changed) < plansShown:
			p.Changed = append(p.Changed, plannedChange{r, kb.Diff(*r.Old, r.Want)})
		}
	}
	return nil
}

// actOnImport imports the file that was looked at, or takes an import back.
func (s *Server) actOnImport(v *visit) error {
	im, err := s.importOf(v)
	if err != nil {
		return err
	}
	ctx := v.r.Context()
	switch v.r.PostFormValue("do") {
	case "apply":
		im, err = s.opt.Desk.BeginImport(ctx, v.user, im.ID, v.r.PostFormValue("mode"), v.r.PostFormValue("faulty") == "1")
	case "undo":
		im, err = s.opt.Desk.UndoImport(ctx, v.user, im.ID)
	default:
		return errNotFound
	}
	var no chat.Refusal
	if errors.As(err, &no) {
		return conflict(no.Text)
	}
	if err != nil {
		return err
	}
	if im.Rows <= inlineRows {
		if err := s.opt.Desk.RunImport(ctx, im.ID); err != nil && !errors.Is(err, store.ErrStale) {
			return err
		}
	}
	return v.redirect(importPath(im.ID))
}

// importFaults is the file again, with what is wrong beside its rows.
func (s *Server) importFaults(v *visit) error {
	im, err := s.importOf(v)
	if err != nil {
		return err
	}
	content, err := s.opt.Store.ImportFile(v.r.Context(), im.ID)
	if err != nil {
		return err
	}
	rows, _, err := handlers.ReadImport(im.Name, content)
	if err != nil {
		return badForm(err.Error())
	}
	var out bytes.Buffer
	if err := kb.WriteFaults(im.Name, content, rows, &out); err != nil {
		return badForm(err.Error())
	}
	end := path.Ext(im.Name)
	return v.download(strings.TrimSuffix(im.Name, end)+"-"+v.t("有错的行")+end, out.Bytes())
}

// download answers with a file that no browser shows.
func (v *visit) download(name string, content []byte) error {
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	_, err := v.w.Write(content)
	return err
}

// exportKnowledge is the whole base, or what the filter chooses, as a file that
// can be imported again.
func (s *Server) exportKnowledge(v *visit) error {
	q := v.r.URL.Query()
	f := readKBFilter(q)
	query := f.query()
	query.Offset, query.N = 0, 1000
	var all []kb.Entry
	for {
		page, err := s.opt.Store.PageEntries(v.r.Context(), query)
		if err != nil {
			return err
		}
		if all = append(all, page...); len(page) < query.N {
			break
		}
		query.Before = page[len(page)-1].Number
	}
	name := fmt.Sprintf("%s-%s.%s", v.t("知识库"), s.opt.Now().Format("20060102"), chat.Cut(q.Get("format"), 5))
	var out bytes.Buffer
	if err := kb.WriteFile(name, &out, all); err != nil {
		return badForm(err.Error())
	}
	return v.download(name, out.Bytes())
}

// Export is where the same entries come as a file.
func (p kbPageData) Export(format string) template.URL {
	q := p.Filter.values()
	q.Set("format", format)
	return template.URL("/kb/export?" + q.Encode())
}

// Mode is how an import treats what is there already.
func (s shell) Mode(mode string) string {
	return map[string]string{handlers.ImportMerge: s.T("合并：文件里写了的换上，没写的留着，问法加进去"), handlers.ImportReplace: s.T("替换：以文件为准，没写的清空"), handlers.ImportSkip: s.T("跳过：已有的不动，只加新的")}[mode]
}

// ImportState is how far an import is.
func (s shell) ImportState(state string) template.HTML {
	look := map[string][2]string{store.ImportRunning: {"doing", s.T("导入中")}, store.ImportDone: {"done", s.T("已导入")}, store.ImportUndoing: {"doing", s.T("撤销中")}, store.ImportUndone: {"off", s.T("已撤销")}, store.ImportPending: {"wait", s.T("还没导入")}}[state]
	return template.HTML(`<span class="st ` + look[0] + `">` + template.HTMLEscapeString(look[1]) + `</span>`)
}
