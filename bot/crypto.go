package bot

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrForged is the one answer to every callback that does not prove to come
// from the platform, whatever is wrong with it: a reason would help whoever
// forges it.
var ErrForged = errors.New("the callback does not prove to come from WeChat Work")

// padBlock is the block that the platform pads to: 32 bytes, although AES works
// in blocks of 16. See https://developer.work.weixin.qq.com/document/path/90968.
const padBlock = 32

// plainHead is what stands before the message: 16 random bytes and the length.
const plainHead = 16 + 4

// Keys is one pair of callback token and EncodingAESKey. It checks, decrypts
// and encrypts; it is safe for concurrent use.
type Keys struct {
	// Until ends the life of the previous pair after a change of keys. Zero
	// means no end. It must be set before the first use.
	Until time.Time

	token     string
	receiveID string
	aes       cipher.Block
	iv        [aes.BlockSize]byte
}

// sampleAESKeys stand in the platform's documentation and its sample code.
// Everybody knows them, so a desk that used one would believe anybody.
var sampleAESKeys = []string{
	"jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
	"6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt",
}

// NewKeys makes Keys from what the admin console shows. receiveID is the corp
// ID for a self-built app and empty for a smart bot. The error names the fault
// and never the value.
func NewKeys(token, encodingAESKey, receiveID string) (*Keys, error) {
	if slices.Contains(sampleAESKeys, encodingAESKey) {
		return nil, errors.New("the EncodingAESKey is the one from the platform's public samples: press 随机获取 in the admin console and use that")
	}
	return newKeys(token, encodingAESKey, receiveID)
}

// newKeys is NewKeys that takes the public sample keys too; tests use it.
func newKeys(token, encodingAESKey, receiveID string) (*Keys, error) {
	if token == "" {
		return nil, errors.New("the callback token is empty")
	}
	key, err := decodeAESKey(encodingAESKey)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	k := &Keys{token: token, receiveID: receiveID, aes: block}
	copy(k.iv[:], key)
	return k, nil
}

// decodeAESKey is lenient about the last character: it carries two bits that
// belong to no byte, and the platform fills them at random, so a strict base64
// decoder refuses good keys, the one of the official sample among them.
func decodeAESKey(s string) ([]byte, error) {
	if len(s) != 43 {
		return nil, fmt.Errorf("the EncodingAESKey has %d characters instead of 43", len(s))
	}
	key, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil || len(key) != 32 {
		return nil, errors.New("the EncodingAESKey holds characters other than letters and digits")
	}
	return key, nil
}

func (k *Keys) expired(now time.Time) bool { return !k.Until.IsZero() && now.After(k.Until) }

// digest is SHA-1 over the four strings, sorted bytewise and joined without
// borders. See https://developer.work.weixin.qq.com/document/path/90968.
func (k *Keys) digest(timestamp, nonce, ciphertext string) [sha1.Size]byte {
	parts := [4]string{k.token, timestamp, nonce, ciphertext}
	slices.Sort(parts[:])
	var room [2048]byte // an ordinary callback fits without an allocation
	buf := room[:0]
	for _, p := range parts {
		buf = append(buf, p...)
	}
	return sha1.Sum(buf)
}

// Sign returns the msg_signature of a ciphertext.
func (k *Keys) Sign(timestamp, nonce, ciphertext string) string {
	sum := k.digest(timestamp, nonce, ciphertext)
	return hex.EncodeToString(sum[:])
}

// verify compares in constant time, on decoded bytes.
func (k *Keys) verify(signature [sha1.Size]byte, timestamp, nonce, ciphertext string) bool {
	sum := k.digest(timestamp, nonce, ciphertext)
	return subtle.ConstantTimeCompare(sum[:], signature[:]) == 1
}

var strictBase64 = base64.StdEncoding.Strict()

// Decrypt opens a ciphertext: base64 of AES-256-CBC of 16 random bytes, the
// length, the message and the receive id, padded to 32. Every fault is
// ErrForged. Check the signature first.
func (k *Keys) Decrypt(ciphertext string) ([]byte, error) {
	raw, ok := decodeStrict(ciphertext)
	if !ok || len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, ErrForged
	}
	cipher.NewCBCDecrypter(k.aes, k.iv[:]).CryptBlocks(raw, raw)
	plain, ok := unpad(raw)
	if !ok || len(plain) < plainHead {
		return nil, ErrForged
	}
	// In 64 bits: a length near 2^32 must not wrap around.
	end := int64(plainHead) + int64(binary.BigEndian.Uint32(plain[plainHead-4:plainHead]))
	if end == plainHead || end > int64(len(plain)) {
		return nil, ErrForged
	}
	if subtle.ConstantTimeCompare(plain[end:], []byte(k.receiveID)) != 1 {
		return nil, ErrForged
	}
	return plain[plainHead:end:end], nil
}

// decodeStrict refuses what Go's strict decoder still lets pass: line breaks.
func decodeStrict(s string) ([]byte, bool) {
	if len(s)%4 != 0 {
		return nil, false
	}
	want := len(s) / 4 * 3
	for i := 1; i <= 2 && i <= len(s) && s[len(s)-i] == '='; i++ {
		want--
	}
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := strictBase64.Decode(raw, []byte(s))
	return raw[:n], err == nil && n == want
}

// unpad takes the padding off, which must be 1 to 32 bytes that all say how many they are.
func unpad(b []byte) ([]byte, bool) {
	if len(b) == 0 {
		return nil, false
	}
	pad := int(b[len(b)-1])
	if pad < 1 || pad > padBlock || pad > len(b) {
		return nil, false
	}
	for _, p := range b[len(b)-pad:] {
		if int(p) != pad {
			return nil, false
		}
	}
	return b[:len(b)-pad], true
}

// Encrypt is the opposite of Decrypt.
func (k *Keys) Encrypt(message []byte) string {
	n := plainHead + len(message) + len(k.receiveID)
	pad := padBlock - n%padBlock
	buf := make([]byte, plainHead, n+pad)
	rand.Read(buf[:16]) // never fails: https://pkg.go.dev/crypto/rand#Read
	binary.BigEndian.PutUint32(buf[16:], uint32(len(message)))
	buf = append(buf, message...)
	buf = append(buf, k.receiveID...)
	for range pad {
		buf = append(buf, byte(pad))
	}
	cipher.NewCBCEncrypter(k.aes, k.iv[:]).CryptBlocks(buf, buf)
	return base64.StdEncoding.EncodeToString(buf)
}

// decryptMedia opens the bytes behind a media address of a smart bot in place:
// the same key and padding as a callback, without head and receive id.
// See https://developer.work.weixin.qq.com/document/path/100719.
func (k *Keys) decryptMedia(body []byte) ([]byte, bool) {
	if len(body) == 0 || len(body)%aes.BlockSize != 0 {
		return nil, false
	}
	cipher.NewCBCDecrypter(k.aes, k.iv[:]).CryptBlocks(body, body)
	return unpad(body)
}
