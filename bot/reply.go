package bot

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
)

// This file writes what a smart bot says in the answer to a callback.
// See https://developer.work.weixin.qq.com/document/path/101031.

// streamLimit is the most that one answer may hold, in bytes.
const streamLimit = 20480

const (
	sayWaiting = "收到，正在处理…"
	sayNothing = "已处理。"
	sayUnknown = "抱歉，这条消息的处理记录找不到了，请重新发送一次。"
)

// ride chooses the words that can go with the answer to one callback, and
// writes them. A message and a poll take text and one card, a welcome takes
// text or one card, a click takes the card that replaces the clicked one.
type ride struct {
	m        chat.Message
	stream   string // its id: the message's, or the one that a poll asks about
	polling  bool   // an earlier answer began the stream
	verdicts map[string]bool
	bytes    int
	card     []byte // template_card of the one that rides
	cardKey  string
	text     bool
	update   *chat.CardUpdate
}

func newRide(m chat.Message, poll string) *ride {
	r := &ride{m: m, stream: m.ID, verdicts: make(map[string]bool)}
	if poll != "" {
		r.stream, r.polling = poll, true
	}
	return r
}

// fits tells whether out can ride. It remembers what it said about a key: the
// store may ask again when its transaction is repeated.
func (r *ride) fits(out chat.Outgoing) bool {
	if out.Key != "" {
		if v, asked := r.verdicts[out.Key]; asked {
			return v
		}
	}
	v := (out.To == chat.Address{} || out.To == r.m.From) && r.take(out)
	if out.Key != "" {
		r.verdicts[out.Key] = v
	}
	return v
}

func (r *ride) take(out chat.Outgoing) bool {
	switch r.m.Kind {
	case chat.KindClick:
		return r.takeUpdate(out)
	case chat.KindEnter:
		if r.card != nil || r.text && out.Body.Card != nil {
			return false
		}
	}
	if c := out.Body.Card; c != nil && r.card == nil {
		if b, err := CardJSON(*c, BotCards); err == nil {
			r.card, r.cardKey = b, c.TaskID
			return true
		}
	}
	text := streamText(out.Body)
	if text == "" || r.bytes+len(text)+len(paragraph) > streamLimit {
		return false
	}
	r.text = true
	r.bytes += len(text) + len(paragraph)
	return true
}

func (r *ride) takeUpdate(out chat.Outgoing) bool {
	u := out.Body.Update
	if u == nil || r.update != nil || u.TaskID != r.m.Click.TaskID {
		return false
	}
	b, err := CardUpdateJSON(*u, BotCards)
	if err != nil {
		return false
	}
	r.update, r.card = u, b
	return true
}

// paragraph stands between two things that are said in one answer.
const paragraph = "\n\n"

// streamText is what stands in the stream for a body. A stream is Markdown;
// plain text may hold what somebody else typed and must stay what it is.
func streamText(b chat.Body) string {
	switch {
	case b.Text != "":
		return literal(b.Text)
	case b.Markdown != "":
		return b.Markdown
	case b.Card != nil:
		return literal(b.Card.Twin)
	}
	return ""
}

// literal breaks what would become a link, a picture, a mention or a coloured
// text in Markdown, with a character that is not seen. Nothing else can harm.
var literal = strings.NewReplacer("](", "]\u200b(", "<@", "<\u200b@", "<font", "<\u200bfont", "<think", "<\u200bthink").Replace

// answer writes the reply. Nil means that an empty 200 is the answer.
func (r *ride) answer(say []chat.Outgoing, done bool) ([]byte, error) {
	switch {
	case r.m.Kind == chat.KindClick:
		return r.cardUpdate(say)
	case !r.polling && r.m.Kind == chat.KindEnter:
		return r.welcome(say)
	case !r.polling && done && len(say) == 0:
		return nil, nil
	}
	return r.snapshot(say, done)
}

type streamReply struct {
	MsgType string          `json:"msgtype"`
	Stream  *streamState    `json:"stream,omitempty"`
	Card    json.RawMessage `json:"template_card,omitempty"`
}

type streamState struct {
	ID      string `json:"id"`
	Finish  bool   `json:"finish"`
	Content string `json:"content"`
}

// snapshot writes the full state of the answer: each one replaces the last. The
// card comes with the end, because it can be sent only once.
func (r *ride) snapshot(say []chat.Outgoing, done bool) ([]byte, error) {
	card := r.riding(say)
	if !done {
		card = nil
	}
	content := r.join(say, card)
	reply := streamReply{MsgType: "stream", Stream: &streamState{ID: r.stream, Finish: done, Content: content}}
	if card != nil {
		reply.MsgType, reply.Card = "stream_with_template_card", r.card
		if content == "" && !r.polling { // a card alone, and no stream was begun
			reply.MsgType, reply.Stream = "template_card", nil
			return marshalJSON(reply)
		}
	}
	if content == "" {
		switch {
		case card != nil && card.Title != "":
			reply.Stream.Content = literal(card.Title)
		case done:
			reply.Stream.Content = sayNothing
		default:
			reply.Stream.Content = sayWaiting
		}
	}
	return marshalJSON(reply)
}

// riding returns the card among say that fits let ride as a card.
func (r *ride) riding(say []chat.Outgoing) *chat.Card {
	for _, out := range say {
		if c := out.Body.Card; c != nil && r.card != nil && c.TaskID == r.cardKey {
			return c
		}
	}
	return nil
}

// join puts all words together but the card that rides as one. Signs of life
// give way to what came after them.
func (r *ride) join(say []chat.Outgoing, card *chat.Card) string {
	var texts []string
	sign := ""
	for _, out := range say {
		text := streamText(out.Body)
		switch {
		case text == "" || card != nil && out.Body.Card == card:
		case out.Progress:
			sign = text
		default:
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 && card == nil {
		return sign
	}
	return cutBytes(strings.Join(texts, paragraph), streamLimit)
}

func (r *ride) welcome(say []chat.Outgoing) ([]byte, error) {
	if len(say) == 0 {
		return nil, nil
	}
	if r.riding(say) != nil {
		return marshalJSON(streamReply{MsgType: "template_card", Card: r.card})
	}
	var texts []string
	for _, out := range say {
		if out.Body.Text != "" { // a welcome is plain text, nothing in it can act
			texts = append(texts, out.Body.Text)
		} else {
			texts = append(texts, streamText(out.Body))
		}
	}
	var reply struct {
		MsgType string     `json:"msgtype"`
		Text    botContent `json:"text"`
	}
	reply.MsgType, reply.Text.Content = "text", cutBytes(strings.Join(texts, paragraph), streamLimit)
	return marshalJSON(reply)
}

func (r *ride) cardUpdate(say []chat.Outgoing) ([]byte, error) {
	if len(say) == 0 || say[0].Body.Update == nil || r.update == nil {
		return nil, nil
	}
	users := r.update.Users
	if len(users) == 0 && r.m.From.Kind == chat.Person {
		users = []string{r.m.From.ID}
	}
	return marshalJSON(struct {
		Type  string          `json:"response_type"`
		Users []string        `json:"userids,omitempty"` // none: everybody who sees the card
		Card  json.RawMessage `json:"template_card"`
	}{"update_template_card", users, r.card})
}

// unknownStream ends a stream that nothing is known of.
func unknownStream(id string) ([]byte, error) {
	return marshalJSON(streamReply{MsgType: "stream", Stream: &streamState{ID: id, Finish: true, Content: sayUnknown}})
}

// sealReply encrypts a reply under the callback's nonce.
// See https://developer.work.weixin.qq.com/document/path/101033.
func sealReply(k *Keys, reply []byte, unix int64, nonce string) ([]byte, error) {
	e := struct {
		Encrypt   string `json:"encrypt"`
		Signature string `json:"msgsignature"`
		Timestamp int64  `json:"timestamp"`
		Nonce     string `json:"nonce"`
	}{Encrypt: k.Encrypt(reply), Timestamp: unix, Nonce: nonce}
	e.Signature = k.Sign(strconv.FormatInt(unix, 10), nonce, e.Encrypt)
	return marshalJSON(e)
}

// cutBytes shortens s to at most n bytes, at the border of a character.
func cutBytes(s string, n int) string {
	const more = "…"
	if len(s) <= n {
		return s
	}
	end := n - len(more)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}
