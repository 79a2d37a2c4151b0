package standin

import "time"

// jsTicket is what a page signs its JS-SDK calls with: one for the company, one
// for each app, both good for 7200 s: https://developer.work.weixin.qq.com/document/path/90506.
type jsTicket struct {
	value   string
	expires time.Time
	calls   meter
}

func (s *Server) jsCorpTicket(c *call) (answer, *apiError) { return s.ticket(c, "corp", 400) }

func (s *Server) jsAppTicket(c *call) (answer, *apiError) {
	if kind := c.query.Get("type"); kind != "agent_config" {
		return nil, refuse(codeBadParameter, "type should be agent_config. invalid Request Parameter")
	}
	return s.ticket(c, itoa(c.app.AgentID), 100)
}

// ticket: at most 400 calls an hour by the company, 100 by an app (doc 90312).
func (s *Server) ticket(c *call, key string, hour int) (answer, *apiError) {
	t := s.tickets[key]
	if t == nil {
		t = &jsTicket{}
		s.tickets[key] = t
	}
	if !t.calls.allow(c.now, time.Hour, hour, 1) {
		return nil, refuse(codeTooFrequent, "api freq out of limit")
	}
	if !c.now.Before(t.expires) {
		t.value, t.expires = s.randomID(86), c.now.Add(7200*time.Second)
	}
	return answer{"ticket": t.value, "expires_in": 7200}, nil
}
