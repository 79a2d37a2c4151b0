package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// On a full disk nothing is acknowledged that is not stored, and work goes on
// by itself once there is room.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		storetest.Skip(t, "this user may not mount a small disk: "+err.Error())
	}
	unmount := func() { syscall.Unmount(dir, syscall.MNT_DETACH) }
	t.Cleanup(unmount)
	url := "sqlite:" + filepath.Join(dir, "frontline.db")
	s := lead(t, storetest.Open(t, url, store.Options{Serve: true}))
	t.Cleanup(func() { s.Close() })
	var acked []string
	text := strings.Repeat("很长的消息", 400)
	put := func(i int) error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		m := message("zhou", fmt.Sprint(i), text)
		_, err := s.Accept(ctx, m)
		if err == nil {
			acked = append(acked, m.ID)
		}
		return err
	}
	i := 0
	for ; i < 5000; i++ {
		if err := put(i); err != nil {
			break
		}
	}
	if i == 5000 {
		t.Fatal("the disk did not fill up")
	}
	n := len(acked)
	refused := 0
	for j := range 20 {
		if put(i+j) != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("a full disk takes everything")
	}
	if err := s.InTx(context.Background(), func(tx *store.Tx) error { return tx.Enqueue(words(text, toZhou)) }); err == nil {
		t.Log("a small write still fitted")
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	for j := range 50 {
		if err := put(i + 100 + j); err != nil {
			t.Fatalf("with room again: %v", err)
		}
	}
	for _, id := range acked {
		if seen, err := s.Seen(context.Background(), id); err != nil || !seen {
			t.Fatalf("lost %s: %v", id, err)
		}
	}
	turns := claim(t, s, 1)
	finish(t, s, turns[0])
	if info, err := os.Stat(filepath.Join(dir, "frontline.db")); err != nil || info.Size() == 0 {
		t.Error(err)
	}
	t.Logf("%d acknowledged before the disk was full, %d of 20 refused, 50 after", n, refused)
	s.Close()
}
