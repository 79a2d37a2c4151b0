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

func TestProposals(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		put(t, s, entry("怎么开户", "到柜台"))
		keep := func(answer, state string, version int64) error {
			e := entry("怎么开户", answer)
			e.Number = 1
			return s.InTx(ctx, func(tx *store.Tx) error {
				return tx.PutProposal(store.Proposal{Entry: e, Base: 1, State: state, Author: "zhao"}, version)
			})
		}
		if _, err := s.FindProposal(ctx, 1); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("none yet: %v", err)
		}
		if err := keep("手机上", kb.Draft, 0); err != nil {
			t.Fatal(err)
		}
		p, err := s.FindProposal(ctx, 1)
		if err != nil || p.Entry.Answer != "手机上" || p.Author != "zhao" || p.Base != 1 || p.Entry.Number != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		if err := keep("别的", kb.Draft, 0); !errors.Is(err, store.ErrStale) {
			t.Errorf("a second one beside it: %v", err)
		}
		if err := keep("手机上也行", kb.Review, p.Version); err != nil {
			t.Fatal(err)
		}
		if err := keep("旧的", kb.Draft, p.Version); !errors.Is(err, store.ErrStale) {
			t.Errorf("an old version: %v", err)
		}
		if states, err := s.ProposalStates(ctx, []int64{1, 2}); err != nil || len(states) != 1 || states[1] != kb.Review {
			t.Errorf("%v, %v", states, err)
		}
		if n, err := s.CountEntries(ctx, store.EntryQuery{State: store.EntryWaiting}); err != nil || n != 1 {
			t.Errorf("%d wait, %v", n, err)
		}
		first := p.Version
		inTx(t, s, func(tx *store.Tx) error { return errors.Join(tx.DropProposal(1), tx.DropProposal(1)) })
		if err := keep("新的", kb.Draft, 0); err != nil {
			t.Fatal(err)
		}
		if p, _ := s.FindProposal(ctx, 1); p.Version == first {
			t.Error("a later change has the version of an earlier one: its form would not be stale")
		}
	})
}

func TestEntryList(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		put(t, s, kb.Entry{Question: "怎么开户", Answer: "x", Group: "账户组", Category: "咨询", Owner: "zhao", Similar: []string{"开个户100%要啥"}},
			kb.Entry{Question: "密码忘了", Answer: "x", Group: "账户组", State: kb.Draft}, kb.Entry{Question: "回购没到账", Answer: "x", Group: "交易组", State: kb.Review})
		for name, q := range map[string]struct {
			store.EntryQuery
			want int
		}{
			"all": {store.EntryQuery{}, 3}, "group": {store.EntryQuery{Group: "账户组"}, 2}, "owner": {store.EntryQuery{Owner: "zhao"}, 1}, "kind": {store.EntryQuery{Category: "咨询"}, 1}, "draft": {store.EntryQuery{State: kb.Draft}, 1},
			"waiting": {store.EntryQuery{State: store.EntryWaiting}, 2}, "waiting in a group": {store.EntryQuery{State: store.EntryWaiting, Group: "交易组"}, 1}, "text": {store.EntryQuery{Text: "密码"}, 1}, "similar": {store.EntryQuery{Text: "100%要"}, 1}, "no pattern": {store.EntryQuery{Text: "1%要"}, 0},
		} {
			n, err := s.CountEntries(ctx, q.EntryQuery)
			q.N = 10
			list, fault := s.PageEntries(ctx, q.EntryQuery)
			if err != nil || fault != nil || int(n) != q.want || len(list) != q.want {
				t.Errorf("%s: %d and %d of %d, %v %v", name, n, len(list), q.want, err, fault)
			}
		}
		if names, err := s.EntryNames(ctx, "group"); err != nil || len(names) != 2 {
			t.Errorf("groups %v, %v", names, err)
		}
		inTx(t, s, func(tx *store.Tx) error {
			for i, band := range []string{"answer", "clarify", "answer"} {
				if err := tx.KeepQuestion(store.Question{Message: string(rune('a' + i)), Asker: "a", Text: "x", Band: band, Entry: 1}); err != nil {
					return err
				}
			}
			return errors.Join(tx.JudgeQuestion("a", "a", "useful", 0), tx.JudgeQuestion("b", "a", "useless", 0))
		})
		use, err := s.EntryUses(ctx, []int64{1, 2}, time.Now().Add(-time.Hour))
		if u := use[1]; err != nil || u.Shown != 3 || u.Asked != 2 || u.Useful != 1 || u.Useless != 1 || len(use) != 1 {
			t.Errorf("%+v, %v", use, err)
		}
	})
}

// Whoever moves an entry, its words are still those of who wrote them.
func TestEditorIsWhoWroteTheWords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		change := func(by string, to func(e *kb.Entry)) (e kb.Entry) {
			inTx(t, s, func(tx *store.Tx) (err error) {
				e, err = tx.ChangeEntry(by, "", 1, 0, func(e *kb.Entry) error { to(e); return nil })
				return err
			})
			return e
		}
		inTx(t, s, func(tx *store.Tx) error {
			_, err := tx.NewEntry("zhao", kb.Entry{Question: "怎么开户", Answer: "到柜台", State: kb.Draft})
			return err
		})
		if e := change("chen", func(e *kb.Entry) { e.State = kb.Review }); e.Editor != "zhao" || e.Version != 2 {
			t.Errorf("moved by another: %+v", e)
		}
		if e := change("chen", func(e *kb.Entry) { e.Answer, e.State = "手机上", kb.Draft }); e.Editor != "chen" {
			t.Errorf("written by another: %+v", e)
		}
	})
}
