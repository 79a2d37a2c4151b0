package bot

import (
	"context"
	"sync"
	"time"

	"frontline/bot/chat"
)

// budget is how many messages one place takes in a time. A robot's excess is
// refused (45009), a member's is dropped without an error, so the limits are
// kept on our side, a little below the platform's.
// https://developer.work.weixin.qq.com/document/path/90312 and /91770
type budget struct {
	window         time.Duration
	most, ordinary int // ordinary messages leave places for urgent ones
}

func budgets(to chat.Address) []budget {
	if to.Kind == chat.Robot {
		return []budget{{time.Minute, 18, 14}} // of 20
	}
	return []budget{{time.Minute, 28, 26}, {time.Hour, 960, 900}} // of 30 and 1000
}

// limiter counts what was sent to each place. It begins from the outbox, so a
// restart forgets nothing.
type limiter struct {
	box    Outbox
	now    func() time.Time
	mu     sync.Mutex
	places map[string]*place
}

type place struct {
	sent  []time.Time
	seen  time.Time
	pause time.Time // nothing before this: the platform said so
}

// wait returns how long the next message to a place has to wait, and counts it
// when that is not at all.
func (l *limiter) wait(ctx context.Context, to chat.Address, urgent bool, n int) (time.Duration, error) {
	p, err := l.place(ctx, to)
	if err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	p.seen = now
	if d := p.pause.Sub(now); d > 0 {
		return d, nil
	}
	for _, b := range budgets(to) {
		most := b.ordinary
		if urgent {
			most = b.most
		}
		if d := p.room(now, b.window, most, n); d > 0 {
			return d, nil
		}
	}
	for range n {
		p.sent = append(p.sent, now)
	}
	return 0, nil
}

// room is how long it takes until n more fit below most within the window. A
// message of more parts than ever fit goes alone.
func (p *place) room(now time.Time, window time.Duration, most, n int) time.Duration {
	first := len(p.sent)
	for first > 0 && p.sent[first-1].After(now.Add(-window)) {
		first--
	}
	in := p.sent[first:]
	over := len(in) + min(n, most) - most
	if over <= 0 {
		return 0
	}
	return in[over-1].Add(window).Sub(now) + time.Millisecond
}

func (l *limiter) place(ctx context.Context, to chat.Address) (*place, error) {
	key := to.String()
	l.mu.Lock()
	p := l.places[key]
	l.mu.Unlock()
	if p != nil {
		return p, nil
	}
	sent, err := l.box.Recent(ctx, to, l.now().Add(-time.Hour))
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p = l.places[key]; p == nil {
		p = &place{sent: sent, seen: l.now()}
		l.places[key] = p
		l.forget()
	}
	return p, nil
}

// forget drops what no budget looks at any more.
func (l *limiter) forget() {
	limit := l.now().Add(-time.Hour - time.Minute)
	for k, p := range l.places {
		if p.seen.Before(limit) {
			delete(l.places, k)
		}
	}
}

func (l *limiter) hold(to chat.Address, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.places[to.String()]; p != nil && until.After(p.pause) {
		p.pause = until
	}
}

// trim keeps the list of one place short.
func (l *limiter) trim(to chat.Address) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.places[to.String()]
	if p == nil || len(p.sent) < 2048 {
		return
	}
	limit, i := l.now().Add(-time.Hour), 0
	for i < len(p.sent) && p.sent[i].Before(limit) {
		i++
	}
	p.sent = append([]time.Time(nil), p.sent[i:]...)
}
