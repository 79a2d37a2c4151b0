package bot

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"frontline/bot/chat"
)

// Subscribers: programs of the house that hear of events by HTTP. Signed as the
// Standard Webhooks specification says, so that their libraries verify it:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

// Hook is one subscriber.
type Hook struct {
	Name, URL string
	Key       []byte // what its events are signed with
}

// Hooks posts to subscribers.
type Hooks struct {
	list   map[string]Hook
	client *http.Client
	now    func() time.Time
}

const (
	apiHook    = "hook"
	hookTime   = 15 * time.Second
	hookAnswer = 64 << 10 // of an answer, read so that the connection can be used again
)

// NewHooks makes the poster.
func NewHooks(list []Hook, now func() time.Time) *Hooks {
	h := &Hooks{list: map[string]Hook{}, now: now, client: &http.Client{Timeout: hookTime,
		// A redirect would carry the words to where nobody said they may go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	for _, x := range list {
		h.list[x.Name] = x
	}
	return h
}

// hookID names an event for its subscriber: repeats have the same.
func hookID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "evt_" + hex.EncodeToString(sum[:12])
}

// hookParts is an event as it is posted.
func hookParts(key string, e chat.Event) ([]chat.Part, error) {
	body, err := json.Marshal(map[string]any{"id": hookID(key), "type": e.Type, "timestamp": e.At.UTC().Format(time.RFC3339Nano), "data": e.Data})
	return []chat.Part{{API: apiHook, Body: body}}, err
}

// HookSignature is the value of the header webhook-signature.
func HookSignature(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", id, at.Unix(), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// hookAnswered is an answer that is no 2xx.
type hookAnswered struct {
	name   string
	status int
}

func (e *hookAnswered) Error() string {
	if e.status == http.StatusGone {
		return fmt.Sprintf("订阅方 %s 回了 410，不再要事件", e.name)
	}
	return fmt.Sprintf("subscriber %s answers %d %s", e.name, e.status, http.StatusText(e.status))
}

// AnswerStatus is what the store keeps of it.
func (e *hookAnswered) AnswerStatus() int { return e.status }

// Unwrap makes 410 final.
func (e *hookAnswered) Unwrap() error {
	if e.status == http.StatusGone {
		return ErrRejected
	}
	return nil
}

// Post brings an event to a subscriber and returns the status it answers with.
// What it does not take with a 2xx is tried again; 410 says that it wants no
// more.
func (h *Hooks) Post(ctx context.Context, name, id string, body []byte) (status int, err error) {
	if h == nil {
		return 0, fmt.Errorf("%w: 配置里没有订阅方 %s", ErrRejected, name)
	}
	to, ok := h.list[name]
	if !ok {
		return 0, fmt.Errorf("%w: 配置里没有订阅方 %s", ErrRejected, name)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%w: 订阅方 %s 的地址不对", ErrRejected, name)
	}
	at := h.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Frontline")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("webhook-signature", HookSignature(to.Key, id, at, body))
	resp, err := h.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("subscriber %s does not answer: %w", name, plainError(err, req.URL.Query()))
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, hookAnswer))
	if resp.StatusCode/100 == 2 {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, &hookAnswered{name, resp.StatusCode}
}
