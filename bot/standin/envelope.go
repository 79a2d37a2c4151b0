package standin

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// envelope is the signed and encrypted form of one callback: XML for apps
// (doc 90238), JSON for smart bots (doc 101033), where the receiver is empty.
type envelope struct {
	kind      string // app or bot
	token     string
	key       []byte
	receiver  string
	corpID    string
	agentID   string
	timestamp string
	nonce     string
	random    []byte
	inner     []byte
	encrypted string
	signature string
	rawBody   []byte // sent instead of the usual body when set
}

// newEnvelope makes a fresh one: new nonce, timestamp and ciphertext for every try.
func (s *Server) newEnvelope(target Place, inner []byte) *envelope {
	kind, id := target.split()
	e := &envelope{kind: kind, corpID: s.opt.CorpID, timestamp: strconv.FormatInt(s.now().Unix(), 10),
		nonce: strconv.FormatUint(s.rnd.Uint64N(1e10), 10), random: s.randomBytes(16), inner: inner}
	if kind == "bot" {
		if b := s.bots[id]; b != nil {
			e.token, e.key = b.Token, b.key
		}
	} else if a := s.apps[atoi(id)]; a != nil {
		e.token, e.key, e.receiver, e.agentID = a.Token, a.key, s.opt.CorpID, id
	}
	if e.key == nil {
		e.key = make([]byte, 32)
	}
	e.seal()
	return e
}

func (e *envelope) seal() {
	e.encrypted = seal(e.key, e.random, e.inner, e.receiver)
	e.signature = sign(e.token, e.timestamp, e.nonce, e.encrypted)
}

func (e *envelope) address(target string) string {
	q := url.Values{"msg_signature": {e.signature}, "timestamp": {e.timestamp}, "nonce": {e.nonce}}
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	return target + sep + q.Encode()
}

func (e *envelope) contentType() string {
	if e.kind == "bot" {
		return "application/json"
	}
	return "text/xml"
}

func (e *envelope) body() []byte {
	if e.rawBody != nil {
		return e.rawBody
	}
	if e.kind == "bot" {
		return []byte(asJSON(map[string]string{"encrypt": e.encrypted}))
	}
	var x xmlText
	x.open("xml")
	x.text("ToUserName", e.corpID)
	x.text("AgentID", e.agentID)
	x.text("Encrypt", e.encrypted)
	x.close("xml")
	return x.Bytes()
}

// openReply returns the clear text of a passive reply; nil when the body says
// only "received" (empty, or the word success).
func (e *envelope) openReply(body []byte) ([]byte, error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 || string(trimmed) == "success" {
		return nil, nil
	}
	var encrypted, signature, timestamp, nonce string
	if e.kind == "bot" {
		var r struct {
			Encrypt   string `json:"encrypt"`
			Signature string `json:"msgsignature"`
			Timestamp *int64 `json:"timestamp"`
			Nonce     string `json:"nonce"`
		}
		if err := json.Unmarshal(trimmed, &r); err != nil {
			return nil, fmt.Errorf("it is no JSON envelope: %w", err)
		}
		if r.Timestamp == nil {
			return nil, errors.New("timestamp (integer seconds) is missing")
		}
		encrypted, signature, timestamp, nonce = r.Encrypt, r.Signature, strconv.FormatInt(*r.Timestamp, 10), r.Nonce
		if nonce != e.nonce {
			return nil, errors.New("nonce is not the callback's")
		}
	} else {
		var r struct {
			XMLName   xml.Name `xml:"xml"`
			Encrypt   string   `xml:"Encrypt"`
			Signature string   `xml:"MsgSignature"`
			Timestamp string   `xml:"TimeStamp"`
			Nonce     string   `xml:"Nonce"`
		}
		if err := xml.Unmarshal(trimmed, &r); err != nil {
			return nil, fmt.Errorf("it is no XML envelope: %w", err)
		}
		encrypted, signature, timestamp, nonce = r.Encrypt, r.Signature, strings.TrimSpace(r.Timestamp), r.Nonce
	}
	if encrypted == "" {
		return nil, errors.New("the encrypted part is missing")
	}
	if !sameSignature(sign(e.token, timestamp, nonce, encrypted), signature) {
		return nil, errors.New("its signature is wrong")
	}
	clear, receiver, err := open(e.key, encrypted)
	if err != nil {
		return nil, err
	}
	if receiver != e.receiver {
		return nil, fmt.Errorf("it is for receiver %q instead of %q", receiver, e.receiver)
	}
	return clear, nil
}
