package standin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// This file is the long connection of smart bots (智能机器人长连接):
// https://developer.work.weixin.qq.com/document/path/101463.

// liveFrame is what goes either way. An answer has no cmd, but an errcode.
type liveFrame struct {
	Cmd     string          `json:"cmd,omitempty"`
	Headers liveHeaders     `json:"headers"`
	Body    json.RawMessage `json:"body,omitempty"`
	Errcode *int            `json:"errcode,omitempty"`
	Errmsg  string          `json:"errmsg,omitempty"`
}

type liveHeaders struct {
	ReqID string `json:"req_id"`
}

// liveConn is one connection; bot is set once it has subscribed.
type liveConn struct {
	ws    *websocket.Conn
	queue chan []byte // nil: close after what was queued before
	bot   string
	ip    string
	seen  time.Time // of the last frame, by the real clock
}

// liveQueue is how many frames may wait for a slow reader.
const liveQueue = 4096

// liveMax bounds a frame: a chunk of an upload is 512 KB in base64.
const liveMax = 1 << 20

// serveLive holds one connection until either side ends it.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	ws.SetReadLimit(liveMax)
	c := &liveConn{ws: ws, queue: make(chan []byte, liveQueue), ip: remoteIP(r), seen: time.Now()}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	if !s.goes(func() { c.write(ctx, cancel) }) || !s.goes(func() { s.watchLive(ctx, c, cancel) }) {
		_ = ws.CloseNow()
		return
	}
	s.readLive(ctx, c)
	s.dropLive(c)
	_ = ws.CloseNow()
}

func (s *Server) dropLive(c *liveConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lines.conns[c.bot] == c {
		delete(s.lines.conns, c.bot)
	}
}

func (s *Server) readLive(ctx context.Context, c *liveConn) {
	for {
		_, data, err := c.ws.Read(ctx)
		if err != nil {
			return
		}
		var f liveFrame
		if json.Unmarshal(data, &f) != nil || f.Cmd == "" || f.Headers.ReqID == "" {
			_ = c.ws.Close(websocket.StatusPolicyViolation, "no frame of the platform")
			return
		}
		s.mu.Lock()
		c.seen = time.Now()
		s.mu.Unlock()
		s.liveRequest(ctx, c, f)
	}
}

// write sends what is queued, in order.
func (c *liveConn) write(ctx context.Context, end func()) {
	defer end()
	for {
		select {
		case <-ctx.Done():
			_ = c.ws.CloseNow()
			return
		case b := <-c.queue:
			if b == nil {
				_ = c.ws.Close(websocket.StatusNormalClosure, "")
				return
			}
			if c.ws.Write(ctx, websocket.MessageText, b) != nil {
				return
			}
		}
	}
}

// push queues a frame; one who does not read is cut off.
func (c *liveConn) push(f liveFrame) bool {
	select {
	case c.queue <- []byte(asJSON(f)):
		return true
	default:
		_ = c.ws.CloseNow()
		return false
	}
}

// bye closes the connection once everything that was queued is said.
func (c *liveConn) bye() {
	select {
	case c.queue <- nil:
	default:
		_ = c.ws.CloseNow()
	}
}

// watchLive cuts off who does not subscribe in time, or sends nothing for long.
func (s *Server) watchLive(ctx context.Context, c *liveConn, end func()) {
	began := time.Now()
	for {
		s.mu.Lock()
		deadline := c.seen.Add(s.limits.LiveSilence)
		if c.bot == "" {
			deadline = began.Add(s.limits.LiveGreeting)
		}
		s.mu.Unlock()
		left := time.Until(deadline)
		if left <= 0 {
			s.dropLive(c)
			end()
			return
		}
		t := time.NewTimer(min(left, time.Second)) // a subscription or a frame moves the end
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// liveRequest answers one frame of the client; a fault may come in between.
func (s *Server) liveRequest(ctx context.Context, c *liveConn, f liveFrame) {
	fault := s.takeFault(f.Cmd, string(f.Body))
	if fault != nil && fault.DelayMS > 0 {
		s.goes(func() {
			s.sleep(time.Duration(fault.DelayMS) * time.Millisecond)
			s.liveAnswer(ctx, c, f, fault)
		})
		return
	}
	s.liveAnswer(ctx, c, f, fault)
}

func (s *Server) liveAnswer(ctx context.Context, c *liveConn, f liveFrame, fault *Fault) {
	start := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	lc := &liveCall{call: &call{api: f.Cmd, body: f.Body, now: s.now(), ip: c.ip}, conn: c, reqID: f.Headers.ReqID}
	out, bad, lost := s.liveRun(lc, fault)
	zero := 0
	ack := liveFrame{Headers: f.Headers, Errcode: &zero, Errmsg: "ok"}
	if bad != nil {
		ack.Errcode, ack.Errmsg = &bad.code, bad.msg
		lc.entry.Errcode, lc.trace.Err = bad.code, bad.msg
	} else if out != nil {
		ack.Body = json.RawMessage(asJSON(out))
	}
	if f.Cmd != "ping" {
		s.finishLive(lc, ack, start)
	} else { // too many to keep
		s.counters.call(lc.api, lc.entry)
	}
	if lost || ctx.Err() != nil {
		return
	}
	c.push(ack)
	if bad != nil && f.Cmd == "aibot_subscribe" {
		c.bye()
	}
}

// liveRun does what a frame asks for. lost: no answer goes back.
func (s *Server) liveRun(lc *liveCall, fault *Fault) (out answer, bad *apiError, lost bool) {
	if fault != nil {
		lc.entry.Fault = "delay"
		switch {
		case fault.Drop == DropBefore:
			lc.entry.Fault = string(DropBefore)
			return nil, nil, true
		case fault.Status != 0: // the connection breaks
			lc.entry.Fault = "status"
			_ = lc.conn.ws.CloseNow()
			return nil, nil, true
		case fault.Errcode != 0:
			lc.entry.Fault = "errcode"
			msg := fault.Errmsg
			if msg == "" {
				msg = injectedMessage(fault.Errcode, lc.ip)
			}
			return nil, refuse(fault.Errcode, "%s", msg), false
		case fault.Drop == DropAfter:
			lc.entry.Fault, lost = string(DropAfter), true
		}
	}
	run := s.frames[lc.api]
	switch {
	case run == nil:
		return nil, refuse(codeBadParameter, "unknown cmd. invalid Request Parameter"), lost
	case lc.api != "aibot_subscribe" && s.lines.conns[lc.conn.bot] != lc.conn:
		return nil, refuse(codeNotSubscribed, "aibot websocket not subscribed"), lost
	}
	out, bad = run(s, lc)
	return out, bad, lost
}

// finishLive records a frame like a call of the API.
func (s *Server) finishLive(lc *liveCall, ack liveFrame, start time.Time) {
	e := &lc.entry
	e.API, e.At, e.Body, e.Status = lc.api, lc.now, string(clip(redactSecret(lc.body), 8<<10)), http.StatusSwitchingProtocols
	s.ledger.add(s.nextSeq(), *e)
	s.counters.call(lc.api, *e)
	t := lc.trace
	t.Kind, t.Name, t.At, t.Method, t.URL = "call", lc.api, lc.now, "WS", "/standin/ws"
	t.Request, t.Response = string(clip(redactSecret(lc.body), 32<<10)), asJSON(ack)
	t.Status, t.Errcode, t.Fault = e.Status, ack.Errcode, e.Fault
	t.Place, t.MsgID = e.Target, e.MsgID
	t.LatencyMS = float64(time.Since(start).Microseconds()) / 1000
	s.traces.add(s.nextSeq(), t)
}

// redactSecret shortens the secret of a subscription for who looks at traces.
func redactSecret(body []byte) []byte {
	var b struct {
		BotID  string `json:"bot_id"`
		Secret string `json:"secret"`
	}
	if json.Unmarshal(body, &b) != nil || b.Secret == "" {
		return body
	}
	return []byte(asJSON(map[string]string{"bot_id": b.BotID, "secret": "…"}))
}

// liveCall is one frame of a client on its way through.
type liveCall struct {
	*call
	conn  *liveConn
	reqID string
}

// liveTable lists what a client may send.
func liveTable() map[string]func(*Server, *liveCall) (answer, *apiError) {
	return map[string]func(*Server, *liveCall) (answer, *apiError){
		"aibot_subscribe":           (*Server).liveSubscribe,
		"ping":                      func(*Server, *liveCall) (answer, *apiError) { return nil, nil },
		"aibot_respond_msg":         (*Server).liveRespond,
		"aibot_respond_welcome_msg": func(s *Server, c *liveCall) (answer, *apiError) { return s.liveOnce(c, acceptWelcome) },
		"aibot_respond_update_msg":  func(s *Server, c *liveCall) (answer, *apiError) { return s.liveOnce(c, acceptUpdate) },
		"aibot_send_msg":            (*Server).liveSend,
		"aibot_upload_media_init":   (*Server).liveUploadInit,
		"aibot_upload_media_chunk":  (*Server).liveUploadChunk,
		"aibot_upload_media_finish": (*Server).liveUploadFinish,
	}
}

// liveSubscribe: a new connection throws out the old one of the same bot, which
// is told so first.
func (s *Server) liveSubscribe(c *liveCall) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	id, secret := r.needText("bot_id"), r.needText("secret")
	if r.failed() != nil {
		return nil, r.failed()
	}
	b := s.bots[id]
	if b == nil || b.Secret == "" || subtle.ConstantTimeCompare([]byte(b.Secret), []byte(secret)) != 1 {
		return nil, refuse(codeBadBotSecret, "invalid bot_id or secret")
	}
	if !b.subscribes.room(c.now, time.Minute, s.limits.LiveSubscribeMinute) {
		return nil, refuse(codeTooFrequent, "api freq out of limit")
	}
	b.subscribes.add(c.now, time.Minute)
	c.entry.Target = "bot:" + id
	if old := s.lines.conns[id]; old != nil && old != c.conn {
		s.counters.LiveKicked++
		s.kickLive(b, old)
	}
	s.counters.LiveConnects++
	c.conn.bot, s.lines.conns[id] = id, c.conn
	return nil, nil
}

func (s *Server) kickLive(b *bot, old *liveConn) {
	body := map[string]any{"msgid": s.randomID(24), "create_time": s.now().Unix(), "aibotid": b.ID, "msgtype": "event", "event": map[string]any{"eventtype": "disconnected_event"}}
	old.push(liveFrame{Cmd: "aibot_event_callback", Headers: liveHeaders{s.randomID(24)}, Body: json.RawMessage(asJSON(body))})
	old.bye()
}

// BreakLive cuts the long connection of a bot without a word, as a network does;
// false when there is none.
func (s *Server) BreakLive(bot string) bool {
	s.mu.Lock()
	c := s.lines.conns[bot]
	delete(s.lines.conns, bot)
	s.mu.Unlock()
	if c == nil {
		return false
	}
	_ = c.ws.CloseNow()
	return true
}

// Live tells whether a bot has a long connection now.
func (s *Server) Live(bot string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines.conns[bot] != nil
}

var errNoLive = errors.New("the bot has no long connection: the message is lost")

// deliverLive hands a callback to the bot's connection. There is no answer to
// it, and no second try: what nobody is there to read is lost.
func (s *Server) deliverLive(cb *callback) {
	defer close(cb.done)
	fault := s.takeFault("callback/bot", cb.user+"\n"+string(cb.inner))
	times := 1
	if fault != nil {
		s.sleep(time.Duration(fault.DelayMS) * time.Millisecond)
		times += fault.Duplicate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counters.CallbackTries++
	var err error
	for range times {
		err = s.pushLive(cb, fault)
	}
	o := &cb.outcome
	o.Done, o.Tries, o.Acknowledged = true, 1, err == nil
	if err != nil {
		o.Err = err.Error()
		s.counters.CallbackLost++
		if cb.entry != nil {
			cb.entry.Notes = append(cb.entry.Notes, err.Error())
			s.touch(cb.entry)
		}
	}
	s.settle(cb)
}

func (s *Server) pushLive(cb *callback, fault *Fault) error {
	id := idOf(cb.target)
	f := liveFrame{Cmd: "aibot_msg_callback", Headers: liveHeaders{s.randomID(32)}, Body: cb.inner}
	if cb.accepts != acceptMessage {
		f.Cmd = "aibot_event_callback"
	}
	t := Trace{At: s.now(), Kind: "callback", Name: "callback/bot", Callback: cb.id, Try: 1, Place: string(cb.place), User: cb.user, MsgID: cb.msgID,
		Method: "WS", URL: "/standin/ws", Request: string(cb.inner), RequestRaw: asJSON(f)}
	conn, err := s.lines.conns[id], error(nil)
	ask := &liveAsk{bot: id, cb: cb, at: t.At, streams: map[string]*exchange{}}
	switch {
	case fault != nil && fault.Drop == DropBefore:
		t.Fault, err = string(DropBefore), errors.New("lost on the way (fault)")
	case conn == nil || !conn.push(f):
		err = errNoLive
	default:
		s.lines.asks.put(f.Headers.ReqID, ask)
	}
	if err != nil {
		t.Err = err.Error()
	}
	s.traces.add(s.nextSeq(), t)
	return err
}
