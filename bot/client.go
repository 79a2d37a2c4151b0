package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/silenceper/wechat/v2/work"
)

// callTime bounds one call of the platform.
const callTime = 15 * time.Second

// idleTime is shorter than what platforms and balancers keep an idle
// connection for: a request into a connection that is just being closed ends
// without an answer, and then nobody knows whether it arrived.
const idleTime = 15 * time.Second

// maxAnswer bounds what is read of one answer; media is the largest.
const maxAnswer = 128 << 20

const jsonType = "application/json; charset=utf-8"

// ClientOptions say whose app calls where.
type ClientOptions struct {
	CorpID  string
	AgentID int64
	Secret  string
	APIBase string // https://qyapi.weixin.qq.com, a proxy, or a stand-in
	// Robot finds the key of a group's robot, anew for every call, so that a
	// change counts at once: "" when the group has none. After an error the
	// words are kept and tried again. nil: there are no robots.
	Robot  func(ctx context.Context, group string) (key string, err error)
	Tokens TokenStore // nil: this process only
	Budget Budget     // nil: the company's limits are left to the platform
	Files  FileReader // nil: nothing can be uploaded
	Log    *slog.Logger
	Now    func() time.Time
	// Observe counts calls: the API, the error code ("0", "none" without an answer, "http502") and the time taken.
	Observe func(api, code string, took time.Duration)
}

// Budget is a count that all replicas share. Without an answer it says yes: the
// platform's own limit is then the fence.
type Budget interface {
	// Spend counts one use within a window and tells whether limit still holds.
	Spend(ctx context.Context, key string, limit int64, window time.Duration) bool
}

// The company may call each API 10 000 times a minute, over all its replicas;
// a little less is used, because their clocks cut the minute elsewhere.
// https://developer.work.weixin.qq.com/document/path/90312
const companyCalls = 9500

// FileReader reads an attachment out of our own file store.
type FileReader interface {
	Get(ctx context.Context, id string) ([]byte, error)
}

// Client calls WeChat Work. It is safe for concurrent use. No error that it
// returns holds a secret, a token or a key.
type Client struct {
	opt       ClientOptions
	base      *url.URL
	transport *http.Transport
	tokens    *tokens
	life      context.Context // of what no caller waits for alone
	end       context.CancelFunc
}

// NewClient checks the options; it calls nobody.
func NewClient(opt ClientOptions) (*Client, error) {
	base, err := url.Parse(opt.APIBase)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
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
	t.IdleConnTimeout = idleTime
	t.MaxIdleConnsPerHost = 32
	c := &Client{opt: opt, base: base, transport: t}
	c.life, c.end = context.WithCancel(context.Background())
	c.tokens = &tokens{c: c}
	return c, nil
}

// Close lets go of the connections. Calls that run go on, but for a token that
// is just being fetched.
func (c *Client) Close() {
	c.end()
	c.transport.CloseIdleConnections()
}

// HasApp tells whether the self-built app is configured.
func (c *Client) HasApp() bool { return c.opt.AgentID != 0 && c.opt.Secret != "" }

func (c *Client) tokenKey() string { return fmt.Sprintf("%s/%d", c.opt.CorpID, c.opt.AgentID) }

// Token fetches a valid access token: what the doctor tries first.
func (c *Client) Token(ctx context.Context) error {
	_, err := c.tokens.get(ctx)
	return err
}

// observed counts a call.
func (c *Client) observed(api string, call func() error) error {
	began := time.Now()
	err := call()
	if c.opt.Observe != nil {
		c.opt.Observe(api, codeOf(err), time.Since(began))
	}
	return err
}

// codeOf is an error as a metric label.
func codeOf(err error) string {
	var api *APIError
	var call *CallError
	switch {
	case err == nil:
		return "0"
	case errors.As(err, &api):
		return fmt.Sprint(api.Code)
	case errors.As(err, &call) && call.Status != 0:
		return fmt.Sprint("http", call.Status)
	}
	return "none"
}

// withToken makes a call that needs a token; when the platform calls the token
// invalid, it drops it and tries once more.
func (c *Client) withToken(ctx context.Context, api string, call func(ctx context.Context, token string) error) error {
	if b := c.opt.Budget; b != nil && !b.Spend(ctx, "company/"+c.opt.CorpID+"/"+api, companyCalls, time.Minute) {
		return &APIError{API: api, Code: 45009, Msg: "the company's calls of this minute are used up"}
	}
	for try := 0; ; try++ {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return err
		}
		err = c.observed(api, func() error {
			ctx, cancel := context.WithTimeout(ctx, callTime)
			defer cancel()
			return scrubbed(typed(api, call(ctx, token)), url.Values{"access_token": {token}})
		})
		if try > 0 || !tokenSpent(err) {
			return err
		}
		c.tokens.drop(token)
	}
}

// scrubbed takes credentials out of what the platform says.
func scrubbed(err error, q url.Values) error {
	var api *APIError
	if errors.As(err, &api) {
		api.Msg = scrub(api.Msg, q)
	}
	return err
}

// roundTrip sends one request to this client's API base. Anything but HTTP 200
// is an error here already.
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	api, q := apiName(req.URL.Path), req.URL.Query()
	var left atomic.Bool // something of the request may have left this machine
	out := req.Clone(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }}))
	out.URL.Scheme, out.URL.Host = c.base.Scheme, c.base.Host
	out.URL.Path = strings.TrimSuffix(c.base.Path, "/") + req.URL.Path
	out.Host = ""
	resp, err := c.transport.RoundTrip(out)
	if err != nil {
		return nil, &CallError{API: api, Unknown: left.Load(), Err: plainError(err, q)}
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, &CallError{API: api, Status: resp.StatusCode, Unknown: resp.StatusCode >= 500, Err: fmt.Errorf("HTTP %d", resp.StatusCode)}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// plainError takes credentials out of an error of the transport.
func plainError(err error, q url.Values) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if text := scrub(err.Error(), q); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// call sends a request of our own making, without the SDK, and decodes its
// answer into into, or its error code into an error.
func (c *Client) call(ctx context.Context, method, api string, q url.Values, contentType string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, "https://api/cgi-bin/"+api+"?"+q.Encode(), bytes.NewReader(body))
	if err != nil {
		return &CallError{API: api, Err: errors.New("the request cannot be made")}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.roundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return &CallError{API: api, Unknown: true, Err: errors.New("the answer was cut short")}
	}
	var head struct {
		ErrCode int64  `json:"errcode"`
		ErrMsg  string `json:"errmsg"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return &CallError{API: api, Unknown: true, Err: errors.New("the answer is not JSON")}
	}
	if head.ErrCode != 0 {
		return &APIError{API: api, Code: head.ErrCode, Msg: scrub(head.ErrMsg, q)}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return &CallError{API: api, Unknown: true, Err: errors.New("the answer has another form")}
	}
	return nil
}

// post calls an API that the SDK does not cover, with a token.
func (c *Client) post(ctx context.Context, api string, body, into any) error {
	b, err := marshalJSON(body)
	if err != nil {
		return err
	}
	return c.withToken(ctx, api, func(ctx context.Context, token string) error {
		return c.call(ctx, http.MethodPost, api, url.Values{"access_token": {token}}, jsonType, b, into)
	})
}

// Person returns the name and department of a member.
// https://developer.work.weixin.qq.com/document/path/90196
func (c *Client) Person(ctx context.Context, id string) (name, department string, err error) {
	if !c.HasApp() {
		return "", "", errors.New("no app is configured")
	}
	if !safeUserID(id) {
		return "", "", fmt.Errorf("%w: %q is not one member", ErrRejected, cut(id, 20))
	}
	position := ""
	err = c.withToken(ctx, "user/get", func(ctx context.Context, token string) error {
		return c.viaSDK(ctx, token, nil, func(w *work.Work, _ string) error {
			u, err := w.GetAddressList().UserGet(id)
			if err != nil {
				return err
			}
			name, position = u.Name, u.Position
			department, err = departmentName(w, u.MainDepartment)
			return err
		})
	})
	if department == "" {
		department = position
	}
	return name, department, err
}

func departmentName(w *work.Work, id int) (string, error) {
	if id == 0 {
		return "", nil
	}
	all, err := w.GetAddressList().DepartmentListByID(id)
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
func (c *Client) CallbackIPs(ctx context.Context) ([]string, error) {
	const api = "getcallbackip"
	var answer struct {
		IPs []string `json:"ip_list"`
	}
	err := c.withToken(ctx, api, func(ctx context.Context, token string) error {
		return c.call(ctx, http.MethodGet, api, url.Values{"access_token": {token}}, "", nil, &answer)
	})
	return answer.IPs, err
}

// safeUserID tells whether an id can only mean one member: touser also takes
// lists (a|b) and @all. The platform's ids are 1 to 64 of 0-9A-Za-z_-@. and
// begin with a digit or a letter.
// https://developer.work.weixin.qq.com/document/path/90195
func safeUserID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := 0; i < len(id); i++ {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case i > 0 && strings.IndexByte("_-@.", c) >= 0:
		default:
			return false
		}
	}
	return true
}
