package chat

import (
	"encoding/json"
	"errors"
	"time"
)

// AddressKind says what an Address points at.
type AddressKind string

const (
	Person  AddressKind = "person" // ID is a userid
	Group   AddressKind = "group"  // ID is a chatid; Via App: a chat the app made, Via Bot: one the bot is in
	Hook    AddressKind = "hook"   // ID is a subscriber's name in the configuration: a program that hears of events
	Mailbox AddressKind = "mail"   // ID is an e-mail address
	Robot   AddressKind = "robot"  // ID is the group's name in the configuration; its key never leaves the edge
)

// Address is a place words can be sent to.
type Address struct {
	Kind AddressKind `json:"kind"`
	ID   string      `json:"id"`
	Via  Via         `json:"via,omitempty"`
}

// String is the key under which sends to one place are ordered and counted.
func (a Address) String() string { return string(a.Via) + "/" + string(a.Kind) + "/" + a.ID }

// Outgoing is one thing to say. It is queued once per Key, whatever happens.
type Outgoing struct {
	Key     string   `json:"key"`                // empty: made from the turn's message and the place in its list
	To      Address  `json:"to"`                 // zero: where the turn's message came from
	ReplyTo string   `json:"reply_to,omitempty"` // ID of the message this answers; opens the smart bot's reply roads
	Body    Body     `json:"body"`
	Mention []string `json:"mention,omitempty"` // userids, or "@all"; only where the place can show it
	Urgent  bool     `json:"urgent,omitempty"`  // P1 and recoveries: may use the places a robot keeps for them
	// Asked: somebody there waits for it, so that quiet hours do not hold it. Words
	// of a turn to who spoke, and urgent ones, are never held.
	Asked bool `json:"asked,omitempty"`
	// Progress: a sign of life that the words after it replace where the place
	// can show only one thing (the smart bot's stream).
	Progress bool `json:"progress,omitempty"`
	// AtMostOnce: after an answer that got lost the message is not sent again
	// but shown as unknown. Chatter sets it; tickets and alerts do not.
	AtMostOnce bool `json:"at_most_once,omitempty"`
}

// Body is what is said; exactly one field is set.
type Body struct {
	Text     string      `json:"text,omitempty"`
	Markdown string      `json:"markdown,omitempty"` // the common subset of markdown.go in package bot
	Card     *Card       `json:"card,omitempty"`
	Update   *CardUpdate `json:"update,omitempty"`
	File     *File       `json:"file,omitempty"`
	Event    *Event      `json:"event,omitempty"` // to a Hook only
	Mail     *Mail       `json:"mail,omitempty"`  // to a Mailbox only
}

// Mail is an e-mail, the same in plain text and in HTML.
type Mail struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html,omitempty"`
	Thread  string `json:"thread,omitempty"` // mails with the same are one conversation: letters, digits, dots and dashes
}

// Card is a template card, and its typed twin for every place that has none.
// Limits are those of the platform; the edge cuts, it never refuses.
type Card struct {
	TaskID  string    `json:"task_id"` // [0-9A-Za-z_@-], unique for ever; clicks name it
	Source  string    `json:"source,omitempty"`
	Title   string    `json:"title"`
	Desc    string    `json:"desc,omitempty"`
	Text    string    `json:"text,omitempty"` // sub_title_text
	Rows    []Row     `json:"rows,omitempty"`
	Buttons []Button  `json:"buttons,omitempty"` // button_interaction
	Vote    *Choice   `json:"vote,omitempty"`    // vote_interaction
	Selects []Choice  `json:"selects,omitempty"` // multiple_interaction
	Submit  *Button   `json:"submit,omitempty"`  // of Vote and Selects
	Links   []CardURL `json:"links,omitempty"`
	URL     string    `json:"url,omitempty"` // where a tap on the card leads
	Twin    string    `json:"twin"`          // the same as text, every button with the word to type
}

// Row is one key and value on a card.
type Row struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	URL   string `json:"url,omitempty"`
	User  string `json:"user,omitempty"` // value is this member (shown as a name that can be tapped)
}

// Button is one button. Key comes back in Click.Key.
type Button struct {
	Text  string `json:"text"`
	Key   string `json:"key"`
	Style int    `json:"style,omitempty"` // 1 primary
}

// Choice is a question with options to tick.
type Choice struct {
	Key     string   `json:"key"`
	Title   string   `json:"title,omitempty"`
	Many    bool     `json:"many,omitempty"`
	Options []Option `json:"options"`
}

// Option is one option of a Choice.
type Option struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// CardURL is one jump link below a card.
type CardURL struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// CardUpdate rewrites a card that was sent before. For the self-built app it
// spends a response code; when none is left, Card (or Text) goes out as a new
// message instead of being lost.
type CardUpdate struct {
	TaskID string   `json:"task_id"`
	Users  []string `json:"users,omitempty"` // whose copies; empty: the person of To
	Done   string   `json:"done,omitempty"`  // grey text in the place of the buttons
	Card   *Card    `json:"card,omitempty"`  // or the whole card anew
	Text   string   `json:"text,omitempty"`  // said as a message when the card cannot be rewritten; empty: nothing is said
}

// File is an image, voice, video or file to send. Path names it in our own file store.
type File struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Path string `json:"path"`
}

// Part is one call of the platform, its bytes fixed before the first attempt,
// so that a repeat is the same to the last byte.
type Part struct {
	API  string          `json:"api"` // message/send, appchat/send, webhook/send, response, update_template_card, stream
	Body json.RawMessage `json:"body"`
	At   time.Time       `json:"at,omitzero"` // when the bytes were fixed: the platform recognises a repeat only for so long
}

// Delivery is an Outgoing that was claimed for sending.
type Delivery struct {
	ID      int64
	Epoch   int64 // fencing: only the claim with the newest epoch may write
	Attempt int   // 1 for the first
	Since   time.Time
	Parts   []Part // frozen bytes; nil before the first attempt
	Sent    int    // how many of Parts are known to have arrived
	Unknown bool   // the last attempt ended without an answer: it may have arrived
	Outgoing
}

// Receipt is what the platform said about a part that it took.
type Receipt struct {
	MsgID        string   `json:"msgid,omitempty"`
	ResponseCode string   `json:"response_code,omitempty"`
	Invalid      []string `json:"invalid,omitempty"` // receivers it did not reach
	Status       int      `json:"status,omitempty"`  // HTTP status of a subscriber's last answer; 0: it did not answer
	Road         string   `json:"road,omitempty"`    // stream, response_url, app, robot …
}

// Refusal is an error meant for the user: it is answered and never retried.
type Refusal struct{ Text string }

func (r Refusal) Error() string { return r.Text }

// ErrFenced means that another replica has taken a delivery over, or that it
// has ended already: nothing more may be written about it.
var ErrFenced = errors.New("another replica has taken this over")

// ErrGiveUp marks an error that no repeat will cure.
var ErrGiveUp = errors.New("gave up")
