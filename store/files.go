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

// Files keeps attachments, each sealed as a whole under a random name: in a
// folder, or, for replicas, in an object store. Only what the platform lets
// people send comes here (at most 100 MB).
type Files struct {
	s    *Store
	keep keeper
}

// keeper is where sealed files lie. get answers ErrNotFound for an unknown id.
type keeper interface {
	put(ctx context.Context, id string, sealed []byte) error
	get(ctx context.Context, id string) ([]byte, error)
}

// FilesKeys sign the requests to an object store.
type FilesKeys struct{ AccessKey, SecretKey string }

// OpenFiles opens dir:PATH, whose folder it makes, or
// s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION, whose bucket must be
// there. The error never holds a key.
func (s *Store) OpenFiles(ctx context.Context, url string, keys FilesKeys) (*Files, error) {
	if strings.HasPrefix(url, "s3:") {
		k, err := openBucket(ctx, url, keys)
		if err != nil {
			return nil, fmt.Errorf("open the object store of the attachments: %w", err)
		}
		return &Files{s, k}, nil
	}
	dir, ok := strings.CutPrefix(url, "dir:")
	if !ok || dir == "" {
		return nil, errors.New("the files URL must be dir:PATH or s3://BUCKET?endpoint=https://HOST")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the attachments: %w", err)
	}
	return &Files{s, folder(dir)}, nil
}

var fileID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// Put keeps content and returns its id. It returns after the bytes are safe: on
// the disk, or acknowledged by the object store.
func (f *Files) Put(ctx context.Context, content []byte) (string, error) {
	var b [16]byte
	rand.Read(b[:])
	id := hex.EncodeToString(b[:])
	if err := f.keep.put(ctx, id, f.s.Seal("file "+id, content)); err != nil {
		return "", fmt.Errorf("keep an attachment: %w", err)
	}
	return id, nil
}

// Get returns what Put kept, or ErrNotFound.
func (f *Files) Get(ctx context.Context, id string) ([]byte, error) {
	if !fileID.MatchString(id) {
		return nil, ErrNotFound
	}
	sealed, err := f.keep.get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", id, err)
	}
	return f.s.Unseal("file "+id, sealed)
}

// folder keeps files in a folder of this machine.
type folder string

func (d folder) path(id string) string { return filepath.Join(string(d), id[:2], id) }

func (d folder) put(_ context.Context, id string, sealed []byte) error {
	path := d.path(id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "put-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(sealed)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func (d folder) get(_ context.Context, id string) ([]byte, error) {
	sealed, err := os.ReadFile(d.path(id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNotFound
	}
	return sealed, err
}

// syncDir makes a new name in a folder survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
