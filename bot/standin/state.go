package standin

import (
	"maps"
	"slices"
	"time"
)

// State is the company as the control API shows it, without secrets.
type State struct {
	CorpID      string         `json:"corp_id"`
	CorpName    string         `json:"corp_name,omitempty"`
	Now         time.Time      `json:"now"`
	Seq         int64          `json:"seq"`
	People      []Person       `json:"people"`
	Departments []Department   `json:"departments"`
	Groups      []GroupState   `json:"groups"`
	Apps        []AppState     `json:"apps"`
	Bots        []BotState     `json:"bots"`
	Robots      []RobotState   `json:"robots"`
	Chats       []Conversation `json:"chats,omitempty"` // of the member that was asked for
	Counters    Counters       `json:"counters"`
}

// GroupState is a group; Agent is the app that made it with appchat/create.
type GroupState struct {
	Group
	Agent   int  `json:"agent,omitempty"`
	Visible bool `json:"visible"`
}

// AppState is an app.
type AppState struct {
	AgentID     int        `json:"agent_id"`
	Name        string     `json:"name"`
	CallbackURL string     `json:"callback_url,omitempty"`
	Menu        []MenuItem `json:"menu,omitempty"`
	Place       Place      `json:"place"`
}

// BotState is a smart bot.
type BotState struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	CallbackURL string `json:"callback_url,omitempty"`
	Long        bool   `json:"long,omitempty"` // it has a long connection in place of the callback URL
	Live        bool   `json:"live,omitempty"` // somebody holds that connection now
	Place       Place  `json:"place"`
}

// RobotState is a group robot; its key stays secret.
type RobotState struct {
	Name    string `json:"name"`
	ChatID  string `json:"chat_id"`
	Seconds int    `json:"seconds"` // the window of Used and Limit
	Used    int    `json:"used"`
	Limit   int    `json:"limit"`
}

// Conversation is one line of a member's list of chats.
type Conversation struct {
	Place Place     `json:"place"`
	Name  string    `json:"name"`
	Seq   int64     `json:"seq,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Last  string    `json:"last,omitempty"`
}

// State describes everything; user may be empty.
func (s *Server) State(user string) State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{CorpID: s.opt.CorpID, CorpName: s.opt.CorpName, Now: s.now(), Seq: s.seq, People: []Person{}, Departments: slices.Clone(s.depts),
		Groups: []GroupState{}, Apps: []AppState{}, Bots: []BotState{}, Robots: []RobotState{}}
	for _, u := range s.order {
		st.People = append(st.People, *s.people[u])
	}
	for _, id := range sortedKeys(s.groups) {
		g := s.groups[id]
		one := GroupState{Group: g.Group, Agent: g.agent, Visible: g.visible}
		one.Members = slices.Clone(g.Members)
		st.Groups = append(st.Groups, one)
	}
	for _, a := range s.opt.Apps {
		st.Apps = append(st.Apps, AppState{a.AgentID, a.Name, s.apps[a.AgentID].CallbackURL, a.Menu, AppPlace(a.AgentID)})
	}
	for _, b := range s.opt.Bots {
		st.Bots = append(st.Bots, BotState{b.ID, b.Name, s.bots[b.ID].CallbackURL, b.Secret != "", s.lines.conns[b.ID] != nil, BotPlace(b.ID)})
	}
	for _, key := range sortedKeys(s.robots) {
		r := s.robots[key]
		used := 0
		for _, at := range r.window.at {
			if st.Now.Sub(at) < time.Minute {
				used++
			}
		}
		st.Robots = append(st.Robots, RobotState{r.label(), r.Group, 60, used, s.limits.RobotMinute})
	}
	if user != "" {
		st.Chats = s.chats(user)
	}
	st.Counters = s.counters
	st.Counters.Calls, st.Counters.Errors = maps.Clone(s.counters.Calls), maps.Clone(s.counters.Errors)
	return st
}

// chats are the conversations of a member, the busiest first.
func (s *Server) chats(user string) []Conversation {
	var out []Conversation
	for _, a := range s.opt.Apps {
		if s.apps[a.AgentID].sees(user) {
			out = append(out, s.conversation(AppPlace(a.AgentID), a.Name, user))
		}
	}
	for _, b := range s.opt.Bots {
		out = append(out, s.conversation(BotPlace(b.ID), b.Name, user))
	}
	for _, id := range sortedKeys(s.groups) {
		if g := s.groups[id]; g.visible && slices.Contains(g.Members, user) {
			out = append(out, s.conversation(GroupPlace(id), g.Name, user))
		}
	}
	slices.SortStableFunc(out, func(a, b Conversation) int { return int(b.Seq - a.Seq) })
	return out
}

func (s *Server) conversation(p Place, name, user string) Conversation {
	c := Conversation{Place: p, Name: name}
	f := s.feeds[p.feedKey(user)]
	if f == nil {
		return c
	}
	for _, e := range slices.Backward(f.entries) {
		if e.Place != p {
			continue
		}
		c.Seq, c.At, c.Last = e.Seq, e.At, e.Text
		if c.Last == "" && e.copy != nil {
			c.Last = e.copy.faceFor(user).shape.MainTitle.Title
		}
		if c.Last == "" {
			c.Last = "[" + e.MsgType + "]"
		}
		c.Last, _ = cutBytes(c.Last, 120)
		break
	}
	return c
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
