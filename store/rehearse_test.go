package store_test

import (
	"context"
	"errors"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

// A rehearsal tells what would be said, and nothing of it happens.
func TestRehearse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		ctx := context.Background()
		say := func(key string) func(tx *store.Tx) error {
			return func(tx *store.Tx) error {
				tk := store.Ticket{State: store.TicketNew, Priority: "P3", Class: "other", Title: key, Reporter: "zhou"}
				return errors.Join(tx.CreateTicket(&tk), tx.Enqueue(chat.Outgoing{Key: key, To: chat.Address{Kind: chat.Person, ID: "zhou", Via: chat.App}, Body: chat.Body{Text: key}}))
			}
		}
		said, at, err := s.Rehearse(ctx, say("a"), func(*store.Tx) error { return nil }, say("b"))
		if err != nil || len(said) != 2 || said[0].Body.Text != "a" || said[1].Key != "b" || len(at) != 3 || at[2] != 1 {
			t.Fatalf("%+v, %v, %v", said, at, err)
		}
		no := errors.New("no")
		if _, _, err := s.Rehearse(ctx, say("c"), func(*store.Tx) error { return no }); !errors.Is(err, no) {
			t.Errorf("%v", err)
		}
		words, err := s.ListDelivered(ctx, store.LedgerQuery{N: 10})
		if err != nil || len(words) != 0 {
			t.Errorf("said: %+v, %v", words, err)
		}
		if tickets, err := s.ListTickets(ctx, store.TicketQuery{N: 10}); err != nil || len(tickets) != 0 {
			t.Errorf("made: %+v, %v", tickets, err)
		}
	})
}
