package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// sealer encrypts what people wrote and what identifies customers
// (AES-256-GCM), and makes blind indexes for exact search (HMAC-SHA256 with a
// key of its own). Sealed form: version 1, four bytes of key id, 12 of nonce,
// then the ciphertext.
type sealer struct {
	aead  cipher.AEAD
	index []byte
	keyID [4]byte
}

const sealVersion, sealHead = 1, 5

func newSealer(key []byte) (*sealer, error) {
	if len(key) != 32 {
		return nil, errors.New("the encryption key must be 32 bytes")
	}
	// Two keys from one, so that the index key tells nothing about the other (RFC 5869).
	enc, err := hkdf.Key(sha256.New, key, nil, "frontline seal", 32)
	if err != nil {
		return nil, err
	}
	idx, err := hkdf.Key(sha256.New, key, nil, "frontline blind index", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(enc)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	s := &sealer{aead: aead, index: idx}
	sum := sha256.Sum256(idx)
	copy(s.keyID[:], sum[:4])
	return s, nil
}

// sealed returns nil for nil. purpose binds the text to its column: sealed
// bytes moved to another column do not open.
func (s *sealer) sealed(purpose string, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	n := s.aead.NonceSize()
	out := make([]byte, sealHead+n, sealHead+n+len(plain)+s.aead.Overhead())
	out[0] = sealVersion
	copy(out[1:], s.keyID[:])
	rand.Read(out[sealHead:])
	return s.aead.Seal(out, out[sealHead:], plain, []byte(purpose))
}

func (s *sealer) open(purpose string, sealed []byte) ([]byte, error) {
	if sealed == nil {
		return nil, nil
	}
	n := s.aead.NonceSize()
	if len(sealed) < sealHead+n || sealed[0] != sealVersion {
		return nil, errors.New("sealed bytes are damaged")
	}
	if string(sealed[1:sealHead]) != string(s.keyID[:]) {
		return nil, errors.New("sealed with another key: check FRONTLINE_ENCRYPTION_KEY")
	}
	plain, err := s.aead.Open(nil, sealed[sealHead:sealHead+n], sealed[sealHead+n:], []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("open sealed %s: damaged or moved", purpose)
	}
	return plain, nil
}

func (s *sealer) blind(kind, value string) string {
	if value == "" {
		return ""
	}
	h := hmac.New(sha256.New, s.index)
	h.Write([]byte(kind + "\x00" + value))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// Seal and Unseal are for what lies beside the database (the spool, files).
func (s *Store) Seal(purpose string, plain []byte) []byte { return s.seal.sealed(purpose, plain) }

// Unseal opens what Seal made for the same purpose.
func (s *Store) Unseal(purpose string, sealed []byte) ([]byte, error) {
	return s.seal.open(purpose, sealed)
}

// Blind makes the value under which an exact search finds a sealed field.
// kind is phone, identity, customer or card; value is in its normal form.
func (s *Store) Blind(kind, value string) string { return s.seal.blind(kind, value) }
