package bot

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// replayWindow is how far the platform's clock and ours may differ, and how
// long a captured callback that we never saw is worth anything.
const replayWindow = 5 * time.Minute

const (
	maxNonce = 64
	maxEcho  = 1024
)

// signed is the query of a callback. The signature covers its values joined
// without borders, so their forms must be strict: otherwise a digit moved from
// the nonce to the timestamp would keep the signature right.
type signed struct {
	signature [20]byte
	timestamp string
	nonce     string
	echo      string // GET only
	at        time.Time
}

// late tells whether the callback is outside the window.
func (q signed) late(now time.Time) bool {
	d := now.Sub(q.at)
	return d > replayWindow || d < -replayWindow
}

// parseSigned reads the query. It refuses with 400 what is there twice and with
// 401 whatever the platform would not send.
func parseSigned(raw string, wantEcho bool) (signed, *refusal) {
	var q signed
	var values [4]string
	var found [4]bool
	names := [4]string{"msg_signature", "timestamp", "nonce", "echostr"}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		key, value, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			return q, badForm
		}
		i := slices.Index(names[:], key)
		if i < 0 {
			continue
		}
		if found[i] {
			return q, malformed
		}
		found[i] = true
		if values[i], err = url.QueryUnescape(value); err != nil {
			return q, badForm
		}
	}
	if wantEcho && !found[3] {
		return q, badForm
	}
	q.timestamp, q.nonce, q.echo = values[1], values[2], values[3]
	if !validHex(values[0]) || !validTimestamp(q.timestamp) || !validNonce(q.nonce) || len(q.echo) > maxEcho {
		return q, badForm
	}
	if _, err := hex.Decode(q.signature[:], []byte(values[0])); err != nil {
		return q, badForm
	}
	unix, err := strconv.ParseInt(q.timestamp, 10, 64)
	if err != nil {
		return q, badForm
	}
	q.at = time.Unix(unix, 0)
	return q, nil
}

func validHex(s string) bool {
	if len(s) != 40 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

func validTimestamp(s string) bool {
	if len(s) != 10 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func validNonce(s string) bool {
	if s == "" || len(s) > maxNonce {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
