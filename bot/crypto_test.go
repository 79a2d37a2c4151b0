package bot

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// The vectors of https://developer.work.weixin.qq.com/document/path/90968.
const (
	vectorToken = "QDG6eK"
	vectorAES   = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	vectorCorp  = "wx5823bf96d3bd56c7"
	vectorEcho  = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
	vectorBody  = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q=="
)

func vectorKeys(tb testing.TB) *Keys {
	tb.Helper()
	k, err := newKeys(vectorToken, vectorAES, vectorCorp)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestOfficialVectors(t *testing.T) {
	k := vectorKeys(t)
	if got := k.Sign("1409659589", "263014780", vectorEcho); got != "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3" {
		t.Errorf("signature of the echo: %s", got)
	}
	if got, err := k.Decrypt(vectorEcho); err != nil || string(got) != "1616140317555161061" {
		t.Errorf("echo: %q, %v", got, err)
	}
	if got := k.Sign("1409659813", "1372623149", vectorBody); got != "477715d11cdb4164915debcba66cb864d751f3e6" {
		t.Errorf("signature of the message: %s", got)
	}
	plain, err := k.Decrypt(vectorBody)
	if err != nil {
		t.Fatal(err)
	}
	m, err := decodeApp(string(plain), door{corp: vectorCorp, agent: "218", now: at("2014-09-02T12:10:14Z")})
	if err != nil {
		t.Fatal(err)
	}
	if m.Text != "hello" || m.Sender != "mycreate" || m.Agent != "218" || m.At.Unix() != 1409659813 || m.AtGuessed {
		t.Errorf("message: %+v", m)
	}
}

func TestNewKeysNamesTheFault(t *testing.T) {
	const good = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	if _, err := NewKeys("token", good, ""); err != nil {
		t.Errorf("good keys: %v", err)
	}
	for _, c := range []struct{ name, token, key, want string }{
		{"empty token", "", good, "token is empty"},
		{"short key", "t", good[:42], "42 characters instead of 43"},
		{"long key", "t", good + "x", "44 characters instead of 43"},
		{"line end at the end", "t", good[:42] + "\n", "other than letters and digits"},
		{"not base64", "t", good[:42] + "!", "other than letters and digits"},
		{"public sample", vectorToken, vectorAES, "public samples"},
		{"other public sample", "t", sampleAESKeys[1], "public samples"},
	} {
		_, err := NewKeys(c.token, c.key, "")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		} else if c.key != "" && strings.Contains(err.Error(), c.key) {
			t.Errorf("%s: the error holds the key", c.name)
		}
	}
}

// The last of 43 characters carries two bits that belong to no byte.
func TestKeyWithStrayBits(t *testing.T) {
	base := vectorAES[:42]
	want, err := decodeAESKey(base + "A")
	if err != nil {
		t.Fatal(err)
	}
	for _, last := range "ABCD" {
		got, err := decodeAESKey(base + string(last))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("last character %c: %v", last, err)
		}
	}
}

func TestEncryptDecrypt(t *testing.T) {
	for _, receive := range []string{"", "ww0123456789abcdef"} {
		k, err := newKeys("t", vectorAES, receive)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for n := 1; n < 200; n++ {
			message := bytes.Repeat([]byte("界"), n)[:n]
			sealed := k.Encrypt(message)
			raw, err := base64.StdEncoding.DecodeString(sealed)
			if err != nil || len(raw)%padBlock != 0 {
				t.Fatalf("%d bytes are padded to %d, %v", n, len(raw), err)
			}
			got, err := k.Decrypt(sealed)
			if err != nil || !bytes.Equal(got, message) {
				t.Fatalf("%d bytes: %q, %v", n, got, err)
			}
			if seen[sealed[:22]] {
				t.Fatal("the random head repeats itself")
			}
			seen[sealed[:22]] = true
		}
	}
}

// encryptRaw encrypts blocks as they are, to make what no honest sender makes.
func (k *Keys) encryptRaw(blocks []byte) string {
	out := make([]byte, len(blocks))
	cipher.NewCBCEncrypter(k.aes, k.iv[:]).CryptBlocks(out, blocks)
	return base64.StdEncoding.EncodeToString(out)
}

// plainBlocks builds head, message and receive id and pads with the given bytes.
func plainBlocks(length uint32, rest string, pad []byte) []byte {
	b := append(make([]byte, 16), binary.BigEndian.AppendUint32(nil, length)...)
	return append(append(b, rest...), pad...)
}

func TestDecryptRefuses(t *testing.T) {
	k := vectorKeys(t)
	const corp = vectorCorp // 18 bytes; head 20 + message 10 + corp 18 = 48, so 16 bytes of padding
	const message = "0123456789"
	pad := func(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }
	good := k.encryptRaw(plainBlocks(10, message+corp, pad(16, 16)))
	if got, err := k.Decrypt(good); err != nil || string(got) != message {
		t.Fatalf("the pattern itself: %q, %v", got, err)
	}
	uneven := pad(16, 16)
	uneven[3] = 15
	raw := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, c := range []struct{ name, cipher string }{
		{"B20 not base64", "!!!!" + good[4:]},
		{"B20 URL-safe alphabet", strings.NewReplacer("+", "-", "/", "_").Replace(vectorBody)},
		{"B20 line breaks", good[:4] + "\n" + good[4:]},
		{"B20 four line breaks", good[:4] + "\n\r\n\n" + good[4:]},
		{"B20 missing padding", strings.TrimRight(vectorEcho, "=")},
		{"B20 stray low bits", vectorEcho[:len(vectorEcho)-3] + "R=="},
		{"B20 trailing bytes", good + "AAAA"},
		{"B21 empty", ""},
		{"B21 15 bytes", raw(15)},
		{"B21 16 bytes", raw(16)},
		{"B21 17 bytes", raw(17)},
		{"B22 pad byte 0", k.encryptRaw(plainBlocks(10, message+corp, append(pad(15, 16), 0)))},
		{"B22 pad byte 33", k.encryptRaw(plainBlocks(10, message+corp, pad(48, 33)))},
		{"B22 pad byte 200", k.encryptRaw(plainBlocks(10, message+corp, append(pad(15, 16), 200)))},
		{"B22 pad byte 255", k.encryptRaw(plainBlocks(10, message+corp, append(pad(15, 16), 255)))},
		{"B22 padding longer than all", k.encryptRaw(pad(16, 32))},
		{"B23 pad bytes differ", k.encryptRaw(plainBlocks(10, message+corp, uneven))},
		{"B24 length 0xFFFFFFF8", k.encryptRaw(plainBlocks(0xFFFFFFF8, message+corp, pad(16, 16)))},
		{"B24 length 0x80000000", k.encryptRaw(plainBlocks(0x80000000, message+corp, pad(16, 16)))},
		{"B24 length 0", k.encryptRaw(plainBlocks(0, corp, pad(26, 26)))},
		{"B24 length one more", k.encryptRaw(plainBlocks(11, message+corp, pad(16, 16)))},
		{"B24 length past the end", k.encryptRaw(plainBlocks(29, message+corp, pad(16, 16)))},
		{"B24 head cut short", k.encryptRaw(append(make([]byte, 15), pad(17, 17)...))},
		{"B25 receiver empty", k.encryptRaw(plainBlocks(10, message, pad(2, 2)))},
		{"B25 receiver a prefix", k.encryptRaw(plainBlocks(10, message+corp[:17], pad(17, 17)))},
		{"B25 receiver longer", k.encryptRaw(plainBlocks(10, message+corp+"x", pad(15, 15)))},
		{"B25 receiver in another case", k.encryptRaw(plainBlocks(10, message+strings.ToUpper(corp), pad(16, 16)))},
	} {
		if got, err := k.Decrypt(c.cipher); !errors.Is(err, ErrForged) || got != nil {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	empty, err := newKeys("t", vectorAES, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := empty.Decrypt(good); !errors.Is(err, ErrForged) {
		t.Errorf("B25 a receiver where none must be: %v", err)
	}
}

// B26: no change of one bit goes through under the old signature, and none
// makes the decoder fail in a way of its own.
func TestEveryBitFlip(t *testing.T) {
	k := vectorKeys(t)
	var signature [20]byte
	if _, err := hex.Decode(signature[:], []byte("477715d11cdb4164915debcba66cb864d751f3e6")); err != nil {
		t.Fatal(err)
	}
	if !k.verify(signature, "1409659813", "1372623149", vectorBody) {
		t.Fatal("the vector does not verify")
	}
	raw, err := base64.StdEncoding.DecodeString(vectorBody)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		flipped := base64.StdEncoding.EncodeToString(raw)
		if k.verify(signature, "1409659813", "1372623149", flipped) {
			t.Fatalf("bit %d: the old signature still fits", bit)
		}
		if _, err := k.Decrypt(flipped); err != nil && !errors.Is(err, ErrForged) {
			t.Fatalf("bit %d: %v", bit, err)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	for bit := range 160 {
		wrong := signature
		wrong[bit/8] ^= 1 << (bit % 8)
		if k.verify(wrong, "1409659813", "1372623149", vectorBody) {
			t.Fatalf("signature bit %d does not matter", bit)
		}
	}
}

// B27: whoever has the token but not the key gets nothing but ErrForged.
func TestRandomCiphers(t *testing.T) {
	k := vectorKeys(t)
	for i := range 1000 {
		raw := make([]byte, aes.BlockSize*(1+i%20))
		rand.Read(raw)
		if got, err := k.Decrypt(base64.StdEncoding.EncodeToString(raw)); !errors.Is(err, ErrForged) {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	k := vectorKeys(f)
	f.Add(vectorEcho)
	f.Add(vectorBody)
	f.Add(k.Encrypt([]byte("x")))
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := k.Decrypt(s)
		if err != nil && (!errors.Is(err, ErrForged) || got != nil) {
			t.Fatalf("%q, %v", got, err)
		}
		// The same bytes as a plaintext: whatever is padded right must come back as it is.
		if n := len(s) / aes.BlockSize * aes.BlockSize; n > 0 {
			if got, err := k.Decrypt(k.encryptRaw([]byte(s[:n]))); err == nil && !strings.Contains(s, string(got)) {
				t.Fatalf("%q is not in %q", got, s)
			}
		}
		if s != "" {
			if back, err := k.Decrypt(k.Encrypt([]byte(s))); err != nil || string(back) != s {
				t.Fatalf("round trip: %q, %v", back, err)
			}
		}
	})
}
