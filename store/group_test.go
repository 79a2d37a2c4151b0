package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

const robotKey = "693a91f6-7aab-4bc4-97a0-0ec2a1fa5aaa"

func putGroup(s *store.Store, g store.Group, key string) error {
	return s.InTx(context.Background(), func(tx *store.Tx) error { return tx.PutGroup("zhou", g, key) })
}

func dropGroup(s *store.Store, name string, version int64) error {
	return s.InTx(context.Background(), func(tx *store.Tx) error { return tx.DeleteGroup("zhou", name, version) })
}

func TestGroups(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		ctx := context.Background()
		if err := putGroup(s, store.Group{Name: "b", Title: "乙群 😀", ChatID: "wr1", Owners: []string{"zhou", "wang"}}, robotKey); err != nil {
			t.Fatal(err)
		}
		if err := putGroup(s, store.Group{Name: "a", Title: "甲群"}, ""); err != nil {
			t.Fatal(err)
		}
		if err := putGroup(s, store.Group{Name: "b", Title: "又一个"}, ""); !errors.Is(err, store.ErrExists) {
			t.Errorf("a taken name: %v", err)
		}
		all, err := s.ListGroups(ctx)
		if err != nil || len(all) != 2 || all[0].Name != "a" || all[0].KeyEnd != "" || len(all[0].Owners) != 0 {
			t.Fatalf("%+v, %v", all, err)
		}
		b := all[1]
		if b.Title != "乙群 😀" || b.KeyEnd != "5aaa" || b.ChatID != "wr1" || fmt.Sprint(b.Owners) != "[zhou wang]" || b.Version != 1 || time.Since(b.Created) > time.Minute {
			t.Errorf("%+v", b)
		}
		wantKey := func(name, want string) {
			t.Helper()
			if got, err := s.RobotKey(ctx, name); got != want || err != nil {
				t.Errorf("the key of %s is %q, %v", name, got, err)
			}
		}
		wantKey("b", robotKey)
		wantKey("a", "")
		// Without a new key the robot stays; two who change the same reading do not both win.
		renamed := b
		renamed.Title = "丙群"
		if err := putGroup(s, renamed, ""); err != nil {
			t.Fatal(err)
		}
		if err := putGroup(s, b, "another-key-1234"); !errors.Is(err, store.ErrStale) {
			t.Errorf("an old reading: %v", err)
		}
		wantKey("b", robotKey)
		if b, err = s.FindGroup(ctx, "b"); err != nil || b.Title != "丙群" || b.Version != 2 || b.KeyEnd != "5aaa" {
			t.Errorf("%+v, %v", b, err)
		}
		if err := putGroup(s, b, "another-key-1234"); err != nil {
			t.Fatal(err)
		}
		wantKey("b", "another-key-1234")
		if err := dropGroup(s, "b", b.Version); !errors.Is(err, store.ErrStale) {
			t.Errorf("deleted from an old reading: %v", err)
		}
		if err := dropGroup(s, "b", b.Version+1); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{dropGroup(s, "b", 1), putGroup(s, b, ""), func() error { _, err := s.FindGroup(ctx, "b"); return err }(), func() error { _, err := s.RobotKey(ctx, "b"); return err }()} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("of a deleted group: %v", err)
			}
		}
		log, err := s.ListAudit(ctx, store.AuditQuery{Object: "b", N: 50})
		var did []string
		for i := range log {
			l := log[len(log)-1-i]
			did = append(did, l.Action)
			if strings.Contains(l.Detail, robotKey) || strings.Contains(l.Detail, "another-key-1234") || l.Actor != "zhou" {
				t.Errorf("the log has %+v", l)
			}
		}
		if got := strings.Join(did, " "); got != "group.create group.update group.update group.delete" || err != nil {
			t.Errorf("the log has %s, %v", got, err)
		}
	})
}

// The key is sealed, and bound to its row.
func TestGroupKeyIsSealed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		for _, name := range []string{"a", "b"} {
			if err := putGroup(s, store.Group{Name: name, Title: name}, robotKey); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.Count("SELECT COUNT(*) FROM service_chat WHERE INSTR(HEX(robot_key), ?) > 0", fmt.Sprintf("%X", "4bc4-97a0")); n != 0 {
			t.Errorf("%d keys can be read", n)
		}
		// A key that was moved from another row does not open.
		if err := s.Exec("UPDATE service_chat SET robot_key=(SELECT k FROM (SELECT robot_key AS k FROM service_chat WHERE name='a') x) WHERE name='b'"); err != nil {
			t.Fatal(err)
		}
		if key, err := s.RobotKey(context.Background(), "b"); err == nil {
			t.Errorf("a moved key opens as %q", key)
		}
	})
}

// A group stays while words wait for it; a new key makes them due at once.
func TestGroupWithWaitingWords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := leadAll(t, open(store.Options{Serve: true, Lease: long}))
		ctx := context.Background()
		if err := putGroup(s, store.Group{Name: "a", Title: "甲群"}, "old-key-12345678"); err != nil {
			t.Fatal(err)
		}
		enqueue(t, s, words("w1", chat.Address{Kind: chat.Robot, ID: "a"}), words("w2", toZhou))
		if err := dropGroup(s, "a", 1); !errors.Is(err, store.ErrWaiting) {
			t.Errorf("deleted with words due: %v", err)
		}
		for _, d := range claimWords(t, s, "w1", "w2") {
			if err := s.Again(ctx, d, s.Now().Add(20*time.Minute), false, errors.New("refused")); err != nil {
				t.Fatal(err)
			}
		}
		claimWords(t, s)
		if err := putGroup(s, store.Group{Name: "a", Title: "甲群", Version: 1}, ""); err != nil {
			t.Fatal(err)
		}
		claimWords(t, s)
		if err := putGroup(s, store.Group{Name: "a", Title: "甲群", Version: 2}, robotKey); err != nil {
			t.Fatal(err)
		}
		d := claimWords(t, s, "w1")[0]
		if err := dropGroup(s, "a", 3); !errors.Is(err, store.ErrWaiting) {
			t.Errorf("deleted while words are being sent: %v", err)
		}
		sent(t, s, d)
		if err := dropGroup(s, "a", 3); err != nil {
			t.Error(err)
		}
	})
}
