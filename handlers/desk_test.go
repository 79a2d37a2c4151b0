package handlers

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

// book is the platform's address list, the outside world of the desk.
type book struct {
	plain map[string]string
	names map[string]string
	asked int
	all   []store.Listed
	fail  error
}

func (b *book) Person(_ context.Context, id string) (string, string, error) {
	return b.names[id], "示例部", b.fail
}

func (b *book) PlainUserIDs(_ context.Context, ids []string) (map[string]string, error) {
	b.asked++
	return map[string]string{ids[0]: b.plain[ids[0]]}, b.fail
}

func (b *book) Everybody(context.Context) ([]store.Listed, error) { return b.all, b.fail }

// The smart bot may report an encrypted userid; rights belong to the plain one.
func TestActorBehindAnEncryptedID(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	ctx := context.Background()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		return tx.SetRoles("test", "guyuan", chat.RoleSet{chat.Reporter, chat.Responder})
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &book{plain: map[string]string{"woEncrypted": "guyuan"}, names: map[string]string{"guyuan": "顾远"}}
	d := &Desk{Store: s, Directory: b, Log: slog.New(slog.DiscardHandler)}
	for range 2 {
		u, err := d.actor(ctx, chat.Message{Via: chat.Bot, Sender: "woEncrypted"})
		if err != nil || u.ID != "guyuan" || u.Name != "顾远" || !u.Roles.Has(chat.Responder) {
			t.Errorf("%+v, %v", u, err)
		}
	}
	if b.asked != 1 {
		t.Errorf("the platform was asked %d times", b.asked)
	}
	// The self-built app always reports plain ids.
	if u, _ := d.actor(ctx, chat.Message{Via: chat.App, Sender: "woEncrypted"}); u.ID != "woEncrypted" {
		t.Errorf("%+v", u)
	}
	// A platform that does not answer costs a name, nothing else.
	b.fail = errors.New("down")
	if u, err := d.actor(ctx, chat.Message{Via: chat.Bot, Sender: "somebody"}); err != nil || u.ID != "somebody" || !u.Roles.Has(chat.Reporter) {
		t.Errorf("%+v, %v", u, err)
	}
}

// The address list is followed: new people are reporters, who left is out and
// signed out, roles stay; a list that is suspiciously short changes nothing.
func TestSyncMembers(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	ctx := context.Background()
	b := &book{all: []store.Listed{{ID: "a", Name: "甲", Department: "一部"}, {ID: "b", Name: "乙"}, {ID: "c", Name: "丙"}, {ID: "d", Name: "丁"}}}
	d := &Desk{Store: s, Directory: b, Log: slog.New(slog.DiscardHandler)}
	sync := func(want store.Synced) {
		t.Helper()
		if got, err := d.SyncMembers(ctx, "test"); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	sync(store.Synced{Added: 4})
	sync(store.Synced{})
	if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.SetRoles("test", "a", chat.RoleSet{chat.Reporter, chat.Leader}) }); err != nil {
		t.Fatal(err)
	}
	session, err := s.NewSession(ctx, "b", "")
	if err != nil {
		t.Fatal(err)
	}
	b.all = []store.Listed{{ID: "a", Name: "甲", Department: "二部"}, {ID: "c", Name: "丙"}, {ID: "d", Name: "丁"}}
	sync(store.Synced{Changed: 1, Left: 1})
	if u, _ := s.FindMember(ctx, "a"); u.Department != "二部" || !u.Roles.Has(chat.Leader) {
		t.Errorf("%+v", u)
	}
	if _, err := s.FindSession(ctx, session.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("who left is still signed in: %v", err)
	}
	b.all = b.all[:1]
	if _, err := d.SyncMembers(ctx, "test"); !errors.Is(err, store.ErrShortList) {
		t.Errorf("a short list: %v", err)
	}
	if u, _ := s.FindMember(ctx, "c"); u.Disabled {
		t.Error("a refused list changed somebody")
	}
}
