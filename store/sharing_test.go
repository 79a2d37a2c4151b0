package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

func TestSharing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx, now := context.Background(), time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		first := store.Sharing{Title: "两融合同补签", Words: []string{"两融"}, Speaker: "gu", SpeakerName: "顾远", Organiser: "zhao", From: now.Add(time.Hour), Until: now.Add(2 * time.Hour), Groups: []string{"a", "b"}, Gaps: []string{"m1"}, Entries: []int64{3}, Look: now.Add(45 * time.Minute)}
		second := store.Sharing{Title: "银证转账", Organiser: "zhao", From: now.Add(30 * time.Minute), Until: now.Add(time.Hour)}
		inTx(t, s, func(tx *store.Tx) error { return errors.Join(tx.NewSharing(&first), tx.NewSharing(&second)) })
		got, err := s.FindSharing(ctx, first.Number)
		if err != nil || got.State != store.SharingPlanned || fmt.Sprint(got.Words, got.Groups, got.Gaps, got.Entries) != "[两融] [a b] [m1] [3]" || !got.From.Equal(first.From) || got.SpeakerName != "顾远" || second.Number <= first.Number {
			t.Fatalf("%+v, %v", got, err)
		}
		stale := got
		got.State, got.Link = store.SharingAnnounced, "https://live.example.com/1"
		inTx(t, s, func(tx *store.Tx) error { return tx.SaveSharing(&got) })
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.SaveSharing(&stale) }); !errors.Is(err, store.ErrStale) {
			t.Errorf("an old copy was kept: %v", err)
		}
		if list, err := s.ListSharings(ctx, store.SharingQuery{N: 10}); err != nil || len(list) != 2 || list[0].Number != second.Number {
			t.Errorf("%+v, %v", list, err)
		}
		if list, _ := s.ListSharings(ctx, store.SharingQuery{States: []store.SharingState{store.SharingAnnounced}, Newest: true, N: 10}); len(list) != 1 || list[0].Link == "" {
			t.Errorf("%+v", list)
		}
		if due, err := s.SharingsToLookAt(ctx, 10); err != nil || len(due) != 0 {
			t.Errorf("due too early: %v, %v", due, err)
		}
		now = now.Add(time.Hour)
		if due, _ := s.SharingsToLookAt(ctx, 10); fmt.Sprint(due) != fmt.Sprint([]int64{first.Number}) {
			t.Errorf("due: %v", due)
		}
		if _, err := s.FindSharing(ctx, 99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
	})
}

// Questions get places without gaps and without twins, however many ask at once;
// one message asks once.
func TestSharingQuestions(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		x := store.Sharing{Title: "x", Organiser: "zhao"}
		inTx(t, s, func(tx *store.Tx) error { return tx.NewSharing(&x) })
		var wg sync.WaitGroup
		for i := range 8 {
			for range 2 {
				wg.Go(func() {
					if err := s.InTx(ctx, func(tx *store.Tx) error {
						_, err := tx.AskSharing(&store.SharingQuestion{Sharing: x.Number, Message: fmt.Sprintf("%024d", i), Asker: fmt.Sprint("p", i%3), Text: fmt.Sprint("问 ", i)})
						return err
					}); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		list, err := s.ListSharingQuestions(ctx, x.Number)
		if err != nil || len(list) != 8 {
			t.Fatalf("%d questions, %v", len(list), err)
		}
		for i, q := range list {
			if q.Place != int64(i+1) || q.State != store.SharingAsked {
				t.Errorf("question %d: %+v", i, q)
			}
		}
		if got, _ := s.FindSharing(ctx, x.Number); got.Asked != 8 {
			t.Errorf("asked %d", got.Asked)
		}
		inTx(t, s, func(tx *store.Tx) error {
			q := list[2]
			q.State, q.Answer, q.By = store.SharingAnswered, "可以", "gu"
			return errors.Join(tx.SaveSharingQuestion(q), tx.VoteSharing(q.ID, "a", true), tx.VoteSharing(q.ID, "a", true), tx.VoteSharing(q.ID, "b", true), tx.VoteSharing(q.ID, "b", false),
				tx.JoinSharing(x.Number, "z", true), tx.JoinSharing(x.Number, "p0", true), tx.JoinSharing(x.Number, "p1", false))
		})
		list, _ = s.ListSharingQuestions(ctx, x.Number)
		if list[2].Votes != 1 || list[2].Answer != "可以" || list[3].Votes != 0 {
			t.Errorf("%+v", list[2])
		}
		if mine, err := s.SharingVotes(ctx, x.Number, "a"); err != nil || !mine[list[2].ID] || len(mine) != 1 {
			t.Errorf("%v, %v", mine, err)
		}
		if people, err := s.SharingPeople(ctx, x.Number); err != nil || len(people) != 3 {
			t.Errorf("%v, %v", people, err)
		}
		if n, err := s.CountSharingPeople(ctx, []int64{x.Number}); err != nil || n[x.Number] != 3 {
			t.Errorf("%v, %v", n, err)
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error {
			_, err := tx.AskSharing(&store.SharingQuestion{Sharing: 77, Message: "nowhere", Asker: "a", Text: "x"})
			return err
		}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a question for no session: %v", err)
		}
		m := store.SharingMaterial{Sharing: x.Number, Title: "讲义", File: "abc", Size: 3, Author: "zhao"}
		inTx(t, s, func(tx *store.Tx) error { return tx.AddSharingMaterial(&m) })
		if list, err := s.ListSharingMaterials(ctx, x.Number); err != nil || len(list) != 1 || list[0].Title != "讲义" {
			t.Errorf("%+v, %v", list, err)
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.DropSharingMaterial(x.Number+1, m.ID) }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another session's material: %v", err)
		}
	})
}

// Words are taken as they are, also those that mean something to LIKE, and what
// was asked in a session does not count.
func TestCountAbout(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx, now := context.Background(), time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
		s := open(store.Options{Now: func() time.Time { return now }})
		x := store.Sharing{Title: "x", Organiser: "zhao"}
		inTx(t, s, func(tx *store.Tx) error {
			for i, q := range []store.Question{{Text: "两融合同在哪"}, {Text: "ETF 申购"}, {Text: "费率 5% 吗"}, {Text: "费率 50 吗"}, {Text: "别的", Entry: 7}, {Text: "两融展期"}} {
				q.Message, q.Asker, q.Band, q.Place = fmt.Sprintf("%024d", i), "a", "refuse", chat.Address{Kind: chat.Person, ID: "a"}
				if err := tx.KeepQuestion(q); err != nil {
					return err
				}
			}
			if err := tx.NewSharing(&x); err != nil {
				return err
			}
			_, err := tx.AskSharing(&store.SharingQuestion{Sharing: x.Number, Message: fmt.Sprintf("%024d", 5), Asker: "a", Text: "两融展期"})
			return err
		})
		for _, about := range []struct {
			words   []string
			entries []int64
			want    int64
		}{{[]string{"两融"}, nil, 1}, {[]string{"两融", "etf"}, nil, 2}, {[]string{"5%"}, nil, 1}, {[]string{"%"}, nil, 1}, {[]string{"_"}, nil, 0}, {nil, []int64{7}, 1}, {[]string{"两融"}, []int64{7}, 2}, {nil, []int64{8}, 0}, {nil, nil, 0}} {
			if n, err := s.CountAbout(ctx, about.words, about.entries, now, now.Add(time.Second)); err != nil || n != about.want {
				t.Errorf("%v: %d, %v", about, n, err)
			}
		}
		if n, _ := s.CountAbout(ctx, []string{"两融"}, nil, now.Add(time.Second), now.Add(time.Hour)); n != 0 {
			t.Errorf("counted later ones: %d", n)
		}
		inTx(t, s, func(tx *store.Tx) error {
			return errors.Join(tx.PauseTopic("两融", "zhao", now.Add(time.Hour)), tx.PauseTopic("两融", "zhao", now.Add(2*time.Hour)))
		})
		if list, err := s.PausedTopics(ctx); err != nil || fmt.Sprint(list) != "[两融]" {
			t.Errorf("%v, %v", list, err)
		}
		now = now.Add(3 * time.Hour)
		if list, _ := s.PausedTopics(ctx); len(list) != 0 {
			t.Errorf("paused for ever: %v", list)
		}
	})
}
