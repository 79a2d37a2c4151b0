package store

import (
	"sync"

	"frontline/bot/chat"
)

// turnBells wakes the callbacks that wait for the turn of their message.
type turnBells struct {
	mu   sync.Mutex
	wait map[string][]chan struct{}
}

func (b *turnBells) on(id string) (ch chan struct{}, off func()) {
	ch = make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wait == nil {
		b.wait = map[string][]chan struct{}{}
	}
	b.wait[id] = append(b.wait[id], ch)
	return ch, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		left := b.wait[id][:0]
		for _, c := range b.wait[id] {
			if c != ch {
				left = append(left, c)
			}
		}
		if len(left) == 0 {
			delete(b.wait, id)
		} else {
			b.wait[id] = left
		}
	}
}

func (b *turnBells) ring(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.wait[id] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// ringTurn tells that the turn of m is over, to other replicas only when a
// callback may wait there.
func (s *Store) ringTurn(m chat.Message) {
	s.turns.ring(m.ID)
	if s.opt.Bell != nil && m.Via == chat.Bot {
		s.opt.Bell.Ring(TopicTurn + " " + m.ID)
	}
}
