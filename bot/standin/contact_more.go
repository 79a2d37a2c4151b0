package standin

import (
	"slices"
	"time"
)

func (s *Server) tagList(*call) (answer, *apiError) {
	list := []map[string]any{}
	for _, t := range s.tags {
		list = append(list, map[string]any{"tagid": t.ID, "tagname": t.Name})
	}
	return answer{"taglist": list}, nil
}

func (s *Server) tagGet(c *call) (answer, *apiError) {
	t := s.tag(atoi(c.query.Get("tagid")))
	if t == nil {
		return nil, refuse(40068, "invalid tagid")
	}
	users, parties := []map[string]any{}, t.Departments
	for _, u := range t.UserIDs {
		if p := s.people[u]; p != nil && c.app.sees(u) {
			users = append(users, map[string]any{"userid": u, "name": p.Name})
		}
	}
	if parties == nil {
		parties = []int{}
	}
	return answer{"tagname": t.Name, "userlist": users, "partylist": parties}, nil
}

// openUserIDs: https://developer.work.weixin.qq.com/document/path/101521. Ids that
// are plain already come back as invalid, which is no error.
func (s *Server) openUserIDs(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	ids := r.texts("open_userid_list")
	r.bounded("open_userid_list", len(ids), 1, 1000)
	if r.failed() != nil {
		return nil, r.failed()
	}
	found, invalid := []map[string]any{}, []string{}
	for _, id := range ids {
		i := slices.IndexFunc(s.order, func(u string) bool { return id != "" && s.people[u].OpenUserID == id })
		if i < 0 {
			invalid = append(invalid, id)
			continue
		}
		found = append(found, map[string]any{"open_userid": id, "userid": s.order[i]})
	}
	return answer{"userid_list": found, "invalid_open_userid_list": invalid}, nil
}

func (s *Server) callbackIPs(*call) (answer, *apiError) {
	return answer{"ip_list": []string{"127.0.0.1", "::1"}}, nil
}

func (s *Server) domainIPs(*call) (answer, *apiError) {
	return answer{"ip_list": []string{"127.0.0.1", "::1"}}, nil
}

// oauthCode is a login code: one use, five minutes (doc 91023). The ticket of
// the private scope lives 1800 s.
type oauthCode struct {
	user, scope string
	at          time.Time
	used        bool
	ticket      bool
}

// OAuthCode makes the code that the platform appends to a redirect after the
// member agreed. A user that is no member gets an outsider's code (openid).
func (s *Server) OAuthCode(user, scope string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for k, c := range s.codes {
		if now.Sub(c.at) > time.Hour {
			delete(s.codes, k)
		}
	}
	code := s.randomID(43)
	s.codes[code] = &oauthCode{user: user, scope: scope, at: now}
	return code
}

func (s *Server) oauthUserInfo(c *call) (answer, *apiError) {
	code := s.codes[c.query.Get("code")]
	switch {
	case code == nil || code.used || code.ticket:
		return nil, refuse(codeBadOAuthCode, "invalid code")
	case c.now.Sub(code.at) > s.limits.OAuthLife:
		return nil, refuse(codeOAuthExpired, "code expired")
	}
	code.used = true
	c.entry.Target = code.user
	// Members outside the visible range are answered too: being logged in is not being allowed.
	if s.people[code.user] == nil {
		return answer{"openid": "o" + s.randomID(27)}, nil
	}
	out := answer{"userid": code.user}
	if code.scope == "snsapi_privateinfo" {
		ticket := s.randomID(60)
		s.codes[ticket] = &oauthCode{user: code.user, at: c.now, ticket: true}
		out["user_ticket"], out["expires_in"] = ticket, 1800
	}
	return out, nil
}

func (s *Server) oauthUserDetail(c *call) (answer, *apiError) {
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	t := s.codes[r.needText("user_ticket")]
	switch {
	case r.failed() != nil:
		return nil, r.failed()
	case t == nil || !t.ticket || c.now.Sub(t.at) > 30*time.Minute:
		return nil, refuse(codeBadOAuthCode, "invalid user_ticket")
	}
	p := s.people[t.user]
	return answer{"userid": p.UserID, "gender": "0", "avatar": "", "qr_code": "", "mobile": p.Mobile, "email": p.Email, "biz_mail": "", "address": ""}, nil
}
