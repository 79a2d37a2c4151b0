package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"frontline/store"
	"frontline/store/storetest"
)

// A damaged file is refused with its cause and what to do, before anything is
// written; a backup in its place has everything.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	file, copied := filepath.Join(dir, "frontline.db"), filepath.Join(dir, "copy.db")
	s := storetest.Open(t, "sqlite:"+file, store.Options{Serve: true})
	for i := range 150 {
		if _, err := s.Accept(t.Context(), message("zhou", string(rune('a'+i%26))+strings.Repeat("x", i), strings.Repeat("很长的消息", 100))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup over a file: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]int{"head": 0, "schema": 105, "pages": len(whole) / 2 &^ 4095} {
		t.Run(name, func(t *testing.T) {
			broken := append([]byte(nil), whole...)
			for i := range min(8192, len(broken)-at) {
				broken[at+i] ^= 0xff
			}
			place(t, file, broken)
			_, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + file, Key: storetest.Key, Serve: true})
			if !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "frontline backup") {
				t.Fatalf("opened with %v", err)
			}
			if now, err := os.ReadFile(file); err != nil || string(now) != string(broken) {
				t.Errorf("the damaged file was written to (%v)", err)
			}
		})
	}
	b, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	place(t, file, b)
	s = storetest.Open(t, "sqlite:"+file, store.Options{Serve: true})
	rows, err := s.ListReceived(t.Context(), store.LedgerQuery{Person: "zhou", N: 500})
	if err != nil || len(rows) != 150 {
		t.Errorf("%d messages in the backup, %v", len(rows), err)
	}
}

func place(t *testing.T, file string, b []byte) {
	t.Helper()
	for _, name := range []string{file + "-wal", file + "-shm"} {
		os.Remove(name)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
