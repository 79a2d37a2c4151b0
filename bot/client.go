package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/silenceper/wechat/v2/work"
)

// callTime bounds one call of the platform.
const callTime = 10 * time.Second

// ClientOptions say whose app calls where.
type ClientOptions struct {
	CorpID  string
	AgentID int64
	Secret  string
	APIBase string            // https://qyapi.weixin.qq.com, a proxy, or a stand-in
	Robots  map[string]string // group name -> robot key
	Tokens  TokenStore        // nil: this process only
	Files   FileReader        // nil: nothing can be uploaded
	Log     *slog.Logger
	Now     func() time.Time
	// Observe counts calls: the API, the error code ("0", "none" without an answer, "http502") and the time taken.
	Observe func(api, code string, took time.Duration)
}

// FileReader reads an attachment out of our own file store.
type FileReader interface {
	Get(ctx context.Context, id string) ([]byte, error)
}

// Client calls WeChat Work. It is safe for concurrent use.
type Client struct {
	opt       ClientOptions
	base      *url.URL
	transport http.RoundTripper
	tokens    *tokens
	sdk       *work.Work
}

// NewClient checks the options; it calls nobody.
func NewClient(opt ClientOptions) (*Client, error) {
	base, err := url.Parse(opt.APIBase)
	if err != nil || base.Host == "" {
		return nil, errors.New("the API base must be an address such as https://qyapi.weixin.qq.com")
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	installSDK()
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = callTime
	t.MaxIdleConnsPerHost = 32
	c := &Client{opt: opt, base: base, transport: t}
	c.tokens = &tokens{c: c}
	c.sdk = newWork(c)
	for _, key := range opt.Robots {
		owners.Store(key, c)
	}
	return c, nil
}

// Close lets go of connections and credentials.
func (c *Client) Close() {
	owners.Range(func(k, v any) bool {
		if v == c {
			owners.Delete(k)
		}
		return true
	})
	c.transport.(*http.Transport).CloseIdleConnections()
}

// HasApp tells whether the self-built app is configured.
func (c *Client) HasApp() bool { return c.opt.AgentID != 0 && c.opt.Secret != "" }

func (c *Client) tokenKey() string { return fmt.Sprintf("%s/%d", c.opt.CorpID, c.opt.AgentID) }

func (c *Client) observe(api, code string, began time.Time) {
	if c.opt.Observe != nil {
		c.opt.Observe(api, code, time.Since(began))
	}
}

// Token returns a valid access token: what the doctor tries first.
func (c *Client) Token(ctx context.Context) error {
	_, err := c.tokens.get(ctx)
	return err
}

// do sends a request of our own making and decodes the answer.
func (c *Client) do(req *http.Request, api string, into any) error {
	resp, err := c.roundTrip(req)
	if err != nil {
		return err
	}
	if err := readAnswer(resp, into); err != nil {
		return &CallError{API: api, Unknown: true, Err: errors.New("the answer is not JSON")}
	}
	return nil
}

// withToken runs a call of the SDK; when the platform calls the token invalid,
// it drops it and tries once more. The SDK knows no context, so a call whose
// context ends is left to its own time-out.
func (c *Client) withToken(ctx context.Context, api string, call func() error) error {
	for try := 0; ; try++ {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return err
		}
		began := time.Now()
		done := make(chan error, 1)
		go func() { done <- call() }()
		select {
		case err = <-done:
		case <-ctx.Done():
			return &CallError{API: api, Unknown: true, Err: ctx.Err()}
		}
		err = typed(api, err)
		c.observe(api, codeOf(err), began)
		if try > 0 || !tokenSpent(err) {
			return err
		}
		c.tokens.drop(token)
	}
}

// codeOf is an error as a metric label.
func codeOf(err error) string {
	var api *APIError
	switch {
	case err == nil:
		return "0"
	case errors.As(err, &api):
		return fmt.Sprint(api.Code)
	}
	return "none"
}

// post calls an API that the SDK does not cover, with a token.
func (c *Client) post(ctx context.Context, api string, body, into any) error {
	return c.withToken(ctx, api, func() error {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return err
		}
		return c.postJSON(ctx, api, url.Values{"access_token": {token}}, body, into)
	})
}

// postJSON sends body as JSON without HTML escapes and checks the error code.
func (c *Client) postJSON(ctx context.Context, api string, q url.Values, body, into any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api/cgi-bin/"+api+"?"+q.Encode(), &buf)
	if err != nil {
		return errors.New(api + ": the request cannot be made")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return c.answer(req, api, into)
}

// answer sends a request and decodes its answer into into, or its error code
// into an error.
func (c *Client) answer(req *http.Request, api string, into any) error {
	var raw json.RawMessage
	if err := c.do(req, api, &raw); err != nil {
		return err
	}
	var head struct {
		ErrCode int64  `json:"errcode"`
		ErrMsg  string `json:"errmsg"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return &CallError{API: api, Unknown: true, Err: errors.New("the answer is not an object")}
	}
	if head.ErrCode != 0 {
		return &APIError{API: api, Code: head.ErrCode, Msg: head.ErrMsg}
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// Person returns the name and department of a member.
// https://developer.work.weixin.qq.com/document/path/90196
func (c *Client) Person(ctx context.Context, id string) (name, department string, err error) {
	if !c.HasApp() {
		return "", "", errors.New("no app is configured")
	}
	var position string
	err = c.withToken(ctx, "user/get", func() error {
		u, err := c.sdk.GetAddressList().UserGet(id)
		if err != nil {
			return err
		}
		name, position = u.Name, u.Position
		department, err = c.departmentName(u.MainDepartment)
		return err
	})
	if department == "" {
		department = position
	}
	return name, department, err
}

func (c *Client) departmentName(id int) (string, error) {
	if id == 0 {
		return "", nil
	}
	all, err := c.sdk.GetAddressList().DepartmentListByID(id)
	if err != nil {
		return "", err
	}
	for _, d := range all {
		if d.ID == id {
			return d.Name, nil
		}
	}
	return "", nil
}

// PlainUserIDs turns encrypted userids, which the smart bot may report, into
// plain ones; ids that were plain are left out.
// https://developer.work.weixin.qq.com/document/path/101521
func (c *Client) PlainUserIDs(ctx context.Context, ids []string) (map[string]string, error) {
	var answer struct {
		List []struct {
			Open string `json:"open_userid"`
			ID   string `json:"userid"`
		} `json:"userid_list"`
	}
	err := c.post(ctx, "batch/openuserid_to_userid", map[string]any{"open_userid_list": ids, "source_agentid": c.opt.AgentID}, &answer)
	out := map[string]string{}
	for _, x := range answer.List {
		out[x.Open] = x.ID
	}
	return out, err
}

// CallbackIPs are the platform's own addresses.
// https://developer.work.weixin.qq.com/document/path/90930
func (c *Client) CallbackIPs(ctx context.Context) (ips []string, err error) {
	var answer struct {
		IPs []string `json:"ip_list"`
	}
	err = c.withToken(ctx, "getcallbackip", func() error {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api/cgi-bin/getcallbackip?"+url.Values{"access_token": {token}}.Encode(), nil)
		if err != nil {
			return err
		}
		return c.answer(req, "getcallbackip", &answer)
	})
	return answer.IPs, err
}

// safeUserID tells whether an id can only ever mean one person: touser takes
// lists and @all.
func safeUserID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsAny(id, "|@ \t\r\n") || strings.Count(id, "@") == 1 && !strings.HasPrefix(id, "@") && len(id) <= 64 && !strings.ContainsAny(id, "| \t\r\n")
}
