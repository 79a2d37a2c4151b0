package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

func TestRevisions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		put(t, s, entry("怎么开户", "到柜台"), entry("密码忘了", "点找回"))
		change := func(version int, to func(e *kb.Entry)) (e kb.Entry, err error) {
			err = s.InTx(ctx, func(tx *store.Tx) error {
				e, err = tx.ChangeEntry("zhao", "更准", 1, version, func(e *kb.Entry) error { to(e); return nil })
				return err
			})
			return e, err
		}
		if e, err := change(1, func(e *kb.Entry) { e.Answer = "手机上" }); err != nil || e.Version != 2 || e.Answer != "手机上" {
			t.Fatalf("change: %+v, %v", e, err)
		}
		if _, err := change(1, func(e *kb.Entry) { e.Answer = "别的" }); !errors.Is(err, store.ErrStale) {
			t.Errorf("an old version: %v", err)
		}
		if e, err := change(0, func(e *kb.Entry) {}); err != nil || e.Version != 2 {
			t.Errorf("nothing changed: version %d, %v", e.Version, err)
		}
		if _, err := change(0, func(e *kb.Entry) { e.Question = " 密码忘了 " }); !errors.Is(err, store.ErrExists) {
			t.Errorf("the question of another: %v", err)
		}
		restore := func(version int) (e kb.Entry, err error) {
			err = s.InTx(ctx, func(tx *store.Tx) error { e, err = tx.RestoreEntry("qian", 1, version); return err })
			return e, err
		}
		if e, err := restore(0); err != nil || e.Version != 3 || e.Answer != "到柜台" {
			t.Errorf("undo: %+v, %v", e, err)
		}
		if _, err := restore(9); !errors.Is(err, store.ErrFirst) {
			t.Errorf("a version that never was: %v", err)
		}
		list, err := s.ListRevisions(ctx, 1, 10)
		if err != nil || len(list) != 3 {
			t.Fatalf("%d revisions, %v", len(list), err)
		}
		if r := list[1]; r.Version != 2 || r.Author != "zhao" || r.Reason != "更准" || r.Entry.Answer != "手机上" {
			t.Errorf("the second: %+v", r)
		}
		if r := list[0]; r.Author != "qian" || r.Entry.Answer != "到柜台" {
			t.Errorf("the newest: %+v", r)
		}
	})
}

func TestGapsAndWatches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		inTx(t, s, func(tx *store.Tx) error {
			for _, q := range []store.Question{
				{Message: "m1", Asker: "a", Text: "补签在哪", Band: "refuse"}, {Message: "m2", Asker: "b", Text: "补签入口", Band: "refuse"},
				{Message: "m3", Asker: "c", Text: "开户", Band: "answer", Entry: 1},
			} {
				if err := tx.KeepQuestion(q); err != nil {
					return err
				}
			}
			return errors.Join(tx.JudgeQuestion("m3", "c", "useless", 0), tx.SettleQuestions([]string{"m2"}, "ignored"))
		})
		got, err := s.ListUnanswered(ctx, time.Now().Add(-time.Hour), 10)
		if err != nil || len(got) != 2 || got[0].Message != "m3" || got[1].Message != "m1" {
			t.Errorf("gaps: %+v, %v", got, err)
		}
		if got, _ := s.ListUnanswered(ctx, time.Now().Add(time.Hour), 10); len(got) != 0 {
			t.Errorf("older ones are no gaps: %+v", got)
		}
		if q, err := s.FindQuestion(ctx, "m2"); err != nil || q.Outcome != "ignored" {
			t.Errorf("%+v, %v", q, err)
		}
		watch := func(member, message string) {
			inTx(t, s, func(tx *store.Tx) error {
				return tx.WatchQuestion(store.Watch{Member: member, Message: message, Text: "补签在哪"})
			})
		}
		watch("a", "m1")
		watch("b", "m1")
		watch("a", "m1")
		list, err := s.ListWatches(ctx, 10)
		if err != nil || len(list) != 2 || list[0].Member != "a" {
			t.Fatalf("watches: %+v, %v", list, err)
		}
		inTx(t, s, func(tx *store.Tx) error {
			if ended, err := tx.EndWatch(list[0].ID); !ended || err != nil {
				t.Errorf("end: %v, %v", ended, err)
			}
			if ended, _ := tx.EndWatch(list[0].ID); ended {
				t.Error("ended twice")
			}
			return tx.LookedAtWatches([]int64{list[1].ID})
		})
	})
}
