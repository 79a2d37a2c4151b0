package handlers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// bulkDesk is a desk with three entries of different last days of validity.
type bulkDesk struct {
	*clockDesk
	numbers []int64
}

const untilBefore = " 2026-12-31 2027-03-31"

func onBulkDesk(t *testing.T, fn func(t *testing.T, d bulkDesk)) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		b := bulkDesk{clockDesk: d}
		d.in(func(tx *store.Tx) error {
			for _, e := range []kb.Entry{{Question: "打新要多少市值", ReviewAt: "2027-06-30"}, {Question: "夜市委托几点开始", ValidUntil: "2026-12-31"}, {Question: "转托管收费吗", ValidUntil: "2027-03-31"}} {
				e.Answer, e.State = "见公告。", kb.Published
				n, err := tx.NewEntry("gu", e)
				if err != nil {
					return err
				}
				b.numbers = append(b.numbers, n)
			}
			return nil
		})
		fn(t, b)
	})
}

// look is what another last day would do, and the versions that it would change.
func (d bulkDesk) look(day string) (seen map[int64]int, said string) {
	d.t.Helper()
	rows, err := d.PlanBulk(context.Background(), zhao, BulkChange{BulkValid, day}, d.numbers)
	if err != nil {
		d.t.Fatal(err)
	}
	seen = map[int64]int{}
	for _, r := range rows {
		if said += r.Old.ValidUntil + ">" + r.Want.ValidUntil + r.Why + " "; r.Changes() {
			seen[r.Old.Number] = r.Old.Version
		}
	}
	return seen, said
}

// until are the last days as they are.
func (d bulkDesk) until() string {
	d.t.Helper()
	var days []string
	for _, n := range d.numbers {
		days = append(days, d.kbEntry(n).ValidUntil)
	}
	return strings.Join(days, " ")
}

// A look says what was and what will be; when somebody was faster, nothing is
// written. Before the day of review is no fault, as in the editor.
func TestBulkValidityLooks(t *testing.T) {
	onBulkDesk(t, func(t *testing.T, d bulkDesk) {
		seen, said := d.look("2027-03-31")
		if len(seen) != 2 || said != ">2027-03-31 2026-12-31>2027-03-31 2027-03-31>2027-03-31本来就是这样 " {
			t.Errorf("%v %q", seen, said)
		}
		d.in(func(tx *store.Tx) error {
			_, err := tx.ChangeEntry("gu", "改了", d.numbers[1], 0, func(e *kb.Entry) error { e.Answer = "二十点。"; return nil })
			return err
		})
		var conflict BulkConflict
		if _, err := d.ApplyBulk(t.Context(), zhao, BulkChange{BulkValid, "2027-03-31"}, seen); !errors.As(err, &conflict) || !slices.Equal(conflict.Numbers, d.numbers[1:2]) || d.until() != untilBefore {
			t.Errorf("%v, %q", err, d.until())
		}
	})
}

// The last day of many entries is set or cleared, and is as it was when that is
// taken back. A day that is past is no fault, as in the editor.
func TestBulkValidity(t *testing.T) {
	onBulkDesk(t, func(t *testing.T, d bulkDesk) {
		for day, want := range map[string]string{"2027-03-31": "2027-03-31 2027-03-31 2027-03-31", "": "  ", "2020-01-01": "2020-01-01 2020-01-01 2020-01-01"} {
			seen, _ := d.look(day)
			id, err := d.ApplyBulk(t.Context(), zhao, BulkChange{BulkValid, day}, seen)
			if err != nil || d.until() != want {
				t.Fatalf("%q: %v, %q", day, err, d.until())
			}
			if e := d.kbEntry(d.numbers[0]); e.ReviewAt != "2027-06-30" || e.State != kb.Published {
				t.Errorf("%q: %+v", day, e)
			}
			if im := d.importOf(id); !strings.HasPrefix(im.Name, "批量改有效期") || im.Changed != len(seen) {
				t.Errorf("%q: %+v", day, im)
			}
			if _, err := d.UndoImport(t.Context(), zhao, id); err != nil {
				t.Fatal(err)
			}
			if err := d.RunImports(t.Context()); err != nil || d.until() != untilBefore {
				t.Errorf("%q taken back: %v, %q", day, err, d.until())
			}
		}
	})
}

// What no entry can have is refused in the words of the editor.
func TestBulkFaults(t *testing.T) {
	onDesk(t, func(t *testing.T, d *clockDesk) {
		for _, c := range []BulkChange{{BulkValid, "2026-2-1"}, {BulkValid, "2027-02-29"}, {BulkReview, "morgen"}, {BulkGroup, strings.Repeat("组", 65)}} {
			want := kb.Entry{Question: "打新要多少市值", Answer: "见公告。"}
			switch c.Kind {
			case BulkValid:
				want.ValidUntil = c.Value
			case BulkReview:
				want.ReviewAt = c.Value
			case BulkGroup:
				want.Group = c.Value
			}
			_, err := entryWords(want)
			if err == nil {
				t.Fatalf("%+v: the editor takes it", c)
			}
			_, look := d.PlanBulk(t.Context(), zhao, c, []int64{1})
			_, apply := d.ApplyBulk(t.Context(), zhao, c, map[int64]int{1: 1})
			if refusalText(look) != err.Error()+"。" || refusalText(apply) != err.Error()+"。" {
				t.Errorf("%+v: %v, %v, the editor says %v", c, look, apply, err)
			}
		}
		for _, who := range []chat.User{gu, reporter} {
			if _, err := d.PlanBulk(t.Context(), who, BulkChange{BulkValid, "2027-03-31"}, []int64{1}); refusalText(err) == "" {
				t.Errorf("%s: %v", who.ID, err)
			}
		}
	})
}
