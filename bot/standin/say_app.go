package standin

import (
	"fmt"
	"strconv"
	"strings"
)

// nextMsgID is a 64-bit number, larger than what a float64 holds exactly.
func (s *Server) nextMsgID() string {
	s.msgID += 1 + s.rnd.Uint64N(1000)
	return strconv.FormatUint(s.msgID, 10)
}

// appHead writes the common inner fields: https://developer.work.weixin.qq.com/document/path/90239.
func (s *Server) appHead(from, msgType string, at int64) *xmlText {
	x := &xmlText{}
	x.open("xml")
	x.text("ToUserName", s.opt.CorpID)
	x.text("FromUserName", from)
	x.number("CreateTime", at)
	x.text("MsgType", msgType)
	return x
}

// sayToApp sends a message to a self-built app. There is no file message to an
// app: the client does not offer it. A voice comes without transcript.
func (s *Server) sayToApp(a *app, m *said) (Receipt, error) {
	if !s.reachable(a, m.who.UserID) {
		return Receipt{}, fmt.Errorf("%s does not see app %d", m.who.UserID, a.AgentID)
	}
	if m.kind == "file" || m.kind == "mixed" {
		return Receipt{}, fmt.Errorf("a self-built app receives no %s message", m.kind)
	}
	if m.msgID == "" {
		m.msgID = s.nextMsgID()
	}
	x := s.appHead(m.who.UserID, m.kind, m.at.Unix())
	s.appFields(x, m)
	x.raw("MsgId", m.msgID)
	x.number("AgentID", int64(a.AgentID))
	x.close("xml")
	e := s.memberEntry(m)
	cb := &callback{target: AppPlace(a.AgentID), place: m.req.To, user: m.who.UserID, name: m.kind, msgID: m.msgID,
		inner: x.Bytes(), accepts: acceptMessage, entry: e}
	e.Callback = s.launch(cb)
	return Receipt{Entry: e.ID, Callback: e.Callback, MsgID: m.msgID}, nil
}

func (s *Server) appFields(x *xmlText, m *said) {
	switch m.kind {
	case "text":
		x.text("Content", m.text)
	case "image":
		x.text("PicUrl", s.fileURL(m.media.fileID))
		x.text("MediaId", m.media.id)
	case "voice":
		x.text("MediaId", m.media.id)
		x.text("Format", "amr")
	case "video":
		x.text("MediaId", m.media.id)
		x.text("ThumbMediaId", m.media.id)
	case "location":
		l := m.req.Location
		x.raw("Location_X", strconv.FormatFloat(l.Lat, 'f', -1, 64))
		x.raw("Location_Y", strconv.FormatFloat(l.Lng, 'f', -1, 64))
		x.number("Scale", int64(l.Scale))
		x.text("Label", l.Label)
		x.text("AppType", "wxwork")
	case "link":
		l := m.req.Link
		x.text("Title", l.Title)
		x.text("Description", l.Description)
		x.text("Url", l.URL)
		x.text("PicUrl", l.PicURL)
	}
}

// appEvent sends an event: https://developer.work.weixin.qq.com/document/path/90240. Events have no MsgId.
func (s *Server) appEvent(a *app, user, event string, takes accepts, fields func(*xmlText)) *callback {
	x := s.appHead(user, "event", s.now().Unix())
	x.text("Event", event)
	if fields != nil {
		fields(x)
	}
	if event != "change_contact" { // belongs to no app, so its AgentID stays away
		x.number("AgentID", int64(a.AgentID))
	}
	x.close("xml")
	place := AppPlace(a.AgentID)
	return &callback{target: place, place: place, user: user, name: "event " + event, inner: x.Bytes(), accepts: takes}
}

// appCardEvent is a click on a card of an app. Each click brings a fresh response_code (doc 94888).
func (s *Server) appCardEvent(a *app, user string, hit *cardHit) *callback {
	event, takes := "template_card_event", acceptUpdate
	if hit.menu {
		event, takes = "template_card_menu_event", acceptBoth
	}
	shape := &hit.face.shape
	code := s.issueCode(hit.entry.copy.card)
	cb := s.appEvent(a, user, event, takes, func(x *xmlText) {
		x.text("EventKey", hit.key)
		x.text("TaskId", shape.TaskID)
		x.text("CardType", shape.CardType)
		x.text("ResponseCode", code)
		if hit.menu || len(hit.selected) == 0 {
			return
		}
		x.open("SelectedItems")
		for _, q := range hit.questions {
			x.open("SelectedItem")
			x.text("QuestionKey", q)
			x.open("OptionIds")
			for _, id := range hit.selected[q] {
				x.text("OptionId", id)
			}
			x.close("OptionIds")
			x.close("SelectedItem")
		}
		x.close("SelectedItems")
	})
	cb.clicked = hit.entry
	return cb
}

// contactEvent: change_contact comes from the literal user "sys" (doc 90376). The
// comma lists and numbers are written as the platform does.
func (s *Server) contactEvent(a *app, c *ContactChange) *callback {
	return s.appEvent(a, "sys", "change_contact", acceptNothing, func(x *xmlText) {
		x.text("ChangeType", c.Type)
		optional := func(name, value string) {
			if value != "" {
				x.text(name, value)
			}
		}
		optional("UserID", c.UserID)
		optional("NewUserID", c.NewUserID)
		if c.UserID != "" {
			optional("Name", c.Name)
			optional("Department", intList(c.Departments))
			optional("Mobile", c.Mobile)
			optional("Position", c.Position)
			return
		}
		if c.PartyID != 0 {
			x.number("Id", int64(c.PartyID))
			optional("Name", c.Name)
			if c.ParentID != 0 {
				x.number("ParentId", int64(c.ParentID))
			}
		}
		if c.TagID != 0 {
			x.number("TagId", int64(c.TagID))
			optional("AddUserItems", strings.Join(c.AddUsers, ","))
			optional("DelUserItems", strings.Join(c.DelUsers, ","))
		}
	})
}

func intList(list []int) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = itoa(n)
	}
	return strings.Join(parts, ",")
}
