package web

import (
	"strings"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Texts that are written in the console keep every edition: recipes and monitors.

const editions = 50 // shown

// textEditor is the editor of such a text.
type textEditor struct {
	Name    string // "" for a new one
	Title   string
	Text    string
	Note    string
	Edition int
	Fine    bool // checked, nothing wrong
	Fault   string
	Now     []kb.Part // what somebody else saved meanwhile, against the text typed
}

// typed puts what was posted into the editor, and returns what to do with it.
func (e *textEditor) typed(v *visit) (do string) {
	e.Text = strings.ReplaceAll(v.r.PostFormValue("text"), "\r\n", "\n")
	e.Note = chat.Cut(strings.TrimSpace(v.r.PostFormValue("note")), 200)
	e.Edition = int(number(v.r.PostFormValue("edition")))
	return v.r.PostFormValue("do")
}

// overtaken shows what somebody else saved meanwhile beside what was typed.
func (e *textEditor) overtaken(v *visit, newest textEditor) {
	e.Now = kb.DiffLines(newest.Text, e.Text)
	e.Edition, e.Fine = newest.Edition, false
	e.Fault = v.t("刚才有人保存了另一版，没有覆盖。你写的还在；不同之处在下面，再保存一次就以你的为准。")
}

type editionRow struct {
	store.KeptText
	By   string
	Diff []kb.Part // against the one before; the first against the file, nil when there is none
}

type editionsPage struct {
	Name, Title string
	Head, Note  string // what the page is of
	Edit, Back  string // addresses
	Rows        []editionRow
}

// editionRows are the editions of a text, the newest first, with what each one
// changed. file is the text of the file, "" without one; shown is a text as
// people may see it.
func (s *Server) editionRows(v *visit, on store.Shelf, name, file string, shown func(string) string) (rows []editionRow, err error) {
	ctx := v.r.Context()
	list, err := s.opt.Store.TextEditions(ctx, on, name, editions)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, r := range list {
		ids = append(ids, r.Author)
	}
	people, err := s.opt.Store.FindMembers(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, r := range list {
		r.Body = shown(r.Body)
		before := shown(file)
		if i+1 < len(list) {
			before = shown(list[i+1].Body)
		}
		row := editionRow{KeptText: r, By: nameIn(people, r.Author)}
		if before != "" {
			row.Diff = kb.DiffLines(before, r.Body)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Short leaves out what stayed but for two lines on either side of a change.
func (editionRow) Short(parts []kb.Part) []kb.Part {
	out := make([]kb.Part, 0, len(parts))
	for i, p := range parts {
		if lines := strings.SplitAfter(p.Text, "\n"); p.Op == '=' && len(lines) > 6 {
			head, tail := lines[:2], lines[len(lines)-3:]
			if i == 0 {
				head = nil
			}
			if i == len(parts)-1 {
				tail = nil
			}
			p.Text = strings.Join(head, "") + "⋯\n" + strings.Join(tail, "")
		}
		out = append(out, p)
	}
	return out
}
