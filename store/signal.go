package store

import (
	"context"
	"time"
)

// signal wakes one or more waiters; a ring that nobody waits for is kept once.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) ring() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// wait returns after a ring, after d, or with ctx's error.
func (s signal) wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-s:
		return nil
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Bell wakes other replicas; what it carries may be lost, so everybody also
// looks by the clock.
type Bell interface {
	Ring(topic string) // returns at once
	// Listen calls fn for each ring of any replica until ctx ends.
	Listen(ctx context.Context, fn func(topic string))
}

// Topics of the Bell.
const (
	TopicInbox  = "inbox"
	TopicOutbox = "outbox"
	TopicTurn   = "turn" // and a space, and the message's ID
	TopicEntry  = "entry"
)

func (s *Store) ringInbox() {
	s.inboxBell.ring()
	if s.opt.Bell != nil {
		s.opt.Bell.Ring(TopicInbox)
	}
}

func (s *Store) ringOutbox() {
	s.outboxBell.ring()
	if s.opt.Bell != nil {
		s.opt.Bell.Ring(TopicOutbox)
	}
}
