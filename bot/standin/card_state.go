package standin

import (
	"encoding/json"
	"slices"
	"time"
)

// cardBook keeps the cards that can still be clicked or replaced.
type cardBook struct {
	tasks bounded[*card]     // scope + task_id: a task_id is used once by an app
	codes bounded[*cardCode] // response_code
}

func (b *cardBook) init(max int) {
	b.tasks.init(max)
	b.codes.init(4 * max)
}

// card is one card message with all its copies.
type card struct {
	scope  Place // the app or bot that sent it
	taskID string
	copies []*entry
}

// cardCode is a response_code: good for one update within 72 h (doc 94888).
type cardCode struct {
	card *card
	at   time.Time
	used bool
}

// cardCopy is the card inside one feed entry. In a group members may see
// different faces after an update for some of them.
type cardCopy struct {
	card  *card
	face  *cardFace
	faces map[string]*cardFace
}

// cardFace is one state of a card.
type cardFace struct {
	raw      json.RawMessage
	shape    cardShape
	replaced string
	clicks   []Click
	version  int
}

func newFace(raw json.RawMessage) *cardFace {
	f := &cardFace{raw: raw, version: 1}
	_ = json.Unmarshal(raw, &f.shape) // checkCard has seen it
	f.replaced = f.shape.ReplaceText
	return f
}

func taskKey(scope Place, taskID string) string { return string(scope) + "\x00" + taskID }

// newCard registers a card; the task_id of an app is used only once.
func (s *Server) newCard(scope Place, taskID string) (*card, *apiError) {
	c := &card{scope: scope, taskID: taskID}
	if taskID == "" {
		return c, nil
	}
	if _, used := s.cards.tasks.get(taskKey(scope, taskID)); used {
		return nil, refuse(codeBadParameter, "template_card.task_id was used before. invalid Request Parameter")
	}
	s.cards.tasks.put(taskKey(scope, taskID), c)
	return c, nil
}

// addCopy makes e a copy of c.
func (c *card) addCopy(e *entry, raw json.RawMessage) {
	e.copy = &cardCopy{card: c, face: newFace(raw)}
	c.copies = append(c.copies, e)
}

func (c *card) drop(e *entry) {
	c.copies = slices.DeleteFunc(c.copies, func(o *entry) bool { return o == e })
}

// issueCode makes a response_code for c.
func (s *Server) issueCode(c *card) string {
	code := s.randomID(43)
	s.cards.codes.put(code, &cardCode{card: c, at: s.now()})
	return code
}

// useCode spends a response_code; 60140 when it is unknown, spent or too old.
func (s *Server) useCode(scope Place, value string) (*card, *apiError) {
	code, _ := s.cards.codes.get(value)
	if code == nil || code.used || code.card.scope != scope || s.now().Sub(code.at) > s.limits.CardCodeLife {
		return nil, refuse(codeCardCodeSpent, "response_code is invalid, was used or has expired")
	}
	code.used = true
	return code.card, nil
}

// faceFor is what viewer sees of the copy.
func (c *cardCopy) faceFor(viewer string) *cardFace {
	if f := c.faces[viewer]; f != nil {
		return f
	}
	return c.face
}

func (c *cardCopy) view(viewer string) *CardView { return c.faceFor(viewer).view() }

// replaceText puts a text on the button and ends the card's interaction.
func (s *Server) replaceText(e *entry, user, text string) {
	f := e.ownFace(user)
	f.replaced = text
	f.version++
	s.touch(e)
}

// replaceCard puts a whole card in the place of the old one. Without a task_id it keeps the old one's.
func (s *Server) replaceCard(e *entry, user string, raw json.RawMessage) {
	f := e.ownFace(user)
	old := *f
	*f = *newFace(raw)
	f.version, f.clicks = old.version+1, old.clicks
	if f.shape.TaskID == "" {
		f.shape.TaskID = old.shape.TaskID
	}
	s.touch(e)
}

// ownFace is the face to change: the copy's only one, or in a group the
// member's own when user is named.
func (e *entry) ownFace(user string) *cardFace {
	if user == "" || e.Place.kind() != "group" {
		return e.copy.face
	}
	if e.copy.faces == nil {
		e.copy.faces = map[string]*cardFace{}
	}
	f := e.copy.faces[user]
	if f == nil {
		clone := *e.copy.face
		clone.clicks = slices.Clone(clone.clicks)
		f = &clone
		e.copy.faces[user] = f
	}
	return f
}
