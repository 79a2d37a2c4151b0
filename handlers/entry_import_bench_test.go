package handlers

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"frontline/store"
)

// A hundred thousand rows with faults: read for the dry run, then imported while
// the page can ask how far it is, changed by another file, and that taken back.
// make bench-import prints the times.
func TestImportOfAHundredThousand(t *testing.T) {
	if os.Getenv("FRONTLINE_BENCH") == "" {
		t.Skip("set FRONTLINE_BENCH=1, or run make bench-import")
	}
	const rows, faultEach = 100_000, 100
	var b strings.Builder
	b.WriteString("标准问题,相似问,答案,分类\n")
	for i := range rows {
		answer := fmt.Sprintf("第 %d 号业务请在「我的」里办理，未到账时联系营业部。", i)
		if i%faultEach == 0 {
			answer = "" // without an answer
		}
		fmt.Fprintf(&b, "第 %d 号业务怎么办,%d 号业务在哪里办,%s,业务\n", i, i, answer)
	}
	text := b.String()
	onDesk(t, func(t *testing.T, d *clockDesk) {
		began := time.Now()
		read, _, err := ReadImport("big.csv", []byte(text))
		if err != nil || len(read) != rows {
			t.Fatal(len(read), err)
		}
		dry := time.Since(began)
		im := d.upload("big.csv", text, ImportMerge, true)
		began = time.Now()
		if err := d.RunImport(t.Context(), im.ID); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		im = d.importOf(im.ID)
		if im.State != store.ImportDone || im.Created != rows-rows/faultEach || im.Bad != rows/faultEach {
			t.Errorf("%+v", im)
		}
		t.Logf("%d rows (%d MB) with %d faults: read in %.1f s, imported in %.1f s (aim 60 s)", rows, len(text)>>20, im.Bad, dry.Seconds(), took.Seconds())

		again := d.upload("big.csv", strings.ReplaceAll(text, "联系营业部", "联系客服"), ImportReplace, true)
		began = time.Now()
		if err := d.RunImport(t.Context(), again.ID); err != nil {
			t.Fatal(err)
		}
		changing := time.Since(began)
		if again = d.importOf(again.ID); again.Changed != rows-rows/faultEach {
			t.Errorf("%+v", again)
		}
		if again, err = d.UndoImport(t.Context(), zhao, again.ID); err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		if err := d.RunImport(t.Context(), again.ID); err != nil {
			t.Fatal(err)
		}
		if again = d.importOf(again.ID); again.State != store.ImportUndone || again.Kept != 0 {
			t.Errorf("%+v", again)
		}
		t.Logf("the same rows with other answers: changed in %.1f s, taken back in %.1f s", changing.Seconds(), time.Since(began).Seconds())
	})
}
