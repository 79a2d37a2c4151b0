package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Knowledge comes in as a file: looked at first, imported as a whole, and taken
// back as a whole.

// Modes of an import: what happens to entries that are there already.
const (
	ImportMerge   = "merge"   // what the file says counts, what it leaves out stays
	ImportReplace = "replace" // the row is the entry
	ImportSkip    = "skip"    // they stay as they are
)

// ImportModes are the modes in the order in which they are offered.
var ImportModes = []string{ImportMerge, ImportReplace, ImportSkip}

// Verdicts on a row.
const (
	RowNew     = "new"
	RowChanged = "changed"
	RowSame    = "same"
	RowSkipped = "skipped"
	RowBad     = "bad"
)

// PlannedRow is what an import would do with a row of its file.
type PlannedRow struct {
	kb.Row
	Verdict string
	Old     *kb.Entry // the entry that is there already, nil for none
	Want    kb.Entry  // as it would be
}

// Plan is what an import would do.
type Plan struct {
	Rows                             []PlannedRow
	New, Changed, Same, Skipped, Bad int
}

// ReadImport reads a file for an import. What may not be published is a fault
// of its row, as in every other place.
func ReadImport(name string, content []byte) ([]kb.Row, []string, error) {
	rows, warnings, err := kb.ReadFile(name, bytes.NewReader(content))
	for i := range rows {
		if rows[i].Err == nil {
			rows[i].Err = importFault(&rows[i])
		}
	}
	return rows, warnings, err
}

// importFault checks a row after what identifies people is out of it.
func importFault(r *kb.Row) error {
	var faults kb.Faults
	e, err := entryWords(r.Entry)
	if errors.As(err, &faults) {
		return &kb.RowError{Line: r.Line, Faults: faults}
	}
	if p := promiseIn(e); p != "" && e.Live() {
		return &kb.RowError{Line: r.Line, Faults: kb.Faults{{Column: "answer", Text: fmt.Sprintf("有承诺性的说法「%s」，不能发布", p)}}}
	}
	r.Entry = e
	return nil
}

// entryBatch is how many rows one transaction writes: others get to write
// between two.
const entryBatch = 200

// PlanImport says what an import of rows would do, and changes nothing.
func (d *Desk) PlanImport(ctx context.Context, rows []kb.Row, mode string) (p Plan, err error) {
	moved := map[int64]bool{} // entries whose question is free by then
	for part := range slices.Chunk(rows, entryBatch) {
		twins, err := d.Store.TwinsOf(ctx, entriesOf(part))
		if err != nil {
			return p, err
		}
		askers, err := d.Store.TwinsOf(ctx, withoutNumbers(part))
		if err != nil {
			return p, err
		}
		for i, r := range part {
			row := planRow(r, twins[i], mode)
			row.meets(askers[i], moved)
			p.add(row)
		}
	}
	return p, nil
}

// meets leaves a row out whose number says one entry and whose question is
// another's; moved are the entries that have got another question by then.
func (p *PlannedRow) meets(asker *kb.Entry, moved map[int64]bool) {
	if p.Verdict != RowNew && p.Verdict != RowChanged {
		return
	}
	if asker != nil && p.Entry.Number != 0 && asker.Number != p.Entry.Number && !moved[asker.Number] {
		p.Verdict, p.Err = RowSkipped, &kb.RowError{Line: p.Line, Faults: kb.Faults{{Column: "question", Text: fmt.Sprintf("是 K%d 的，编号却是 K%d，会跳过", asker.Number, p.Entry.Number)}}}
		return
	}
	if p.Old != nil && (asker == nil || asker.Number != p.Old.Number) {
		moved[p.Old.Number] = true
	}
}

// withoutNumbers are the entries of rows, to be found by their questions.
func withoutNumbers(rows []kb.Row) []kb.Entry {
	out := entriesOf(rows)
	for i := range out {
		out[i].Number = 0
	}
	return out
}

func (p *Plan) add(r PlannedRow) {
	p.Rows = append(p.Rows, r)
	*map[string]*int{RowNew: &p.New, RowChanged: &p.Changed, RowSame: &p.Same, RowSkipped: &p.Skipped, RowBad: &p.Bad}[r.Verdict]++
}

func entriesOf(rows []kb.Row) []kb.Entry {
	out := make([]kb.Entry, len(rows))
	for i, r := range rows {
		out[i] = r.Entry
	}
	return out
}

func planRow(r kb.Row, old *kb.Entry, mode string) PlannedRow {
	out := PlannedRow{Row: r, Old: old, Want: r.Entry, Verdict: RowNew}
	switch {
	case r.Err != nil:
		out.Verdict, out.Old = RowBad, nil
		return out
	case old == nil:
		out.Want.State = stateOr(r.Entry.State, kb.Published)
		return out
	case mode == ImportSkip:
		out.Verdict = RowSkipped
		return out
	case mode == ImportMerge:
		out.Want = merged(*old, r.Entry)
	default:
		out.Want.State = stateOr(r.Entry.State, kb.Published)
	}
	out.Want.Number, out.Verdict = old.Number, RowChanged
	if out.Want.State == old.State && kb.SameWords(out.Want, *old) {
		out.Verdict = RowSame
	} else if err := kb.Validate(out.Want); err != nil { // lists that grew too long
		var faults kb.Faults
		errors.As(err, &faults)
		out.Verdict, out.Err = RowBad, &kb.RowError{Line: r.Line, Faults: faults}
	}
	return out
}

func stateOr(state, other string) string {
	if state == "" {
		return other
	}
	return state
}

// merged takes from a row what it says; lists grow.
func merged(old, row kb.Entry) kb.Entry {
	out := old
	for _, x := range []struct {
		to   *string
		from string
	}{{&out.Question, row.Question}, {&out.ShortTitle, row.ShortTitle}, {&out.Answer, row.Answer}, {&out.AnswerText, row.AnswerText}, {&out.Steps, row.Steps}, {&out.Exceptions, row.Exceptions}, {&out.State, row.State},
		{&out.Group, row.Group}, {&out.Category, row.Category}, {&out.Owner, row.Owner}, {&out.ValidUntil, row.ValidUntil}, {&out.ReviewAt, row.ReviewAt}} {
		if x.from != "" {
			*x.to = x.from
		}
	}
	out.Similar = append(slices.Clip(old.Similar), row.Similar...)
	out.Negative = append(slices.Clip(old.Negative), row.Negative...)
	out.Tags = append(slices.Clip(old.Tags), row.Tags...)
	return kb.Clean(out)
}

// BeginImport starts an import that was looked at.
func (d *Desk) BeginImport(ctx context.Context, actor chat.User, id int64, mode string, faulty bool) (store.Import, error) {
	im, err := d.Store.FindImport(ctx, id)
	if err != nil {
		return im, err
	}
	switch {
	case !Curates(actor) || im.Author != actor.ID:
		return im, refuse("只有上传文件的知识管理员能导入它。")
	case !slices.Contains(ImportModes, mode):
		return im, refuse("选一种处理已有知识的方式。")
	case im.Bad > 0 && !faulty:
		return im, refuse(fmt.Sprintf("有 %d 行有错，什么都没有导入。改好再传，或勾选「跳过有错的行」。", im.Bad))
	}
	im.Mode, im.Faulty = mode, faulty
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.MoveImport(im, store.ImportPending, store.ImportRunning); err != nil {
			return err
		}
		return tx.Audit(actor.ID, "entry.import", im.Name, map[string]any{"import": im.ID, "rows": im.Rows, "mode": mode})
	})
	if errors.Is(err, store.ErrStale) {
		return im, refuse("这个文件已经在导入，或导入过了。")
	}
	im.State = store.ImportRunning
	return im, err
}

// UndoImport begins to take an import back.
func (d *Desk) UndoImport(ctx context.Context, actor chat.User, id int64) (store.Import, error) {
	im, err := d.Store.FindImport(ctx, id)
	if err != nil {
		return im, err
	}
	if !Curates(actor) {
		return im, refuse("撤销导入由知识管理员来做。")
	}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.MoveImport(im, store.ImportDone, store.ImportUndoing); err != nil {
			return err
		}
		return tx.Audit(actor.ID, "entry.import.undo", im.Name, map[string]any{"import": im.ID})
	})
	if errors.Is(err, store.ErrStale) {
		return im, refuse("这次导入不在能撤销的状态。")
	}
	im.State, im.Pos = store.ImportUndoing, 0
	return im, err
}
