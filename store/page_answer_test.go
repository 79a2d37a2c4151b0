package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

func TestPageAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx, now := context.Background(), time.Now()
		s := open(store.Options{Now: func() time.Time { return now }})
		keep := func(message, asker string) {
			t.Helper()
			if err := s.InTx(ctx, func(tx *store.Tx) error {
				return tx.KeepPageAnswer(store.PageAnswer{Message: message, Asker: asker, Body: json.RawMessage(`{"of":"` + message + `"}`)})
			}); err != nil {
				t.Fatal(err)
			}
		}
		keep("m1", "lin")
		now = now.Add(time.Minute)
		keep("m2", "lin")
		keep("m3", "he")
		if a, err := s.FindPageAnswer(ctx, "m1"); err != nil || a.Asker != "lin" || string(a.Body) != `{"of":"m1"}` {
			t.Errorf("%+v %v", a, err)
		}
		if a, err := s.LastPageAnswer(ctx, "lin", now.Add(-10*time.Minute)); err != nil || a.Message != "m2" {
			t.Errorf("%+v %v", a, err)
		}
		now = now.Add(11 * time.Minute)
		if _, err := s.LastPageAnswer(ctx, "lin", now.Add(-10*time.Minute)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("too long ago: %v", err)
		}
		now = now.AddDate(0, 0, 40)
		if _, err := s.Sweep(ctx, 30*24*time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := s.FindPageAnswer(ctx, "m1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("kept for ever: %v", err)
		}
	})
}
