package bot

import (
	"context"
	"time"

	"frontline/bot/chat"
)

// pollWait is how long the answer to a poll waits for words: the platform asks
// again soon, and its user sees nothing new meanwhile.
const pollWait = 300 * time.Millisecond

// serveBot answers a callback of the smart bot: it stores the message and
// answers with the words of its turn, as far as they are there in time.
func (c *Callback) serveBot(ctx context.Context, req *request) (answer, *refusal) {
	ciphertext, err := scanBotEnvelope(req.body)
	if err != nil {
		return answer{}, malformed
	}
	plain, no := req.open(c.opt.BotKeys, ciphertext)
	if no != nil {
		return answer{}, no
	}
	m, poll, err := decodeBot(plain, door{corp: c.opt.Corp, now: req.now})
	if err != nil {
		return answer{}, malformed
	}
	if poll != "" {
		return c.servePoll(ctx, req, m, poll)
	}
	result, no := c.accept(ctx, req, m)
	if no != nil {
		return answer{}, no
	}
	wait := c.opt.InlineWait
	switch m.Kind {
	case chat.KindFeedback, chat.KindOther: // the platform takes no answer
		return answer{result: result}, nil
	case chat.KindClick:
		wait = c.opt.ClickWait
	}
	if result == ResultSpooled {
		return answer{result: result}, nil
	}
	if result == ResultReplayed {
		wait = 0
	}
	r, say, done := c.words(ctx, m, "", wait)
	reply, err := r.answer(say, done)
	return c.seal(req, result, reply, err)
}

// servePoll answers the question how a stream goes on, which is no message.
func (c *Callback) servePoll(ctx context.Context, req *request, m chat.Message, id string) (answer, *refusal) {
	if req.q.late(req.now) {
		return answer{}, skewed
	}
	r, say, done := c.words(ctx, m, id, pollWait)
	if len(say) == 0 && !done {
		known, err := c.opt.Inbox.Seen(ctx, id)
		if err == nil && !known {
			reply, err := unknownStream(id)
			return c.seal(req, ResultPolled, reply, err)
		}
	}
	reply, err := r.answer(say, done)
	return c.seal(req, ResultPolled, reply, err)
}

// words asks for the words of the turn of m, or of the one that a poll asks
// about, which are to be said where m came from. It gives up in time for our
// answer, whatever the database does; words that come too late are not lost:
// the next poll, or the platform's repeat, gets them.
func (c *Callback) words(ctx context.Context, m chat.Message, poll string, wait time.Duration) (*ride, []chat.Outgoing, bool) {
	id := newRide(m, poll).stream
	type words struct {
		ride *ride
		say  []chat.Outgoing
		done bool
		err  error
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	got := make(chan words, 1)
	go func() {
		defer cancel()
		w := words{ride: newRide(m, poll)}
		w.say, w.done, w.err = c.opt.Replies.Inline(waiting, id, w.ride.fits)
		got <- w
	}()
	select {
	case w := <-got:
		if w.err == nil {
			return w.ride, w.say, w.done
		}
		c.opt.Log.Error("ask for the words of a turn", "message_id", id, "err", w.err)
	case <-ctx.Done():
		c.opt.Log.Warn("the words of a turn came too late for the answer", "message_id", id)
	}
	return newRide(m, poll), nil, false
}

func (c *Callback) seal(req *request, result Result, reply []byte, err error) (answer, *refusal) {
	a := answer{result: result, kind: "application/json; charset=utf-8"}
	if err == nil && reply != nil {
		a.body, err = sealReply(req.keys, reply, req.now.Unix(), req.q.nonce)
	}
	if err != nil { // the message is stored; an empty answer is the safe one
		c.opt.Log.Error("write the answer to a callback", "err", err)
		a.body = nil
	}
	return a, nil
}
