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

func message(sender, key, text string) chat.Message {
	return chat.Message{
		ID: chat.MessageID(chat.App, "corp", "1", sender, key), Corp: "corp", Agent: "1", Via: chat.App, Kind: chat.KindText,
		Sender: sender, From: chat.Address{Kind: chat.Person, ID: sender, Via: chat.App}, Text: text, At: time.Unix(1700000000, 0),
	}
}

func lead(t *testing.T, s *store.Store) *store.Store {
	t.Helper()
	if err := s.Lead(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func accept(t *testing.T, s *store.Store, m chat.Message) bool {
	t.Helper()
	fresh, err := s.Accept(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func claim(t *testing.T, s *store.Store, n int) []store.Turn {
	t.Helper()
	turns, err := s.ClaimTurns(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return turns
}

func TestAcceptOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := lead(t, open(store.Options{Serve: true}))
		m := message("zhou", "1", "客户登录报错")
		if !accept(t, s, m) {
			t.Error("the first delivery should be fresh")
		}
		for range 3 {
			if accept(t, s, m) {
				t.Error("a redelivery should not be fresh")
			}
		}
		if !accept(t, s, message("wang", "1", "另一个人，同一个 MsgId")) {
			t.Error("the same MsgId of another person is another message")
		}
		seen, err := s.Seen(context.Background(), m.ID)
		if err != nil || !seen {
			t.Errorf("Seen = %v, %v", seen, err)
		}
		turns := claim(t, s, 10)
		if len(turns) != 2 || turns[0].Msg.Text != "客户登录报错" {
			t.Fatalf("claimed %+v", turns)
		}
	})
}

func TestAcceptInParallelIsFreshOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := lead(t, open(store.Options{Serve: true}))
		var mu sync.Mutex
		fresh := map[string]int{}
		var wg sync.WaitGroup
		for i := range 200 {
			m := message("zhou", fmt.Sprint(i%50), "x")
			wg.Go(func() {
				ok, err := s.Accept(context.Background(), m)
				if err != nil {
					t.Error(err)
				}
				if ok {
					mu.Lock()
					fresh[m.ID]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if len(fresh) != 50 {
			t.Errorf("%d messages were fresh, want 50", len(fresh))
		}
		for id, n := range fresh {
			if n != 1 {
				t.Errorf("%s was fresh %d times", id, n)
			}
		}
	})
}

func TestOneTurnPerThreadInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := lead(t, open(store.Options{Serve: true}))
		for i := range 3 {
			accept(t, s, message("zhou", fmt.Sprint(i), fmt.Sprint("z", i)))
			accept(t, s, message("wang", fmt.Sprint(i), fmt.Sprint("w", i)))
		}
		first := claim(t, s, 10)
		if len(first) != 2 {
			t.Fatalf("claimed %d turns, want one per thread", len(first))
		}
		if again := claim(t, s, 10); len(again) != 0 {
			t.Fatalf("claimed %d turns of threads in work", len(again))
		}
		if err := s.FinishTurn(ctx, first[0], store.Outcome{Command: "ask"}, nil); err != nil {
			t.Fatal(err)
		}
		next := claim(t, s, 10)
		if len(next) != 1 || next[0].Msg.Text != first[0].Msg.Text[:1]+"1" {
			t.Fatalf("after the first came %+v", next)
		}
		later := time.Now().Add(time.Hour)
		if err := s.RetryTurn(ctx, next[0], later, errors.New("busy")); err != nil {
			t.Fatal(err)
		}
		if got := claim(t, s, 10); len(got) != 0 {
			t.Error("a turn that waits for its next try holds its thread")
		}
	})
}

func TestTurnCommitsAllOrNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := lead(t, open(store.Options{Serve: true}))
		accept(t, s, message("zhou", "1", "报障"))
		turn := claim(t, s, 1)[0]
		write := func(fail error) error {
			return s.FinishTurn(ctx, turn, store.Outcome{Command: "report"}, func(tx *store.Tx) error {
				tk := store.Ticket{Title: "登录报错", Reporter: "zhou", Source: turn.Msg.ID, Priority: "P3"}
				if err := tx.CreateTicket(&tk); err != nil {
					return err
				}
				if err := tx.Enqueue(chat.Outgoing{Body: chat.Body{Text: fmt.Sprintf("已建单 T%d", tk.Number)}}); err != nil {
					return err
				}
				return fail
			})
		}
		if err := write(errors.New("no")); err == nil {
			t.Fatal("the error was swallowed")
		}
		if _, err := s.FindTicket(ctx, 1); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("a failed turn left a ticket: %v", err)
		}
		if err := write(nil); err != nil {
			t.Fatal(err)
		}
		if err := write(nil); !errors.Is(err, store.ErrExists) && !errors.Is(err, store.ErrFenced) {
			t.Errorf("the same turn twice: %v", err)
		}
		out, err := s.Claim(ctx, 10)
		if err != nil || len(out) != 1 {
			t.Fatalf("outbox %+v, %v", out, err)
		}
		if out[0].To.ID != "zhou" || out[0].Body.Text == "" {
			t.Errorf("delivery %+v", out[0])
		}
	})
}

func TestPanicInOneWriteHarmsNoOther(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := lead(t, open(store.Options{Serve: true}))
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				err := s.InTx(ctx, func(tx *store.Tx) error {
					if i%4 == 0 {
						panic("poison")
					}
					return tx.Enqueue(chat.Outgoing{Key: fmt.Sprint("k", i), To: chat.Address{Kind: chat.Person, ID: "a"}, Body: chat.Body{Text: "x"}})
				})
				if (err != nil) != (i%4 == 0) {
					t.Errorf("write %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		d, err := s.OutboxDepth(ctx)
		if err != nil || d.Waiting != 30 {
			t.Errorf("depth %+v, %v; want 30", d, err)
		}
	})
}
