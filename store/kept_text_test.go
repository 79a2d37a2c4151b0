package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"frontline/store"
	"frontline/store/storetest"
)

func TestKeptTexts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		for _, shelf := range []store.Shelf{store.RecipeShelf, store.MonitorShelf} {
			keptOn(t, s, shelf)
		}
	})
}

func keptOn(t *testing.T, s *store.Store, shelf store.Shelf) {
	t.Helper()
	ctx := t.Context()
	sha := func(body string) string { sum := sha256.Sum256([]byte(body)); return hex.EncodeToString(sum[:]) }
	put := func(name, body string, upon int) error {
		return s.InTx(ctx, func(tx *store.Tx) error {
			return tx.PutText(shelf, &store.KeptText{Name: name, Edition: upon, Body: body, Author: "sun", Note: "x"})
		})
	}
	if id, err := s.NewestText(ctx, shelf); id != 0 || err != nil {
		t.Errorf("%d %v", id, err)
	}
	for _, c := range []struct {
		name, body string
		upon       int
		want       error
	}{{"a", "1", 0, nil}, {"a", "2", 0, store.ErrStale}, {"a", "2", 1, nil}, {"b", "1b", 0, nil}, {"b", "2b", 2, store.ErrStale}} {
		if err := put(c.name, c.body, c.upon); !errors.Is(err, c.want) {
			t.Errorf("%v: %v", c, err)
		}
	}
	list, err := s.Texts(ctx, shelf)
	if err != nil || len(list) != 2 || list[0].Body != "2" || list[0].Edition != 2 || list[1].Body != "1b" {
		t.Errorf("%v %v", list, err)
	}
	if all, err := s.TextEditions(ctx, shelf, "a", 10); err != nil || len(all) != 2 || all[0].Edition != 2 {
		t.Errorf("%v %v", all, err)
	}
	if r, err := s.TextBySHA(ctx, shelf, sha("1")); err != nil || r.Body != "1" || r.Author != "sun" {
		t.Errorf("%v %v", r, err)
	}
	if _, err := s.TextBySHA(ctx, shelf, sha("none")); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if id, err := s.NewestText(ctx, shelf); id != list[1].ID || err != nil {
		t.Errorf("%d %v", id, err)
	}
}
