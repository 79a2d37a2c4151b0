package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Ends of a connection.
var (
	errKicked       = errors.New("another connection of the same bot took over")
	errNotMine      = errors.New("another replica speaks for the bot")
	errSilent       = errors.New("the platform answers no heartbeat")
	errUnsubscribed = errors.New("the platform does not know the subscription any more")
	errLinkDown     = errors.New("the long connection is down")
)

// codeUnsubscribed: the connection stands, but the platform forgot whose it is.
const codeUnsubscribed = 846609

// writeTime bounds the writing of one frame.
const writeTime = 5 * time.Second

// linkConn is one connection. Requests are matched with their answers by req_id.
type linkConn struct {
	ws     *websocket.Conn
	log    *slog.Logger
	secret string
	ack    time.Duration
	mu     sync.Mutex
	wait   map[string]chan frame
	over   chan struct{} // closed at the end, when why is set
	why    error
	doubt  chan struct{} // an answer did not come: is anybody there?
}

func newLinkConn(ws *websocket.Conn, secret string, ack time.Duration, log *slog.Logger) *linkConn {
	ws.SetReadLimit(frameMost)
	return &linkConn{ws: ws, log: log, secret: secret, ack: ack, wait: map[string]chan frame{}, over: make(chan struct{}), doubt: make(chan struct{}, 1)}
}

// end closes the connection; the first reason counts.
func (c *linkConn) end(why error) {
	c.mu.Lock()
	first := c.why == nil
	if first {
		c.why = why
		close(c.over)
	}
	c.mu.Unlock()
	if first {
		_ = c.ws.CloseNow()
	}
}

// read hands callbacks on and answers to who waits for them, until the end.
func (c *linkConn) read(ctx context.Context, callback func(frame)) {
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			c.end(fmt.Errorf("read: %w", err))
			return
		}
		f, err := readFrame(data)
		switch {
		case err != nil:
			c.log.Warn("a frame of the long connection is not understood", "err", err)
		case f.kicked():
			c.end(errKicked)
			return
		case f.Cmd == cmdMessage || f.Cmd == cmdEvent:
			callback(f)
		case f.ErrCode != nil:
			c.answered(f)
		}
	}
}

func (c *linkConn) answered(f frame) {
	c.mu.Lock()
	ch := c.wait[f.Headers.ReqID]
	delete(c.wait, f.Headers.ReqID)
	c.mu.Unlock()
	if ch == nil {
		c.log.Debug("an answer came after its time", "code", *f.ErrCode)
		return
	}
	ch <- f
}

// call sends a request and waits for its answer. An error is an APIError when
// the platform refused, else a CallError, whose Unknown tells that the request
// may have taken effect. Nobody else may use the same req_id meanwhile.
func (c *linkConn) call(ctx context.Context, cmd, reqID string, body json.RawMessage) (json.RawMessage, error) {
	data, err := writeFrame(cmd, reqID, body)
	if err != nil {
		return nil, err
	}
	ch := make(chan frame, 1)
	c.mu.Lock()
	if c.why != nil {
		c.mu.Unlock()
		return nil, &CallError{API: cmd, Err: errLinkDown}
	}
	c.wait[reqID] = ch
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.wait, reqID)
		c.mu.Unlock()
	}()
	wctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := c.ws.Write(wctx, websocket.MessageText, data); err != nil {
		c.end(fmt.Errorf("write: %w", err))
		return nil, &CallError{API: cmd, Unknown: true, Err: errLinkDown}
	}
	timer := time.NewTimer(c.ack)
	defer timer.Stop()
	select {
	case f := <-ch:
		return f.Body, c.refusal(cmd, f)
	case <-c.over:
	case <-ctx.Done():
	case <-timer.C:
		select {
		case c.doubt <- struct{}{}:
		default:
		}
		return nil, &CallError{API: cmd, Unknown: true, Err: fmt.Errorf("no answer within %s", c.ack)}
	}
	select {
	case f := <-ch: // it came just before the end
		return f.Body, c.refusal(cmd, f)
	default:
		return nil, &CallError{API: cmd, Unknown: true, Err: errLinkDown}
	}
}

func (c *linkConn) refusal(cmd string, f frame) error {
	if *f.ErrCode == 0 {
		return nil
	}
	if *f.ErrCode == codeUnsubscribed {
		c.end(errUnsubscribed)
	}
	msg := f.ErrMsg
	if c.secret != "" {
		msg = strings.ReplaceAll(msg, c.secret, "***")
	}
	return &APIError{API: cmd, Code: *f.ErrCode, Msg: msg}
}

// beat keeps the connection alive and finds out when it is dead: after two
// heartbeats in a row without an answer. A lost answer makes it look at once.
func (c *linkConn) beat(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-c.doubt:
		case <-tick.C:
		}
		alive := false
		for try := 0; try < beatTries && !alive; try++ {
			alive = c.alive(ctx)
		}
		if !alive {
			c.end(errSilent)
			return
		}
	}
}

const beatTries = 2

func (c *linkConn) alive(ctx context.Context) bool {
	_, err := c.call(ctx, cmdPing, newReqID(cmdPing), nil)
	var api *APIError
	return err == nil || errors.As(err, &api)
}
