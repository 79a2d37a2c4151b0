package standin

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// controlCall is one request to the control API.
type controlCall struct{ r *http.Request }

// controlTable lists the control API; doc.go describes it.
var controlTable = map[string]func(*Server, *controlCall) (any, error){
	"GET state":      (*Server).controlState,
	"POST say":       (*Server).controlSay,
	"POST upload":    (*Server).controlUpload,
	"POST act":       (*Server).controlAct,
	"GET feed":       (*Server).controlFeed,
	"DELETE feeds":   (*Server).controlClearFeeds,
	"GET trace":      (*Server).controlTrace,
	"GET callback":   (*Server).controlOutcome,
	"GET faults":     (*Server).controlFaults,
	"POST fault":     (*Server).controlAddFault,
	"DELETE faults":  (*Server).controlClearFaults,
	"POST redeliver": (*Server).controlRedeliver,
	"POST inject":    (*Server).controlInject,
	"POST check":     (*Server).controlCheck,
	"POST oauth":     (*Server).controlOAuth,
	"POST revoke":    (*Server).controlRevoke,
	"GET ledger":     (*Server).controlLedger,
	"GET counters":   (*Server).controlCounters,
}

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || s.opt.ControlToken == "" || subtle.ConstantTimeCompare([]byte(given), []byte(s.opt.ControlToken)) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "the control token is missing or wrong"})
		return
	}
	run := controlTable[r.Method+" "+strings.TrimPrefix(r.URL.Path, "/standin/v1/")]
	if run == nil {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such control call"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 160<<20)
	out, err := run(s, &controlCall{r})
	if err != nil {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// decode reads a JSON body; unknown fields are errors, because a typing mistake
// in a test would otherwise pass unseen.
func decode[T any](c *controlCall) (T, error) {
	var v T
	dec := json.NewDecoder(c.r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, fmt.Errorf("read the body: %w", err)
	}
	return v, nil
}

func (c *controlCall) number(name string) int64 {
	n, _ := strconv.ParseInt(c.r.URL.Query().Get(name), 10, 64)
	return n
}

// wait takes a duration ("20s") or seconds ("20").
func (c *controlCall) wait() time.Duration {
	text := c.r.URL.Query().Get("wait")
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	n, _ := strconv.ParseFloat(text, 64)
	return time.Duration(n * float64(time.Second))
}

func (s *Server) controlState(c *controlCall) (any, error) {
	return s.State(c.r.URL.Query().Get("user")), nil
}

func (s *Server) controlSay(c *controlCall) (any, error) {
	req, err := decode[SayRequest](c)
	if err != nil {
		return nil, err
	}
	return s.Say(c.r.Context(), req)
}

func (s *Server) controlUpload(c *controlCall) (any, error) {
	u, err := readUpload(c.r)
	if err != nil {
		return nil, fmt.Errorf("read the upload: %w", err)
	}
	kind := u.values.Get("type")
	if kind == "" {
		kind = "file"
		if looksLike("image", u.data) {
			kind = "image"
		}
	}
	wait, _ := strconv.ParseBool(u.values.Get("wait"))
	return s.Say(c.r.Context(), SayRequest{User: u.values.Get("user"), To: Place(u.values.Get("to")), Text: u.values.Get("text"), Wait: wait,
		File: &File{Kind: kind, Name: u.name, Data: u.data, Transcript: u.values.Get("transcript")}})
}

func (s *Server) controlAct(c *controlCall) (any, error) {
	a, err := decode[Action](c)
	if err != nil {
		return nil, err
	}
	return s.Act(c.r.Context(), a)
}

func (s *Server) controlFeed(c *controlCall) (any, error) {
	q := c.r.URL.Query()
	query := FeedQuery{User: q.Get("user"), Group: q.Get("group"), After: c.number("after"), Wait: c.wait()}
	if query.Group != "" && q.Has("as") {
		query.User = q.Get("as")
	}
	if query.User == "" && query.Group == "" {
		return nil, errors.New("user or group is needed")
	}
	return s.Feed(c.r.Context(), query), nil
}

func (s *Server) controlClearFeeds(*controlCall) (any, error) {
	s.ClearFeeds()
	return struct{}{}, nil
}

func (s *Server) controlTrace(c *controlCall) (any, error) {
	return s.Traces(c.r.Context(), c.number("after"), int(c.number("limit")), c.wait()), nil
}

func (s *Server) controlLedger(c *controlCall) (any, error) {
	return s.Ledger(c.r.URL.Query().Get("api"), c.number("after")), nil
}

func (s *Server) controlCounters(*controlCall) (any, error) { return s.Counters(), nil }

func (s *Server) controlFaults(*controlCall) (any, error) {
	return map[string]any{"faults": s.Faults()}, nil
}

func (s *Server) controlAddFault(c *controlCall) (any, error) {
	f, err := decode[Fault](c)
	if err != nil {
		return nil, err
	}
	if f.API == "" {
		return nil, errors.New("api is needed, or * for every platform API")
	}
	return map[string]string{"id": s.AddFault(f)}, nil
}

func (s *Server) controlClearFaults(c *controlCall) (any, error) {
	s.ClearFaults(c.r.URL.Query()["id"]...)
	return struct{}{}, nil
}
