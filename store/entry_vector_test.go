package store_test

import (
	"fmt"
	"testing"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

var _ kb.VectorStore = (*store.Store)(nil)

func TestEntryVectors(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		s, ctx := open(store.Options{}), t.Context()
		put := func(model, text string, bits ...int8) kb.EntryVector {
			return kb.EntryVector{Model: model, Text: text, Entry: 7, Scale: 0.125, Bits: bits}
		}
		read := func(model string, after int64) (out string, last int64) {
			t.Helper()
			list, err := s.Vectors(ctx, model, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				out += fmt.Sprint(v.Text, v.Entry, v.Scale, v.Bits, " ")
				if v.Changed <= last {
					t.Errorf("changes go back: %+v", list)
				}
				last = v.Changed
			}
			return out, last
		}
		if err := s.PutVectors(ctx, []kb.EntryVector{put("m", "a", -128, 127), put("m", "b", 1), put("old", "a", 5), put("m", "b", 2)}); err != nil {
			t.Fatal(err)
		}
		got, last := read("m", 0)
		if got != "a7 0.125 [-128 127] b7 0.125 [2] " {
			t.Errorf("%s", got)
		}
		if err := s.PutVectors(ctx, []kb.EntryVector{put("m", "a", 9)}); err != nil {
			t.Fatal(err)
		}
		if got, _ := read("m", last); got != "a7 0.125 [9] " {
			t.Errorf("replaced: %s", got)
		}
		if err := s.DropOtherVectors(ctx, "m"); err != nil {
			t.Fatal(err)
		}
		if got, _ := read("old", 0); got != "" {
			t.Errorf("another model: %s", got)
		}
		if err := s.DropVectors(ctx, "m", []string{"a", "none"}); err != nil {
			t.Fatal(err)
		}
		if got, _ := read("m", 0); got != "b7 0.125 [2] " {
			t.Errorf("after dropping: %s", got)
		}
	})
}
