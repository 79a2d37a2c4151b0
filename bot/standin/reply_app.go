package standin

import (
	"encoding/json"
	"errors"
	"fmt"
)

// applyAppReply shows the passive reply of an app: https://developer.work.weixin.qq.com/document/path/90241.
func (s *Server) applyAppReply(cb *callback, reply []byte, t *Trace) error {
	doc, err := parseXML(reply)
	if err != nil {
		return fmt.Errorf("its inner XML: %w", err)
	}
	if doc.name != "xml" {
		return fmt.Errorf("its root is %q", doc.name)
	}
	if to := doc.value("ToUserName"); to != cb.user {
		return fmt.Errorf("it is for %q, the message was from %q", to, cb.user)
	}
	if from := doc.value("FromUserName"); from != s.opt.CorpID {
		return fmt.Errorf("its FromUserName is %q instead of the corp id", from)
	}
	kind := doc.value("MsgType")
	switch kind {
	case "update_button", "update_template_card":
		if cb.accepts != acceptUpdate && cb.accepts != acceptBoth {
			return fmt.Errorf("%s is no reply to %s", kind, cb.name)
		}
		return s.passiveUpdate(cb, kind, doc, t)
	case "text", "image", "voice", "video", "news":
		if cb.accepts != acceptMessage && cb.accepts != acceptBoth {
			return fmt.Errorf("%s takes no such reply", cb.name)
		}
		return s.passiveMessage(cb, kind, doc, t)
	}
	return fmt.Errorf("msgtype %q cannot be sent passively", kind)
}

func (s *Server) passiveMessage(cb *callback, kind string, doc *node, t *Trace) error {
	a := s.apps[atoi(idOf(cb.target))]
	e := Entry{Place: cb.place, User: cb.user, From: Who{"app", itoa(a.AgentID), a.Name}, MsgType: kind}
	switch kind {
	case "text":
		text := doc.value("Content")
		if text == "" {
			return errors.New("its Content is empty")
		}
		t.Meters = append(t.Meters, Meter{"text.content", len(text), 2048, "bytes", true})
		if e.Text, e.Cut = cutBytes(text, 2048); e.Cut {
			s.counters.Cut++
		}
	case "image", "voice", "video":
		part := doc.child(map[string]string{"image": "Image", "voice": "Voice", "video": "Video"}[kind])
		if part == nil {
			return errors.New("its media part is missing")
		}
		m := s.findMedia(part.value("MediaId"), "", s.now())
		if m == nil || m.kind != kind {
			return errors.New("its MediaId is unknown, too old or of another kind")
		}
		e.Media = s.mediaView(m)
	case "news":
		articles := []map[string]string{}
		if list := doc.child("Articles"); list != nil {
			for _, a := range list.children {
				articles = append(articles, map[string]string{"title": a.value("Title"), "description": a.value("Description"), "url": a.value("Url"), "picurl": a.value("PicUrl")})
			}
		}
		if len(articles) < 1 || len(articles) > 8 {
			return fmt.Errorf("it has %d articles instead of 1 to 8", len(articles))
		}
		e.Body, _ = json.Marshal(map[string]any{"articles": articles})
	}
	s.show(e)
	return nil
}

// passiveUpdate changes the copy of the member who clicked.
func (s *Server) passiveUpdate(cb *callback, kind string, doc *node, t *Trace) error {
	if cb.clicked == nil || cb.clicked.copy == nil {
		return errors.New("there is no card to update")
	}
	if kind == "update_button" {
		name := ""
		if b := doc.child("Button"); b != nil {
			name = b.value("ReplaceName")
		}
		if name == "" {
			return errors.New("its Button/ReplaceName is empty")
		}
		s.replaceText(cb.clicked, "", name)
		return nil
	}
	part := doc.child("TemplateCard")
	if part == nil {
		return errors.New("its TemplateCard is missing")
	}
	raw, err := json.Marshal(part.cardJSON())
	if err != nil {
		return err
	}
	return s.updateByReply(cb.clicked, "", raw, cardRules{types: allCards, update: true, callback: true, meters: &t.Meters})
}

// updateByReply checks a whole card and puts it in the place of the old one.
func (s *Server) updateByReply(e *entry, user string, raw json.RawMessage, rules cardRules) error {
	r, bad := readObject(raw)
	if bad == nil {
		r.at = "template_card"
		checkCard(r, rules)
		bad = r.failed()
	}
	if bad != nil {
		return bad
	}
	s.replaceCard(e, user, raw)
	return nil
}

func idOf(p Place) string {
	_, id := p.split()
	return id
}
