package standin

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// Who says something.
type Who struct {
	Kind string `json:"kind"` // user, app, bot, robot, system
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// Entry is one message as the client of a member shows it.
type Entry struct {
	ID    int64     `json:"id"`  // stays
	Seq   int64     `json:"seq"` // grows with every change
	At    time.Time `json:"at"`
	Place Place     `json:"place"`
	User  string    `json:"user,omitempty"` // whose single chat it is; in a group whom the bot answers
	From  Who       `json:"from"`

	MsgType  string          `json:"msgtype"` // text, markdown, markdown_v2, stream, template_card, image, news, event, …
	MsgID    string          `json:"msgid,omitempty"`
	Text     string          `json:"text,omitempty"` // content of text, markdown and stream
	Cut      bool            `json:"cut,omitempty"`  // the platform cut something off silently
	Mentions []string        `json:"mentions,omitempty"`
	Quote    *Quote          `json:"quote,omitempty"`
	Media    *MediaView      `json:"media,omitempty"`
	Body     json.RawMessage `json:"body,omitempty"` // news, textcard, … as sent
	Card     *CardView       `json:"card,omitempty"`
	Stream   *StreamView     `json:"stream,omitempty"`
	Images   []MediaView     `json:"images,omitempty"` // of a finished stream or a mixed message
	Recalled bool            `json:"recalled,omitempty"`
	Notes    []string        `json:"notes,omitempty"`    // what the platform would show or log about it
	Callback string          `json:"callback,omitempty"` // the callback this message caused
}

// Quote is the message that a member quotes, or that a bot's late answer quotes.
type Quote struct {
	MsgType string `json:"msgtype"`
	Text    string `json:"text,omitempty"`
	Entry   int64  `json:"entry,omitempty"`
}

// MediaView is a picture, voice, video or file.
type MediaView struct {
	Kind       string `json:"kind"`
	Name       string `json:"name,omitempty"`
	URL        string `json:"url,omitempty"` // plain bytes, for showing
	Size       int    `json:"size"`
	MediaID    string `json:"media_id,omitempty"`
	Transcript string `json:"transcript,omitempty"`
}

// StreamView is the state of a smart bot's streamed answer.
type StreamView struct {
	ID         string `json:"id"`
	Finished   bool   `json:"finished"`
	Expired    bool   `json:"expired,omitempty"` // six minutes passed without finish
	Polls      int    `json:"polls"`
	FeedbackID string `json:"feedback_id,omitempty"`
}

// FeedPage is a part of a feed. Next is what to pass as after.
type FeedPage struct {
	Entries []Entry `json:"entries"`
	Next    int64   `json:"next"`
}

// entry is an Entry with what its card copy needs.
type entry struct {
	Entry
	copy *cardCopy
	gone bool
}

type feed struct {
	entries []*entry // by ID
	changed chan struct{}
}

func (s *Server) feed(key string) *feed {
	f := s.feeds[key]
	if f == nil {
		f = &feed{changed: make(chan struct{})}
		s.feeds[key] = f
	}
	return f
}

// show appends an entry to the feed of its place and returns it for later changes.
func (s *Server) show(e Entry) *entry {
	f := s.feed(e.Place.feedKey(e.User))
	e.ID = s.nextSeq()
	e.Seq = e.ID
	if e.At.IsZero() {
		e.At = s.now()
	}
	one := &entry{Entry: e}
	f.entries = append(f.entries, one)
	if len(f.entries) > s.opt.Keep.Feed {
		s.forget(f.entries[0])
		f.entries[0] = nil // the array behind stays until the next growth
		f.entries = f.entries[1:]
	}
	s.live = append(s.live, one)
	s.evict()
	s.wake(f)
	return one
}

// evict drops the oldest entries of all feeds once there are too many.
func (s *Server) evict() {
	for len(s.live) > s.opt.Keep.Entries {
		e := s.live[0]
		s.live[0] = nil
		s.live = s.live[1:]
		if e.gone {
			continue
		}
		s.forget(e)
		if f := s.feeds[e.Place.feedKey(e.User)]; f != nil && len(f.entries) > 0 && f.entries[0] == e {
			f.entries = f.entries[1:]
		}
	}
}

func (s *Server) forget(e *entry) {
	e.gone = true
	if e.copy != nil {
		e.copy.card.drop(e)
	}
}

func (s *Server) wake(f *feed) {
	close(f.changed)
	f.changed = make(chan struct{})
}

// touch tells the readers of the feed that e changed.
func (s *Server) touch(e *entry) {
	e.Seq = s.nextSeq()
	if f := s.feeds[e.Place.feedKey(e.User)]; f != nil {
		s.wake(f)
	}
}

// view copies an entry as the member viewer sees it.
func (e *entry) view(viewer string) Entry {
	out := e.Entry
	out.Notes, out.Images = slices.Clone(e.Notes), slices.Clone(e.Images)
	if e.Stream != nil {
		st := *e.Stream
		out.Stream = &st
	}
	if e.copy != nil && !e.Recalled {
		out.Card = e.copy.view(viewer)
	}
	return out
}

// FeedQuery asks for a member's single chats (User) or a group (Group, as User sees it).
type FeedQuery struct {
	User  string
	Group string
	After int64
	Wait  time.Duration // long poll; at most 30 s
}

// Feed lists what changed after q.After, in the order of the changes; it waits
// up to q.Wait when there is nothing.
func (s *Server) Feed(ctx context.Context, q FeedQuery) FeedPage {
	key := "user:" + q.User
	if q.Group != "" {
		key = string(GroupPlace(q.Group))
	}
	timer := time.NewTimer(min(q.Wait, 30*time.Second))
	defer timer.Stop()
	for {
		s.mu.Lock()
		f := s.feed(key)
		page := f.after(q.After, q.User)
		changed := f.changed
		s.mu.Unlock()
		if len(page.Entries) > 0 || q.Wait <= 0 {
			return page
		}
		select {
		case <-changed:
		case <-timer.C:
			return page
		case <-ctx.Done():
			return page
		case <-s.ctx.Done():
			return page
		}
	}
}

func (f *feed) after(after int64, viewer string) FeedPage {
	page := FeedPage{Entries: []Entry{}, Next: after}
	for _, e := range f.entries {
		if e.Seq > after {
			page.Entries = append(page.Entries, e.view(viewer))
			page.Next = max(page.Next, e.Seq)
		}
	}
	slices.SortFunc(page.Entries, func(a, b Entry) int { return int(a.Seq - b.Seq) })
	return page
}

// ClearFeeds empties all conversations; cards in them can no longer be clicked.
func (s *Server) ClearFeeds() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		for _, e := range f.entries {
			s.forget(e)
		}
		f.entries = nil
		s.wake(f)
	}
	s.live = nil
}
