package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client calls the control API of a stand-in, in this process or in another.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// Dial makes a client; it does not connect. baseURL is the server's address
// without /standin, token its ControlToken.
func Dial(baseURL, token string) *Client {
	return &Client{base: strings.TrimRight(baseURL, "/") + "/standin/v1/", token: token, http: &http.Client{Timeout: 60 * time.Second}}
}

// State describes the company, and the chats of a member when user is not empty.
func (c *Client) State(ctx context.Context, user string) (State, error) {
	return send[State](ctx, c, http.MethodGet, "state", url.Values{"user": {user}}, nil)
}

// Say lets a member say something.
func (c *Client) Say(ctx context.Context, req SayRequest) (Receipt, error) {
	return send[Receipt](ctx, c, http.MethodPost, "say", nil, req)
}

// Act clicks, votes, enters and so on.
func (c *Client) Act(ctx context.Context, a Action) (Receipt, error) {
	return send[Receipt](ctx, c, http.MethodPost, "act", nil, a)
}

// Feed lists what changed in a feed, waiting up to q.Wait.
func (c *Client) Feed(ctx context.Context, q FeedQuery) (FeedPage, error) {
	v := url.Values{"after": {strconv.FormatInt(q.After, 10)}, "wait": {q.Wait.String()}}
	if q.Group != "" {
		v.Set("group", q.Group)
		v.Set("as", q.User)
	} else {
		v.Set("user", q.User)
	}
	return send[FeedPage](ctx, c, http.MethodGet, "feed", v, nil)
}

// ClearFeeds empties all conversations.
func (c *Client) ClearFeeds(ctx context.Context) error {
	_, err := send[struct{}](ctx, c, http.MethodDelete, "feeds", nil, nil)
	return err
}

// Traces lists callback tries and API calls.
func (c *Client) Traces(ctx context.Context, after int64, limit int, wait time.Duration) (TracePage, error) {
	return send[TracePage](ctx, c, http.MethodGet, "trace",
		url.Values{"after": {strconv.FormatInt(after, 10)}, "limit": {strconv.Itoa(limit)}, "wait": {wait.String()}}, nil)
}

// Outcome waits for the end of a callback.
func (c *Client) Outcome(ctx context.Context, callback string, wait time.Duration) (Outcome, error) {
	return send[Outcome](ctx, c, http.MethodGet, "callback", url.Values{"id": {callback}, "wait": {wait.String()}}, nil)
}

// AddFault sets a fault and returns its id.
func (c *Client) AddFault(ctx context.Context, f Fault) (string, error) {
	got, err := send[map[string]string](ctx, c, http.MethodPost, "fault", nil, f)
	return got["id"], err
}

// ClearFaults removes the named faults, or all.
func (c *Client) ClearFaults(ctx context.Context, ids ...string) error {
	_, err := send[struct{}](ctx, c, http.MethodDelete, "faults", url.Values{"id": ids}, nil)
	return err
}

// Redeliver sends a callback again.
func (c *Client) Redeliver(ctx context.Context, req RedeliverRequest) ([]Injected, error) {
	got, err := send[struct{ Results []Injected }](ctx, c, http.MethodPost, "redeliver", nil, req)
	return got.Results, err
}

// Inject sends a callback that the platform would not send.
func (c *Client) Inject(ctx context.Context, req InjectRequest) (Injected, error) {
	return send[Injected](ctx, c, http.MethodPost, "inject", nil, req)
}

// CheckURL does the URL verification of "app:…" or "bot:…".
func (c *Client) CheckURL(ctx context.Context, target string) (CheckResult, error) {
	return send[CheckResult](ctx, c, http.MethodPost, "check", nil, map[string]string{"target": target})
}

// OAuthCode makes a login code.
func (c *Client) OAuthCode(ctx context.Context, user, scope string) (string, error) {
	got, err := send[map[string]string](ctx, c, http.MethodPost, "oauth", nil, map[string]string{"user": user, "scope": scope})
	return got["code"], err
}

// Ledger lists platform calls of one API, or of all.
func (c *Client) Ledger(ctx context.Context, api string, after int64) (LedgerPage, error) {
	return send[LedgerPage](ctx, c, http.MethodGet, "ledger", url.Values{"api": {api}, "after": {strconv.FormatInt(after, 10)}}, nil)
}

// Counters returns the counters.
func (c *Client) Counters(ctx context.Context) (Counters, error) {
	return send[Counters](ctx, c, http.MethodGet, "counters", nil, nil)
}

// send does one call; an answer other than 200 is an error with the server's reason.
func send[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (T, error) {
	var out T
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return out, fmt.Errorf("stand-in %s: %w", path, err)
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+query.Encode(), in)
	if err != nil {
		return out, fmt.Errorf("stand-in %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return out, fmt.Errorf("stand-in %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return out, fmt.Errorf("stand-in %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		var why struct{ Error string }
		_ = json.Unmarshal(data, &why)
		return out, fmt.Errorf("stand-in %s: HTTP %d: %s", path, resp.StatusCode, why.Error)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("stand-in %s: %w", path, err)
	}
	return out, nil
}
