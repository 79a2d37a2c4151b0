package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

// Many writes together leave what single ones leave, and leave out what these refuse.
func TestWriteEntries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		put(t, s, entry("怎么开户", "到柜台"), entry("密码忘了", "点找回"), entry("夜市几点", "十八点"))
		write := func(list ...store.EntryWrite) (done []store.EntryPut) {
			t.Helper()
			if err := s.InTx(ctx, func(tx *store.Tx) (err error) { done, err = tx.WriteEntries("zhao", list); return err }); err != nil {
				t.Fatal(err)
			}
			return done
		}
		was := func(number int64, version int, question, answer string) store.EntryWrite {
			return store.EntryWrite{Entry: kb.Entry{Number: number, Question: question, Answer: answer, State: kb.Published}, Version: version, Reason: "试"}
		}
		got := write(
			was(1, 1, "怎么开户", "手机上"),     // changed
			was(2, 1, "密码忘了", "点找回"),     // as it was
			was(3, 2, "夜市几点", "别的"),      // not the newest version
			was(1, 2, "销户怎么办", "到柜台"),    // again: it goes on from the first
			was(0, 0, " 怎么开户 ", "甲"),     // the question that became free
			was(0, 0, "密码忘了", "乙"),       // the question of another
			was(2, 1, "夜市几点", "点找回"),     // the question of another
			was(9, 0, "盘后怎么买", "丙"),      // from another base
			was(9, 0, "打新怎么买", "丁"),      // its number again
			was(0, 0, "港股通怎么开", "戊"),     // the next number
			was(7, 1, "没有的", "己"),        // nothing to change
			was(0, 0, "港股通 怎么开?", "庚"),   // another question
			was(0, 0, "港股通怎么开", "同一批里的"), // written a moment ago
		)
		want := []store.EntryPut{{1, 1, 2}, {2, 1, 1}, {}, {1, 2, 3}, {10, 0, 1}, {}, {2, 1, 0}, {9, 0, 1}, {}, {11, 0, 1}, {}, {12, 0, 1}, {}}
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		state := func(number int64) string {
			e, err := s.FindEntry(ctx, number)
			if err != nil {
				return err.Error()
			}
			list, err := s.ListRevisions(ctx, number, 10)
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("%s %s v%d", e.Question, e.Answer, e.Version)
			for _, r := range list {
				text += fmt.Sprintf(", %d %s %s", r.Version, r.Author, r.Entry.Answer)
			}
			return text
		}
		for number, want := range map[int64]string{
			1:  "销户怎么办 到柜台 v3, 3 zhao 到柜台, 2 zhao 手机上, 1 me 到柜台",
			3:  "夜市几点 十八点 v1, 1 me 十八点",
			10: " 怎么开户  甲 v1, 1 zhao 甲",
		} {
			if got := state(number); got != want {
				t.Errorf("K%d: %s, want %s", number, got, want)
			}
		}
		changes, err := s.Changed(ctx, 0, 100)
		if err != nil || len(changes) != 7 {
			t.Fatalf("%d entries, %v", len(changes), err)
		}
		for i, e := range changes[1:] {
			if e.Changed <= changes[i].Changed {
				t.Errorf("K%d has the change %d after %d", e.Number, e.Changed, changes[i].Changed)
			}
		}
		put(t, s, entry("两融怎么开", "到柜台"))
		if got := state(13); got != "两融怎么开 到柜台 v1, 1 me 到柜台" {
			t.Errorf("the next single one: %s", got)
		}
	})
}
