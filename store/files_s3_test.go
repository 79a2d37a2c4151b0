package store_test

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"frontline/store"
	"frontline/store/storetest"
)

// Attachments in an object store: here a fake that speaks its protocol
// (gofakes3). They come back whole, lie there sealed, and what is wrong with the
// setting is said without the key.
func TestFilesInAnObjectStore(t *testing.T) {
	mem := s3mem.New()
	if err := mem.CreateBucket("frontline"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(mem).Server())
	defer server.Close()
	s := storetest.Open(t, storetest.SQLite(t), store.Options{})
	ctx := context.Background()
	keys := store.FilesKeys{AccessKey: "key-of-this-test", SecretKey: "secret-of-this-test"}
	at := "s3://frontline/files?region=cn-north-1&endpoint=" + server.URL
	f, err := s.OpenFiles(ctx, at, keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 5000, 20 << 20} {
		content := bytes.Repeat([]byte("截图"), n/6+1)[:n]
		id, err := f.Put(ctx, content)
		if err != nil {
			t.Fatal(n, err)
		}
		other, err := s.OpenFiles(ctx, at, keys) // another replica
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.Get(ctx, id); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back as %d, %v", n, len(got), err)
		}
		raw, err := mem.GetObject("frontline", "files/"+id[:2]+"/"+id, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		b.ReadFrom(raw.Contents)
		if n > 100 && bytes.Contains(b.Bytes(), []byte("截图截图")) {
			t.Error("it lies there in clear")
		}
	}
	for _, id := range []string{strings.Repeat("0", 32), "../../etc/passwd", ""} {
		if _, err := f.Get(ctx, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, bad := range []string{"s3://nothere?endpoint=" + server.URL, "s3://frontline", "s3:frontline", "s3://u:" + keys.SecretKey + "@frontline?endpoint=" + server.URL, "ftp://x"} {
		if _, err := s.OpenFiles(ctx, bad, keys); err == nil || strings.Contains(err.Error(), keys.SecretKey) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := s.OpenFiles(ctx, at, store.FilesKeys{}); err == nil {
		t.Error("taken without keys")
	}
	server.Close()
	short, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := f.Put(short, []byte("x")); err == nil {
		t.Error("kept while the store is down")
	}
}
