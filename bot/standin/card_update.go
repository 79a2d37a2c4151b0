package standin

import (
	"slices"
)

// updateCard: https://developer.work.weixin.qq.com/document/path/94888. A
// response_code is good for one call within 72 h, then 60140.
func (s *Server) updateCard(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	if bad := s.checkAgent(c, r); bad != nil {
		return nil, bad
	}
	c.entry.MsgType = "update_template_card"
	users, parties, tags := r.texts("userids"), r.numbers("partyids"), r.numbers("tagids")
	all := r.number("atall") == 1
	r.bounded("userids", len(users), 0, 1000)
	r.bounded("partyids", len(parties), 0, 100)
	r.bounded("tagids", len(tags), 0, 100)
	code := r.needText("response_code")
	text, raw := s.replacement(c, r)
	if bad := r.failed(); bad != nil {
		return nil, bad
	}
	if !all && len(users)+len(parties)+len(tags) == 0 {
		return nil, refuse(codeNoReceiver, "userids, partyids and tagids are all empty")
	}
	found, bad := s.useCode(AppPlace(c.app.AgentID), code)
	if bad != nil {
		return nil, bad
	}
	c.entry.Target, c.entry.Text = found.taskID, joined(text, newFace(raw).shape.MainTitle.Title)
	for _, p := range parties {
		users = append(users, s.departmentUsers(p, true)...)
	}
	for _, t := range tags {
		users = append(users, s.tagUsers(t)...)
	}
	invalid := []string{}
	held := map[string]bool{}
	for _, e := range slices.Clone(found.copies) {
		held[e.User] = true
		if !all && !slices.Contains(users, e.User) || e.Recalled {
			continue
		}
		if raw != nil {
			s.replaceCard(e, "", raw)
		} else {
			s.replaceText(e, "", text)
		}
		c.entry.Delivered = append(c.entry.Delivered, e.User)
	}
	for _, u := range users {
		if !held[u] && !slices.Contains(invalid, u) {
			invalid = append(invalid, u)
		}
	}
	c.entry.Invalid = invalid
	return answer{"invaliduser": invalid}, nil
}

// replacement is button.replace_name or a whole template_card.
func (s *Server) replacement(c *call, r reader) (text string, raw []byte) {
	if r.has("template_card") {
		checkCard(r.object("template_card"), cardRules{types: allCards, update: true, callback: true, meters: &c.trace.Meters})
		return "", r.raw("template_card")
	}
	if !r.has("button") {
		r.fail(codeBadParameter, "button or template_card missing. invalid Request Parameter")
		return "", nil
	}
	return r.object("button").needText("replace_name"), nil
}
