package bot

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
)

// ErrNoCard says that a place cannot show a card; its Twin can be sent instead.
var ErrNoCard = errors.New("this card cannot be shown there")

// Dialect is one of the places that show template cards, with its limits.
type Dialect struct {
	name string
	// Limits in characters. The platform recommends them; a longer text is cut
	// by the phone in the middle of a word, so we cut first and show it.
	source, title, desc, text, rowKey, rowValue, jump int
	interactive                                       bool // has buttons, votes and selects
	replaceText                                       bool // can show a text in the place of the buttons
}

// The dialects. App: https://developer.work.weixin.qq.com/document/path/90236,
// group robot: https://developer.work.weixin.qq.com/document/path/91770,
// smart bot: https://developer.work.weixin.qq.com/document/path/101032.
var (
	AppCards = Dialect{name: "app", source: 20, title: 36, desc: 44, text: 160, rowKey: 5, rowValue: 30, jump: 18,
		interactive: true, replaceText: true}
	RobotCards = Dialect{name: "robot", source: 13, title: 26, desc: 30, text: 112, rowKey: 5, rowValue: 26, jump: 13}
	BotCards   = Dialect{name: "bot", source: 13, title: 26, desc: 30, text: 112, rowKey: 5, rowValue: 26, jump: 13, interactive: true}
)

// Limits that are the same everywhere.
const (
	cardRows       = 6
	cardLinks      = 3
	cardButtons    = 6
	cardVotes      = 20
	cardSelects    = 3
	cardOptions    = 10
	cardButtonText = 10
	cardVoteText   = 17
	cardOptionText = 16
	cardTitleText  = 13   // above a select
	cardTaskID     = 128  // bytes
	cardKey        = 1024 // bytes
	cardURL        = 2048 // bytes
)

type cardJSON struct {
	Type        string        `json:"card_type"`
	Source      *cardSource   `json:"source,omitempty"`
	Title       *cardTitle    `json:"main_title,omitempty"`
	Text        string        `json:"sub_title_text,omitempty"`
	Rows        []cardRow     `json:"horizontal_content_list,omitempty"`
	Links       []cardLink    `json:"jump_list,omitempty"`
	Action      *cardLink     `json:"card_action,omitempty"`
	TaskID      string        `json:"task_id,omitempty"`
	Buttons     []cardButton  `json:"button_list,omitempty"`
	Vote        *cardCheckbox `json:"checkbox,omitempty"`
	Selects     []cardSelect  `json:"select_list,omitempty"`
	Submit      *cardSubmit   `json:"submit_button,omitempty"`
	ReplaceText string        `json:"replace_text,omitempty"`
}

type cardSource struct {
	Desc string `json:"desc"`
}

type cardTitle struct {
	Title string `json:"title,omitempty"`
	Desc  string `json:"desc,omitempty"`
}

type cardRow struct {
	Key    string `json:"keyname"`
	Value  string `json:"value"`
	Type   int    `json:"type,omitempty"` // 1 address, 3 member
	URL    string `json:"url,omitempty"`
	UserID string `json:"userid,omitempty"`
}

type cardLink struct {
	Type  int    `json:"type"` // 1 address
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

type cardButton struct {
	Text  string `json:"text"`
	Style int    `json:"style"`
	Key   string `json:"key"`
}

type cardSubmit struct {
	Text string `json:"text"`
	Key  string `json:"key"`
}

type cardOption struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

type cardCheckbox struct {
	Question string       `json:"question_key"`
	Options  []cardOption `json:"option_list"`
	Mode     int          `json:"mode"` // 0 one, 1 many
}

type cardSelect struct {
	Question string       `json:"question_key"`
	Title    string       `json:"title,omitempty"`
	Options  []cardOption `json:"option_list"`
}

// CardJSON writes a card as the template_card object of a place. It cuts what
// is too long and leaves out what is too many; ErrNoCard means that the place
// has no such card (a robot, and a notice without an address to open).
func CardJSON(c chat.Card, d Dialect) ([]byte, error) { return renderCard(c, d, "") }

// CardUpdateJSON writes the card that takes the place of an older one with the
// same task id. ErrNoCard means that the update has to be said some other way.
func CardUpdateJSON(u chat.CardUpdate, d Dialect) ([]byte, error) {
	if u.Card == nil {
		return nil, ErrNoCard
	}
	c := *u.Card
	c.TaskID = u.TaskID
	return renderCard(c, d, u.Done)
}

func renderCard(c chat.Card, d Dialect, done string) ([]byte, error) {
	if !validTaskID(c.TaskID) {
		return nil, errors.New("card: the task id must be 1 to 128 of 0-9A-Za-z_-@")
	}
	if c.Title == "" && c.Text == "" {
		return nil, errors.New("card: title and text are both empty")
	}
	j := cardJSON{TaskID: c.TaskID, Text: cut(c.Text, d.text)}
	if c.Source != "" {
		j.Source = &cardSource{Desc: cut(c.Source, d.source)}
	}
	if c.Title != "" || c.Desc != "" {
		j.Title = &cardTitle{Title: cut(c.Title, d.title), Desc: cut(c.Desc, d.desc)}
	}
	for _, r := range c.Rows[:min(len(c.Rows), cardRows)] {
		j.Rows = append(j.Rows, renderRow(r, d))
	}
	for _, l := range c.Links {
		if validURL(l.URL) && len(j.Links) < cardLinks {
			j.Links = append(j.Links, cardLink{Type: 1, Title: cut(l.Title, d.jump), URL: l.URL})
		}
	}
	if validURL(c.URL) {
		j.Action = &cardLink{Type: 1, URL: c.URL}
	}
	if d.interactive {
		j.interact(c)
	}
	if j.Type != "" && d.replaceText {
		j.ReplaceText = cut(done, cardButtonText)
	}
	if j.Type == "" && !j.notice() {
		return nil, ErrNoCard
	}
	return marshalJSON(j)
}

func renderRow(r chat.Row, d Dialect) cardRow {
	row := cardRow{Key: cut(r.Key, d.rowKey), Value: cut(r.Value, d.rowValue)}
	switch {
	case r.User != "":
		row.Type, row.UserID = 3, r.User
	case validURL(r.URL):
		row.Type, row.URL = 1, r.URL
	}
	return row
}

// interact gives the card its type when it has something to press.
func (j *cardJSON) interact(c chat.Card) {
	switch {
	case len(c.Buttons) > 0:
		j.Type = "button_interaction"
		for _, b := range c.Buttons {
			if len(b.Key) <= cardKey && len(j.Buttons) < cardButtons {
				j.Buttons = append(j.Buttons, cardButton{Text: cut(b.Text, cardButtonText), Style: buttonStyle(b.Style), Key: b.Key})
			}
		}
		j.Links = nil // this type has none
		return
	case c.Vote != nil:
		j.Type = "vote_interaction"
		j.Vote = &cardCheckbox{Question: c.Vote.Key, Options: options(c.Vote.Options, cardVotes, cardVoteText)}
		if c.Vote.Many {
			j.Vote.Mode = 1
		}
	case len(c.Selects) > 0:
		j.Type = "multiple_interaction"
		for _, s := range c.Selects[:min(len(c.Selects), cardSelects)] {
			j.Selects = append(j.Selects, cardSelect{Question: s.Key, Title: cut(s.Title, cardTitleText), Options: options(s.Options, cardOptions, cardOptionText)})
		}
	default:
		return
	}
	// Votes and selects show title and choices only.
	if j.Title == nil || j.Title.Title == "" {
		j.Title = &cardTitle{Title: j.Text}
	}
	j.Text, j.Rows, j.Links, j.Action = "", nil, nil, nil
	j.Submit = &cardSubmit{Text: "提交", Key: "submit"}
	if c.Submit != nil {
		j.Submit = &cardSubmit{Text: cut(c.Submit.Text, cardButtonText), Key: c.Submit.Key}
	}
}

// buttonStyle: 1 is the one that stands out; a button that asks for none is plain.
func buttonStyle(style int) int {
	if style == 0 {
		return 2
	}
	return style
}

func options(in []chat.Option, most, width int) []cardOption {
	out := make([]cardOption, 0, min(len(in), most))
	for _, o := range in[:min(len(in), most)] {
		out = append(out, cardOption{ID: o.ID, Text: cut(o.Text, width)})
	}
	return out
}

// notice makes a text_notice of a card that has nothing to press. That type must
// lead somewhere, and the platform refuses card_action.type 0 (errcode 42045).
func (j *cardJSON) notice() bool {
	j.Type = "text_notice"
	if j.Action == nil && len(j.Links) > 0 {
		j.Action = &cardLink{Type: 1, URL: j.Links[0].URL}
	}
	for _, r := range j.Rows {
		if j.Action == nil && r.Type == 1 {
			j.Action = &cardLink{Type: 1, URL: r.URL}
		}
	}
	return j.Action != nil
}

// cut shortens s to n characters, the last of which is then "…".
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n--; n == 0 {
			return strings.TrimRight(s[:i], " ") + "…"
		}
	}
	return s
}

func validURL(s string) bool {
	return len(s) <= cardURL && (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://"))
}

func validTaskID(s string) bool {
	if s == "" || len(s) > cardTaskID {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-' || c == '@') {
			return false
		}
	}
	return true
}

// marshalJSON leaves <, > and & as they are: the platform documents an error
// (40033) for the escapes that encoding/json puts there.
func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
