package standin

import "time"

// exchange is one message to a smart bot until its answer is complete: a member
// has at most three under way with one bot (doc 100719).
type exchange struct {
	bot      string
	place    Place
	user     string
	started  time.Time
	base     map[string]any // aibotid, chatid, chattype, from: repeated in each poll
	streamID string
	entry    *entry
	finished bool
	flying   bool // counts against the three
	polling  bool
	carded   bool // a stream brings at most one card, however often it is repeated
}

// settle ends the exchange of a callback, unless its stream is being polled.
func (s *Server) settle(cb *callback) {
	if f := cb.flight; f != nil && !f.polling {
		s.land(f)
	}
}

// fly counts the exchange as under way, land as over.
func (s *Server) fly(f *exchange) {
	if !f.flying {
		f.flying = true
		s.bots[f.bot].flights[f.user]++
	}
}

func (s *Server) land(f *exchange) {
	if !f.flying {
		return
	}
	f.flying = false
	flights := s.bots[f.bot].flights
	if flights[f.user]--; flights[f.user] <= 0 {
		delete(flights, f.user)
	}
}

// keepPolling starts the polls of a stream whose first snapshot was not the last.
func (s *Server) keepPolling(f *exchange) {
	if f.entry == nil || f.finished || f.polling {
		return
	}
	f.polling = true
	s.fly(f)
	if !s.goes(func() { s.poll(f) }) {
		s.land(f)
	}
}

// poll asks for the state of a stream about every second, for up to six minutes
// from the member's message, until finish=true (doc 101031).
func (s *Server) poll(f *exchange) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.land(f)
	}()
	life := time.NewTimer(s.limits.StreamLife - s.now().Sub(f.started))
	defer life.Stop()
	tick := time.NewTimer(s.limits.StreamPoll)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-life.C:
			s.expire(f)
			return
		case <-tick.C:
		}
		s.pollOnce(f)
		s.mu.Lock()
		finished := f.finished
		s.mu.Unlock()
		if finished {
			return
		}
		tick.Reset(s.limits.StreamPoll)
	}
}

func (s *Server) expire(f *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.entry.Stream.Expired = true
	f.entry.Notes = append(f.entry.Notes, "six minutes passed without finish=true")
	s.counters.StreamsExpired++
	s.touch(f.entry)
}

// pollOnce sends one poll; a failed one is simply followed by the next.
func (s *Server) pollOnce(f *exchange) {
	s.mu.Lock()
	msg := map[string]any{"msgid": s.randomID(24), "msgtype": "stream", "stream": map[string]any{"id": f.streamID}}
	for k, v := range f.base {
		msg[k] = v
	}
	inner := []byte(asJSON(msg))
	s.counters.CallbackPolls++
	f.entry.Stream.Polls++
	try := f.entry.Stream.Polls
	s.mu.Unlock()
	cb := &callback{target: BotPlace(f.bot), place: f.place, user: f.user, name: "stream", msgID: msg["msgid"].(string), inner: inner, flight: f}
	d := delivery{try: try, kind: "poll", apply: s.applyPoll}
	if fault := s.takeFault("poll/bot", f.user+"\n"+string(inner)); fault != nil {
		s.sleep(time.Duration(fault.DelayMS) * time.Millisecond)
		d.drop = fault.Drop
	}
	s.attempt(s.ctx, cb, d)
}

// applyPoll takes the answer of a poll: a snapshot, at the end perhaps with a card.
func (s *Server) applyPoll(cb *callback, reply []byte, t *Trace) error {
	r, bad := readObject(reply)
	if bad != nil {
		return bad
	}
	kind := r.text("msgtype")
	if kind != "stream" && kind != "stream_with_template_card" {
		return refuse(codeBadMsgType, "msgtype %q is no answer to a stream poll", kind)
	}
	if err := s.applyStream(cb.flight, r.object("stream"), t, false); err != nil {
		return err
	}
	return s.streamCard(cb, r, kind, t)
}

func (s *Server) streamCard(cb *callback, r reader, kind string, t *Trace) error {
	if kind != "stream_with_template_card" || !r.has("template_card") || cb.flight.carded {
		return nil
	}
	err := s.botCard(cb, r, t)
	cb.flight.carded = err == nil
	return err
}
