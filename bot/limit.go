package bot

import (
	"context"
	"slices"
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
	if to.Kind == chat.Hook {
		return nil
	}
	if to.Kind == chat.Robot || to.Kind == chat.Mailbox {
		return []budget{{time.Minute, 18, 14}} // of 20; nobody reads more mails a minute either
	}
	return []budget{{time.Minute, 28, 26}, {time.Hour, 960, 900}} // of 30 and 1000
}

// limiter counts what was sent to each place. It begins from the outbox, so a
// restart forgets nothing.
//
// A message counts while its call runs and, from the call's end, for a window:
// the platform counts it at some moment before that end, so in whatever way
// its windows lie, none holds more than ours does.
type limiter struct {
	recent func(ctx context.Context, to chat.Address, since time.Time) ([]time.Time, error)
	now    func() time.Time
	mu     sync.Mutex
	places map[chat.Address]*place
	app    time.Time // no call of the app before this: the platform said so
	link   bool      // the smart bot's places are reached by its long connection
}

type place struct {
	sent   []time.Time // ends of calls, oldest first
	flying int         // calls that run
	seen   time.Time
	pause  time.Time // nothing before this: the platform said so
}

// longest is the longest window of a budget.
const longest = time.Hour

// counted is the address whose budget a message uses: on the app's road a
// smart bot's chat and the app's chat with one member are one and the same.
func counted(to chat.Address, r road) chat.Address {
	if r == roadApp {
		return chat.Address{Kind: chat.Person, ID: to.ID, Via: chat.App}
	}
	return to
}

// take returns how long the next message to a place has to wait. When that is
// not at all, it counts one as flying, and the caller has to end it with landed.
func (l *limiter) take(ctx context.Context, to chat.Address, urgent bool) (time.Duration, error) {
	p, err := l.place(ctx, to) // with the lock held
	if err != nil {
		return 0, err
	}
	defer l.mu.Unlock()
	now := l.now()
	p.seen = now
	wait := p.pause.Sub(now)
	if to.Kind != chat.Robot && to.Kind != chat.Hook && to.Kind != chat.Mailbox && !(l.link && to.Via == chat.Bot) {
		wait = max(wait, l.app.Sub(now))
	}
	for _, b := range budgets(to) {
		most := b.ordinary
		if urgent {
			most = b.most
		}
		wait = max(wait, p.full(now, b.window, most))
	}
	if wait > 0 {
		return wait, nil
	}
	p.flying++
	return 0, nil
}

// full is how long it takes until less than most are within the window.
func (p *place) full(now time.Time, window time.Duration, most int) time.Duration {
	first := len(p.sent)
	for first > 0 && p.sent[first-1].After(now.Add(-window)) {
		first--
	}
	in := p.sent[first:]
	over := len(in) + p.flying - most // this many have to leave, and one more
	switch {
	case over < 0:
		return 0
	case over >= len(in):
		return time.Second // until a flying one has landed
	}
	return in[over].Add(window).Sub(now) + time.Millisecond
}

// landed ends what take began; made tells that there was a call.
func (l *limiter) landed(to chat.Address, made bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, now := l.places[to], l.now()
	p.flying--
	if made {
		p.sent = append(p.sent, now)
	}
	for len(p.sent) > 0 && now.Sub(p.sent[0]) > longest {
		p.sent = p.sent[1:]
	}
}

// place finds a place and locks the limiter; after an error it is not locked.
// At first sight of a place it reads what was sent there before this process counted.
func (l *limiter) place(ctx context.Context, to chat.Address) (*place, error) {
	l.mu.Lock()
	if p := l.places[to]; p != nil {
		return p, nil
	}
	now := l.now()
	l.mu.Unlock()
	sent, err := l.before(ctx, to, now)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	p := l.places[to]
	if p == nil { // nobody else was quicker
		l.forget(now)
		p = &place{sent: sent}
		l.places[to] = p
	}
	return p, nil
}

// before lists what was sent to a place, oldest first.
func (l *limiter) before(ctx context.Context, to chat.Address, now time.Time) ([]time.Time, error) {
	sent, err := l.recent(ctx, to, now.Add(-longest))
	if err != nil {
		return nil, err
	}
	if to.Kind == chat.Person && to.Via == chat.App { // and from a smart bot's chat by the app's road
		other, err := l.recent(ctx, chat.Address{Kind: to.Kind, ID: to.ID, Via: chat.Bot}, now.Add(-longest))
		if err != nil {
			return nil, err
		}
		sent = append(sent, other...)
	}
	for i, t := range sent {
		if t.After(now) { // another machine's clock
			sent[i] = now
		}
	}
	slices.SortFunc(sent, time.Time.Compare)
	return sent, nil
}

// forget drops what no budget looks at any more.
func (l *limiter) forget(now time.Time) {
	for k, p := range l.places {
		if p.flying == 0 && now.Sub(p.seen) > longest+time.Minute {
			delete(l.places, k)
		}
	}
}

// hold keeps everything from a place for a time.
func (l *limiter) hold(to chat.Address, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.places[to]; p != nil && until.After(p.pause) {
		p.pause = until
	}
}

// release ends a hold.
func (l *limiter) release(to chat.Address) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.places[to]; p != nil {
		p.pause = time.Time{}
	}
}

// holdApp keeps everything from the app's calls for a time: their limits are
// the company's, not a place's.
func (l *limiter) holdApp(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.app) {
		l.app = until
	}
}
