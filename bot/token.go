package bot

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// TokenStore shares access tokens between replicas. It may fail at any time.
type TokenStore interface {
	LoadToken(ctx context.Context, key string) (token string, ends time.Time, err error)
	SaveToken(ctx context.Context, key, token string, ends time.Time) error
	Lock(ctx context.Context, key string, life time.Duration) (unlock func(), won bool)
}

// tokens is the access token of one app: fetched by one caller while others
// wait, shared between replicas, dropped when the platform calls it invalid.
// https://developer.work.weixin.qq.com/document/path/91039
type tokens struct {
	c     *Client
	mu    sync.Mutex // held while fetching: single flight
	token string
	ends  time.Time
}

// GetAccessToken is the SDK's interface; it knows no context.
func (t *tokens) GetAccessToken() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	return t.get(ctx)
}

func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != "" && t.c.opt.Now().Before(t.ends) {
		return t.token, nil
	}
	if t.c.opt.Tokens == nil {
		return t.fetch(ctx)
	}
	return t.shared(ctx)
}

// shared takes the token that another replica fetched, or fetches it for all.
func (t *tokens) shared(ctx context.Context) (string, error) {
	store, key := t.c.opt.Tokens, t.c.tokenKey()
	for try := 0; ; try++ {
		if token, ends, err := store.LoadToken(ctx, key); err == nil && token != "" && token != t.token && t.c.opt.Now().Before(ends) {
			t.keep(token, ends)
			return token, nil
		}
		unlock, won := store.Lock(ctx, key, callTime)
		if won || try >= 20 {
			defer unlock()
			return t.fetch(ctx)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (t *tokens) keep(token string, ends time.Time) {
	if t.token != "" && t.token != token {
		owners.Delete(t.token)
	}
	t.token, t.ends = token, ends
	owners.Store(token, t.c)
}

// fetch asks the platform. Repeated calls within its life return the same token.
func (t *tokens) fetch(ctx context.Context) (string, error) {
	q := url.Values{"corpid": {t.c.opt.CorpID}, "corpsecret": {t.c.opt.Secret}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api/cgi-bin/gettoken?"+q.Encode(), nil)
	if err != nil {
		return "", errors.New("gettoken: the corp id or secret holds impossible characters")
	}
	var answer struct {
		ErrCode   int64  `json:"errcode"`
		ErrMsg    string `json:"errmsg"`
		Token     string `json:"access_token"`
		ExpiresIn int64  `json:"expires_in"`
	}
	if err := t.c.do(req, "gettoken", &answer); err != nil {
		return "", err
	}
	if answer.ErrCode != 0 || answer.Token == "" {
		return "", &APIError{API: "gettoken", Code: answer.ErrCode, Msg: answer.ErrMsg}
	}
	// Ends early and jittered, so that replicas do not all fetch in one moment.
	life := time.Duration(answer.ExpiresIn)*time.Second - time.Duration(200+rand.IntN(200))*time.Second
	ends := t.c.opt.Now().Add(max(life, time.Minute))
	t.keep(answer.Token, ends)
	if s := t.c.opt.Tokens; s != nil {
		if err := s.SaveToken(ctx, t.c.tokenKey(), answer.Token, ends); err != nil {
			t.c.opt.Log.Debug("token not shared", "err", err)
		}
	}
	return answer.Token, nil
}

// drop forgets a token that the platform refused, unless a newer one is there.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != token {
		return
	}
	t.ends = time.Time{}
	s := t.c.opt.Tokens
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if shared, _, err := s.LoadToken(ctx, t.c.tokenKey()); err == nil && shared == token {
		s.SaveToken(ctx, t.c.tokenKey(), "", time.Time{})
	}
}

func readAnswer(resp *http.Response, into any) error {
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}
