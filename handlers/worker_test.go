package handlers

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

// A turn that never returns is put back and done by somebody else within
// seconds; what it would write when it wakes up is refused.
func TestHungTurnIsTriedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{Serve: true})
		ctx, stop := context.WithCancel(t.Context())
		if err := s.Lead(ctx); err != nil {
			t.Fatal(err)
		}
		var calls atomic.Int32
		wake, woken := make(chan struct{}), make(chan error, 1)
		desk := &Desk{Store: s, Log: slog.New(slog.DiscardHandler), Rules: DefaultRules()}
		hang := &Command{Name: "hang", Words: []string{"挂住"}, Run: func(context.Context, Request) (Result, error) {
			n := calls.Add(1)
			if n == 1 {
				<-wake // whatever the deadline says
			}
			return Result{Say: []chat.Outgoing{{Body: chat.Body{Text: "好了"}}}, Write: func(tx *store.Tx, _ *Result) error {
				if n == 1 {
					woken <- nil
				}
				return nil
			}}, nil
		}}
		w := &Worker{Store: s, Desk: desk, Router: NewRouter([]*Command{hang}, nil), Log: slog.New(slog.DiscardHandler)}
		var done sinceWhen
		w.Observe = func(_ string, _ time.Duration, err error) {
			if err == nil {
				done.set()
			}
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = w.Run(ctx) }()
		began := time.Now()
		m := chat.Message{ID: chat.MessageID(chat.App, "corp", "1", "lin", "m:1"), Corp: "corp", Agent: "1", Kind: chat.KindText, Via: chat.App, Sender: "lin", From: chat.Address{Kind: chat.Person, ID: "lin"}, Text: "挂住", At: began}
		if _, err := s.Accept(ctx, m); err != nil {
			t.Fatal(err)
		}
		took := done.wait(t, 15*time.Second).Sub(began)
		t.Logf("done after %s", took.Round(time.Millisecond))
		if took > 5*time.Second {
			t.Errorf("a hung turn is done again after %s, want at most 5s", took)
		}
		close(wake)
		rows, err := s.ListDelivered(ctx, store.LedgerQuery{N: 10})
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		for _, r := range rows {
			if r.Said.Body.Text == "好了" {
				said++
			}
		}
		if said != 1 {
			t.Errorf("said %d times, want once", said)
		}
		select {
		case <-woken:
			t.Error("the turn that hung wrote when it woke up")
		case <-time.After(300 * time.Millisecond): // it is refused before it writes
		}
		stop()
		<-ended
	})
}

// sinceWhen is an instant that one goroutine waits for.
type sinceWhen struct{ at atomic.Pointer[time.Time] }

func (s *sinceWhen) set() {
	now := time.Now()
	s.at.CompareAndSwap(nil, &now)
}

func (s *sinceWhen) wait(t *testing.T, most time.Duration) time.Time {
	t.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if at := s.at.Load(); at != nil {
			return *at
		}
	}
	t.Fatalf("nothing within %s", most)
	return time.Time{}
}
