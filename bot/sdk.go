package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/util"
	"github.com/silenceper/wechat/v2/work"
	"github.com/silenceper/wechat/v2/work/config"
)

// This file cures what would bite in silenceper/wechat v2.1.13. Its HTTP
// client is one variable for the whole process, without a time-out, and its
// errors print tokens and keys. So that variable is set once, to a transport
// that finds the Client behind each call by the credential in its URL, sends
// the call to that Client's API base with its own time-outs, and turns every
// failure into a typed error without the URL.

var (
	sdkOnce sync.Once
	owners  sync.Map // credential (access token or robot key) -> *Client
)

// installSDK is called before the first use of the SDK.
func installSDK() {
	sdkOnce.Do(func() {
		util.DefaultHTTPClient = &http.Client{Transport: sdkTransport{}, Timeout: 2 * callTime}
	})
}

// newWork makes the SDK's entry with our own token handle. Cache is required
// by its constructor but never used: the handle is replaced.
func newWork(c *Client) *work.Work {
	w := work.NewWork(&config.Config{CorpID: c.opt.CorpID, CorpSecret: c.opt.Secret, AgentID: fmt.Sprint(c.opt.AgentID), Cache: noCache{}})
	w.GetContext().AccessTokenHandle = c.tokens
	return w
}

type noCache struct{}

func (noCache) Get(string) interface{}                       { return nil }
func (noCache) Set(string, interface{}, time.Duration) error { return nil }
func (noCache) IsExist(string) bool                          { return false }
func (noCache) Delete(string) error                          { return nil }

var _ cache.Cache = noCache{}

type sdkTransport struct{}

func (sdkTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	credential := q.Get("access_token")
	if credential == "" {
		credential = q.Get("key")
	}
	owner, ok := owners.Load(credential)
	if !ok {
		return nil, &CallError{API: apiName(req.URL.Path), Err: errors.New("no client owns this credential")}
	}
	return owner.(*Client).roundTrip(req)
}

// maxAnswer bounds what is read of one answer; media is the largest.
const maxAnswer = 64 << 20

// roundTrip sends one request to this client's API base. Anything but HTTP 200
// is an error here already, because the SDK would print the URL.
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	api := apiName(req.URL.Path)
	wrote := false
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) { wrote = wrote || i.Err == nil }})
	out := req.Clone(ctx)
	out.URL.Scheme, out.URL.Host = c.base.Scheme, c.base.Host
	out.URL.Path = strings.TrimSuffix(c.base.Path, "/") + req.URL.Path
	out.Host = ""
	began := time.Now()
	resp, err := c.transport.RoundTrip(out)
	if err != nil {
		c.observe(api, "none", began)
		return nil, &CallError{API: api, Unknown: wrote, Err: stripURL(err)}
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		c.observe(api, fmt.Sprint("http", resp.StatusCode), began)
		return nil, &CallError{API: api, Unknown: resp.StatusCode >= 500, Err: fmt.Errorf("HTTP %d", resp.StatusCode)}
	}
	resp.Body = &countedBody{r: io.LimitReader(resp.Body, maxAnswer), c: resp.Body}
	return resp, nil
}

type countedBody struct {
	r io.Reader
	c io.Closer
}

func (b *countedBody) Read(p []byte) (int, error) { return b.r.Read(p) }
func (b *countedBody) Close() error               { return b.c.Close() }

// apiName is the path without the common head: message/send.
func apiName(path string) string {
	if i := strings.Index(path, "/cgi-bin/"); i >= 0 {
		return path[i+len("/cgi-bin/"):]
	}
	return strings.Trim(path, "/")
}

// stripURL takes the URL, and with it every secret, out of an error.
func stripURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return stripURL(u.Err)
	}
	return err
}

// typed turns what the SDK returned into our errors. A text of its own making
// may hold the URL and is not repeated.
func typed(api string, err error) error {
	if err == nil {
		return nil
	}
	var call *CallError
	var mine *APIError
	var common *util.CommonError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &call):
		return call
	case errors.As(err, &mine):
		return mine
	case errors.As(err, &common):
		return &APIError{API: api, Code: common.ErrCode, Msg: common.ErrMsg}
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return &CallError{API: api, Unknown: true, Err: errors.New("time-out")}
	case errors.As(err, &syntax), strings.Contains(err.Error(), "json Unmarshal"):
		return &CallError{API: api, Unknown: true, Err: errors.New("the answer is not JSON")}
	}
	return &CallError{API: api, Unknown: true, Err: errors.New("the call failed")}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
