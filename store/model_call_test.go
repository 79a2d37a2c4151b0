package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

func TestModelCalls(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		s := open(store.Options{Now: clock})
		ctx := t.Context()
		call := func(s *store.Store, person string, tokens int64, most kb.ModelLimits) (int64, error) {
			return s.BeginModelCall(ctx, kb.ModelCall{Purpose: "word", Version: "1", Model: "m", Person: person, PromptTokens: tokens, Cost: tokens}, most)
		}
		id, err := call(s, "hejun", 100, kb.ModelLimits{Tokens: 300, PersonTokens: 150})
		if err != nil {
			t.Fatal(err)
		}
		// One that runs counts with what it may cost, in another process too.
		if _, err := call(open(store.Options{Now: clock}), "hejun", 100, kb.ModelLimits{PersonTokens: 150}); !errors.Is(err, kb.ErrBudget) {
			t.Errorf("a person's budget: %v", err)
		}
		if _, err := call(s, "zhoumin", 100, kb.ModelLimits{PersonTokens: 150}); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		if err := s.EndModelCall(ctx, kb.ModelCall{ID: id, PromptTokens: 30, CompletionTokens: 12, Cost: 42, Outcome: "ok", Took: 1200 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			most kb.ModelLimits
			want error
		}{
			{kb.ModelLimits{Calls: 2}, kb.ErrBudget}, {kb.ModelLimits{Tokens: 241}, kb.ErrBudget}, {kb.ModelLimits{Cost: 241}, kb.ErrBudget},
			{kb.ModelLimits{Tokens: 242, Cost: 242, Calls: 3}, nil},
		} {
			if _, err := call(s, "", 100, c.most); !errors.Is(err, c.want) {
				t.Errorf("%+v: %v", c.most, err)
			}
		}
		list, err := s.ListModelCalls(ctx, 10)
		if err != nil || len(list) != 7 {
			t.Fatalf("%+v %v", list, err)
		}
		first := list[len(list)-1]
		if first.Outcome != "ok" || first.Took != 1200*time.Millisecond || first.Person == "" || first.Person == "hejun" || !first.At.Equal(now) {
			t.Errorf("%+v", first)
		}
		use, err := s.ModelUse(ctx, now.Add(-time.Hour), now.Add(time.Hour))
		if err != nil || len(use) != 3 || use[1].Outcome != "budget" || use[1].Calls != 4 || use[1].Cost != 0 || use[2].Outcome != "ok" || use[2].Cost != 42 {
			t.Errorf("%+v %v", use, err)
		}
		now = now.AddDate(0, 0, 1)
		if _, err := call(s, "hejun", 100, kb.ModelLimits{PersonTokens: 100, Calls: 1}); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}

// Two replicas never spend more than there is.
func TestModelBudgetIsOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(o store.Options) *store.Store) {
		var went, over int
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, s := range []*store.Store{open(store.Options{}), open(store.Options{})} {
			for range 15 {
				all.Go(func() {
					_, err := s.BeginModelCall(context.Background(), kb.ModelCall{Purpose: "word", Model: "m", PromptTokens: 10}, kb.ModelLimits{Tokens: 100})
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						went++
					case errors.Is(err, kb.ErrBudget):
						over++
					default:
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if went != 10 || over != 20 {
			t.Errorf("%d went, %d did not", went, over)
		}
	})
}
