package standin

import (
	"encoding/base64"
	"fmt"
)

// botBase are the fields that every callback of a smart bot has: https://developer.work.weixin.qq.com/document/path/100719.
func (s *Server) botBase(b *bot, user, chatID string) map[string]any {
	id := user
	if p := s.people[user]; b.EncryptUserIDs && p != nil && p.OpenUserID != "" {
		id = p.OpenUserID
	}
	base := map[string]any{"aibotid": b.ID, "chattype": "single", "from": map[string]any{"userid": id}}
	if chatID != "" {
		base["chatid"], base["chattype"] = chatID, "group"
	}
	return base
}

// sayToBot sends a message to a smart bot. A fourth exchange at once is not
// passed on: the client asks the member to wait.
func (s *Server) sayToBot(b *bot, m *said, chatID string) (Receipt, error) {
	if m.kind == "location" || m.kind == "link" {
		return Receipt{}, fmt.Errorf("a smart bot receives no %s message", m.kind)
	}
	if m.msgID == "" {
		m.msgID = s.randomID(24)
	}
	if s.limits.BotInFlight > 0 && b.flights[m.who.UserID] >= s.limits.BotInFlight {
		s.counters.NotPassed++
		note := "not passed on: three exchanges with the bot are under way"
		return Receipt{Entry: s.memberEntry(m, note).ID, Notes: []string{note}}, nil
	}
	base := s.botBase(b, m.who.UserID, chatID)
	msg := map[string]any{"msgid": m.msgID, "msgtype": m.kind}
	for k, v := range base {
		msg[k] = v
	}
	s.botFields(b, msg, m)
	e := s.memberEntry(m)
	if b.Secret == "" {
		msg["response_url"] = s.responseURL(&replySlot{bot: b.ID, place: m.req.To, user: m.who.UserID, entry: e})
	} else {
		s.spoke(b.ID, m.req.To, m.who.UserID)
	}
	f := &exchange{bot: b.ID, place: m.req.To, user: m.who.UserID, started: s.now(), base: base}
	cb := &callback{target: BotPlace(b.ID), place: m.req.To, user: m.who.UserID, name: m.kind, msgID: m.msgID,
		inner: []byte(asJSON(msg)), accepts: acceptMessage, entry: e, flight: f}
	e.Callback = s.launch(cb)
	return Receipt{Entry: e.ID, Callback: e.Callback, MsgID: m.msgID}, nil
}

func (s *Server) botFields(b *bot, msg map[string]any, m *said) {
	switch m.kind {
	case "text":
		msg["text"] = map[string]any{"content": m.text}
	case "voice": // transcribed by the platform
		msg["voice"] = map[string]any{"content": m.req.File.Transcript}
	case "image", "file", "video":
		msg[m.kind] = s.sealedFile(b, m.media)
	case "mixed":
		msg["mixed"] = map[string]any{"msg_item": []any{
			map[string]any{"msgtype": "text", "text": map[string]any{"content": m.text}},
			map[string]any{"msgtype": "image", "image": s.sealedFile(b, m.media)},
		}}
	}
	if m.quoted == nil {
		return
	}
	q := map[string]any{"msgtype": m.quote.MsgType}
	text := map[string]any{"content": m.quoted.Text}
	switch media := m.quoted.Media; {
	case media != nil && m.quote.MsgType == "voice":
		q["voice"] = map[string]any{"content": media.Transcript}
	case media != nil && m.quote.MsgType == "mixed":
		q["mixed"] = map[string]any{"msg_item": []any{
			map[string]any{"msgtype": "text", "text": text},
			map[string]any{"msgtype": "image", "image": s.sealedFile(b, s.media.byID[media.MediaID])},
		}}
	case media != nil && m.quote.MsgType != "text":
		q[m.quote.MsgType] = s.sealedFile(b, s.media.byID[media.MediaID])
	default:
		q["msgtype"], q["text"] = "text", text
	}
	msg["quote"] = q
}

// talker is whose conversation a place is: nobody's in a group.
func talker(place Place, user string) string {
	if place.kind() == "group" {
		return ""
	}
	return user
}

// sealedFile is where the bot fetches the file within five minutes, encrypted
// with its key; over the long connection with a key of the file's own.
func (s *Server) sealedFile(b *bot, m *medium) map[string]any {
	if m == nil {
		return map[string]any{"url": ""}
	}
	if b.Secret == "" {
		return map[string]any{"url": s.sealedURL(b.key, m)}
	}
	key := s.randomBytes(32)
	return map[string]any{"url": s.sealedURL(key, m), "aeskey": base64.StdEncoding.EncodeToString(key)}
}

func (s *Server) sealedURL(key []byte, m *medium) string {
	again := *m // its own entry: a quoted file gets a fresh address
	again.id, again.fileID, again.sealedID = s.randomID(64), "", s.randomID(40)
	again.at, again.life, again.owner = s.now(), s.limits.FileLife, "bot"
	again.sealed, again.data = encryptCBC(key, m.data), nil
	s.media.add(&again, again.at)
	return s.fileURL(again.sealedID)
}

// botEvent sends an event of a smart bot: https://developer.work.weixin.qq.com/document/path/101027.
func (s *Server) botEvent(b *bot, user, chatID, event string, takes accepts, body map[string]any) *callback {
	id := s.randomID(24)
	msg := s.botBase(b, user, chatID)
	msg["msgid"], msg["create_time"], msg["msgtype"] = id, s.now().Unix(), "event"
	inner := map[string]any{"eventtype": event}
	if body != nil {
		inner[event] = body
	}
	msg["event"] = inner
	place := BotPlace(b.ID)
	if chatID != "" {
		place = GroupPlace(chatID)
	}
	cb := &callback{target: BotPlace(b.ID), place: place, user: user, name: "event " + event, msgID: id, accepts: takes}
	if b.Secret == "" && event == "template_card_event" {
		msg["response_url"] = s.responseURL(&replySlot{bot: b.ID, place: place, user: user})
		cb.tries = 1 // sent once: a click that is not answered in time is gone
	}
	cb.inner = []byte(asJSON(msg))
	return cb
}

func (s *Server) botCardEvent(b *bot, user string, hit *cardHit) *callback {
	items := []any{}
	for _, q := range hit.questions {
		items = append(items, map[string]any{"question_key": q, "option_ids": map[string]any{"option_id": hit.selected[q]}})
	}
	body := map[string]any{"card_type": hit.face.shape.CardType, "event_key": hit.key, "task_id": hit.face.shape.TaskID}
	if len(items) > 0 {
		body["selected_items"] = map[string]any{"selected_item": items}
	}
	chatID := ""
	if kind, id := hit.entry.Place.split(); kind == "group" {
		chatID = id
	}
	cb := s.botEvent(b, user, chatID, "template_card_event", acceptUpdate, body)
	cb.clicked = hit.entry
	return cb
}
