package alert

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// maxBody bounds what a sender may send, unpacked.
const maxBody = 1 << 20

// Hooks is the intake: POST /hooks/{source}. It answers 2xx when the delivery is
// committed; it is applied after that, in its turn (Run).
type Hooks struct {
	Desk    *Desk
	Sources map[string]Source // by name
	Token   string            // of sources without a token of their own
	Log     *slog.Logger
	Observe func(source string, code int, took time.Duration) // may be nil
	Mine    func() bool                                       // of all replicas this one applies what came; nil: there is no other

	bell     chan struct{} // rung when something came
	storing  atomic.Int64  // requests on their way into the store
	failures map[int64]int // how often a delivery could not be applied
}

// NewHooks makes the intake of sources, by name.
func NewHooks(d *Desk, sources map[string]Source, token string, log *slog.Logger) *Hooks {
	return &Hooks{Desk: d, Sources: sources, Token: token, Log: log, bell: make(chan struct{}, 1), failures: map[int64]int{}}
}

// fault is a refusal with its status.
type fault struct {
	status int
	text   string
}

func (f fault) Error() string { return f.text }

func (h *Hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	name := r.PathValue("source")
	code, answer := http.StatusOK, any(nil)
	src, err := h.source(name, r)
	if err == nil {
		answer, err = h.take(r, src)
	}
	var f fault
	switch {
	case err == nil:
	case errors.As(err, &f):
		code = f.status
		answer = map[string]any{"type": "about:blank", "title": http.StatusText(code), "status": code, "detail": f.text}
	default:
		// Not stored: the sender has to come again.
		h.Log.Error("alerts not stored", "err", err)
		code = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
		answer = map[string]any{"type": "about:blank", "title": http.StatusText(code), "status": code, "detail": "not stored; send it again"}
	}
	if h.Observe != nil {
		if _, known := h.Sources[name]; !known {
			name = "unknown"
		}
		h.Observe(name, code, time.Since(began))
	}
	if code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="hooks"`)
	}
	kind := "application/json"
	if code >= 400 {
		kind = "application/problem+json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(answer)
}

// source finds the sender and checks its token: an unknown name looks like a
// wrong token.
func (h *Hooks) source(name string, r *http.Request) (Source, error) {
	src, known := h.Sources[name]
	want := src.Token
	if want == "" {
		want = h.Token
	}
	given := r.URL.Query().Get("token")
	if auth := r.Header.Get("Authorization"); auth != "" {
		scheme, rest, _ := strings.Cut(auth, " ")
		switch strings.ToLower(scheme) {
		case "bearer":
			given = strings.TrimSpace(rest)
		case "basic":
			_, given, _ = r.BasicAuth()
		}
	}
	right := want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
	if !right {
		return src, fault{http.StatusUnauthorized, "the token is missing or wrong (hooks.token, or the token of this source)"}
	}
	if !known {
		return src, fault{http.StatusNotFound, "there is no source of this name; alerts.sources names them"}
	}
	return src, nil
}

func (h *Hooks) take(r *http.Request, src Source) (any, error) {
	if r.Method != http.MethodPost && !(r.Method == http.MethodGet && src.Kind.Encoding == InAny) {
		return nil, fault{http.StatusMethodNotAllowed, "POST is what this source takes"}
	}
	in, raw, err := read(r, src)
	if err != nil {
		return nil, err
	}
	rest := h.inputOf(src)
	in.Zone, in.Now, in.Mapping = rest.Zone, rest.Now, rest.Mapping
	// The sender's hanging up must not undo what is about to be stored.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 20*time.Second)
	defer cancel()
	del, err := src.Kind.Parse(in)
	if err != nil {
		if !errors.Is(err, errShape) {
			return nil, fault{http.StatusBadRequest, err.Error()}
		}
		if err := h.dead(ctx, src, in, raw, err); err != nil {
			return nil, err
		}
		return map[string]any{"alerts": 0, "dead_letter": true, "detail": clip(err.Error(), 300)}, nil
	}
	if err := h.keep(ctx, src, in, len(del.Signals), raw); err != nil {
		return nil, err
	}
	return map[string]any{"alerts": len(del.Signals)}, nil
}

// inputOf is what a source says of all its requests.
func (h *Hooks) inputOf(src Source) Input {
	in := Input{Zone: src.Zone, Now: h.Desk.Store.Now(), Mapping: src.Mapping}
	if in.Zone == nil {
		in.Zone = h.Desk.Rules.Zone
	}
	return in
}

// read takes the body apart as far as the kind's encoding goes.
func read(r *http.Request, src Source) (in Input, raw []byte, err error) {
	in = Input{Header: r.Header.Clone(), Query: r.URL.Query()}
	in.Query.Del("token")
	for _, secret := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
		in.Header.Del(secret)
	}
	if r.Method == http.MethodGet {
		in.Form = in.Query
		return in, []byte(in.Query.Encode()), nil
	}
	if raw, err = unpacked(r); err != nil {
		return in, nil, err
	}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case src.Kind.Encoding == InForm:
		if kind != "application/x-www-form-urlencoded" {
			return in, nil, fault{http.StatusBadRequest, "this source sends application/x-www-form-urlencoded"}
		}
		return formOf(in, raw)
	case src.Kind.Encoding == InAny && kind == "multipart/form-data":
		form, err := multipartOf(raw, params["boundary"])
		if err != nil {
			return in, nil, fault{http.StatusBadRequest, "the form cannot be read"}
		}
		in.Form = form
		return in, raw, nil
	case src.Kind.Encoding == InAny && kind == "application/x-www-form-urlencoded":
		return formOf(in, raw)
	}
	if err := checkJSON(raw); err != nil {
		return in, nil, fault{http.StatusBadRequest, err.Error()}
	}
	in.Body = raw
	return in, raw, nil
}

func formOf(in Input, raw []byte) (Input, []byte, error) {
	form, err := url.ParseQuery(string(raw))
	if err != nil || len(form) == 0 || len(form) > 200 {
		return in, nil, fault{http.StatusBadRequest, "the form cannot be read"}
	}
	for k, v := range form {
		if len(v) > 1 {
			return in, nil, fault{http.StatusBadRequest, errRepeated.Error() + ": " + clip(k, 40)}
		}
	}
	in.Form = form
	return in, raw, nil
}

func multipartOf(raw []byte, boundary string) (url.Values, error) {
	req := &http.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary})}}, Body: io.NopCloser(bytes.NewReader(raw))}
	if err := req.ParseMultipartForm(maxBody); err != nil {
		return nil, err
	}
	defer req.MultipartForm.RemoveAll()
	return url.Values(req.MultipartForm.Value), nil
}

// unpacked reads the body, gzip or plain, up to the limit of what it holds.
func unpacked(r *http.Request) ([]byte, error) {
	big := fault{http.StatusRequestEntityTooLarge, "the body holds more than 1 MiB; nothing of it was taken. Send fewer alerts at once (Alertmanager: max_alerts)"}
	if r.ContentLength > maxBody {
		return nil, big
	}
	body := io.LimitReader(r.Body, maxBody+1)
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, fault{http.StatusBadRequest, "the body is not gzip"}
		}
		body = io.LimitReader(z, maxBody+1)
	default:
		return nil, fault{http.StatusUnsupportedMediaType, "only gzip is unpacked"}
	}
	raw, err := io.ReadAll(body)
	switch {
	case len(raw) > maxBody:
		return nil, big
	case err != nil:
		return nil, fault{http.StatusBadRequest, "the body cannot be read to its end"}
	}
	return raw, nil
}
