package cli

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"frontline/config"
)

// encryptionKey is the configured key, or on SQLite the one made once beside
// the database.
func encryptionKey(c *config.Config, log *slog.Logger) ([]byte, error) {
	if c.EncryptionKey != "" {
		return base64.StdEncoding.DecodeString(string(c.EncryptionKey))
	}
	path, ok := sqliteDir(c)
	if !ok {
		return nil, usagef("encryption_key (FRONTLINE_ENCRYPTION_KEY) must be set when the database is MySQL")
	}
	file := filepath.Join(path, "frontline.key")
	key, err := readKey(file)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	return makeKey(file, log)
}

// sqliteDir is the folder of the SQLite database.
func sqliteDir(c *config.Config) (string, bool) {
	path, ok := strings.CutPrefix(string(c.Database.URL), "sqlite:")
	return filepath.Dir(path), ok
}

// snapshotFile is where the trained knowledge is kept between runs: beside the
// SQLite database, else in the user's cache; "" where there is none.
func snapshotFile(c *config.Config) string {
	if dir, ok := sqliteDir(c); ok {
		return filepath.Join(dir, "knowledge.snapshot")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	dir := filepath.Join(cache, "frontline")
	if os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(c.Database.URL)) // one for each database
	return filepath.Join(dir, "knowledge-"+hex.EncodeToString(sum[:6])+".snapshot")
}

func readKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold a key of 32 bytes in base64", file)
	}
	return key, nil
}

// makeKey writes a new key. It links the finished file into its place, so that
// of two processes that start together one wins and both use its key.
func makeKey(file string, log *slog.Logger) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	tmp, err := os.CreateTemp(filepath.Dir(file), "key-") // 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(tmp.Name(), file); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	log.Warn("made an encryption key; keep a copy, without it the data cannot be read", "file", file)
	return readKey(file)
}
