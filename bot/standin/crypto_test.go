package standin

import (
	"bytes"
	"encoding/base64"
	"testing"
)

// The platform's own sample: https://developer.work.weixin.qq.com/document/path/90968.
func TestOfficialVector(t *testing.T) {
	const echo = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
	if got := sign("QDG6eK", "1409659589", "263014780", echo); got != "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3" {
		t.Errorf("signature %s", got)
	}
	key, err := parseAESKey(testKey)
	if err != nil {
		t.Fatal(err)
	}
	text, receiver, err := open(key, echo)
	if err != nil || string(text) != "1616140317555161061" || receiver != "wx5823bf96d3bd56c7" {
		t.Errorf("opened %q for %q, %v", text, receiver, err)
	}
}

func TestSealOpen(t *testing.T) {
	key, _ := parseAESKey(testKey)
	random := bytes.Repeat([]byte{9}, 16)
	for n := range 100 { // every padding length, and the empty receiver of a bot
		msg := bytes.Repeat([]byte("字")[:1], n)
		for _, receiver := range []string{"", testCorp} {
			text, to, err := open(key, seal(key, random, msg, receiver))
			if err != nil || !bytes.Equal(text, msg) || to != receiver {
				t.Fatalf("%d bytes for %q: %q for %q, %v", n, receiver, text, to, err)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	key, _ := parseAESKey(testKey)
	good := seal(key, bytes.Repeat([]byte{9}, 16), []byte("hello"), testCorp)
	raw, _ := base64.StdEncoding.DecodeString(good)
	spoiled := bytes.Clone(raw)
	spoiled[len(spoiled)-17] ^= 1
	for name, c := range map[string]string{
		"not base64": "*" + good[1:], "half a block": base64.StdEncoding.EncodeToString(raw[:len(raw)-5]),
		"empty": "", "spoiled padding": base64.StdEncoding.EncodeToString(spoiled),
		"length": base64.StdEncoding.EncodeToString(encryptCBC(key, append(bytes.Repeat([]byte{1}, 16), 255, 255, 255, 255))),
		"short":  base64.StdEncoding.EncodeToString(encryptCBC(key, []byte("short"))),
	} {
		if text, _, err := open(key, c); err == nil {
			t.Errorf("%s: opened %q", name, text)
		}
	}
	if _, err := parseAESKey("short"); err == nil {
		t.Error("a short EncodingAESKey is accepted")
	}
}
