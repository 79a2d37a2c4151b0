package standin

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// blockSize is the padding block of the callback encryption: 32 bytes, although
// AES works in blocks of 16. See https://developer.work.weixin.qq.com/document/path/90968.
const blockSize = 32

// parseAESKey turns an EncodingAESKey (43 characters) into the 32-byte key. The
// last character may carry stray low bits, so the decoder must not be strict.
func parseAESKey(s string) ([]byte, error) {
	if len(s) != 43 {
		return nil, fmt.Errorf("EncodingAESKey has %d characters instead of 43", len(s))
	}
	key, err := base64.StdEncoding.DecodeString(s + "=")
	if err != nil {
		return nil, fmt.Errorf("EncodingAESKey is not base64: %w", err)
	}
	return key, nil
}

// sign is msg_signature: SHA-1 over the four strings, sorted bytewise and joined.
func sign(token, timestamp, nonce, ciphertext string) string {
	parts := []string{token, timestamp, nonce, ciphertext}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func sameSignature(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// seal encrypts a message for receiver: 16 random bytes, the length, the message, the receiver.
func seal(key, random, message []byte, receiver string) string {
	var plain bytes.Buffer
	plain.Write(random[:16])
	_ = binary.Write(&plain, binary.BigEndian, uint32(len(message)))
	plain.Write(message)
	plain.WriteString(receiver)
	return base64.StdEncoding.EncodeToString(encryptCBC(key, plain.Bytes()))
}

// open is the strict opposite of seal.
func open(key []byte, ciphertext string) (message []byte, receiver string, err error) {
	raw, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return nil, "", fmt.Errorf("the ciphertext is not base64: %w", err)
	}
	plain, err := decryptCBC(key, raw)
	if err != nil {
		return nil, "", err
	}
	if len(plain) < 20 {
		return nil, "", errors.New("the decrypted text is shorter than its header")
	}
	n := binary.BigEndian.Uint32(plain[16:20])
	if uint64(n) > uint64(len(plain)-20) {
		return nil, "", errors.New("the length inside the decrypted text is wrong")
	}
	return plain[20 : 20+n], string(plain[20+n:]), nil
}

// encryptCBC is also how the bytes of a bot's media are encrypted (doc 100719).
func encryptCBC(key, plain []byte) []byte {
	pad := blockSize - len(plain)%blockSize
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key was checked by New
	}
	out := make([]byte, len(padded))
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(out, padded)
	return out
}

func decryptCBC(key, raw []byte) ([]byte, error) {
	if len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, fmt.Errorf("%d bytes of ciphertext are not whole blocks", len(raw))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(raw))
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(plain, raw)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > blockSize || pad > len(plain) {
		return nil, errors.New("the padding is wrong")
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errors.New("the padding is wrong")
		}
	}
	return plain[:len(plain)-pad], nil
}
