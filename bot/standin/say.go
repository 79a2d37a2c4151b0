package standin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SayRequest is a member saying something.
type SayRequest struct {
	User string `json:"user"`
	To   Place  `json:"to"`
	Text string `json:"text,omitempty"`
	// Mention are smart bots to @ in a group. "@BotName" inside the text does the same.
	Mention []string `json:"mention,omitempty"`
	// Quote is the id of a feed entry that is quoted (smart bots and groups only).
	Quote int64 `json:"quote,omitempty"`
	// File is a picture, voice, video or file; a picture with a text is a mixed
	// message to a smart bot.
	File     *File     `json:"file,omitempty"`
	Location *Location `json:"location,omitempty"`
	Link     *Link     `json:"link,omitempty"`

	// MsgID and CreateTime (unix seconds) replace what the platform would choose,
	// for tests of repeated ids and of order.
	MsgID      string `json:"msgid,omitempty"`
	CreateTime int64  `json:"create_time,omitempty"`
	// Wait makes Say return only when the callback has ended.
	Wait bool `json:"wait,omitempty"`
}

// File is what a member sends along.
type File struct {
	Kind       string `json:"kind"` // image, voice, video, file
	Name       string `json:"name"`
	Data       []byte `json:"data"`                 // base64 in JSON
	Transcript string `json:"transcript,omitempty"` // of a voice, made by the platform for smart bots
}

// Location is a place on the map; only apps receive it.
type Location struct {
	Lat   float64 `json:"lat"`
	Lng   float64 `json:"lng"`
	Scale int     `json:"scale"`
	Label string  `json:"label"`
}

// Link is a shared page; only apps receive it.
type Link struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	URL         string `json:"url"`
	PicURL      string `json:"pic_url"`
}

// Receipt tells what an action caused.
type Receipt struct {
	Entry    int64    `json:"entry,omitempty"`    // the feed entry, when there is one
	Callback string   `json:"callback,omitempty"` // empty: nothing was sent to a callback URL
	MsgID    string   `json:"msgid,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Outcome  *Outcome `json:"outcome,omitempty"` // only with Wait
}

// Say lets a member say something. The callback is sent in the background;
// callbacks of messages said one after the other may overtake each other, as
// with the platform. Who needs an order sets Wait.
func (s *Server) Say(ctx context.Context, req SayRequest) (Receipt, error) {
	s.mu.Lock()
	got, err := s.say(&req)
	s.mu.Unlock()
	if err != nil {
		return Receipt{}, err
	}
	return s.await(ctx, got, req.Wait)
}

func (s *Server) await(ctx context.Context, got Receipt, wait bool) (Receipt, error) {
	if wait && got.Callback != "" {
		o, err := s.Outcome(ctx, got.Callback)
		if err != nil {
			return got, err
		}
		got.Outcome = &o
	}
	return got, nil
}

// said is one message on its way from the member's client.
type said struct {
	req    *SayRequest
	who    *Person
	kind   string // text, image, voice, video, file, mixed, location, link
	text   string
	media  *medium
	quote  *Quote
	quoted *entry
	at     time.Time
	msgID  string
}

func (s *Server) say(req *SayRequest) (Receipt, error) {
	m := &said{req: req, who: s.people[req.User], text: req.Text, at: s.now(), msgID: req.MsgID}
	if m.who == nil || m.who.Disabled {
		return Receipt{}, fmt.Errorf("no active member %q", req.User)
	}
	if err := m.findKind(); err != nil {
		return Receipt{}, err
	}
	if req.CreateTime != 0 {
		m.at = time.Unix(req.CreateTime, 0)
	}
	if req.Quote != 0 {
		if m.quoted = s.entryAt(req.To, req.User, req.Quote); m.quoted == nil {
			return Receipt{}, fmt.Errorf("no entry %d to quote at %s", req.Quote, req.To)
		}
		m.quote = &Quote{MsgType: quotedType(m.quoted), Text: m.quoted.Text, Entry: req.Quote}
	}
	if req.File != nil {
		if len(req.File.Data) > 100<<20 {
			return Receipt{}, errors.New("the file is larger than 100 MB")
		}
		m.media = s.keepMedia(req.File.Kind, &upload{name: req.File.Name, data: req.File.Data}, "member")
	}
	kind, id := req.To.split()
	switch {
	case kind == "app" && s.apps[atoi(id)] != nil:
		return s.sayToApp(s.apps[atoi(id)], m)
	case kind == "bot" && s.bots[id] != nil:
		return s.sayToBot(s.bots[id], m, "")
	case kind == "group" && s.groups[id] != nil:
		return s.sayInGroup(s.groups[id], m)
	}
	return Receipt{}, fmt.Errorf("no place %q", req.To)
}

func (m *said) findKind() error {
	r := m.req
	switch {
	case r.File != nil && r.Text != "" && r.File.Kind == "image":
		m.kind = "mixed"
	case r.File != nil:
		m.kind = r.File.Kind
		if !slices.Contains([]string{"image", "voice", "video", "file"}, m.kind) {
			return fmt.Errorf("a file is an image, voice, video or file, not %q", m.kind)
		}
	case r.Location != nil:
		m.kind = "location"
	case r.Link != nil:
		m.kind = "link"
	case r.Text != "" || len(r.Mention) > 0:
		m.kind = "text"
	default:
		return errors.New("there is nothing to say")
	}
	return nil
}

// quotedType is what a quoted entry counts as: only text, picture, mixed, voice
// and file can be quoted; cards and streams are quoted as their text.
func quotedType(e *entry) string {
	switch e.MsgType {
	case "image", "mixed", "voice", "file":
		return e.MsgType
	}
	return "text"
}

// entryAt finds an entry that the member sees at a place.
func (s *Server) entryAt(at Place, user string, id int64) *entry {
	f := s.feeds[at.feedKey(user)]
	if f == nil {
		return nil
	}
	for _, e := range f.entries {
		if e.ID == id && e.Place == at {
			return e
		}
	}
	return nil
}

// memberEntry shows the message in the member's own client.
func (s *Server) memberEntry(m *said, notes ...string) *entry {
	e := Entry{At: m.at, Place: m.req.To, From: Who{"user", m.who.UserID, m.who.Name}, MsgType: m.kind, MsgID: m.msgID,
		Text: m.text, Quote: m.quote, Notes: notes}
	if m.req.To.kind() != "group" {
		e.User = m.who.UserID
	}
	if m.media != nil {
		e.Media = s.mediaView(m.media)
		e.Media.Transcript = m.req.File.Transcript
	}
	if m.req.Location != nil {
		e.Text = m.req.Location.Label
	}
	if m.req.Link != nil {
		e.Text = m.req.Link.Title
	}
	return s.show(e)
}

// sayInGroup: an app sees no group talk; a smart bot gets only what mentions it
// (doc 100719). The text keeps the leading "@BotName".
func (s *Server) sayInGroup(g *group, m *said) (Receipt, error) {
	if !slices.Contains(g.Members, m.who.UserID) {
		return Receipt{}, fmt.Errorf("%s is no member of the group", m.who.UserID)
	}
	var mentioned []*bot
	for _, id := range g.BotIDs {
		b := s.bots[id]
		if b == nil {
			continue
		}
		if slices.Contains(m.req.Mention, id) && !strings.Contains(m.text, "@"+b.Name) {
			m.text = strings.TrimSpace("@" + b.Name + " " + m.text)
			if m.kind == "image" {
				m.kind = "mixed"
			}
		}
		if strings.Contains(m.text, "@"+b.Name) {
			mentioned = append(mentioned, b)
		}
	}
	if len(mentioned) == 0 {
		e := s.memberEntry(m)
		return Receipt{Entry: e.ID, Notes: []string{"no smart bot is mentioned, so nothing is sent"}}, nil
	}
	if m.kind != "text" && m.kind != "mixed" {
		return Receipt{}, fmt.Errorf("in a group a smart bot gets only text, mixed messages and quotes, not %s", m.kind)
	}
	return s.sayToBot(mentioned[0], m, g.ChatID)
}
