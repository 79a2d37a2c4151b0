package standin

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// streamMax is the largest content of a smart bot's answer, in bytes (doc 101031).
const streamMax = 20480

func botRules(t *Trace) cardRules {
	return cardRules{types: allCards, callback: true, short: true, meters: &t.Meters}
}

// applyBotReply shows the passive reply of a smart bot: https://developer.work.weixin.qq.com/document/path/101031.
func (s *Server) applyBotReply(cb *callback, reply []byte, t *Trace) error {
	r, bad := readObject(reply)
	if bad != nil {
		return bad
	}
	if r.has("response_type") {
		return s.botCardUpdate(cb, r, t)
	}
	kind := r.text("msgtype")
	allowed := map[accepts][]string{
		acceptMessage: {"stream", "template_card", "stream_with_template_card"},
		acceptWelcome: {"text", "template_card"},
	}[cb.accepts]
	if bad := r.failed(); bad != nil {
		return bad
	}
	if !slices.Contains(allowed, kind) {
		return fmt.Errorf("msgtype %q is no reply to %s", kind, cb.name)
	}
	switch kind {
	case "text":
		text := r.object("text").needText("content")
		if bad := r.failed(); bad != nil {
			return bad
		}
		s.show(Entry{Place: cb.place, User: cb.user, From: s.botWho(cb.target), MsgType: "text", Text: text})
		return nil
	case "template_card":
		return s.botCard(cb, r, t)
	}
	if err := s.applyStream(cb.flight, r.object("stream"), t, true); err != nil {
		return err
	}
	s.keepPolling(cb.flight)
	return s.streamCard(cb, r, kind, t)
}

func (s *Server) botWho(target Place) Who {
	id := idOf(target)
	return Who{"bot", id, s.bots[id].Name}
}

// botCard shows a new card of the bot in the place of the message.
func (s *Server) botCard(cb *callback, r reader, t *Trace) error {
	checkCard(r.object("template_card"), botRules(t))
	if bad := r.failed(); bad != nil {
		return bad
	}
	return s.showBotCard(cb.target, cb.place, cb.user, r.raw("template_card"), nil)
}

func (s *Server) showBotCard(bot, place Place, user string, raw json.RawMessage, quote *Quote) error {
	c, bad := s.newCard(bot, newFace(raw).shape.TaskID)
	if bad != nil {
		return bad
	}
	e := s.show(Entry{Place: place, User: user, From: s.botWho(bot), MsgType: "template_card", Quote: quote})
	c.addCopy(e, raw)
	return nil
}

// botCardUpdate replaces the clicked card: same task_id, for all or for some members.
func (s *Server) botCardUpdate(cb *callback, r reader, t *Trace) error {
	if kind := r.text("response_type"); kind != "update_template_card" {
		return fmt.Errorf("response_type %q is unknown", kind)
	}
	if cb.accepts != acceptUpdate || cb.clicked == nil || cb.clicked.copy == nil {
		return fmt.Errorf("an update is no reply to %s", cb.name)
	}
	users := r.texts("userids")
	rules := botRules(t)
	rules.update = true
	part := r.object("template_card")
	checkCard(part, rules)
	if task := part.text("task_id"); task != cb.clicked.copy.faceFor(cb.user).shape.TaskID {
		r.fail(codeBadParameter, "template_card.task_id is not the clicked card's. invalid Request Parameter")
	}
	if bad := r.failed(); bad != nil {
		return bad
	}
	raw := r.raw("template_card")
	if len(users) == 0 {
		cb.clicked.copy.faces = nil
		s.replaceCard(cb.clicked, "", raw)
		return nil
	}
	for _, u := range users {
		if cb.clicked.Place.kind() == "group" || u == cb.clicked.User {
			s.replaceCard(cb.clicked, u, raw)
		}
	}
	return nil
}

// applyStream takes one snapshot of a streamed answer; it replaces the last one.
func (s *Server) applyStream(f *exchange, r reader, t *Trace, first bool) error {
	id, finish, text := r.needText("id"), r.truth("finish"), r.text("content")
	t.Meters = append(t.Meters, Meter{"stream.content", len(text), streamMax, "bytes", true})
	feedback := r.object("feedback").text("id")
	images := r.objects("msg_item")
	switch {
	case r.failed() != nil:
		return r.failed()
	case f == nil:
		return errors.New("a stream answers only messages")
	case len(text) > streamMax:
		return fmt.Errorf("stream.content has %d bytes, more than %d", len(text), streamMax)
	case !first && id != f.streamID:
		return fmt.Errorf("stream.id %q is not the one being polled, %q", id, f.streamID)
	case len(images) > 0 && !finish:
		return errors.New("msg_item is allowed only with finish=true")
	case len(images) > 10:
		return errors.New("msg_item has more than 10 pictures")
	case len(feedback) > 256:
		return errors.New("feedback.id has more than 256 bytes")
	}
	views, err := s.streamImages(images)
	if err != nil {
		return err
	}
	if f.entry == nil {
		f.streamID = id
		f.entry = s.show(Entry{Place: f.place, User: f.user, From: s.botWho(BotPlace(f.bot)), MsgType: "stream", Stream: &StreamView{ID: id, FeedbackID: feedback}})
	}
	e := f.entry
	changed := e.Text != text || finish || len(views) > 0
	e.Text, e.Images, e.Stream.Finished = text, views, finish
	f.finished = finish
	if changed {
		s.touch(e)
	}
	return nil
}

func (s *Server) streamImages(items []reader) ([]MediaView, error) {
	var out []MediaView
	for _, item := range items {
		if kind := item.text("msgtype"); kind != "image" {
			return nil, fmt.Errorf("msg_item takes only pictures, not %q", kind)
		}
		image := item.object("image")
		data, err := base64.StdEncoding.DecodeString(image.needText("base64"))
		sum := md5.Sum(data)
		want := image.needText("md5")
		switch {
		case item.failed() != nil:
			return nil, item.failed()
		case err != nil:
			return nil, fmt.Errorf("msg_item base64: %w", err)
		case !strings.EqualFold(want, hex.EncodeToString(sum[:])):
			return nil, errors.New("msg_item md5 does not match")
		case len(data) > 10<<20 || !looksLike("image", data):
			return nil, errors.New("msg_item is larger than 10 MB, or no jpg or png")
		}
		out = append(out, *s.mediaView(s.keepMedia("image", &upload{name: "image", data: data}, "bot")))
	}
	return out, nil
}
