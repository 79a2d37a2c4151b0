// Package chat holds the words that the parts of Frontline share: what was
// said, by whom, where, and what is to be said. It imports only the standard
// library, so every other package may use it.
package chat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// Via names the door of the platform that a message came through or leaves by.
type Via string

const (
	App  Via = "app"  // self-built app (自建应用): single chat only, XML callbacks, active send
	Form Via = "form" // the mobile form, a page of ours: only in a ticket's place
	Page Via = "page" // the console, as the form
	API  Via = "api"  // a program, as the form
	Bot  Via = "bot"  // smart bot (智能机器人): single chat and groups, JSON callbacks, replies
)

// MessageKind says what an incoming message is.
type MessageKind string

const (
	KindText     MessageKind = "text"     // also a voice message that came with a transcript
	KindMedia    MessageKind = "media"    // pictures, voice, video, files; may carry Text too (mixed)
	KindLocation MessageKind = "location" // Text holds the label
	KindLink     MessageKind = "link"     // Text holds title and address
	KindClick    MessageKind = "click"    // a card's button, vote or select: see Click
	KindMenu     MessageKind = "menu"     // an app menu entry; Text holds its key
	KindEnter    MessageKind = "enter"    // somebody opened the chat
	KindFollow   MessageKind = "follow"   // member came into (Event "subscribe") or left ("unsubscribe") the app's range
	KindContact  MessageKind = "contact"  // address list changed: see Fields
	KindFeedback MessageKind = "feedback" // smart bot thumbs: see Fields
	KindOther    MessageKind = "other"    // understood as a callback, of a kind we do not use; kept, not acted on
)

// Message is one thing that arrived. Its ID is the same on every redelivery.
type Message struct {
	ID        string            `json:"id"`
	Corp      string            `json:"corp,omitempty"`
	Agent     string            `json:"agent,omitempty"` // the app's agent id, or the smart bot's aibotid
	Via       Via               `json:"via"`
	Kind      MessageKind       `json:"kind"`
	Sender    string            `json:"sender"` // userid as the platform wrote it; may be an encrypted one
	From      Address           `json:"from"`   // where an answer goes: the person, or the group
	Text      string            `json:"text,omitempty"`
	At        time.Time         `json:"at"`
	AtGuessed bool              `json:"at_guessed,omitempty"` // the platform's time was unusable, arrival was taken
	Event     string            `json:"event,omitempty"`      // the platform's own event name
	Media     []Media           `json:"media,omitempty"`
	Quote     *Quote            `json:"quote,omitempty"`
	Click     *Click            `json:"click,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"`
	ReplyURL  string            `json:"reply_url,omitempty"` // smart bot: one use, one hour; a secret. See LiveReply
}

// LiveReply begins the ReplyURL of what came over the smart bot's long
// connection: not an address, but how to answer on that connection.
const LiveReply = "live:"

// Live tells whether m came over the long connection. Its answers leave through
// the outbox alone: there is no callback that waits for them.
func (m Message) Live() bool { return strings.HasPrefix(m.ReplyURL, LiveReply) }

// Thread is the key under which turns are ordered: one person, or one person
// within one group, at one door.
func (m Message) Thread() string {
	if m.From.Kind == Group {
		return string(m.Via) + ":g:" + m.From.ID + ":" + m.Sender
	}
	return string(m.Via) + ":p:" + m.Sender
}

// Media is one attachment of a message. Either ID (fetched with media/get) or
// URL (smart bot: five minutes, encrypted with the callback's key) is set.
type Media struct {
	Kind string `json:"kind"` // image, voice, video, file
	ID   string `json:"id,omitempty"`
	URL  string `json:"url,omitempty"`
	Key  string `json:"key,omitempty"`  // own AES key of this item (long connection only)
	Name string `json:"name,omitempty"` // as the sender named it, when known
	File string `json:"file,omitempty"` // where our own file store keeps it, once fetched
	Size int64  `json:"size,omitempty"`
	Type string `json:"type,omitempty"` // content type as found in the bytes
}

// Quote is the message that the sender quoted.
type Quote struct {
	Text  string  `json:"text,omitempty"`
	Media []Media `json:"media,omitempty"`
}

// Click is what somebody pressed, voted or selected on a card.
type Click struct {
	TaskID       string              `json:"task_id"`
	Key          string              `json:"key"`
	CardType     string              `json:"card_type,omitempty"`
	Selected     map[string][]string `json:"selected,omitempty"`      // question key -> option ids
	ResponseCode string              `json:"response_code,omitempty"` // one card update within 72 h (app only)
}

// MessageID makes the ID of a message from what the platform repeats on a
// redelivery. MsgIds have been seen to be equal for different users, so corp,
// agent and sender belong to it. The result is 24 URL-safe ASCII characters.
//
// A key "m:" with the platform's number of the message gives an ID that begins
// with that number, in an alphabet that sorts as it counts: the numbers grow
// with time, so the rows of a moment stand side by side in the unique index and
// a commit of many of them touches few pages. The rest is a hash all the same.
func MessageID(via Via, corp, agent, sender, key string) string {
	sum := messageHash(via, corp, agent, sender, key)
	if number, ok := strings.CutPrefix(key, "m:"); ok {
		if n, err := strconv.ParseUint(number, 10, 64); err == nil {
			binary.BigEndian.PutUint64(sum[:8], n)
		}
	}
	return ordered.EncodeToString(sum[:18])
}

// ordered is URL-safe base64 with its alphabet in the order of ASCII.
var ordered = base64.NewEncoding("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz").WithPadding(base64.NoPadding)

func messageHash(via Via, corp, agent, sender, key string) [sha256.Size]byte {
	h := sha256.New()
	var n [4]byte
	for _, s := range [...]string{string(via), corp, agent, sender, key} {
		binary.BigEndian.PutUint32(n[:], uint32(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}
