package bot

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"frontline/bot/chat"
)

// The platform checks a callback address by a GET whose echostr must come back
// decrypted: https://developer.work.weixin.qq.com/document/path/90238. Its
// signature is made like that of a POST, so whoever captured a message could
// have it decrypted here. Only what cannot be a message is answered, rarely.
const (
	checksPerMinute = 10
	maxPlainEcho    = 64
)

func (c *Callback) checkURL(r *http.Request, req *request) (answer, *refusal) {
	if c.opt.DisableURLCheck {
		return answer{}, &refusal{http.StatusNotFound, ResultMethod}
	}
	var no *refusal
	if req.q, no = parseSigned(r.URL.RawQuery, true); no != nil {
		return answer{}, no
	}
	keys := c.opt.AppKeys
	if req.via == chat.Bot {
		keys = c.opt.BotKeys
	}
	// Some proxies decode the query twice, which turns + into a space.
	plain, no := req.open(keys, strings.ReplaceAll(req.q.echo, " ", "+"))
	if no != nil {
		return answer{}, no
	}
	if req.q.late(req.now) {
		return answer{}, skewed
	}
	if !c.checks.take(req.now) {
		return answer{}, &refusal{http.StatusTooManyRequests, ResultLimited}
	}
	if !plainEcho(plain) {
		return answer{}, forged
	}
	return answer{result: ResultChecked, kind: "text/plain; charset=utf-8", body: plain}, nil
}

// plainEcho tells whether b is short and printable, and neither XML nor JSON.
func plainEcho(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c > '~' || strings.IndexByte("<>&{}[]\"'`\\", c) >= 0 {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxPlainEcho
}

// bucket holds a minute's worth of tokens and fills evenly.
type bucket struct {
	mu     sync.Mutex
	size   float64
	tokens float64
	at     time.Time
}

func newBucket(perMinute int) *bucket {
	return &bucket{size: float64(perMinute), tokens: float64(perMinute)}
}

func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(b.size, b.tokens+passed.Minutes()*b.size)
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
