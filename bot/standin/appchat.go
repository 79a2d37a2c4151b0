package standin

import (
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// App chats (应用群聊): https://developer.work.weixin.qq.com/document/path/90245 to …/90248.

var chatIDPattern = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)

// rootApp: only an app whose visible range is the root department may use app chats.
func (s *Server) rootApp(c *call) *apiError {
	if len(c.app.visible) > 0 {
		return refuse(codeNoPermission, "api forbidden: the app's visible range is not the root department")
	}
	return nil
}

func (s *Server) chatCreate(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	if bad := s.rootApp(c); bad != nil {
		return nil, bad
	}
	name, owner, id, users := r.text("name"), r.text("owner"), r.text("chatid"), r.texts("userlist")
	switch {
	case r.failed() != nil:
		return nil, r.failed()
	case utf8.RuneCountInString(name) > 50:
		return nil, refuse(codeBadChatName, "chat name is longer than 50 characters")
	case len(users) < 2 || len(users) > 2000:
		return nil, refuse(codeBadMemberCount, "userlist should have 2 to 2000 members")
	case id != "" && !chatIDPattern.MatchString(id):
		return nil, refuse(codeBadChatID, "invalid chatid")
	case s.groups[id] != nil:
		return nil, refuse(codeChatExists, "chatid exists")
	case owner != "" && !slices.Contains(users, owner):
		return nil, refuse(codeOwnerNotMember, "owner is not in userlist")
	}
	for _, u := range users {
		if !s.reachable(c.app, u) {
			return nil, refuse(codeBadChatMember, "invalid userid in userlist: %s", u)
		}
	}
	if !c.app.chats.create.allow(c.now, 24*time.Hour, s.limits.ChatCreateDay, 1) {
		return nil, refuse(codeTooFrequent, "api freq out of limit")
	}
	if id == "" {
		id = "wrOg" + s.randomID(24)
	}
	if owner == "" {
		owner = users[s.rnd.IntN(len(users))]
	}
	s.groups[id] = &group{Group: Group{ChatID: id, Name: name, Members: slices.Compact(slices.Clone(users))}, agent: c.app.AgentID, owner: owner}
	c.entry.Target = "chat:" + id
	return answer{"chatid": id}, nil
}

// ownChat finds a chat that this app made.
func (s *Server) ownChat(c *call, id string) (*group, *apiError) {
	g := s.groups[id]
	switch {
	case !chatIDPattern.MatchString(id):
		return nil, refuse(codeBadChatID, "invalid chatid")
	case g == nil:
		return nil, refuse(codeNoSuchChat, "chatid does not exist")
	case g.agent != c.app.AgentID:
		return nil, refuse(codeForeignChat, "the chat was not created by this app")
	}
	c.entry.Target = "chat:" + id
	return g, nil
}

func (s *Server) chatGet(c *call) (answer, *apiError) {
	g, bad := s.ownChat(c, c.query.Get("chatid"))
	if bad != nil {
		return nil, bad
	}
	return answer{"chat_info": map[string]any{"chatid": g.ChatID, "name": g.Name, "owner": g.owner, "userlist": g.Members, "chat_type": 0}}, nil
}

func (s *Server) chatUpdate(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	name, owner, add, del := r.text("name"), r.text("owner"), r.texts("add_user_list"), r.texts("del_user_list")
	id := r.text("chatid")
	if r.failed() != nil {
		return nil, r.failed()
	}
	g, bad := s.ownChat(c, id)
	if bad != nil {
		return nil, bad
	}
	if utf8.RuneCountInString(name) > 50 {
		return nil, refuse(codeBadChatName, "chat name is longer than 50 characters")
	}
	members := slices.DeleteFunc(slices.Clone(g.Members), func(u string) bool { return slices.Contains(del, u) })
	for _, u := range add {
		if !s.reachable(c.app, u) {
			return nil, refuse(codeBadChatMember, "invalid userid in add_user_list: %s", u)
		}
		if !slices.Contains(members, u) {
			members = append(members, u)
		}
	}
	if len(members) < 2 || len(members) > 2000 {
		return nil, refuse(codeBadMemberCount, "the chat would have %d members", len(members))
	}
	if owner != "" && !slices.Contains(members, owner) {
		return nil, refuse(codeOwnerNotMember, "owner is not a member")
	}
	if !c.app.chats.update.allow(c.now, time.Hour, s.limits.ChatUpdateHour, 1) {
		return nil, refuse(codeTooFrequent, "api freq out of limit")
	}
	g.Members = members
	if name != "" {
		g.Name = name
	}
	if owner != "" {
		g.owner = owner
	}
	return nil, nil
}

// chatSend takes no template_card. A member takes 200 messages a minute and
// 10 000 a day from one app; the rest is dropped without an error (doc 90248).
func (s *Server) chatSend(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	id := r.text("chatid")
	r.looseNumber("safe")
	msg, bad := s.body(c, r, road{name: "chat", msgTypes: chatTypes, textMax: 2048, textCut: true, markdownMax: 2048})
	if bad != nil {
		return nil, bad
	}
	g, bad := s.ownChat(c, id)
	if bad != nil {
		return nil, bad
	}
	if !c.app.chats.persons.allow(c.now, time.Minute, s.limits.ChatPersonsMinute, len(g.Members)) {
		return nil, refuse(codeTooFrequent, "api freq out of limit: person-times a minute")
	}
	for _, u := range g.Members {
		w := c.app.chatMember[u]
		if w == nil {
			w = &window{}
			c.app.chatMember[u] = w
		}
		if !w.room(c.now, time.Minute, s.limits.ChatMemberMinute) || !w.room(c.now, 24*time.Hour, s.limits.ChatMemberDay) {
			c.entry.Dropped = append(c.entry.Dropped, u)
			continue
		}
		w.add(c.now, 24*time.Hour)
		c.entry.Delivered = append(c.entry.Delivered, u)
	}
	if len(c.entry.Delivered) > 0 {
		g.visible = true // the chat shows itself with its first message
		s.show(msg.entry(Entry{Place: GroupPlace(g.ChatID), From: Who{"app", itoa(c.app.AgentID), c.app.Name}, At: c.now}))
	}
	return nil, nil
}
