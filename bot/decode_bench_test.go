package bot

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"sort"
	"strings"
	"testing"
	"time"
)

// The ratio of these two benchmarks says what the own scanner is worth. Both
// get the same query and body, and both end with the fields of the message.

const (
	benchToken = "QDG6eK"
	benchAES   = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	benchCorp  = "ww0123456789abcdef"
	benchPlain = `<xml><ToUserName><![CDATA[ww0123456789abcdef]]></ToUserName><FromUserName><![CDATA[zhoulan]]></FromUserName><CreateTime>1788000000</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[报障 客户登录交易客户端提示“状态异常”，换手机也一样，客户在柜台等]]></Content><MsgId>7348901234567890123</MsgId><AgentID>1000002</AgentID></xml>`
)

func benchRequest(tb testing.TB) (Options, string, []byte, time.Time) {
	tb.Helper()
	keys, err := newKeys(benchToken, benchAES, benchCorp)
	if err != nil {
		tb.Fatal(err)
	}
	now := time.Unix(1788000001, 0)
	encrypt := keys.Encrypt([]byte(benchPlain))
	query := url.Values{
		"msg_signature": {keys.Sign("1788000001", "1372623149", encrypt)},
		"timestamp":     {"1788000001"}, "nonce": {"1372623149"},
	}.Encode()
	body := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt><AgentID><![CDATA[1000002]]></AgentID></xml>", benchCorp, encrypt)
	return Options{Corp: benchCorp, AgentID: "1000002", AppKeys: []*Keys{keys}}, query, []byte(body), now
}

func BenchmarkDecode(b *testing.B) {
	opt, query, body, now := benchRequest(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		req := request{now: now, body: body}
		var no *refusal
		if req.q, no = parseSigned(query, false); no != nil {
			b.Fatal(no)
		}
		m, no := req.decodeApp(&opt)
		if no != nil || m.Sender != "zhoulan" {
			b.Fatal(no, m)
		}
	}
}

// textbookEnvelope and textbookMessage are what callers of encoding/xml write.
type textbookEnvelope struct {
	XMLName    xml.Name `xml:"xml"`
	ToUserName string   `xml:"ToUserName"`
	AgentID    string   `xml:"AgentID"`
	Encrypt    string   `xml:"Encrypt"`
}

type textbookMessage struct {
	XMLName      xml.Name `xml:"xml"`
	ToUserName   string   `xml:"ToUserName"`
	FromUserName string   `xml:"FromUserName"`
	CreateTime   int64    `xml:"CreateTime"`
	MsgType      string   `xml:"MsgType"`
	Content      string   `xml:"Content"`
	MsgID        uint64   `xml:"MsgId"`
	AgentID      string   `xml:"AgentID"`
	Event        string   `xml:"Event"`
	EventKey     string   `xml:"EventKey"`
	MediaID      string   `xml:"MediaId"`
}

func BenchmarkDecodeTextbook(b *testing.B) {
	_, query, body, _ := benchRequest(b)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		q, err := url.ParseQuery(query)
		if err != nil {
			b.Fatal(err)
		}
		m, err := textbookDecode(benchToken, benchAES, benchCorp, q, body)
		if err != nil || m.FromUserName != "zhoulan" {
			b.Fatal(err, m)
		}
	}
}

// textbookDecode is a callback decoder as the platform's page describes it,
// with the checks that a careful writer puts in.
func textbookDecode(token, aesKey, corp string, q url.Values, body []byte) (*textbookMessage, error) {
	var e textbookEnvelope
	if err := xml.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	parts := []string{token, q.Get("timestamp"), q.Get("nonce"), e.Encrypt}
	sort.Strings(parts)
	if fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(parts, "")))) != q.Get("msg_signature") {
		return nil, errors.New("signature does not match")
	}
	key, err := base64.StdEncoding.DecodeString(aesKey + "=")
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(e.Encrypt)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	if len(raw) == 0 || len(raw)%block.BlockSize() != 0 {
		return nil, errors.New("ciphertext is not whole blocks")
	}
	plain := make([]byte, len(raw))
	cipher.NewCBCDecrypter(block, key[:block.BlockSize()]).CryptBlocks(plain, raw)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > 32 || pad > len(plain) {
		return nil, errors.New("bad padding")
	}
	plain = plain[:len(plain)-pad]
	if len(plain) < 20 {
		return nil, errors.New("too short")
	}
	n := int(binary.BigEndian.Uint32(plain[16:20]))
	if n > len(plain)-20 {
		return nil, errors.New("bad length")
	}
	if string(plain[20+n:]) != corp {
		return nil, errors.New("receiver does not match")
	}
	var m textbookMessage
	if err := xml.Unmarshal(plain[20:20+n], &m); err != nil {
		return nil, err
	}
	return &m, nil
}
