package bot

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"time"

	"frontline/bot/chat"
)

// What comes in is stored by several hands, the messages of one thread by one
// and in order.
const (
	lanes    = 32
	laneRoom = 256
)

// sickAccept is how long a message tries the inbox after one that it did not
// take: then the spool does.
const sickAccept = 300 * time.Millisecond

// arrival is one callback on its way to the inbox.
type arrival struct {
	m     chat.Message
	reqID string
	at    time.Time
}

// received decodes a callback and puts it into its lane. It reads the same
// forms as the callback over HTTP.
func (l *Link) received(f frame) {
	at := time.Now()
	m, poll, err := decodeBot(f.Body, door{corp: l.opt.Corp, now: l.opt.Now()})
	if err != nil || poll != "" {
		l.opt.Log.Warn("a callback of the long connection is not understood", "command", f.Cmd, "err", err)
		l.opt.Arrived(CallbackResult{Via: chat.Bot, Result: ResultMalformed, Took: time.Since(at)})
		return
	}
	m.ReplyURL = replyTo(m, f.Headers.ReqID)
	h := fnv.New32a()
	h.Write([]byte(m.Thread()))
	l.lanes[h.Sum32()%lanes] <- arrival{m, f.Headers.ReqID, at}
}

// store works off one lane until it is closed and empty.
func (l *Link) store(lane chan arrival) {
	for a := range lane {
		l.accept(a)
	}
}

// accept stores one message. Nothing is ever answered before that: an answer is
// a word of the outbox, made by the turn of the stored row.
func (l *Link) accept(a arrival) {
	log := l.opt.Log.With("message_id", a.m.ID)
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic at a callback of the long connection", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	result, err := l.keep(a.m)
	l.opt.Arrived(CallbackResult{Via: chat.Bot, Result: result, Took: time.Since(a.at)})
	switch result {
	case ResultSpooled:
		log.Warn("a message went to the spool", "err", err)
	case ResultNotStored:
		log.Error("store a message of the long connection; it is lost", "err", err)
		l.apologise(a)
	}
}

func (l *Link) keep(m chat.Message) (Result, error) {
	limit := acceptTime
	if l.unwell() {
		limit = sickAccept
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	fresh, err := l.opt.Inbox.Accept(ctx, m)
	l.mu.Lock()
	l.sick = err != nil
	l.mu.Unlock()
	switch {
	case err == nil && fresh:
		return ResultAccepted, nil
	case err == nil:
		return ResultRepeated, nil
	case l.opt.Spool == nil:
		return ResultNotStored, err
	}
	if spoolErr := l.opt.Spool.Append(m); spoolErr != nil {
		return ResultNotStored, errors.Join(err, spoolErr)
	}
	return ResultSpooled, err
}

func (l *Link) unwell() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sick
}

const sayLost = "抱歉，这条消息没有存下来，请过一会儿再发一次。"

// apologise tells the sender of a message that is lost, because nobody else will.
func (l *Link) apologise(a arrival) {
	r, ok := parseLiveReply(a.m.ReplyURL)
	if !ok || r.cmd != cmdRespond {
		return
	}
	body, err := marshalJSON(streamReply{MsgType: "stream", Stream: &streamState{ID: a.m.ID, Finish: true, Content: sayLost}})
	if err == nil {
		err = l.answer(context.Background(), cmdRespond, r.reqID, body)
	}
	if err != nil {
		l.opt.Log.Warn("tell of a lost message", "message_id", a.m.ID, "err", err)
	}
}
