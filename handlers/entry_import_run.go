package handlers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// RunImport goes on with an import, or with taking one back, until it is over.
// Every batch commits with how far it is, so that whoever goes on after a crash
// does nothing twice and leaves nothing out. ErrStale tells that somebody else
// is at it.
func (d *Desk) RunImport(ctx context.Context, id int64) error {
	im, err := d.Store.FindImport(ctx, id)
	if err != nil {
		return err
	}
	switch im.State {
	case store.ImportRunning:
		return d.runImport(ctx, im)
	case store.ImportUndoing:
		return d.runUndo(ctx, im)
	}
	return nil
}

func (d *Desk) runImport(ctx context.Context, im store.Import) error {
	content, err := d.Store.ImportFile(ctx, im.ID)
	if err != nil {
		return err
	}
	rows, _, err := ReadImport(im.Name, content)
	if err != nil {
		return fmt.Errorf("read %s again: %w", im.Name, err)
	}
	for im.Pos < len(rows) {
		if im, err = d.stepImport(ctx, im, rows); err != nil {
			return err
		}
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error { return tx.MoveImport(im, store.ImportRunning, store.ImportDone) })
}

// stepImport writes the next rows, in one transaction with how far it is.
func (d *Desk) stepImport(ctx context.Context, im store.Import, rows []kb.Row) (is store.Import, err error) {
	part := rows[im.Pos:min(len(rows), im.Pos+entryBatch)]
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		if is, err = d.importPart(tx, im, part); err != nil {
			return err
		}
		return tx.StepImport(im, is)
	})
	if err != nil {
		return im, fmt.Errorf("import of %s at row %d: %w", im.Name, im.Pos, err)
	}
	return is, nil
}

// importPart writes some rows.
func (d *Desk) importPart(tx *store.Tx, im store.Import, rows []kb.Row) (store.Import, error) {
	if err := tx.LockEntries(); err != nil {
		return im, err
	}
	twins, err := tx.TwinsOf(entriesOf(rows))
	if err != nil {
		return im, err
	}
	var did []store.Imported
	for i, r := range rows {
		im.Pos++
		p := planRow(r, twins[i], im.Mode)
		switch p.Verdict {
		case RowNew:
			im.Created++
		case RowChanged:
			im.Changed++
		case RowSame:
			im.Same++
			continue
		case RowBad: // counted when the file was read
			continue
		default:
			im.Skipped++
			continue
		}
		x, err := d.importEntry(tx, im, p)
		if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrStale) { // the question of another, or a change is being written: that stays
			im.Skipped++
			if p.Verdict == RowNew {
				im.Created--
			} else {
				im.Changed--
			}
			continue
		}
		if err != nil {
			return im, err
		}
		if x.Change == 0 {
			if err := d.EmitEntry(tx, chat.EntryPublished, im.Author, x.Entry, p.Old != nil && p.Old.Live()); err != nil {
				return im, err
			}
		}
		did = append(did, x)
	}
	return im, tx.NoteImported(im.ID, did)
}

// importEntry writes one row. With the rule of the second person new entries wait
// for review, and new words of published ones wait as changes.
func (d *Desk) importEntry(tx *store.Tx, im store.Import, p PlannedRow) (store.Imported, error) {
	e := p.Want
	if d.SecondPerson && e.Live() {
		if p.Old != nil && p.Old.State == kb.Published {
			return d.importProposal(tx, im, p)
		}
		e.State = kb.Review
	}
	if p.Old == nil && e.Number == 0 {
		n, err := tx.NewEntryOf(im.Author, "导入："+im.Name, e)
		return store.Imported{Entry: n, After: 1}, err
	}
	if p.Old == nil {
		done, err := tx.PutEntry(im.Author, "导入："+im.Name, e)
		return store.Imported{Entry: done.Number, Before: done.Before, After: done.After}, err
	}
	after, err := tx.ChangeEntry(im.Author, "导入："+im.Name, p.Old.Number, p.Old.Version, func(x *kb.Entry) error { *x = e; return nil })
	return store.Imported{Entry: p.Old.Number, Before: p.Old.Version, After: after.Version}, err
}

// importProposal leaves a change that somebody is writing alone.
func (d *Desk) importProposal(tx *store.Tx, im store.Import, p PlannedRow) (store.Imported, error) {
	if err := tx.PutProposal(store.Proposal{Entry: p.Want, Base: p.Old.Version, State: kb.Review, Author: im.Author}, 0); err != nil {
		return store.Imported{}, err
	}
	made, err := tx.FindProposal(p.Old.Number)
	return store.Imported{Entry: p.Old.Number, Before: p.Old.Version, Change: made.Version}, err
}

func (d *Desk) runUndo(ctx context.Context, im store.Import) error {
	for {
		list, err := d.Store.ListImported(ctx, im.ID, int64(im.Pos), entryBatch)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		if err := d.Store.InTx(ctx, func(tx *store.Tx) error {
			is := im
			for _, x := range list {
				kept, err := d.undoRow(tx, im, x)
				if err != nil {
					return err
				}
				if kept {
					is.Kept++
				}
				is.Pos = int(x.Entry)
			}
			if err := tx.StepImport(im, is); err != nil {
				return err
			}
			im = is
			return nil
		}); err != nil {
			return fmt.Errorf("take back %s: %w", im.Name, err)
		}
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error { return tx.MoveImport(im, store.ImportUndoing, store.ImportUndone) })
}

// undoRow takes back what an import did to one entry; kept tells that it was
// changed since, and stays.
func (d *Desk) undoRow(tx *store.Tx, im store.Import, x store.Imported) (kept bool, err error) {
	if x.Change != 0 {
		p, err := tx.FindProposal(x.Entry)
		if errors.Is(err, store.ErrNotFound) || err == nil && p.Version != x.Change {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		return false, tx.DropProposal(x.Entry)
	}
	e, err := tx.FindEntry(x.Entry)
	if err != nil {
		return false, err
	}
	if e.Version != x.After {
		return true, nil
	}
	if x.Before > 0 {
		_, err = tx.RestoreEntry(im.Author, x.Entry, x.Before)
	} else {
		_, err = tx.ChangeEntry(im.Author, "撤销导入："+im.Name, x.Entry, e.Version, func(e *kb.Entry) error { e.State = kb.Retired; return nil })
	}
	if err != nil {
		return false, err
	}
	return false, d.EmitEntry(tx, chat.EntryRolledBack, im.Author, x.Entry, e.Live())
}

// Importer goes on with imports that are under way: those that are too large
// for the request that began them, and those that a crash interrupted.
type Importer struct{ Desk *Desk }

// importLook is how often somebody looks for an import to go on with.
const importLook = 2 * time.Second

// Run works until ctx ends.
func (i Importer) Run(ctx context.Context) error {
	tick := time.NewTicker(importLook)
	defer tick.Stop()
	for {
		if err := i.Desk.RunImports(ctx); err != nil && ctx.Err() == nil {
			i.Desk.Log.Warn("go on with imports", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// RunImports goes on with every import that is under way.
func (d *Desk) RunImports(ctx context.Context) error {
	list, err := d.Store.UnfinishedImports(ctx)
	if err != nil {
		return err
	}
	var faults error
	for _, im := range list {
		if err := d.RunImport(ctx, im.ID); err != nil && !errors.Is(err, store.ErrStale) {
			faults = errors.Join(faults, err)
		}
	}
	return faults
}
