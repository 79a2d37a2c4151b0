package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"frontline/kb"
	"frontline/store"
)

// upload keeps a file as its page does, and begins the import.
func (d *clockDesk) upload(name, content, mode string, faulty bool) store.Import {
	d.t.Helper()
	rows, _, err := ReadImport(name, []byte(content))
	if err != nil {
		d.t.Fatal(err)
	}
	im := store.Import{Name: name, Author: zhao.ID, Rows: len(rows)}
	for _, r := range rows {
		if r.Err != nil {
			im.Bad++
		}
	}
	d.in(func(tx *store.Tx) error { im.ID, err = tx.NewImport(im, []byte(content)); return err })
	im, err = d.BeginImport(context.Background(), zhao, im.ID, mode, faulty)
	if err != nil {
		d.t.Fatal(err)
	}
	return im
}

func (d *clockDesk) importOf(id int64) store.Import {
	d.t.Helper()
	im, err := d.Store.FindImport(context.Background(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return im
}

func (d *clockDesk) kbEntry(n int64) kb.Entry {
	d.t.Helper()
	e, err := d.Store.FindEntry(context.Background(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	return e
}

func TestImportModesAndUndo(t *testing.T) {
	ctx := context.Background()
	for mode, want := range map[string]struct {
		answer, group string
		similar       int
	}{
		ImportMerge:   {"新的答案", "账户组", 2},
		ImportReplace: {"新的答案", "", 1},
		ImportSkip:    {"旧的答案", "账户组", 1},
	} {
		t.Run(mode, func(t *testing.T) {
			onDesk(t, func(t *testing.T, d *clockDesk) {
				d.in(func(tx *store.Tx) error {
					_, err := tx.NewEntry("t", kb.Entry{Question: "夜市委托几点开始", Answer: "旧的答案", Group: "账户组", Similar: []string{"晚上能挂单吗"}, State: kb.Published})
					return err
				})
				list, err := d.Store.PageEntries(ctx, store.EntryQuery{N: 1})
				if err != nil {
					t.Fatal(err)
				}
				n := list[0].Number
				im := d.upload("a.csv", "标准问题,答案,相似问\n夜市委托几点开始,新的答案,夜里可以委托吗\n盘后固定价格怎么参与,15:05 起\n", mode, false)
				for range 2 { // again is nothing
					if err := d.RunImport(ctx, im.ID); err != nil {
						t.Fatal(err)
					}
				}
				if e := d.kbEntry(n); e.Answer != want.answer || e.Group != want.group || len(e.Similar) != want.similar {
					t.Errorf("%+v", e)
				}
				if im = d.importOf(im.ID); im.State != store.ImportDone || im.Created != 1 || im.Pos != 0 {
					t.Errorf("%+v", im)
				}
				if im, err = d.UndoImport(ctx, zhao, im.ID); err != nil {
					t.Fatal(err)
				}
				if err := d.RunImports(ctx); err != nil {
					t.Fatal(err)
				}
				if e := d.kbEntry(n); e.Answer != "旧的答案" || e.Group != "账户组" || len(e.Similar) != 1 {
					t.Errorf("taken back: %+v", e)
				}
				if e := d.kbEntry(n + 1); e.State != kb.Retired {
					t.Errorf("what it made: %+v", e)
				}
				if im = d.importOf(im.ID); im.State != store.ImportUndone || im.Kept != 0 {
					t.Errorf("%+v", im)
				}
				if _, err := d.UndoImport(ctx, zhao, im.ID); refusalText(err) == "" {
					t.Errorf("twice: %v", err)
				}
			})
		})
	}
}

// What was changed since an import is not taken back with it.
func TestUndoKeepsWhatCameSince(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		im := d.upload("a.jsonl", `{"question":"甲怎么办理业务","answer":"甲"}`+"\n"+`{"question":"乙怎么办理业务","answer":"乙"}`+"\n", ImportMerge, false)
		if err := d.RunImport(ctx, im.ID); err != nil {
			t.Fatal(err)
		}
		list, _ := d.Store.PageEntries(ctx, store.EntryQuery{N: 2})
		first, second := list[1].Number, list[0].Number
		d.in(func(tx *store.Tx) error {
			_, err := tx.ChangeEntry("qian", "改", first, 0, func(e *kb.Entry) error { e.Answer = "甲，改过"; return nil })
			return err
		})
		if _, err := d.UndoImport(ctx, zhao, im.ID); err != nil {
			t.Fatal(err)
		}
		if err := d.RunImports(ctx); err != nil {
			t.Fatal(err)
		}
		if im = d.importOf(im.ID); im.Kept != 1 || d.kbEntry(first).State != kb.Published || d.kbEntry(second).State != kb.Retired {
			t.Errorf("%+v, %+v, %+v", im, d.kbEntry(first), d.kbEntry(second))
		}
	})
}

// B89, B90: an import that is cut off in the middle goes on where it was; the same
// file again changes nothing; rows that are wrong stop the whole of it.
func TestImportCutOffAndRepeated(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		var b strings.Builder
		b.WriteString("问题编号,标准问题,答案\n")
		const rows = 3*entryBatch + 50
		for i := range rows {
			fmt.Fprintf(&b, "x,第 %d 号业务怎么办,=cmd|'/c calc'!A%d\n", i, i)
		}
		im := d.upload("big.csv", b.String(), ImportMerge, false)
		read, _, err := ReadImport("big.csv", []byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		for is := im; is.Pos < 2*entryBatch; { // and then the process dies
			if is, err = d.stepImport(ctx, is, read); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.stepImport(ctx, im, read); !errors.Is(err, store.ErrStale) {
			t.Errorf("somebody else who thinks it is at its beginning: %v", err)
		}
		at := d.importOf(im.ID)
		if n, _ := d.Store.CountEntries(ctx, store.EntryQuery{Text: "号业务怎么办"}); at.State != store.ImportRunning || at.Pos != 2*entryBatch || n != 2*entryBatch {
			t.Fatalf("cut off: %+v with %d entries", at, n)
		}
		if err := d.RunImports(ctx); err != nil {
			t.Fatal(err)
		}
		if im = d.importOf(im.ID); im.State != store.ImportDone || im.Created != rows {
			t.Errorf("gone on: %+v", im)
		}
		again := d.upload("big.csv", b.String(), ImportMerge, false)
		if err := d.RunImport(ctx, again.ID); err != nil {
			t.Fatal(err)
		}
		if again = d.importOf(again.ID); again.Same != rows || again.Created+again.Changed != 0 {
			t.Errorf("again: %+v", again)
		}
	})
}

func TestImportRefusesWhatIsWrong(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		var b strings.Builder
		b.WriteString("question,answer\n")
		for range 1000 {
			b.WriteString("同一个问题怎么办,答\n")
		}
		rows, _, err := ReadImport("a.csv", []byte(b.String()+"保本吗,保本的\n"))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := d.PlanImport(ctx, rows, ImportMerge)
		if err != nil || plan.New != 1 || plan.Bad != 1000 {
			t.Errorf("%d new, %d bad, %v", plan.New, plan.Bad, err)
		}
		if last := plan.Rows[1000].Err; last == nil || !strings.Contains(last.Error(), "承诺性的说法「保本」") {
			t.Errorf("a promise: %v", last)
		}
		var id int64
		d.in(func(tx *store.Tx) error {
			id, err = tx.NewImport(store.Import{Name: "a.csv", Author: zhao.ID, Rows: 1001, Bad: 1000}, []byte(b.String()))
			return err
		})
		if _, err := d.BeginImport(ctx, zhao, id, ImportMerge, false); !strings.Contains(refusalText(err), "1000 行有错，什么都没有导入") {
			t.Errorf("%v", err)
		}
		if _, err := d.BeginImport(ctx, qian, id, ImportMerge, true); refusalText(err) == "" {
			t.Errorf("somebody else's file: %v", err)
		}
		if im, err := d.BeginImport(ctx, zhao, id, ImportMerge, true); err != nil || d.RunImport(ctx, im.ID) != nil || d.importOf(id).Created != 1 {
			t.Errorf("without them: %v %+v", err, d.importOf(id))
		}
	})
}

// With the rule of the second person a file publishes nothing by itself.
func TestImportWaitsForTheSecondPerson(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		d.SecondPerson = true
		var n int64
		d.in(func(tx *store.Tx) (err error) {
			n, err = tx.NewEntry("t", kb.Entry{Question: "夜市委托几点开始", Answer: "旧的答案", State: kb.Published})
			return err
		})
		im := d.upload("a.csv", "标准问题,答案\n夜市委托几点开始,新的答案\n盘后固定价格怎么参与,15:05 起\n", ImportMerge, false)
		if err := d.RunImport(ctx, im.ID); err != nil {
			t.Fatal(err)
		}
		p, err := d.Store.FindProposal(ctx, n)
		if err != nil || p.Entry.Answer != "新的答案" || p.State != kb.Review || d.kbEntry(n).Answer != "旧的答案" || d.kbEntry(n+1).State != kb.Review {
			t.Errorf("%+v, %v, %+v", p, err, d.kbEntry(n+1))
		}
		if _, err := d.UndoImport(ctx, zhao, im.ID); err != nil || d.RunImports(ctx) != nil {
			t.Fatal(err)
		}
		if _, err := d.Store.FindProposal(ctx, n); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the change is still there: %v", err)
		}
	})
}
