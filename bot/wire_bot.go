package bot

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
)

// This file reads the callbacks of a smart bot (智能机器人), HTTP mode.
// Messages: https://developer.work.weixin.qq.com/document/path/100719
// Events:   https://developer.work.weixin.qq.com/document/path/101027

// jsonMaxDepth is far above what the platform nests.
const jsonMaxDepth = 16

type botContent struct {
	Content string `json:"content"`
}

type botFile struct {
	URL    string `json:"url"`
	AESKey string `json:"aeskey,omitempty"` // long connection only
}

type botMixed struct {
	Items []botPart `json:"msg_item"`
}

// botPart is what a message, one item of a mixed message and a quote share.
type botPart struct {
	MsgType string      `json:"msgtype"`
	Text    *botContent `json:"text,omitempty"`
	Voice   *botContent `json:"voice,omitempty"` // content is the platform's transcript
	Image   *botFile    `json:"image,omitempty"`
	File    *botFile    `json:"file,omitempty"`
	Video   *botFile    `json:"video,omitempty"`
	Mixed   *botMixed   `json:"mixed,omitempty"`
}

type botCallback struct {
	botPart
	MsgID      string          `json:"msgid"`
	CreateTime json.RawMessage `json:"create_time,omitempty"`
	BotID      string          `json:"aibotid"`
	ChatID     string          `json:"chatid,omitempty"`
	ChatType   string          `json:"chattype"`
	From       struct {
		UserID string `json:"userid"`
	} `json:"from"`
	ResponseURL string   `json:"response_url,omitempty"`
	Quote       *botPart `json:"quote,omitempty"`
	Stream      struct {
		ID string `json:"id"`
	} `json:"stream"`
	Event botEvent `json:"event"`
}

type botEvent struct {
	Type  string `json:"eventtype"`
	Click *struct {
		CardType string `json:"card_type"`
		Key      string `json:"event_key"`
		TaskID   string `json:"task_id"`
		Selected struct {
			Items []struct {
				Question string `json:"question_key"`
				Options  struct {
					IDs []string `json:"option_id"`
				} `json:"option_ids"`
			} `json:"selected_item"`
		} `json:"selected_items"`
	} `json:"template_card_event,omitempty"`
	Feedback *struct {
		ID      string        `json:"id"`
		Type    json.Number   `json:"type"`
		Content string        `json:"content"`
		Reasons []json.Number `json:"inaccurate_reason_list"`
	} `json:"feedback_event,omitempty"`
}

// scanBotEnvelope returns the ciphertext of {"encrypt": "…"}.
func scanBotEnvelope(body []byte) (string, error) {
	var e struct {
		Encrypt string `json:"encrypt"`
	}
	if err := strictJSON(body, &e); err != nil {
		return "", err
	}
	return e.Encrypt, nil
}

// decodeBot turns the decrypted JSON into a message. poll is the id of the
// stream when the platform only asks how an answer goes on; that is no message
// to be stored, but says from where it was asked.
func decodeBot(plain []byte, d door) (m chat.Message, poll string, err error) {
	var c botCallback
	if err := strictJSON(plain, &c); err != nil {
		return chat.Message{}, "", err
	}
	m = chat.Message{Via: chat.Bot, Corp: d.corp, Agent: c.BotID, Sender: c.From.UserID, ReplyURL: c.ResponseURL}
	m.At, m.AtGuessed = platformTime(strings.Trim(string(c.CreateTime), `"`), d.now)
	if c.MsgType == "event" {
		c.event(&m)
	} else {
		c.message(&m)
	}
	switch group := c.ChatType == "group"; {
	case group && validChatID(c.ChatID) && validUserID(m.Sender):
		m.From = chat.Address{Kind: chat.Group, ID: c.ChatID, Via: chat.Bot}
	case !group && validUserID(m.Sender):
		m.From = chat.Address{Kind: chat.Person, ID: m.Sender, Via: chat.Bot}
	default:
		m.Kind = chat.KindOther // kept as a fact; nothing can be written to it
	}
	if m.Kind == chat.KindOther {
		m.Fields = jsonFields(plain)
	}
	m.ID = chat.MessageID(chat.Bot, m.Corp, m.Agent, m.Sender, c.key())
	if c.MsgType == "stream" {
		poll = c.Stream.ID
		if poll == "" {
			return chat.Message{}, "", errMalformed
		}
	}
	return m, poll, nil
}

func (c *botCallback) message(m *chat.Message) {
	m.Text, m.Media = c.content()
	switch c.MsgType {
	case "text", "voice":
		m.Kind = chat.KindText
	case "image", "file", "video", "mixed":
		m.Kind = chat.KindMedia
		if len(m.Media) == 0 {
			m.Kind = chat.KindText
		}
	default:
		m.Kind = chat.KindOther
	}
	if c.Quote != nil {
		q := chat.Quote{}
		q.Text, q.Media = c.Quote.content()
		m.Quote = &q
	}
}

// content collects text and attachments, whatever the part's type says: only
// the fields of its type are filled.
func (p *botPart) content() (string, []chat.Media) {
	var texts []string
	var media []chat.Media
	for _, t := range []*botContent{p.Text, p.Voice} {
		if t != nil && t.Content != "" {
			texts = append(texts, t.Content)
		}
	}
	for _, f := range []struct {
		kind string
		file *botFile
	}{{"image", p.Image}, {"file", p.File}, {"video", p.Video}} {
		if f.file != nil && f.file.URL != "" {
			media = append(media, chat.Media{Kind: f.kind, URL: f.file.URL, Key: f.file.AESKey})
		}
	}
	if p.Mixed != nil {
		for i := range p.Mixed.Items {
			text, more := p.Mixed.Items[i].content()
			if text != "" {
				texts = append(texts, text)
			}
			media = append(media, more...)
		}
	}
	return strings.Join(texts, "\n"), media
}

func (c *botCallback) event(m *chat.Message) {
	m.Event = c.Event.Type
	switch {
	case c.Event.Type == "enter_chat":
		m.Kind = chat.KindEnter
	case c.Event.Type == "template_card_event" && c.Event.Click != nil:
		e := c.Event.Click
		m.Kind, m.Click = chat.KindClick, &chat.Click{TaskID: e.TaskID, Key: e.Key, CardType: e.CardType}
		for _, item := range e.Selected.Items {
			if m.Click.Selected == nil {
				m.Click.Selected = make(map[string][]string)
			}
			m.Click.Selected[item.Question] = append(m.Click.Selected[item.Question], item.Options.IDs...)
		}
	case c.Event.Type == "feedback_event" && c.Event.Feedback != nil:
		f := c.Event.Feedback
		reasons := make([]string, len(f.Reasons))
		for i, r := range f.Reasons {
			reasons[i] = r.String()
		}
		m.Kind = chat.KindFeedback
		m.Fields = map[string]string{"id": f.ID, "type": f.Type.String(), "content": f.Content, "reasons": strings.Join(reasons, ",")}
	default:
		m.Kind = chat.KindOther
	}
}

// key is what stays the same on a redelivery: msgid, else everything that was
// said but the reply address, which is handed out anew.
func (c *botCallback) key() string {
	if c.MsgID != "" {
		return "m:" + c.MsgID
	}
	said := *c
	said.ResponseURL = ""
	text, err := json.Marshal(said)
	if err != nil { // RawMessage and Number hold what Unmarshal took, so this cannot be
		return "e:"
	}
	return "e:" + string(text)
}

// validChatID admits what the platform calls a chat: letters, digits, _ and -.
func validChatID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '@' || c == '.') {
			return false
		}
	}
	return true
}

// strictJSON is json.Unmarshal without its leniency: the text must be UTF-8,
// one object, not deep, and no object may hold a key twice. encoding/json takes
// the last of two and ignores case, other readers take the first.
func strictJSON(data []byte, v any) error {
	if !utf8.Valid(data) || !json.Valid(data) {
		return errMalformed
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	first, err := dec.Token()
	if err != nil || first != json.Delim('{') || !uniqueKeys(dec, true, 1) {
		return errMalformed
	}
	if _, err := dec.Token(); err != io.EOF {
		return errMalformed
	}
	if json.Unmarshal(data, v) != nil {
		return errMalformed
	}
	return nil
}

// uniqueKeys reads to the end of the object or list that dec stands in.
func uniqueKeys(dec *json.Decoder, object bool, depth int) bool {
	if depth > jsonMaxDepth {
		return false
	}
	var seen map[string]bool
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return false
		}
		if object {
			if seen == nil {
				seen = make(map[string]bool)
			}
			key := foldKey(t.(string))
			if seen[key] {
				return false
			}
			seen[key] = true
			if t, err = dec.Token(); err != nil {
				return false
			}
		}
		if d, ok := t.(json.Delim); ok && !uniqueKeys(dec, d == '{', depth+1) {
			return false
		}
	}
	_, err := dec.Token()
	return err == nil
}

// foldKey makes equal what encoding/json takes for equal: it folds like
// strings.EqualFold, where K (U+212A) is k and ſ (U+017F) is s.
func foldKey(s string) string { return strings.ToLower(strings.ToUpper(s)) }

// jsonFields flattens a callback that is not understood, so that it can be
// looked at later: "event.eventtype". The reply address is a secret and stays out.
func jsonFields(plain []byte) map[string]string {
	var all map[string]any
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.UseNumber()
	if dec.Decode(&all) != nil {
		return nil
	}
	out := make(map[string]string)
	flatten(out, "", all)
	for k := range out {
		if strings.EqualFold(k, "response_url") {
			delete(out, k)
		}
	}
	return out
}

func flatten(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if path != "" {
			path += "."
		}
		for k, child := range v {
			flatten(out, path+k, child)
		}
	case string:
		out[path] = v
	case json.Number:
		out[path] = v.String()
	default: // lists, booleans and null, as they were written
		if text, err := json.Marshal(v); err == nil {
			out[path] = string(text)
		}
	}
}
