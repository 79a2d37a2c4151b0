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
	fail  error
}

func (b *book) Person(_ context.Context, id string) (string, string, error) {
	return b.names[id], "示例部", b.fail
}

func (b *book) PlainUserIDs(_ context.Context, ids []string) (map[string]string, error) {
	b.asked++
	return map[string]string{ids[0]: b.plain[ids[0]]}, b.fail
}

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
