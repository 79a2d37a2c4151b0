package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"frontline/bot/chat"
)

// A smart bot gets attachments as addresses that live five minutes; behind them
// are bytes that are encrypted with the callback's key (over the long
// connection: with a key of their own).
// See https://developer.work.weixin.qq.com/document/path/100719.

const (
	mediaTime      = 60 * time.Second
	mediaRedirects = 3
	mediaName      = 200 // bytes
)

// Faults of a fetch that no repeat will cure.
var (
	ErrMediaExpired = fmt.Errorf("the attachment's address has expired: %w", chat.ErrGiveUp)
	ErrMediaTooBig  = fmt.Errorf("the attachment is too big: %w", chat.ErrGiveUp)
	ErrMediaDamaged = fmt.Errorf("the attachment is damaged or encrypted with another key: %w", chat.ErrGiveUp)
	ErrMediaAddress = fmt.Errorf("the attachment's address is not one to be fetched: %w", chat.ErrGiveUp)
)

// MediaFile is a fetched attachment. Type is what the bytes look like, not what
// the sender said.
type MediaFile struct {
	Name string
	Type string
	Body []byte
}

// MediaFetcher fetches the attachments of a smart bot.
type MediaFetcher struct {
	client   *http.Client
	loopback bool
	most     int64
}

// NewMediaFetcher makes a fetcher for attachments of up to most bytes. The
// addresses come from outside, so it calls public addresses by https only;
// allowLoopback admits this machine, and http to it, for a stand-in.
func NewMediaFetcher(most int64, allowLoopback bool) *MediaFetcher {
	f := &MediaFetcher{most: most, loopback: allowLoopback}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: f.checkDial}
	f.client = &http.Client{
		Timeout: mediaTime,
		Transport: &http.Transport{ // no proxy: it would dial in our place
			DialContext:           dialer.DialContext,
			ForceAttemptHTTP2:     true,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 20 * time.Second,
			IdleConnTimeout:       time.Minute,
			DisableCompression:    true,
		},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > mediaRedirects || !f.allowed(r.URL) {
				return ErrMediaAddress
			}
			return nil
		},
	}
	return f
}

// checkDial looks at the address that is really dialled, behind every spelling
// and every answer of the name service.
func (f *MediaFetcher) checkDial(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrMediaAddress
	}
	ip := ap.Addr().Unmap()
	if f.loopback && ip.IsLoopback() {
		return nil
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || carrierNAT.Contains(ip) {
		return ErrMediaAddress
	}
	return nil
}

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598; metadata services live there too

func (f *MediaFetcher) allowed(u *url.URL) bool {
	if u.User != nil || u.Host == "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && f.loopback && (err == nil && ip.IsLoopback() || u.Hostname() == "localhost")
}

// Fetch gets and decrypts m. keys are the smart bot's, newest first; m.Key goes
// before them. The encryption has no check sum: bytes that were changed on the
// way are found only when they reach the padding.
func (f *MediaFetcher) Fetch(ctx context.Context, m chat.Media, keys []*Keys) (MediaFile, error) {
	if m.Key != "" {
		own, err := newKeys("media", strings.TrimRight(m.Key, "="), "")
		if err != nil {
			return MediaFile{}, ErrMediaDamaged
		}
		keys = []*Keys{own}
	}
	body, header, err := f.get(ctx, m.URL)
	if err != nil {
		return MediaFile{}, err
	}
	plain, ok := decryptWith(keys, body)
	if !ok {
		return MediaFile{}, ErrMediaDamaged
	}
	name := dispositionName(header.Get("Content-Disposition"))
	if name == "" {
		name = cleanName(m.Name)
	}
	return MediaFile{Name: name, Type: http.DetectContentType(plain), Body: plain}, nil
}

// get returns what stands behind an address. Errors do not hold the address,
// which is as good as a password while it lives.
func (f *MediaFetcher) get(ctx context.Context, address string) ([]byte, http.Header, error) {
	u, err := url.Parse(address)
	if err != nil || !f.allowed(u) {
		return nil, nil, ErrMediaAddress
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, ErrMediaAddress
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return nil, nil, ErrMediaExpired
	case resp.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("fetch an attachment: status %d", resp.StatusCode)
	}
	limit := f.most + padBlock
	if resp.ContentLength > limit {
		return nil, nil, ErrMediaTooBig
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, nil, withoutURL(err)
	}
	if int64(len(body)) > limit {
		return nil, nil, ErrMediaTooBig
	}
	return body, resp.Header, nil
}

func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("fetch an attachment: %w", err)
}

// decryptWith tries the keys in turn; a wrong one fails at the padding, save by
// a chance of about one in 255.
func decryptWith(keys []*Keys, body []byte) ([]byte, bool) {
	for i, k := range keys {
		try := body
		if i < len(keys)-1 {
			try = append([]byte(nil), body...)
		}
		if plain, ok := k.decryptMedia(try); ok {
			return plain, true
		}
	}
	return nil, false
}

// dispositionName reads the file name, in either spelling (RFC 6266).
func dispositionName(header string) string {
	_, params, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return cleanName(params["filename"])
}

// cleanName makes a name that can be shown and offered: no directories, no
// control or direction characters, not too long. It is never a path of ours.
func cleanName(s string) string {
	if un, err := url.PathUnescape(s); err == nil { // some senders escape the plain spelling too
		s = un
	}
	s = path.Base(strings.ReplaceAll(strings.ToValidUTF8(s, ""), `\`, "/"))
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s))
	if s == "." || s == ".." || s == "/" {
		return ""
	}
	if len(s) > mediaName {
		ext := path.Ext(s)
		if len(ext) > 16 {
			ext = ""
		}
		end := mediaName - len(ext)
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + ext
	}
	return s
}
