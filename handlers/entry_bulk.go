package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// How many entries are filed can be changed at once: looked at first, written in
// one transaction or not at all, and taken back as an import is. Their words
// stay as they are, so no second person is needed.

// What can be changed of many entries.
const (
	BulkOwner    = "owner"
	BulkGroup    = "group"
	BulkCategory = "category"
	BulkTag      = "tag"   // add
	BulkUntag    = "untag" // take away
	BulkReview   = "review"
	BulkValid    = "valid" // the last day of validity
	BulkRetire   = "retire"
)

// BulkKinds are all of them, in the order in which they are offered.
var BulkKinds = []string{BulkOwner, BulkGroup, BulkCategory, BulkTag, BulkUntag, BulkReview, BulkValid, BulkRetire}

var bulkTitle = map[string]string{BulkOwner: "改负责人", BulkGroup: "改服务组", BulkCategory: "改分类", BulkTag: "加标签", BulkUntag: "去标签", BulkReview: "改复核日期", BulkValid: "改有效期", BulkRetire: "停用"}

// BulkTitle says what a kind does.
func BulkTitle(kind string) string { return bulkTitle[kind] }

// BulkMost is how many entries one change is of at most.
const BulkMost = 500

// importBulk is the mode of an import that is no file.
const importBulk = "bulk"

// BulkChange is one change of many entries; an empty value clears what can be
// empty: group, category, and both days.
type BulkChange struct{ Kind, Value string }

// BulkRow is what a change would do with one entry.
type BulkRow struct {
	Old, Want kb.Entry
	Why       string // it is left alone, and why
}

// Changes tells whether the entry would be another.
func (r BulkRow) Changes() bool { return r.Why == "" }

// checkBulk refuses what makes no sense for any entry.
func (d *Desk) checkBulk(ctx context.Context, actor chat.User, c *BulkChange) error {
	c.Value = strings.TrimSpace(c.Value)
	switch {
	case !Curates(actor):
		return refuse("批量修改由知识管理员来做。")
	case !slices.Contains(BulkKinds, c.Kind):
		return refuse("没有这个操作。")
	case c.Value == "" && (c.Kind == BulkOwner || c.Kind == BulkTag || c.Kind == BulkUntag):
		return refuse("写上要改成什么。")
	}
	if c.Kind == BulkOwner {
		u, err := d.Store.FindMember(ctx, c.Value)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err != nil || u.Disabled || !Proposes(u) {
			return refuse("负责人要选一位在用的、能写知识的同事。")
		}
	}
	// What no entry can have is refused in the words of the editor of one.
	if err := kb.Validate(c.on(kb.Entry{Question: "问", Answer: "答"})); err != nil {
		return refuse(err.Error() + "。")
	}
	return nil
}

// PlanBulk says what a change would do with some entries, and changes nothing.
// Numbers that there are not are left out.
func (d *Desk) PlanBulk(ctx context.Context, actor chat.User, c BulkChange, numbers []int64) ([]BulkRow, error) {
	if err := d.checkBulk(ctx, actor, &c); err != nil {
		return nil, err
	}
	if len(numbers) == 0 || len(numbers) > BulkMost {
		return nil, refuse(fmt.Sprintf("先勾选知识，一次最多 %d 条。", BulkMost))
	}
	waiting, err := d.Store.ProposalStates(ctx, numbers)
	if err != nil {
		return nil, err
	}
	var out []BulkRow
	for _, n := range numbers {
		e, err := d.Store.FindEntry(ctx, n)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c.row(e, waiting[n] != ""))
	}
	return out, nil
}

// on is an entry as the change would leave it.
func (c BulkChange) on(e kb.Entry) kb.Entry {
	switch c.Kind {
	case BulkOwner:
		e.Owner = c.Value
	case BulkGroup:
		e.Group = c.Value
	case BulkCategory:
		e.Category = c.Value
	case BulkTag:
		e.Tags = append(slices.Clip(e.Tags), c.Value)
	case BulkUntag:
		e.Tags = slices.DeleteFunc(slices.Clone(e.Tags), func(tag string) bool { return tag == c.Value })
	case BulkReview:
		e.ReviewAt = c.Value
	case BulkValid:
		e.ValidUntil = c.Value
	case BulkRetire:
		e.State = kb.Retired
	}
	return kb.Clean(e)
}

// row is what the change does with one entry.
func (c BulkChange) row(e kb.Entry, waiting bool) BulkRow {
	r := BulkRow{Old: e, Want: c.on(e)}
	switch err := kb.Validate(r.Want); {
	case r.Want.State == e.State && kb.SameWords(r.Want, e):
		r.Why = "本来就是这样"
	case waiting: // its author would write over it, or lose it
		r.Why = "有未发布的修改，先发布或放弃它"
	case err != nil:
		r.Why = err.Error()
	}
	return r
}

// BulkConflict are entries that are not any more as they were looked at.
type BulkConflict struct{ Numbers []int64 }

// Error names them.
func (c BulkConflict) Error() string {
	return fmt.Sprintf("entries %v were changed meanwhile", c.Numbers)
}

// ApplyBulk makes a change of the entries in the versions that were looked at:
// all of them, or BulkConflict and none. It is kept as an import that is done,
// and taken back as one.
func (d *Desk) ApplyBulk(ctx context.Context, actor chat.User, c BulkChange, seen map[int64]int) (id int64, err error) {
	if err := d.checkBulk(ctx, actor, &c); err != nil {
		return 0, err
	}
	if len(seen) == 0 || len(seen) > BulkMost {
		return 0, refuse(fmt.Sprintf("先勾选知识，一次最多 %d 条。", BulkMost))
	}
	numbers := make([]int64, 0, len(seen))
	for n := range seen {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	err = d.Store.InTx(ctx, func(tx *store.Tx) (err error) {
		id, err = d.applyBulk(tx, actor, c, numbers, seen)
		return err
	})
	return id, err
}

func (d *Desk) applyBulk(tx *store.Tx, actor chat.User, c BulkChange, numbers []int64, seen map[int64]int) (int64, error) {
	if err := tx.LockEntries(); err != nil {
		return 0, err
	}
	rows := make([]BulkRow, 0, len(numbers))
	var conflict BulkConflict
	for _, n := range numbers {
		row, err := bulkRowIn(tx, c, n)
		if err != nil {
			return 0, err
		}
		if row.Old.Version != seen[n] || !row.Changes() {
			conflict.Numbers = append(conflict.Numbers, n)
		}
		rows = append(rows, row)
	}
	if len(conflict.Numbers) > 0 {
		return 0, conflict
	}
	to := c.Value
	if u, err := tx.FindMember(c.Value); c.Kind == BulkOwner && err == nil {
		to = u.Show()
	}
	im := store.Import{Name: chat.Cut("批量"+BulkTitle(c.Kind)+" "+to, 60), Author: actor.ID, Mode: importBulk, State: store.ImportRunning, Rows: len(rows)}
	var err error
	if im.ID, err = tx.NewImport(im, nil); err != nil {
		return 0, err
	}
	did := make([]store.Imported, len(rows))
	for i, r := range rows {
		after, err := d.bulkEntry(tx, actor, c, r)
		if err != nil {
			return 0, err
		}
		did[i] = store.Imported{Entry: r.Old.Number, Before: r.Old.Version, After: after.Version}
	}
	end := im
	end.Changed, end.Pos = len(rows), len(rows)
	return im.ID, errors.Join(tx.MoveImport(im, store.ImportPending, store.ImportRunning), tx.StepImport(im, end), tx.NoteImported(im.ID, did), tx.MoveImport(im, store.ImportRunning, store.ImportDone),
		tx.Audit(actor.ID, "entry.bulk", c.Kind, map[string]any{"import": im.ID, "value": c.Value, "entries": numbers}))
}

func bulkRowIn(tx *store.Tx, c BulkChange, number int64) (BulkRow, error) {
	e, err := tx.FindEntry(number)
	if err != nil {
		return BulkRow{}, err
	}
	_, err = tx.FindProposal(number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return BulkRow{}, err
	}
	return c.row(e, err == nil), nil
}

func (d *Desk) bulkEntry(tx *store.Tx, actor chat.User, c BulkChange, r BulkRow) (kb.Entry, error) {
	if c.Kind == BulkRetire {
		return d.MoveEntry(tx, actor, r.Old.Number, r.Old.Version, MoveRetire, "批量")
	}
	e, err := tx.ChangeEntry(actor.ID, "批量"+BulkTitle(c.Kind), r.Old.Number, r.Old.Version, func(e *kb.Entry) error { *e = r.Want; return nil })
	if err != nil {
		return e, err
	}
	return e, d.EmitEntry(tx, chat.EntryPublished, actor.ID, e.Number, r.Old.Live())
}
