package standin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Action is what a member does besides talking.
//
//	do        needs                       causes
//	enter     to                          enter_agent of an app; enter_chat of a bot (first of the day)
//	follow    to (app)                    subscribe; unfollow: unsubscribe
//	menu      to (app), key               click or view, as the menu says
//	location  to (app), location          LOCATION
//	click     to, task_id or entry, key   template_card_event; a key of the ⋯ menu: template_card_menu_event
//	submit    to, task_id or entry, selected   template_card_event with the submit button's key
//	feedback  to (bot or group), entry or feedback_id, type 1 good, 2 bad, 3 withdrawn
//	contact   to (app), contact           change_contact; the directory changes too
type Action struct {
	Do       string              `json:"do"`
	User     string              `json:"user"`
	To       Place               `json:"to"`
	TaskID   string              `json:"task_id,omitempty"`
	Entry    int64               `json:"entry,omitempty"` // chooses the copy when a task_id was shown twice
	Key      string              `json:"key,omitempty"`
	Selected map[string][]string `json:"selected,omitempty"` // question_key → option ids
	Location *Location           `json:"location,omitempty"`
	Contact  *ContactChange      `json:"contact,omitempty"`

	FeedbackID string `json:"feedback_id,omitempty"`
	Type       int    `json:"type,omitempty"`
	Content    string `json:"content,omitempty"`
	Reasons    []int  `json:"reasons,omitempty"`

	// Wait makes Act return only when the callback has ended.
	Wait bool `json:"wait,omitempty"`
}

// ContactChange is a change of the directory: create_user, update_user,
// delete_user, create_party, update_party, delete_party, update_tag.
type ContactChange struct {
	Type        string   `json:"type"`
	UserID      string   `json:"userid,omitempty"`
	NewUserID   string   `json:"new_userid,omitempty"`
	Name        string   `json:"name,omitempty"`
	Departments []int    `json:"departments,omitempty"`
	Mobile      string   `json:"mobile,omitempty"`
	Position    string   `json:"position,omitempty"`
	PartyID     int      `json:"party_id,omitempty"`
	ParentID    int      `json:"parent_id,omitempty"`
	TagID       int      `json:"tag_id,omitempty"`
	AddUsers    []string `json:"add_users,omitempty"`
	DelUsers    []string `json:"del_users,omitempty"`
}

// Act does it and sends the callback in the background.
func (s *Server) Act(ctx context.Context, a Action) (Receipt, error) {
	s.mu.Lock()
	got, err := s.act(&a)
	s.mu.Unlock()
	if err != nil {
		return Receipt{}, err
	}
	return s.await(ctx, got, a.Wait)
}

func (s *Server) act(a *Action) (Receipt, error) {
	if a.Do != "contact" && s.people[a.User] == nil {
		return Receipt{}, fmt.Errorf("no member %q", a.User)
	}
	switch a.Do {
	case "click", "submit":
		return s.actCard(a)
	case "feedback":
		return s.actFeedback(a)
	}
	kind, id := a.To.split()
	if b := s.bots[id]; kind == "bot" && b != nil && a.Do == "enter" {
		return s.enterBot(b, a.User)
	}
	one := s.apps[atoi(id)]
	if kind != "app" || one == nil {
		return Receipt{}, fmt.Errorf("%q cannot be done at %q", a.Do, a.To)
	}
	cb, err := s.appAction(one, a)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Callback: s.launch(cb), MsgID: cb.msgID}, nil
}

func (s *Server) appAction(one *app, a *Action) (*callback, error) {
	key := func(k string) func(*xmlText) { return func(x *xmlText) { x.text("EventKey", k) } }
	if a.Do == "contact" {
		if a.Contact == nil {
			return nil, errors.New("contact needs the change")
		}
		s.changeContact(a.Contact)
		return s.contactEvent(one, a.Contact), nil
	}
	if !one.sees(a.User) || one.unfollowed[a.User] && a.Do != "follow" {
		return nil, fmt.Errorf("%s does not see app %d", a.User, one.AgentID)
	}
	switch a.Do {
	case "enter":
		return s.appEvent(one, a.User, "enter_agent", acceptMessage, key("")), nil
	case "follow":
		delete(one.unfollowed, a.User)
		return s.appEvent(one, a.User, "subscribe", acceptMessage, nil), nil
	case "unfollow":
		one.unfollowed[a.User] = true
		return s.appEvent(one, a.User, "unsubscribe", acceptNothing, nil), nil
	case "menu":
		i := slices.IndexFunc(one.Menu, func(m MenuItem) bool { return m.Key == a.Key || m.Name == a.Key })
		if i < 0 {
			return nil, fmt.Errorf("app %d has no menu entry %q", one.AgentID, a.Key)
		}
		return s.appEvent(one, a.User, one.Menu[i].Type, acceptMessage, key(one.Menu[i].Key)), nil
	case "location":
		if a.Location == nil {
			return nil, errors.New("location needs the place")
		}
		return s.appEvent(one, a.User, "LOCATION", acceptMessage, func(x *xmlText) {
			x.raw("Latitude", fmt.Sprint(a.Location.Lat))
			x.raw("Longitude", fmt.Sprint(a.Location.Lng))
			x.number("Precision", 65)
			x.text("AppType", "wxwork")
		}), nil
	}
	return nil, fmt.Errorf("unknown action %q", a.Do)
}

// enterBot: enter_chat comes only with the first entry of the day (doc 101027).
func (s *Server) enterBot(b *bot, user string) (Receipt, error) {
	day := s.now().Format(time.DateOnly)
	if b.entered[user] == day {
		return Receipt{Notes: []string{"not the first entry of the day, so nothing is sent"}}, nil
	}
	b.entered[user] = day
	cb := s.botEvent(b, user, "", "enter_chat", acceptWelcome, nil)
	return Receipt{Callback: s.launch(cb), MsgID: cb.msgID}, nil
}

func (s *Server) actFeedback(a *Action) (Receipt, error) {
	e := s.entryAt(a.To, a.User, a.Entry)
	id := a.FeedbackID
	if e != nil && e.Stream != nil && id == "" {
		id = e.Stream.FeedbackID
	}
	kind, chatID := a.To.split()
	b := s.bots[chatID]
	if kind == "group" && e != nil {
		b = s.bots[e.From.ID]
	}
	if id == "" || b == nil || a.Type < 1 || a.Type > 3 {
		return Receipt{}, errors.New("feedback needs an answer of a smart bot with a feedback id, and type 1, 2 or 3")
	}
	if kind != "group" {
		chatID = ""
	}
	body := map[string]any{"id": id, "type": a.Type}
	if a.Content != "" {
		body["content"] = a.Content
	}
	if len(a.Reasons) > 0 {
		body["inaccurate_reason_list"] = a.Reasons
	}
	cb := s.botEvent(b, a.User, chatID, "feedback_event", acceptNothing, body)
	return Receipt{Callback: s.launch(cb), MsgID: cb.msgID}, nil
}

// changeContact changes the directory as the event tells.
func (s *Server) changeContact(c *ContactChange) {
	switch c.Type {
	case "create_user":
		if s.people[c.UserID] == nil && c.UserID != "" {
			s.people[c.UserID] = &Person{UserID: c.UserID, Name: c.Name, Departments: c.Departments, Mobile: c.Mobile, Position: c.Position}
			s.order = append(s.order, c.UserID)
		}
	case "update_user":
		if p := s.people[c.UserID]; p != nil {
			updatePerson(p, c)
			if c.NewUserID != "" && s.people[c.NewUserID] == nil {
				delete(s.people, c.UserID)
				p.UserID = c.NewUserID
				s.people[p.UserID] = p
				s.order[slices.Index(s.order, c.UserID)] = p.UserID
			}
		}
	case "delete_user":
		delete(s.people, c.UserID)
		s.order = slices.DeleteFunc(s.order, func(u string) bool { return u == c.UserID })
	case "create_party":
		if s.department(c.PartyID) == nil {
			s.depts = append(s.depts, Department{ID: c.PartyID, Name: c.Name, ParentID: c.ParentID})
		}
	case "update_party":
		if d := s.department(c.PartyID); d != nil && c.Name != "" {
			d.Name = c.Name
		}
	case "delete_party":
		s.depts = slices.DeleteFunc(s.depts, func(d Department) bool { return d.ID == c.PartyID && d.ID != 1 })
	case "update_tag":
		if t := s.tag(c.TagID); t != nil {
			t.UserIDs = slices.DeleteFunc(slices.Concat(t.UserIDs, c.AddUsers), func(u string) bool { return slices.Contains(c.DelUsers, u) })
		}
	}
}

func updatePerson(p *Person, c *ContactChange) {
	for _, f := range []struct {
		to   *string
		from string
	}{{&p.Name, c.Name}, {&p.Mobile, c.Mobile}, {&p.Position, c.Position}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if len(c.Departments) > 0 {
		p.Departments = c.Departments
	}
}
