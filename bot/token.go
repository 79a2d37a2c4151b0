package bot

import (
	"context"
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
	// Lock lets one replica at a time fetch. unlock is never nil.
	Lock(ctx context.Context, key string, life time.Duration) (unlock func(), won bool)
}

// refusedTime is how long a refusal of gettoken is believed without asking
// again: some 2000 wrong secrets an hour close it for an hour, so an operator
// who mends the secret would find it closed.
const refusedTime = 30 * time.Second

// lockWait is how long a replica waits for the token that another one fetches.
const lockWait = 3 * time.Second

// tokens is the access token of one app: fetched by one caller while others
// wait, shared between replicas, dropped when the platform calls it invalid.
// https://developer.work.weixin.qq.com/document/path/91039
type tokens struct {
	c       *Client
	mu      sync.Mutex
	token   string
	ends    time.Time
	flight  *flight // under way
	refused error   // of gettoken, believed until
	until   time.Time
}

// flight is one fetch that several callers wait for.
type flight struct {
	done  chan struct{}
	token string
	err   error
}

// get returns a token. An error says nothing about the call that it was for:
// that call was not made.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	now := t.c.opt.Now()
	switch {
	case t.token != "" && now.Before(t.ends):
		defer t.mu.Unlock()
		return t.token, nil
	case t.refused != nil && now.Before(t.until):
		defer t.mu.Unlock()
		return "", t.refused
	case t.flight == nil:
		t.flight = &flight{done: make(chan struct{})}
		// The fetch belongs to all who wait, so the end of one caller does not end it.
		go t.fly(t.c.life, t.flight, t.token)
	}
	f := t.flight
	t.mu.Unlock()
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return "", &CallError{API: "gettoken", Err: ctx.Err()}
	}
}

// fly ends f with a token or an error; old is one that is no good any more.
func (t *tokens) fly(ctx context.Context, f *flight, old string) {
	ctx, cancel := context.WithTimeout(ctx, callTime+lockWait)
	defer cancel()
	token, ends, err := t.shared(ctx, old)
	t.mu.Lock()
	defer t.mu.Unlock()
	f.token, f.err, t.flight = token, err, nil
	close(f.done)
	switch class := Classify(err); {
	case err == nil:
		t.token, t.ends, t.refused = token, ends, nil
	case class == ClassConfig || class == ClassRate:
		t.refused, t.until = err, t.c.opt.Now().Add(refusedTime)
	}
}

// shared takes the token that another replica fetched, or fetches it for all.
func (t *tokens) shared(ctx context.Context, old string) (string, time.Time, error) {
	store, key := t.c.opt.Tokens, t.c.tokenKey()
	if store == nil {
		return t.fetch(ctx)
	}
	// The lock is tried for as long as a fetch of another replica takes, by the
	// real clock: opt.Now only says whether a token has ended.
	for begun := time.Now(); ; {
		token, ends, err := store.LoadToken(ctx, key)
		if err == nil && token != "" && token != old && t.c.opt.Now().Before(ends) {
			return token, ends, nil
		}
		unlock, won := store.Lock(ctx, key, callTime)
		if !won && time.Since(begun) < lockWait && ctx.Err() == nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		defer unlock()
		// Between the look and the lock another replica may have finished.
		if token, ends, err = store.LoadToken(ctx, key); err == nil && token != "" && token != old && t.c.opt.Now().Before(ends) {
			return token, ends, nil
		}
		if token, ends, err = t.fetch(ctx); err == nil {
			if err := store.SaveToken(ctx, key, token, ends); err != nil {
				t.c.opt.Log.Debug("token not shared", "err", "the shared store did not take it")
			}
		}
		return token, ends, err
	}
}

// fetch asks the platform. Repeated calls within its life return the same token.
func (t *tokens) fetch(ctx context.Context) (string, time.Time, error) {
	const api = "gettoken"
	var answer struct {
		Token     string `json:"access_token"`
		ExpiresIn int64  `json:"expires_in"`
	}
	err := t.c.observed(api, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		return t.c.call(ctx, http.MethodGet, api, url.Values{"corpid": {t.c.opt.CorpID}, "corpsecret": {t.c.opt.Secret}}, "", nil, &answer)
	})
	if err == nil && answer.Token == "" {
		err = &CallError{API: api, Err: errors.New("the answer holds no token")}
	}
	if err != nil {
		return "", time.Time{}, notSent(err)
	}
	// Ends early and jittered, so that replicas do not all fetch in one moment.
	life := time.Duration(answer.ExpiresIn)*time.Second - time.Duration(200+rand.IntN(200))*time.Second
	return answer.Token, t.c.opt.Now().Add(max(life, time.Minute)), nil
}

// drop forgets a token that the platform refused, unless a newer one is there.
// The shared store keeps it until somebody saves another: who looks there knows
// which one is no good, and to take it out could hit a newer one.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.ends = time.Time{}
	}
}
