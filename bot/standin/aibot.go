package standin

import "time"

// replyBook keeps the response_urls of the smart bots.
type replyBook struct{ slots bounded[*replySlot] }

func (b *replyBook) init(max int) { b.slots.init(max) }

// replySlot is one response_url: one use within an hour, no token, no trusted
// IP: https://developer.work.weixin.qq.com/document/path/101138.
type replySlot struct {
	bot   string
	place Place
	user  string
	entry *entry // the member's message, which the answer quotes in a group
	at    time.Time
	used  bool
}

func (s *Server) responseURL(slot *replySlot) string {
	slot.at = s.now()
	code := s.randomID(48)
	s.replies.slots.put(code, slot)
	return s.baseURL + "/cgi-bin/aibot/response?response_code=" + code
}

func (s *Server) botResponse(c *call) (answer, *apiError) {
	slot, _ := s.replies.slots.get(c.query.Get("response_code"))
	if slot == nil || slot.used || c.now.Sub(slot.at) > s.limits.ResponseLife {
		return nil, refuse(codeCardCodeSpent, "response_code is invalid, was used or has expired")
	}
	c.entry.Target = "bot:" + slot.bot + " " + slot.user
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	kind := r.text("msgtype")
	c.entry.MsgType = kind
	e := Entry{Place: slot.place, User: slot.user, From: s.botWho(BotPlace(slot.bot)), MsgType: kind, At: c.now}
	group := slot.place.kind() == "group"
	if group && slot.entry != nil {
		e.Quote = &Quote{MsgType: quotedType(slot.entry), Text: slot.entry.Text, Entry: slot.entry.ID}
	}
	switch {
	case r.failed() != nil:
		return nil, r.failed()
	case kind == "markdown":
		e.Text = r.object("markdown").text("content")
		c.meterBytes("markdown.content", e.Text, streamMax)
		if bad := checkResponseText(r, e.Text); bad != nil {
			return nil, bad
		}
		s.show(e)
	case kind == "template_card" && !group:
		rules := cardRules{types: allCards, callback: true, short: true, meters: &c.trace.Meters}
		checkCard(r.object("template_card"), rules)
		if r.failed() != nil {
			return nil, r.failed()
		}
		raw := r.raw("template_card")
		shared, bad := s.newCard(BotPlace(slot.bot), newFace(raw).shape.TaskID)
		if bad != nil {
			return nil, bad
		}
		shared.addCopy(s.show(e), raw)
	default:
		return nil, refuse(codeBadMsgType, "invalid message type")
	}
	slot.used = true
	c.entry.Text, c.entry.Delivered = e.Text, []string{slot.user}
	return nil, nil
}

func checkResponseText(r reader, text string) *apiError {
	if r.failed() != nil {
		return r.failed()
	}
	if text == "" {
		return refuse(codeEmptyText, "empty content")
	}
	if len(text) > streamMax {
		return refuse(codeBadParameter, "markdown.content exceed max length %d. invalid Request Parameter", streamMax)
	}
	return nil
}
