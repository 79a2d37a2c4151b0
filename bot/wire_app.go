package bot

import (
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
)

// This file reads the callbacks of a self-built app (自建应用).
// Messages: https://developer.work.weixin.qq.com/document/path/90239
// Events:   https://developer.work.weixin.qq.com/document/path/90240

// door is what a decoder knows of the door that a callback came through.
type door struct {
	corp  string
	agent string    // our agent id; a smart bot names its own
	now   time.Time // arrival
}

// appEnvelope is the outer XML. Nothing in it is signed but the ciphertext.
type appEnvelope struct{ to, agent, cipher string }

func scanAppEnvelope(body string) (appEnvelope, error) {
	doc, err := scanXML(body)
	if err != nil {
		return appEnvelope{}, err
	}
	defer doc.free()
	return appEnvelope{to: doc.top("ToUserName"), agent: doc.top("AgentID"), cipher: doc.top("Encrypt")}, nil
}

// decodeApp turns the decrypted XML into a message. An error is errMalformed;
// what is well-formed but not understood becomes KindOther.
func decodeApp(plain string, d door) (chat.Message, error) {
	doc, err := scanXML(plain)
	if err != nil {
		return chat.Message{}, err
	}
	defer doc.free()
	m := chat.Message{Via: chat.App, Corp: d.corp, Agent: d.agent, Sender: doc.top("FromUserName"), Event: doc.top("Event")}
	m.At, m.AtGuessed = platformTime(doc.top("CreateTime"), d.now)
	if doc.top("MsgType") == "event" {
		appEvent(&m, doc)
	} else {
		m.Event = ""
		appMessage(&m, doc)
	}
	if agent := doc.top("AgentID"); agent != "" && agent != d.agent {
		m.Agent, m.Kind = agent, chat.KindOther
	}
	if validUserID(m.Sender) {
		m.From = chat.Address{Kind: chat.Person, ID: m.Sender, Via: chat.App}
	} else if m.Kind != chat.KindContact {
		// Kept as a fact, but without an address nothing can ever be written to it.
		m.Kind = chat.KindOther
	}
	if m.Kind == chat.KindOther {
		m.Fields = doc.fields()
	}
	m.ID = chat.MessageID(chat.App, m.Corp, m.Agent, m.Sender, appKey(doc))
	return m, nil
}

func appMessage(m *chat.Message, doc *xmlDoc) {
	switch kind := doc.top("MsgType"); kind {
	case "text":
		m.Kind, m.Text = chat.KindText, doc.top("Content")
	case "image", "voice", "video":
		// PicUrl is left alone: the bytes are fetched by their media id only.
		m.Kind, m.Media = chat.KindMedia, []chat.Media{{Kind: kind, ID: doc.top("MediaId")}}
	case "location":
		m.Kind, m.Text = chat.KindLocation, doc.top("Label")
		m.Fields = doc.pick("Location_X", "Location_Y", "Scale", "AppType")
	case "link":
		m.Kind, m.Text = chat.KindLink, strings.Trim(doc.top("Title")+"\n"+doc.top("Url"), "\n")
		m.Fields = doc.pick("Title", "Description", "Url", "PicUrl")
	default:
		m.Kind = chat.KindOther
	}
}

func appEvent(m *chat.Message, doc *xmlDoc) {
	switch m.Event {
	case "subscribe", "unsubscribe":
		m.Kind = chat.KindFollow
	case "enter_agent":
		m.Kind = chat.KindEnter
	case "click", "view", "view_miniprogram", "scancode_push", "scancode_waitmsg",
		"pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select":
		m.Kind, m.Text = chat.KindMenu, doc.top("EventKey")
		m.Fields = doc.fields()
	case "template_card_event", "template_card_menu_event":
		m.Kind = chat.KindClick
		m.Click = &chat.Click{
			TaskID: doc.top("TaskId"), Key: doc.top("EventKey"), CardType: doc.top("CardType"),
			ResponseCode: doc.top("ResponseCode"), Selected: doc.selected(),
		}
	case "change_contact":
		m.Kind, m.Fields = chat.KindContact, doc.fields()
	default:
		m.Kind = chat.KindOther
	}
}

// selected reads SelectedItems/SelectedItem{QuestionKey, OptionIds/OptionId}.
func (d *xmlDoc) selected() map[string][]string {
	var out map[string][]string
	for i, item := range d.all() {
		if item.name != "SelectedItem" || !d.under(i, "SelectedItems") {
			continue
		}
		question, options := "", []string(nil)
		for j, e := range d.all() {
			switch {
			case e.name == "QuestionKey" && int(e.parent) == i:
				question = e.text
			case e.name == "OptionId" && d.under(j, "OptionIds") && int(d.elems[e.parent].parent) == i:
				options = append(options, e.text)
			}
		}
		if out == nil {
			out = make(map[string][]string)
		}
		out[question] = append(out[question], options...)
	}
	return out
}

// under tells whether the parent of element i has this name.
func (d *xmlDoc) under(i int, name string) bool {
	p := d.elems[i].parent
	return p >= 0 && d.elems[p].name == name
}

// pick returns the named children of the root that are not empty.
func (d *xmlDoc) pick(names ...string) map[string]string {
	out := make(map[string]string, len(names))
	for _, n := range names {
		if v := d.top(n); v != "" {
			out[n] = v
		}
	}
	return out
}

// fields returns all leaves but those that a message has a place of its own
// for. A nested one is named by its path ("ApprovalInfo.ThirdNo"); repeats are
// joined by commas.
func (d *xmlDoc) fields() map[string]string {
	out := make(map[string]string)
	for i, e := range d.all() {
		switch {
		case i == 0 || e.nested:
			continue
		case e.parent == 0 && (e.name == "ToUserName" || e.name == "FromUserName" || e.name == "CreateTime" || e.name == "Event" || e.name == "AgentID"):
			continue
		}
		name := e.name
		for p := e.parent; p > 0; p = d.elems[p].parent {
			name = d.elems[p].name + "." + name
		}
		if old, repeated := out[name]; repeated {
			out[name] = old + "," + e.text
		} else {
			out[name] = e.text
		}
	}
	return out
}

// appKey is what stays the same when the platform repeats a callback: the
// MsgId of a message. Events have none, and CreateTime counts whole seconds, so
// for them (and for a message whose MsgId is unusable) everything that was said
// is the key. ResponseCode and Token are handed out anew and are left out.
// See https://developer.work.weixin.qq.com/document/path/90238.
func appKey(doc *xmlDoc) string {
	if doc.top("MsgType") != "event" {
		if id := doc.top("MsgId"); usableMsgID(id) {
			return "m:" + id
		}
	}
	var b strings.Builder
	b.WriteString("e:")
	for _, e := range doc.all() {
		if e.nested || e.parent == 0 && (e.name == "ResponseCode" || e.name == "Token") {
			continue
		}
		b.WriteString(e.name)
		b.WriteByte(0x1f) // cannot stand in XML, so the borders are sure
		b.WriteString(e.text)
		b.WriteByte(0x1e)
	}
	return b.String()
}

// usableMsgID tells whether s is a positive 64-bit number in its normal form.
func usableMsgID(s string) bool {
	if s == "" || s[0] < '1' || s[0] > '9' {
		return false
	}
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// validUserID follows the rule for member ids (1 to 64 letters, digits and
// _-@., a letter or digit first), which shuts out "@all", lists ("a|b"), paths
// and control characters. See https://developer.work.weixin.qq.com/document/path/90195.
func validUserID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			continue
		}
		if i == 0 || c != '_' && c != '-' && c != '@' && c != '.' {
			return false
		}
	}
	return true
}

// firstTime is before anything the platform ever sent.
var firstTime = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)

// platformTime reads seconds since 1970. When they cannot be right, the time of
// arrival is taken and guessed is true.
func platformTime(s string, now time.Time) (at time.Time, guessed bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < firstTime.Unix() || n > now.Add(24*time.Hour).Unix() {
		return now, true
	}
	return time.Unix(n, 0), false
}
