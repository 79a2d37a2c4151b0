package standin

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// RedeliverRequest sends a callback again: the same inner fields in new envelopes.
type RedeliverRequest struct {
	Callback string   `json:"callback"`
	Times    int      `json:"times"`
	Parallel bool     `json:"parallel"`
	URLs     []string `json:"urls,omitempty"` // the n-th goes to the n-th URL, in turn (several replicas)
}

// Redeliver sends it and waits for all answers.
func (s *Server) Redeliver(ctx context.Context, req RedeliverRequest) ([]Injected, error) {
	s.mu.Lock()
	cb, ok := s.calls.all.get(req.Callback)
	s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("no callback %q", req.Callback)
	}
	out := make([]Injected, min(max(req.Times, 1), 1000))
	var wait sync.WaitGroup
	for i := range out {
		d := delivery{try: i + 1, kind: "inject", note: "redelivered"}
		if len(req.URLs) > 0 {
			d.url = req.URLs[i%len(req.URLs)]
		}
		one := func() { out[i] = s.attempt(ctx, cb, d) }
		if req.Parallel {
			wait.Go(one)
		} else {
			one()
		}
	}
	wait.Wait()
	return out, nil
}

// InjectRequest sends a callback that the platform would not send. Kind:
//
//	genuine          nothing wrong (with Inner: any fields, any order, any id)
//	bad_signature    one digit of msg_signature is changed
//	no_signature     msg_signature is empty
//	wrong_token      signed with another token
//	wrong_receiver   encrypted for another company
//	wrong_key        encrypted with another key, signed correctly
//	bad_padding      the last block is spoiled, signed correctly
//	truncated        the ciphertext is cut, signed correctly
//	not_base64       the ciphertext is no base64, signed correctly
//	old_timestamp    one hour old, otherwise genuine
//	future_timestamp one hour ahead, otherwise genuine
//	forged           clear text instead of an envelope
//	garbage          bytes that are neither XML nor JSON
//	empty            no body
//	huge             a body of 8 MiB
type InjectRequest struct {
	Target string `json:"target"`          // "app:…" or "bot:…"
	Kind   string `json:"kind"`            // see above
	User   string `json:"user,omitempty"`  // of the made-up text message
	Text   string `json:"text,omitempty"`  // of the made-up text message
	Inner  string `json:"inner,omitempty"` // instead of a made-up text message
	URL    string `json:"url,omitempty"`   // instead of the configured URL
}

// Inject sends it once and tells what came back.
func (s *Server) Inject(ctx context.Context, req InjectRequest) (Injected, error) {
	forge, known := forgeries[req.Kind]
	target := Place(req.Target)
	s.mu.Lock()
	cb := &callback{target: target, place: target, user: req.User, name: "injected " + req.Kind, inner: []byte(req.Inner)}
	if req.Inner == "" && known {
		cb.inner = s.madeUp(target, req.User, req.Text)
	}
	there := s.urlOf(target) != "" || req.URL != ""
	s.mu.Unlock()
	if !known || !there {
		return Injected{}, fmt.Errorf("no injection %q, or no callback URL of %q", req.Kind, req.Target)
	}
	return s.attempt(ctx, cb, delivery{try: 1, kind: "inject", note: req.Kind, url: req.URL, forge: forge,
		apply: func(*callback, []byte, *Trace) error { return nil }}), nil
}

// madeUp is a text message that nobody said.
func (s *Server) madeUp(target Place, user, text string) []byte {
	kind, id := target.split()
	if b := s.bots[id]; kind == "bot" && b != nil {
		msg := s.botBase(b, user, "")
		msg["msgid"], msg["msgtype"], msg["text"] = s.randomID(24), "text", map[string]any{"content": text}
		msg["response_url"] = s.baseURL + "/cgi-bin/aibot/response?response_code=" + s.randomID(48)
		return []byte(asJSON(msg))
	}
	x := s.appHead(user, "text", s.now().Unix())
	x.text("Content", text)
	x.raw("MsgId", s.nextMsgID())
	x.raw("AgentID", id)
	x.close("xml")
	return x.Bytes()
}

var forgeries = map[string]func(*envelope){
	"genuine":       nil,
	"bad_signature": func(e *envelope) { e.signature = flip(e.signature) },
	"no_signature":  func(e *envelope) { e.signature = "" },
	"wrong_token":   func(e *envelope) { e.signature = sign(e.token+"x", e.timestamp, e.nonce, e.encrypted) },
	"wrong_receiver": func(e *envelope) {
		e.receiver = "ww0000000000000000"
		e.seal()
	},
	"wrong_key": func(e *envelope) {
		e.key = bytes.Repeat([]byte{7}, 32)
		e.seal()
	},
	"bad_padding": func(e *envelope) {
		raw, _ := base64.StdEncoding.DecodeString(e.encrypted)
		raw[len(raw)-1] ^= 0x55
		e.resign(base64.StdEncoding.EncodeToString(raw))
	},
	"truncated":        func(e *envelope) { e.resign(e.encrypted[:len(e.encrypted)/2]) },
	"not_base64":       func(e *envelope) { e.resign("*" + e.encrypted[1:]) },
	"old_timestamp":    func(e *envelope) { e.shift(-time.Hour) },
	"future_timestamp": func(e *envelope) { e.shift(time.Hour) },
	"forged":           func(e *envelope) { e.rawBody = e.inner },
	"garbage":          func(e *envelope) { e.rawBody = []byte("\x00\xff<{[") },
	"empty":            func(e *envelope) { e.rawBody = []byte{} },
	"huge":             func(e *envelope) { e.rawBody = bytes.Repeat([]byte("A"), 8<<20) },
}

func flip(hexText string) string {
	if hexText[0] == '0' {
		return "1" + hexText[1:]
	}
	return "0" + hexText[1:]
}

func (e *envelope) resign(encrypted string) {
	e.encrypted = encrypted
	e.signature = sign(e.token, e.timestamp, e.nonce, encrypted)
}

func (e *envelope) shift(d time.Duration) {
	n, _ := strconv.ParseInt(e.timestamp, 10, 64)
	e.timestamp = strconv.FormatInt(n+int64(d/time.Second), 10)
	e.resign(e.encrypted)
}

// CheckURL does what the platform does when an administrator saves a callback
// URL: a GET with an encrypted echostr, whose clear text must come back alone,
// with HTTP 200, within one second (doc 90238). The error says what is wrong.
func (s *Server) CheckURL(ctx context.Context, target string) error {
	s.mu.Lock()
	address := s.urlOf(Place(target))
	want := strconv.FormatUint(1e18+s.rnd.Uint64N(8e18), 10)
	env := s.newEnvelope(Place(target), []byte(want))
	s.mu.Unlock()
	if address == "" {
		return fmt.Errorf("%q has no callback URL", target)
	}
	address = env.address(address) + "&echostr=" + url.QueryEscape(env.encrypted)
	start := time.Now()
	status, body, err := s.get(ctx, address)
	switch {
	case err != nil:
	case status != http.StatusOK:
		err = fmt.Errorf("HTTP %d is not 200", status)
	case string(body) == want:
	case string(bytes.Trim(body, "\ufeff \t\r\n\"")) == want:
		err = errors.New("the answer has quotes, a BOM or a line end around the text")
	default:
		err = errors.New("the answer is not the decrypted echostr")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := Trace{At: s.now(), Kind: "check", Name: "check/" + Place(target).kind(), Place: target, Method: http.MethodGet, URL: address, Status: status,
		Request: want, Response: string(clip(body, 4<<10)), LatencyMS: float64(time.Since(start).Microseconds()) / 1000}
	if err != nil {
		t.Err = err.Error()
	}
	s.traces.add(s.nextSeq(), t)
	return err
}

func (s *Server) get(ctx context.Context, address string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.CheckTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, shortError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return resp.StatusCode, body, shortError(err)
	}
	return resp.StatusCode, body, nil
}
