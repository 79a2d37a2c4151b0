package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Files keeps attachments in a folder, each sealed as a whole under a random
// name. Only what the platform lets people send comes here (at most 100 MB).
type Files struct {
	dir string
	s   *Store
}

// OpenFiles opens dir:PATH and makes the folder.
func (s *Store) OpenFiles(url string) (*Files, error) {
	dir, ok := strings.CutPrefix(url, "dir:")
	if !ok || dir == "" {
		return nil, errors.New("the files URL must be dir:PATH")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the attachments: %w", err)
	}
	return &Files{dir: dir, s: s}, nil
}

var fileID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func (f *Files) path(id string) string { return filepath.Join(f.dir, id[:2], id) }

// Put keeps content and returns its id. It returns after the bytes are on the disk.
func (f *Files) Put(_ context.Context, content []byte) (string, error) {
	var b [16]byte
	rand.Read(b[:])
	id := hex.EncodeToString(b[:])
	path := f.path(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "put-")
	if err != nil {
		return "", err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(f.s.Seal("file "+id, content))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return "", fmt.Errorf("keep an attachment: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return "", fmt.Errorf("keep an attachment: %w", err)
	}
	return id, syncDir(filepath.Dir(path))
}

// syncDir makes a new name in a folder survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get returns what Put kept, or ErrNotFound.
func (f *Files) Get(_ context.Context, id string) ([]byte, error) {
	if !fileID.MatchString(id) {
		return nil, ErrNotFound
	}
	sealed, err := os.ReadFile(f.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("file %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return f.s.Unseal("file "+id, sealed)
}
