package standin

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// liveBook is the running state of all long connections.
type liveBook struct {
	conns   map[string]*liveConn // by bot
	asks    bounded[*liveAsk]    // by req_id
	talks   map[string]*window   // messages to a conversation
	uploads bounded[*liveUpload]
}

func (b *liveBook) init(max int) {
	b.conns, b.talks = map[string]*liveConn{}, map[string]*window{}
	b.asks.init(max)
	b.uploads.init(64)
}

// liveAsk is a callback that may be answered under its req_id, on whatever
// connection of the bot.
type liveAsk struct {
	bot     string
	cb      *callback
	at      time.Time
	streams map[string]*exchange
	spent   bool // a welcome or an update was made
}

// Places in which nobody has spoken to the bot yet take no message of its own.
func talkKey(bot string, place Place, user string) string {
	return bot + "\x00" + string(place) + "\x00" + talker(place, user)
}

// spoke remembers that somebody spoke to the bot at a place.
func (s *Server) spoke(bot string, place Place, user string) {
	if key := talkKey(bot, place, user); s.lines.talks[key] == nil {
		s.lines.talks[key] = &window{}
	}
}

// talk counts one message to a conversation: 30 a minute and 1000 an hour,
// answers and messages of the bot's own together.
func (s *Server) talk(c *liveCall, place Place, user string) *apiError {
	w := s.lines.talks[talkKey(c.conn.bot, place, user)]
	if w == nil {
		w = &window{}
		s.lines.talks[talkKey(c.conn.bot, place, user)] = w
	}
	if !w.room(c.now, time.Minute, s.limits.LiveTalkMinute) || !w.room(c.now, time.Hour, s.limits.LiveTalkHour) {
		return refuse(codeTooFrequent, "api freq out of limit")
	}
	w.add(c.now, time.Hour)
	return nil
}

func (s *Server) liveAskOf(c *liveCall, want accepts, life time.Duration) (*liveAsk, *apiError) {
	ask, _ := s.lines.asks.get(c.reqID)
	if ask == nil || ask.bot != c.conn.bot || ask.cb.accepts != want || ask.spent || c.now.Sub(ask.at) > life {
		return nil, refuse(codeBadReqID, "invalid req_id")
	}
	c.entry.Target = "bot:" + ask.bot + " " + ask.cb.user
	return ask, nil
}

var liveReplyTypes = kinds("markdown", "template_card", "file", "image", "voice", "video")

// liveRespond answers a message, as often as wanted within 24 hours.
func (s *Server) liveRespond(c *liveCall) (answer, *apiError) {
	ask, bad := s.liveAskOf(c, acceptMessage, s.limits.LiveReplyLife)
	if bad != nil {
		return nil, bad
	}
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	if r.text("msgtype") == "stream" {
		c.entry.MsgType = "stream"
		return nil, s.liveStream(c, ask, r.object("stream"))
	}
	return nil, s.liveShow(c, r, ask.cb.place, ask.cb.user)
}

// liveStream takes one snapshot. Nothing is polled here: the bot pushes, for
// six minutes from the first one.
func (s *Server) liveStream(c *liveCall, ask *liveAsk, r reader) *apiError {
	id := r.needText("id")
	if r.failed() != nil {
		return r.failed()
	}
	f := ask.streams[id]
	switch {
	case r.has("msg_item"):
		return refuse(codeBadParameter, "stream.msg_item is not supported. invalid Request Parameter")
	case f != nil && (f.finished || c.now.Sub(f.started) >= s.limits.StreamLife):
		return refuse(codeStreamOver, "stream message update expired")
	case f == nil:
		if bad := s.talk(c, ask.cb.place, ask.cb.user); bad != nil {
			return bad
		}
		f = &exchange{bot: ask.bot, place: ask.cb.place, user: ask.cb.user, started: c.now}
	}
	if err := s.applyStream(f, r, &c.trace, f.entry == nil); err != nil {
		return asRefusal(err)
	}
	c.entry.Text, c.entry.Delivered = f.entry.Text, []string{ask.cb.user}
	if ask.streams[id] == nil {
		ask.streams[id] = f
		if !f.finished {
			s.fly(f)
			s.goes(func() { s.outlive(f) })
		}
	}
	if f.finished {
		s.land(f)
	}
	return nil
}

// outlive ends a stream that nobody finished.
func (s *Server) outlive(f *exchange) {
	s.sleep(s.limits.StreamLife)
	s.mu.Lock()
	over := f.finished || s.ctx.Err() != nil
	s.land(f)
	s.mu.Unlock()
	if !over {
		s.expire(f)
	}
}

func asRefusal(err error) *apiError {
	var bad *apiError
	if errors.As(err, &bad) {
		return bad
	}
	return refuse(codeBadParameter, "%s. invalid Request Parameter", err.Error())
}

// liveShow shows a message of the bot that is no stream.
func (s *Server) liveShow(c *liveCall, r reader, place Place, user string) *apiError {
	msg, bad := s.body(c.call, r, road{name: "bot", msgTypes: liveReplyTypes, markdownMax: streamMax, owner: string(BotPlace(c.conn.bot)),
		cards: cardRules{types: allCards, callback: true, short: true}})
	if bad != nil {
		return bad
	}
	if bad := s.talk(c, place, user); bad != nil {
		return bad
	}
	var shared *card
	if msg.card != nil {
		if shared, bad = s.newCard(BotPlace(c.conn.bot), newFace(msg.card).shape.TaskID); bad != nil {
			return bad
		}
	}
	e := s.show(msg.entry(Entry{Place: place, User: user, From: s.botWho(BotPlace(c.conn.bot)), At: c.now}))
	if shared != nil {
		shared.addCopy(e, msg.card)
	}
	c.entry.Delivered = []string{user}
	if user == "" {
		c.entry.Delivered = []string{idOf(place)}
	}
	return nil
}

// liveOnce is the one answer to an entry or a click, within five seconds.
func (s *Server) liveOnce(c *liveCall, want accepts) (answer, *apiError) {
	ask, bad := s.liveAskOf(c, want, s.limits.CallbackTimeout)
	if bad != nil {
		return nil, bad
	}
	if bad := s.talk(c, ask.cb.place, ask.cb.user); bad != nil && want == acceptWelcome {
		return nil, bad
	}
	if err := s.applyBotReply(ask.cb, c.body, &c.trace); err != nil {
		return nil, asRefusal(err)
	}
	ask.spent = true
	c.entry.Delivered = []string{ask.cb.user}
	return nil, nil
}

// liveSend is a message that answers nobody. Somebody must have spoken to the
// bot there before.
func (s *Server) liveSend(c *liveCall) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	id, kind := r.needText("chatid"), r.number("chat_type")
	if kind < 0 || kind > 2 {
		r.fail(codeBadParameter, "chat_type should be 1 or 2. invalid Request Parameter")
	}
	if r.failed() != nil {
		return nil, r.failed()
	}
	c.entry.Target = "bot:" + c.conn.bot + " " + id
	place, user := BotPlace(c.conn.bot), id
	g, p := s.groups[id], s.people[id]
	switch {
	case kind != 1 && g != nil:
		place, user = GroupPlace(id), ""
	case kind == 2 || p == nil || p.Disabled:
		return nil, refuse(codeBadRobotChat, "invalid chatid")
	}
	if s.lines.talks[talkKey(c.conn.bot, place, user)] == nil && !s.bots[c.conn.bot].Known {
		return nil, refuse(codeNoRight, "no privilege: nobody has spoken to the bot there")
	}
	return nil, s.liveShow(c, r, place, user)
}

// liveUpload is a file that comes in pieces.
type liveUpload struct {
	bot, kind, name, md5 string
	size                 int
	at                   time.Time
	chunks               [][]byte
}

func (s *Server) liveUploadInit(c *liveCall) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	u := &liveUpload{bot: c.conn.bot, kind: r.needText("type"), name: r.needText("filename"), md5: r.text("md5"), size: r.number("total_size"), at: c.now}
	n := r.number("total_chunks")
	r.bounded("total_chunks", n, 1, 100)
	if r.failed() != nil {
		return nil, r.failed()
	}
	if limit, known := mediaMax[u.kind]; !known {
		return nil, refuse(codeBadMediaType, "invalid media type")
	} else if u.size > limit {
		return nil, refuse(codeMediaTooBig, "media size out of limit")
	}
	w := &s.bots[c.conn.bot].uploads
	if !w.room(c.now, time.Minute, s.limits.LiveUploadMinute) || !w.room(c.now, time.Hour, s.limits.LiveUploadHour) {
		return nil, refuse(codeTooFrequent, "api freq out of limit")
	}
	w.add(c.now, time.Hour)
	u.chunks = make([][]byte, n)
	id := s.randomID(40)
	s.lines.uploads.put(id, u)
	return answer{"upload_id": id}, nil
}

func (s *Server) findUpload(c *liveCall, r reader) (*liveUpload, *apiError) {
	u, _ := s.lines.uploads.get(r.needText("upload_id"))
	if r.failed() != nil {
		return nil, r.failed()
	}
	if u == nil || u.bot != c.conn.bot || u.chunks == nil || c.now.Sub(u.at) > s.limits.LiveUploadLife {
		return nil, refuse(codeBadMediaID, "invalid upload_id")
	}
	return u, nil
}

// liveUploadChunk takes the pieces in any order; the same one again changes nothing.
func (s *Server) liveUploadChunk(c *liveCall) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	u, bad := s.findUpload(c, r)
	if bad != nil {
		return nil, bad
	}
	i := r.number("chunk_index")
	data, err := base64.StdEncoding.DecodeString(r.needText("base64_data"))
	switch {
	case r.failed() != nil:
		return nil, r.failed()
	case err != nil || len(data) == 0 || len(data) > 512<<10:
		return nil, refuse(codeBadParameter, "base64_data should hold 1 byte to 512 KB. invalid Request Parameter")
	case i < 0 || i >= len(u.chunks):
		return nil, refuse(codeBadParameter, "chunk_index out of range. invalid Request Parameter")
	}
	if u.chunks[i] == nil {
		u.chunks[i] = data
	}
	c.body = fmt.Appendf(nil, "(chunk %d, %d bytes)", i, len(data))
	return nil, nil
}

func (s *Server) liveUploadFinish(c *liveCall) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	u, bad := s.findUpload(c, r)
	if bad != nil {
		return nil, bad
	}
	var data []byte
	for i, chunk := range u.chunks {
		if chunk == nil {
			return nil, refuse(codeBadParameter, "chunk %d is missing. invalid Request Parameter", i)
		}
		data = append(data, chunk...)
	}
	sum := md5.Sum(data)
	if len(data) != u.size || u.md5 != "" && !strings.EqualFold(u.md5, hex.EncodeToString(sum[:])) {
		return nil, refuse(codeBadImageMD5, "size or md5 does not match")
	}
	file := &upload{name: u.name, data: data}
	if bad := checkMedia(u.kind, file, mediaMax); bad != nil {
		return nil, bad
	}
	u.chunks = nil
	m := s.keepMedia(u.kind, file, string(BotPlace(u.bot)))
	c.entry.Text = m.name
	return answer{"type": u.kind, "media_id": m.id, "created_at": fmt.Sprint(c.now.Unix())}, nil
}
