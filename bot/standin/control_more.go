package standin

import (
	"context"
	"errors"
	"time"
)

func (s *Server) controlOutcome(c *controlCall) (any, error) {
	ctx, cancel := context.WithTimeout(c.r.Context(), min(c.wait(), 30*time.Second))
	defer cancel()
	return s.Outcome(ctx, c.r.URL.Query().Get("id"))
}

func (s *Server) controlRedeliver(c *controlCall) (any, error) {
	req, err := decode[RedeliverRequest](c)
	if err != nil {
		return nil, err
	}
	results, err := s.Redeliver(c.r.Context(), req)
	if err != nil {
		return nil, err
	}
	return map[string]any{"results": results}, nil
}

func (s *Server) controlInject(c *controlCall) (any, error) {
	req, err := decode[InjectRequest](c)
	if err != nil {
		return nil, err
	}
	return s.Inject(c.r.Context(), req)
}

// CheckResult is the answer of a URL check.
type CheckResult struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

func (s *Server) controlCheck(c *controlCall) (any, error) {
	req, err := decode[struct {
		Target string `json:"target"`
	}](c)
	if err != nil {
		return nil, err
	}
	if err := s.CheckURL(c.r.Context(), req.Target); err != nil {
		return CheckResult{Reason: err.Error()}, nil
	}
	return CheckResult{OK: true}, nil
}

func (s *Server) controlOAuth(c *controlCall) (any, error) {
	req, err := decode[struct {
		User  string `json:"user"`
		Scope string `json:"scope"`
	}](c)
	if err != nil {
		return nil, err
	}
	if req.User == "" {
		return nil, errors.New("user is needed")
	}
	return map[string]string{"code": s.OAuthCode(req.User, req.Scope)}, nil
}

func (s *Server) controlRevoke(c *controlCall) (any, error) {
	req, err := decode[struct {
		AgentID int  `json:"agent_id"`
		Expire  bool `json:"expire"` // 42001 instead of 40014
	}](c)
	if err != nil {
		return nil, err
	}
	if req.Expire {
		s.ExpireTokens(req.AgentID)
	} else {
		s.RevokeTokens(req.AgentID)
	}
	return struct{}{}, nil
}
