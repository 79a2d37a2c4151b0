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

// importPart writes some rows. With the rule of the second person new entries wait
// for review, and new words of published ones wait as changes.
func (d *Desk) importPart(tx *store.Tx, im store.Import, rows []kb.Row) (store.Import, error) {
	if err := tx.LockEntries(); err != nil {
		return im, err
	}
	twins, err := tx.TwinsOf(entriesOf(rows))
	if err != nil {
		return im, err
	}
	im.Pos += len(rows)
	var did []store.Imported
	var plans []PlannedRow
	var writes []store.EntryWrite
	for i, r := range rows {
		p := planRow(r, twins[i], im.Mode)
		switch p.Verdict {
		case RowNew, RowChanged:
		case RowSame:
			im.Same++
			continue
		case RowBad: // counted when the file was read
			continue
		default:
			im.Skipped++
			continue
		}
		w := store.EntryWrite{Entry: p.Want, Reason: "导入：" + im.Name}
		if p.Old != nil {
			w.Version = p.Old.Version
		}
		if d.SecondPerson && p.Want.Live() {
			if p.Old != nil && p.Old.State == kb.Published {
				x, err := d.importProposal(tx, im, p)
				switch {
				case errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrStale): // a change is being written: that stays
					im.Skipped++
				case err != nil:
					return im, err
				default:
					im.Changed++
					did = append(did, x)
				}
				continue
			}
			w.Entry.State = kb.Review
		}
		plans, writes = append(plans, p), append(writes, w)
	}
	done, err := tx.WriteEntries(im.Author, writes)
	if err != nil {
		return im, err
	}
	for i, x := range done {
		answered := false
		switch old := plans[i].Old; {
		case x.After == 0: // the question of another
			im.Skipped++
			continue
		case old == nil:
			im.Created++
		default:
			im.Changed++
			answered = old.Live()
		}
		if err := d.EmitEntry(tx, chat.EntryPublished, im.Author, x.Number, answered); err != nil {
			return im, err
		}
		did = append(did, store.Imported{Entry: x.Number, Before: x.Before, After: x.After})
	}
	return im, tx.NoteImported(im.ID, did)
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
		is := im
		if err := d.Store.InTx(ctx, func(tx *store.Tx) error {
			kept, err := d.undoPart(tx, im, list)
			if err != nil {
				return err
			}
			is.Kept, is.Pos = im.Kept+kept, int(list[len(list)-1].Entry)
			return tx.StepImport(im, is)
		}); err != nil {
			return fmt.Errorf("take back %s: %w", im.Name, err)
		}
		im = is
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error { return tx.MoveImport(im, store.ImportUndoing, store.ImportUndone) })
}

// undoPart takes back what an import did to some entries, and counts those that
// stay because they were changed since.
func (d *Desk) undoPart(tx *store.Tx, im store.Import, list []store.Imported) (kept int, err error) {
	if err := tx.LockEntries(); err != nil {
		return 0, err
	}
	asked, before := make([]kb.Entry, len(list)), map[int64]int{}
	for i, x := range list {
		asked[i] = kb.Entry{Number: x.Entry}
		before[x.Entry] = x.Before
	}
	entries, err := tx.TwinsOf(asked)
	if err != nil {
		return 0, err
	}
	versions, err := tx.EntriesAt(before)
	if err != nil {
		return 0, err
	}
	var olds []kb.Entry
	var writes []store.EntryWrite
	for i, x := range list {
		e := entries[i]
		if x.Change != 0 {
			stays, err := undoProposal(tx, x)
			if err != nil {
				return 0, err
			}
			if stays {
				kept++
			}
			continue
		}
		if e == nil || e.Version != x.After {
			kept++
			continue
		}
		w := store.EntryWrite{Entry: *e, Version: e.Version, Reason: "撤销导入：" + im.Name}
		if x.Before == 0 {
			w.Entry.State = kb.Retired
		} else if old, ok := versions[x.Entry]; ok {
			w.Entry, w.Reason = old, fmt.Sprintf("恢复第 %d 版", x.Before)
		} else {
			return 0, fmt.Errorf("version %d of K%d: %w", x.Before, x.Entry, store.ErrFirst)
		}
		olds, writes = append(olds, *e), append(writes, w)
	}
	done, err := tx.WriteEntries(im.Author, writes)
	if err != nil {
		return 0, err
	}
	for i, x := range done {
		if x.After == 0 { // its question is another's by now
			kept++
			continue
		}
		if err := d.EmitEntry(tx, chat.EntryRolledBack, im.Author, x.Number, olds[i].Live()); err != nil {
			return 0, err
		}
	}
	return kept, nil
}

// undoProposal drops a change that an import left, unless somebody went on with it.
func undoProposal(tx *store.Tx, x store.Imported) (stays bool, err error) {
	p, err := tx.FindProposal(x.Entry)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Version != x.Change {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, tx.DropProposal(x.Entry)
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
