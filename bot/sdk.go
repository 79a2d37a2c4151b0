package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/util"
	"github.com/silenceper/wechat/v2/work"
	"github.com/silenceper/wechat/v2/work/config"
)

// This file cures what would bite in silenceper/wechat v2.1.13. Its calls know
// no context, its HTTP client is one variable for the whole process, without a
// time-out, its errors print tokens and keys, and it escapes < and > in bodies.
// So it never sees a credential: each call gets a name that is good for this
// call alone, and the process's HTTP client finds by that name whose call it
// is, its context, the true credential and the frozen body.

var (
	sdkOnce  sync.Once
	sdkCalls sync.Map // name -> *sdkCall
	sdkNames atomic.Int64
)

type sdkCall struct {
	c          *Client
	ctx        context.Context
	credential string // access token or robot key
	body       []byte // sent in place of what the SDK made of it; nil: as it is
}

// installSDK is called before the first use of the SDK.
func installSDK() {
	sdkOnce.Do(func() { util.DefaultHTTPClient = &http.Client{Transport: sdkTransport{}} })
}

// viaSDK runs one call of the SDK. What use returns holds no credential.
func (c *Client) viaSDK(ctx context.Context, credential string, body []byte, use func(w *work.Work, name string) error) error {
	name := fmt.Sprint("call-", sdkNames.Add(1))
	sdkCalls.Store(name, &sdkCall{c, ctx, credential, body})
	defer sdkCalls.Delete(name)
	// Its constructor demands a cache; the token handle that would use it is replaced.
	w := work.NewWork(&config.Config{CorpID: c.opt.CorpID, AgentID: fmt.Sprint(c.opt.AgentID), Cache: noCache{}})
	w.GetContext().AccessTokenHandle = named(name)
	return use(w, name)
}

// named is a token handle that hands out the name of a call.
type named string

func (n named) GetAccessToken() (string, error) { return string(n), nil }

type noCache struct{}

func (noCache) Get(string) interface{}                       { return nil }
func (noCache) Set(string, interface{}, time.Duration) error { return nil }
func (noCache) IsExist(string) bool                          { return false }
func (noCache) Delete(string) error                          { return nil }

var _ cache.Cache = noCache{}

type sdkTransport struct{}

func (sdkTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	param := "access_token"
	if q.Has("key") {
		param = "key"
	}
	found, ok := sdkCalls.Load(q.Get(param))
	if !ok {
		return nil, &CallError{API: apiName(req.URL.Path), Err: errors.New("no client made this call")}
	}
	call := found.(*sdkCall)
	out := req.Clone(call.ctx)
	q.Set(param, call.credential)
	out.URL.RawQuery = q.Encode()
	if call.body != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		out.Body, out.ContentLength, out.GetBody = io.NopCloser(bytes.NewReader(call.body)), int64(len(call.body)), nil
		out.Header.Set("Content-Type", jsonType)
	}
	return call.c.roundTrip(out)
}

// typed turns what the SDK returned into our errors. Other texts of its own
// making are not repeated.
func typed(api string, err error) error {
	if err == nil {
		return nil
	}
	var call *CallError
	var mine *APIError
	var common *util.CommonError
	switch {
	case errors.Is(err, ErrRejected):
		return err
	case errors.As(err, &call):
		return call
	case errors.As(err, &mine):
		return mine
	case errors.As(err, &common):
		return &APIError{API: api, Code: common.ErrCode, Msg: common.ErrMsg}
	}
	// The call itself was made, or roundTrip had said otherwise.
	return &CallError{API: api, Unknown: true, Err: errors.New("the answer could not be read")}
}

// apiName is the path without the common head: message/send.
func apiName(path string) string {
	if i := strings.Index(path, "/cgi-bin/"); i >= 0 {
		return path[i+len("/cgi-bin/"):]
	}
	return strings.Trim(path, "/")
}

// secretParams are the parameters of a query that are credentials.
var secretParams = []string{"access_token", "key", "corpsecret", "response_code"}

// scrub takes the credentials of a query out of a text: a proxy on the way, or
// the platform itself, may repeat them.
func scrub(text string, q url.Values) string {
	for _, p := range secretParams {
		if v := q.Get(p); v != "" {
			text = strings.NewReplacer(v, "***", url.QueryEscape(v), "***").Replace(text)
		}
	}
	return text
}
