package standin

import "time"

// token is an access token. It belongs to one app; agent 0 with contact set is
// the contact synchronisation's.
type token struct {
	value   string
	app     *app // nil for the contact secret
	issued  time.Time
	expires time.Time
	revoked bool
}

// getToken: https://developer.work.weixin.qq.com/document/path/91039. Calls
// inside the life of a token return the same one.
func (s *Server) getToken(c *call) (answer, *apiError) {
	if c.query.Get("corpid") != s.opt.CorpID {
		return nil, refuse(codeBadCorpID, "invalid corpid")
	}
	if s.limits.TokenConcurrency > 0 && s.rates.inFlight["gettoken"] > s.limits.TokenConcurrency {
		return nil, refuse(codeTooManyAtOnce, "api concurrency out of limit")
	}
	if c.now.Before(s.rates.tokensClosed) {
		return nil, refuse(codeTooFrequent, "api freq out of limit")
	}
	secret := c.query.Get("corpsecret")
	a := s.appBySecret(secret)
	if contact := s.opt.ContactSecret != "" && secret == s.opt.ContactSecret; a == nil && !contact {
		return nil, s.wrongSecret(c)
	}
	c.app = a
	t := s.currentToken(a, c.now)
	return answer{"access_token": t.value, "expires_in": int(s.limits.TokenLife / time.Second)}, nil
}

func (s *Server) appBySecret(secret string) *app {
	for _, a := range s.apps {
		if a.Secret != "" && a.Secret == secret {
			return a
		}
	}
	return nil
}

// wrongSecret closes gettoken for an hour after too many failures, as users of the platform report.
func (s *Server) wrongSecret(c *call) *apiError {
	s.rates.failures.add(c.now, time.Hour)
	if !s.rates.failures.room(c.now, time.Hour, s.limits.TokenFailures) {
		s.rates.tokensClosed = c.now.Add(time.Hour)
	}
	return refuse(codeBadSecret, "invalid credential")
}

func (s *Server) currentToken(a *app, now time.Time) *token {
	var current *token
	for _, t := range s.tokens {
		if t.app == a && !t.revoked && now.Before(t.expires) {
			current = t
		}
		if now.Sub(t.expires) > 24*time.Hour {
			delete(s.tokens, t.value)
		}
	}
	if current == nil {
		current = &token{value: s.randomID(214), app: a, issued: now, expires: now.Add(s.limits.TokenLife)}
		s.tokens[current.value] = current
	}
	return current
}

func (s *Server) checkToken(c *call, kind tokenKind) *apiError {
	value := c.query.Get("access_token")
	if value == "" {
		return refuse(codeNoToken, "access_token missing")
	}
	t := s.tokens[value]
	switch {
	case t == nil || t.revoked:
		return refuse(codeBadToken, "invalid access_token")
	case !c.now.Before(t.expires):
		return refuse(codeTokenExpired, "access_token expired")
	case kind == tokenContact && t.app != nil:
		return refuse(codeNoPermission, "api forbidden: only the contact secret may call this")
	case kind == tokenApp && t.app == nil && !contactMayCall[c.api]:
		return refuse(codeNoPermission, "api forbidden for the contact secret")
	}
	c.app = t.app
	return nil
}

// contactMayCall are the reading APIs of the address list, open to the contact secret too.
var contactMayCall = map[string]bool{
	"user/get": true, "user/simplelist": true, "user/getuserid": true, "user/get_userid_by_email": true,
	"department/list": true, "department/simplelist": true, "tag/list": true, "tag/get": true,
	"batch/openuserid_to_userid": true, "getcallbackip": true, "get_api_domain_ip": true,
}

// RevokeTokens voids the access tokens of an app before their time, which the
// platform may do (doc 91039); agentID 0 means all apps. Their next use answers 40014.
func (s *Server) RevokeTokens(agentID int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tokens {
		if agentID == 0 || t.app != nil && t.app.AgentID == agentID {
			t.revoked = true
		}
	}
}

// ExpireTokens lets the tokens of an app (0: all) run out now: their next use answers 42001.
func (s *Server) ExpireTokens(agentID int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for _, t := range s.tokens {
		if agentID == 0 || t.app != nil && t.app.AgentID == agentID {
			t.expires = now
		}
	}
}
