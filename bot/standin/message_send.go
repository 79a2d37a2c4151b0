package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

// duplicate is what the duplicate check remembers of a message.
type duplicate struct {
	msgID string
	until time.Time
}

// sentBook keeps what can be recalled.
type sentBook struct{ msgs bounded[*sentMessage] }

type sentMessage struct {
	agent  int
	at     time.Time
	copies []*entry
}

func (b *sentBook) init(max int) { b.msgs.init(max) }

// messageSend: https://developer.work.weixin.qq.com/document/path/90236.
func (s *Server) messageSend(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	if bad := s.checkAgent(c, r); bad != nil {
		return nil, bad
	}
	got := s.receivers(c, r)
	msg, bad := s.body(c, r, road{name: "app", msgTypes: appTypes, textMax: 2048, textCut: true, markdownMax: 2048,
		cards: cardRules{types: allCards, callback: c.app.CallbackURL != ""}})
	if bad != nil {
		return nil, bad
	}
	c.entry.Target, c.entry.Invalid = got.asked, got.invalidUsers
	if bad := got.check(); bad != nil {
		return nil, bad
	}
	r.looseNumber("safe")
	r.looseNumber("enable_id_trans")
	again, remember, bad := s.checkDuplicate(c, r)
	if bad != nil {
		return nil, bad
	}
	out := answer{"invaliduser": strings.Join(got.invalidUsers, "|"), "invalidparty": strings.Join(got.invalidParties, "|"),
		"invalidtag": strings.Join(got.invalidTags, "|"), "unlicenseduser": ""}
	if again != nil {
		c.entry.Duplicate, c.entry.MsgID = true, again.msgID
		c.trace.Notes = append(c.trace.Notes, "swallowed by the duplicate check")
		out["msgid"] = again.msgID
		return out, nil
	}
	if !c.app.day.allow(c.now, 24*time.Hour, s.limits.AppDay, len(got.users)) {
		return nil, refuse(codeTooFrequent, "api freq out of limit: person-times of today")
	}
	code, bad := s.deliverApp(c, msg, got.users)
	if bad != nil {
		return nil, bad
	}
	if code != "" {
		out["response_code"] = code
	}
	remember(c.entry.MsgID)
	out["msgid"] = c.entry.MsgID
	return out, nil
}

// checkAgent: agentid may be a number or, as many clients send it, a string.
func (s *Server) checkAgent(c *call, r reader) *apiError {
	if !r.has("agentid") {
		return refuse(codeNoAgentID, "agentid missing")
	}
	id := r.looseNumber("agentid")
	switch {
	case r.failed() != nil:
		return refuse(codeBadAgentID, "invalid agentid")
	case id == c.app.AgentID:
		return nil
	case s.apps[id] != nil:
		return refuse(codeForeignAgent, "not allow operate another agent with this accesstoken")
	}
	return refuse(codeBadAgentID, "invalid agentid")
}

// receiverSet is who a message is for.
type receiverSet struct {
	asked                                     string
	given                                     bool
	users                                     []string
	invalidUsers, invalidParties, invalidTags []string
}

func (g *receiverSet) check() *apiError {
	if !g.given {
		return refuse(codeNoReceiver, "touser, toparty and totag are all empty")
	}
	if len(g.users) == 0 {
		return refuse(codeBadReceivers, "user & party & tag all invalid")
	}
	return nil
}

// receivers reads touser, toparty and totag: lists joined by |, at most 1000, 100, 100.
func (s *Server) receivers(c *call, r reader) *receiverSet {
	g := &receiverSet{asked: r.text("touser")}
	list := func(name string, max int) []string {
		text := r.text(name)
		if text == "" {
			return nil
		}
		g.given = true
		parts := strings.Split(text, "|")
		if len(parts) > max {
			r.fail(codeBadUserListSize, "%s has more than %d elements", name, max)
		}
		return parts
	}
	users, parties, tags := list("touser", 1000), list("toparty", 100), list("totag", 100)
	if g.asked == "" {
		g.asked = joined(prefixed("party:", r.text("toparty")), prefixed("tag:", r.text("totag")))
	}
	if len(users) == 1 && users[0] == "@all" { // then toparty and totag are ignored
		g.users = s.visibleUsers(c.app)
		return g
	}
	for _, u := range users {
		if s.reachable(c.app, u) {
			g.add(u)
		} else if u != "" {
			g.invalidUsers = append(g.invalidUsers, u)
		}
	}
	s.addSets(c.app, g, parties, tags)
	return g
}

func (s *Server) addSets(a *app, g *receiverSet, parties, tags []string) {
	addAll := func(users []string) {
		for _, u := range users {
			if s.reachable(a, u) {
				g.add(u)
			}
		}
	}
	for _, p := range parties {
		if id, err := strconv.Atoi(p); err == nil && s.department(id) != nil {
			addAll(s.departmentUsers(id, true))
		} else {
			g.invalidParties = append(g.invalidParties, p)
		}
	}
	for _, t := range tags {
		if id, err := strconv.Atoi(t); err == nil && s.tag(id) != nil {
			addAll(s.tagUsers(id))
		} else {
			g.invalidTags = append(g.invalidTags, t)
		}
	}
}

func (g *receiverSet) add(u string) {
	if !slices.Contains(g.users, u) {
		g.users = append(g.users, u)
	}
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// checkDuplicate compares the request's bytes with those of the last interval.
// It returns the earlier message, or what remembers this one once it is sent.
func (s *Server) checkDuplicate(c *call, r reader) (*duplicate, func(msgID string), *apiError) {
	nothing := func(string) {}
	enabled, interval := r.looseNumber("enable_duplicate_check"), r.looseNumber("duplicate_check_interval")
	if bad := r.failed(); bad != nil {
		return nil, nothing, bad
	}
	if interval < 0 || interval > 14400 {
		return nil, nothing, refuse(codeBadParameter, "duplicate_check_interval should be at most 14400. invalid Request Parameter")
	}
	if enabled != 1 {
		return nil, nothing, nil
	}
	if interval == 0 {
		interval = 1800
	}
	sum := sha256.Sum256(c.body)
	key := hex.EncodeToString(sum[:])
	if d, ok := c.app.duplicates[key]; ok && c.now.Before(d.until) {
		return &d, nothing, nil
	}
	return nil, func(msgID string) {
		for k, d := range c.app.duplicates {
			if !c.now.Before(d.until) {
				delete(c.app.duplicates, k)
			}
		}
		c.app.duplicates[key] = duplicate{msgID, c.now.Add(time.Duration(interval) * time.Second)}
	}, nil
}

// deliverApp shows the message to the members that are within their frequency;
// the rest is lost silently (doc 90312).
func (s *Server) deliverApp(c *call, msg *content, users []string) (responseCode string, bad *apiError) {
	var shared *card
	if msg.card != nil {
		face := newFace(msg.card)
		if shared, bad = s.newCard(AppPlace(c.app.AgentID), face.shape.TaskID); bad != nil {
			return "", bad
		}
		if slices.Contains(interactiveCards, face.shape.CardType) {
			responseCode = s.issueCode(shared)
		}
	}
	c.entry.MsgID = s.randomID(64)
	sent := &sentMessage{agent: c.app.AgentID, at: c.now}
	for _, u := range users {
		w := c.app.members[u]
		if w == nil {
			w = &window{}
			c.app.members[u] = w
		}
		if !w.room(c.now, time.Minute, s.limits.MemberMinute) || !w.room(c.now, time.Hour, s.limits.MemberHour) {
			c.entry.Dropped = append(c.entry.Dropped, u)
			continue
		}
		w.add(c.now, time.Hour)
		e := s.show(msg.entry(Entry{Place: AppPlace(c.app.AgentID), User: u, From: Who{"app", itoa(c.app.AgentID), c.app.Name}, MsgID: c.entry.MsgID, At: c.now}))
		if shared != nil {
			shared.addCopy(e, msg.card)
		}
		sent.copies = append(sent.copies, e)
		c.entry.Delivered = append(c.entry.Delivered, u)
	}
	if len(c.entry.Dropped) > 0 {
		c.trace.Notes = append(c.trace.Notes, "dropped silently, beyond the member's frequency: "+strings.Join(c.entry.Dropped, "|"))
	}
	s.sent.msgs.put(c.entry.MsgID, sent)
	return responseCode, nil
}

// entry fills the fields of a feed entry from the content.
func (m *content) entry(e Entry) Entry {
	e.MsgType, e.Text, e.Cut, e.Mentions, e.Media, e.Body = m.msgType, m.text, m.cut, m.mentions, m.media, m.body
	return e
}

// recall: https://developer.work.weixin.qq.com/document/path/94867, within 24 h.
func (s *Server) recall(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	id := r.needText("msgid")
	if r.failed() != nil {
		return nil, r.failed()
	}
	c.entry.MsgID = id
	m, _ := s.sent.msgs.get(id)
	if m == nil || m.agent != c.app.AgentID {
		return nil, refuse(codeBadParameter, "msgid is unknown or another app's. invalid Request Parameter")
	}
	if c.now.Sub(m.at) > s.limits.RecallLife {
		return nil, refuse(codeBadParameter, "the message is older than 24 hours. invalid Request Parameter")
	}
	for _, e := range m.copies {
		e.Recalled, e.Text, e.Media, e.Body = true, "", nil, nil
		s.touch(e)
	}
	return nil, nil
}
