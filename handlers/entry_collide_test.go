package handlers

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"frontline/kb"
	"frontline/store"
)

// Numbers and questions that stand in each other's way are named before anything
// is written, and what is written is the rest, whole: B89.
func TestImportCollisions(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		d.in(func(tx *store.Tx) error {
			_, err := tx.PutEntries("t", []kb.Entry{{Question: "甲怎么办理", Answer: "甲"}, {Question: "乙怎么办理", Answer: "乙"}, {Question: "丙怎么办理", Answer: "丙"}})
			return err
		})
		file := "编号,标准问题,答案\n" +
			"K1,甲怎么办理,甲改\n" + // its own entry
			"K2,丙怎么办理,乙改\n" + // the question of K3
			"K3,丙要怎么办理,丙改\n" + // which has another one in the same file
			"K3,丙又怎么办理,丙再改\n" + // the same number again
			",甲怎么办理,甲三\n" + // the question of a row before
			"K9,=cmd|'/c calc'!A0,丁\n" + // a number that there is not
			"K99999999999999999999,戊怎么办理,戊\n" +
			"K0,己怎么办理,己\n" +
			"-1,庚怎么办理,庚\n" +
			",辛怎么办理,辛\n"
		rows, _, err := ReadImport("a.csv", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := d.PlanImport(ctx, rows, ImportMerge)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"", "是 K3 的，编号却是 K2，会跳过", "", "「编号」与第 4 行相同", "「标准问题」与第 2 行相同", "", "「编号」", "「编号」", "「编号」", ""} {
			if got := plan.Rows[i].Err; (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
				t.Errorf("line %d: %v, want %q", plan.Rows[i].Line, got, want)
			}
		}
		if plan.New != 2 || plan.Changed != 2 || plan.Skipped != 1 || plan.Bad != 5 {
			t.Errorf("%d new, %d changed, %d skipped, %d bad", plan.New, plan.Changed, plan.Skipped, plan.Bad)
		}
		im := d.upload("a.csv", file, ImportMerge, true)
		if err := d.RunImport(ctx, im.ID); err != nil {
			t.Fatal(err)
		}
		if im = d.importOf(im.ID); im.Created != plan.New || im.Changed != plan.Changed || im.Skipped != plan.Skipped {
			t.Errorf("it did otherwise than it said: %+v", im)
		}
		for n, want := range map[int64]string{1: "甲怎么办理 甲改", 2: "乙怎么办理 乙", 3: "丙要怎么办理 丙改", 9: "=cmd|'/c calc'!A0 丁", 10: "辛怎么办理 辛"} {
			if e := d.kbEntry(n); e.Question+" "+e.Answer != want {
				t.Errorf("K%d is %s %s, want %s", n, e.Question, e.Answer, want)
			}
		}
	})
}

// A question that a row before has given up is free for the next one.
func TestImportSwapsQuestions(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		ctx := context.Background()
		d.in(func(tx *store.Tx) error {
			_, err := tx.PutEntries("t", []kb.Entry{{Question: "甲怎么办理", Answer: "甲"}, {Question: "乙怎么办理", Answer: "乙"}})
			return err
		})
		const file = "编号,标准问题,答案\nK1,甲要怎么办理,甲\nK2,甲怎么办理,乙\n"
		rows, _, err := ReadImport("a.csv", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := d.PlanImport(ctx, rows, ImportMerge)
		if err != nil || plan.Changed != 2 {
			t.Errorf("%+v %v", plan, err)
		}
		im := d.upload("a.csv", file, ImportMerge, false)
		if err := d.RunImport(ctx, im.ID); err != nil {
			t.Fatal(err)
		}
		if im = d.importOf(im.ID); im.Changed != 2 || d.kbEntry(2).Question != "甲怎么办理" {
			t.Errorf("%+v %+v", im, d.kbEntry(2))
		}
	})
}

// An import whose process is told to stop in the middle leaves whole batches, and
// goes on: B90.
func TestImportCancelledHalfway(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		var b strings.Builder
		b.WriteString("标准问题,答案\n")
		const rows = 4 * entryBatch
		for i := range rows {
			fmt.Fprintf(&b, "第 %d 号事项怎么办,答 %d\n", i, i)
		}
		im := d.upload("big.csv", b.String(), ImportMerge, false)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			defer cancel()
			for at := im; at.Pos < rows/2 && at.State == store.ImportRunning; {
				var err error
				if at, err = d.Store.FindImport(context.Background(), im.ID); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		err := d.RunImport(ctx, im.ID)
		// The batch that was on its way may be written all the same, before what comes now.
		d.in(func(*store.Tx) error { return nil })
		at := d.importOf(im.ID)
		n, countErr := d.Store.CountEntries(context.Background(), store.EntryQuery{Text: "号事项怎么办"})
		if countErr != nil || int(n) != at.Created || err != nil && at.Pos%entryBatch != 0 || err == nil && at.State != store.ImportDone {
			t.Fatalf("cancelled: %v, %+v with %d entries, %v", err, at, n, countErr)
		}
		if err := d.RunImports(context.Background()); err != nil {
			t.Fatal(err)
		}
		if at = d.importOf(im.ID); at.State != store.ImportDone || at.Created != rows {
			t.Errorf("gone on: %+v", at)
		}
	})
}
