package standin

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Drop says where a connection is cut.
type Drop string

const (
	// DropBefore closes the connection before anything is done.
	DropBefore Drop = "before"
	// DropAfter does the work, then closes the connection without an answer:
	// the message is delivered and the caller cannot know.
	DropAfter Drop = "after"
)

// Fault makes something go wrong. The first fault that fits a call is used.
//
// API is "message/send", "webhook/send", … without /cgi-bin/, "callback/app",
// "callback/bot", "poll/bot" (stream polls), or "*" for every platform API. Match, when set, must occur in
// the query or the body (a robot's key, a userid). Skip lets calls pass first;
// Count is the number of calls it hits, 0 until it is removed.
//
// For platform calls: Delay, then Drop before, Status, Revoke (the app's tokens
// become invalid, so this call answers 40014), Errcode; Drop after.
// For callbacks: Delay before the first try, Drop before (a try that is lost on
// the way) or after (its answer is lost), Duplicate further deliveries in parallel.
type Fault struct {
	ID        string `json:"id"`
	API       string `json:"api"`
	Match     string `json:"match,omitempty"`
	Skip      int    `json:"skip,omitempty"`
	Count     int    `json:"count,omitempty"`
	DelayMS   int    `json:"delay_ms,omitempty"`
	Status    int    `json:"status,omitempty"`
	Errcode   int    `json:"errcode,omitempty"`
	Errmsg    string `json:"errmsg,omitempty"`
	Revoke    bool   `json:"revoke,omitempty"`
	Drop      Drop   `json:"drop,omitempty"`
	Duplicate int    `json:"duplicate,omitempty"`
	Hits      int    `json:"hits"`
}

// AddFault sets a fault and returns its id.
func (s *Server) AddFault(f Fault) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.ID == "" {
		f.ID = "fault-" + s.randomID(8)
	}
	f.Hits = 0
	s.faults = append(s.faults, &f)
	return f.ID
}

// ClearFaults removes the named faults, or all when none is named.
func (s *Server) ClearFaults(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *Fault) bool { return len(ids) == 0 || slices.Contains(ids, f.ID) })
}

// Faults lists what is set, with hits.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Fault, len(s.faults))
	for i, f := range s.faults {
		out[i] = *f
	}
	return out
}

// takeFault finds the fault for a call and counts the hit; nil when there is none.
func (s *Server) takeFault(api, text string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		any := f.API == "*" && !strings.HasPrefix(api, "callback/") && !strings.HasPrefix(api, "poll/")
		if f.API != api && !any || f.Match != "" && !strings.Contains(text, f.Match) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		f.Hits++
		hit := *f
		if f.Count > 0 && f.Hits >= f.Count {
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return &hit
	}
	return nil
}

// faultBefore does the part of a fault that comes before the work. When it
// returns an answer, that is to be written (after the call was recorded) and the
// work must not be done.
func (s *Server) faultBefore(w http.ResponseWriter, c *call, f *Fault) (write func()) {
	if f.DelayMS > 0 {
		c.entry.Fault = "delay"
		select {
		case <-time.After(time.Duration(f.DelayMS) * time.Millisecond):
		case <-c.r.Context().Done():
		case <-s.ctx.Done():
		}
	}
	switch {
	case f.Drop == DropBefore:
		c.entry.Fault = string(DropBefore)
		return func() { panic(http.ErrAbortHandler) } // closes the connection without an answer
	case f.Status != 0 && f.Status != http.StatusOK:
		c.entry.Fault, c.entry.Status = "status", f.Status
		return func() { http.Error(w, http.StatusText(f.Status), f.Status) }
	case f.Errcode != 0:
		c.entry.Fault, c.entry.Status, c.entry.Errcode = "errcode", http.StatusOK, f.Errcode
		msg := f.Errmsg
		if msg == "" {
			msg = injectedMessage(f.Errcode, c.ip)
		}
		out := answer{"errcode": f.Errcode, "errmsg": s.errmsg(c, refuse(f.Errcode, "%s", msg))}
		c.trace.Response = asJSON(out)
		return func() { writeJSON(w, http.StatusOK, out) }
	case f.Revoke:
		c.entry.Fault = "revoke"
		s.revokeValue(c.query.Get("access_token"))
	}
	return nil
}

func (s *Server) revokeValue(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[value]; t != nil {
		t.revoked = true
	}
}

// injectedMessage words the codes that only a fault can cause here.
func injectedMessage(code int, ip string) string {
	switch code {
	case codeSystemBusy:
		return "system busy"
	case codeUntrustedIP:
		return "not allow to access from your ip, from ip: " + ip
	case codeTooFrequent:
		return "api freq out of limit"
	case codeTooManyAtOnce:
		return "api concurrency out of limit"
	case codeTokenExpired:
		return "access_token expired"
	case codeBadToken:
		return "invalid access_token"
	case codeBadRobotKey:
		return "invalid webhook url"
	}
	return "injected"
}
