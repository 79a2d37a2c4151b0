package web

import (
	"encoding/json"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
)

// MessageView is what one place would show of a message; package cli fits the
// code that sends to it.
type MessageView struct {
	Place string // app, chat, robot, bot
	Parts []MessagePart
}

// MessagePart is one message of it.
type MessagePart struct {
	Kind   string // text, markdown, template_card
	Text   string
	Card   json.RawMessage
	Meters []SimMeter
}

// cardView is a template card as a client draws it.
type cardView struct {
	Source struct{ Desc string }                         `json:"source"`
	Title  struct{ Title, Desc string }                  `json:"main_title"`
	Text   string                                        `json:"sub_title_text"`
	Rows   []struct{ Keyname, Value string }             `json:"horizontal_content_list"`
	Vote   struct{ Option_list []struct{ Text string } } `json:"checkbox"`
	Button []struct{ Text string }                       `json:"button_list"`
	Submit struct{ Text string }                         `json:"submit_button"`
}

// Shown reads the card for the page.
func (p MessagePart) Shown() (c cardView) {
	json.Unmarshal(p.Card, &c) // we wrote it
	return c
}

// Entry is the text as the simulator draws texts.
func (p MessagePart) Entry() SimEntry { return SimEntry{Text: p.Text, MsgType: p.Kind} }

type messageKind struct {
	handlers.Sample
	Views []MessageView
}

type messagesPage struct {
	About []string // tabs
	Now   string
	Kinds []messageKind
	Try   messageTry
}

// messageTry is what somebody writes to see it.
type messageTry struct {
	Text     string
	Markdown bool
	Views    []MessageView
}

// messages lists every kind of message that the desk says, as each place would
// show it, with how much of the limits it uses.
func (s *Server) messages(v *visit) error {
	samples, err := s.opt.Desk.Samples(v.r.Context())
	if err != nil {
		return err
	}
	p := messagesPage{Now: v.r.URL.Query().Get("about"), Try: messageTry{Text: v.t("**试一条**：群里新单 <font color=\"warning\">T1042</font>\n> 行情页一直转圈"), Markdown: true}}
	known := map[string]bool{}
	for _, m := range samples {
		if !known[m.About] {
			known[m.About] = true
			p.About = append(p.About, m.About)
		}
	}
	if !known[p.Now] {
		p.Now = p.About[0]
	}
	for _, m := range samples {
		if m.About != p.Now {
			continue
		}
		views, err := s.opt.Preview(m.Body)
		if err != nil {
			return err
		}
		p.Kinds = append(p.Kinds, messageKind{m, views})
	}
	if p.Try.Views, err = s.opt.Preview(p.Try.body()); err != nil {
		return err
	}
	return v.show("messages", p)
}

func (t messageTry) body() chat.Body {
	if t.Markdown {
		return chat.Body{Markdown: t.Text}
	}
	return chat.Body{Text: t.Text}
}

// longestTry is more than any place takes in one message.
const longestTry = 30000

// tryMessage shows a text that somebody writes; nothing is sent or kept.
func (s *Server) tryMessage(v *visit) error {
	t := messageTry{Text: chat.Cut(strings.ReplaceAll(v.r.PostFormValue("text"), "\r\n", "\n"), longestTry), Markdown: v.r.PostFormValue("markdown") == "1"}
	var err error
	if strings.TrimSpace(t.Text) != "" {
		if t.Views, err = s.opt.Preview(t.body()); err != nil {
			return err
		}
	}
	return v.part("messages", "views", t.Views)
}

var messagePlaces = map[string]string{"app": "应用消息", "chat": "应用群聊", "robot": "群机器人", "bot": "智能机器人"}

// PlaceName names a place that shows messages.
func (s shell) PlaceName(place string) string { return s.T(messagePlaces[place]) }
