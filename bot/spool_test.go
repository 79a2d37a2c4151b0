package bot

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"frontline/bot/chat"
)

// flip is a sealer that is enough for a test: it hides the text.
func flip(b []byte) ([]byte, error) {
	out := make([]byte, len(b))
	for i, c := range b {
		out[i] = ^c
	}
	return out, nil
}

func openSpool(tb testing.TB, dir string) *FileSpool {
	tb.Helper()
	s, err := OpenSpool(dir, flip, flip)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

func click(id string) chat.Message {
	return chat.Message{ID: id, Via: chat.Bot, Kind: chat.KindClick, Click: &chat.Click{TaskID: "秘密", Key: "take"}}
}

// drain returns the ids in order.
func drain(tb testing.TB, s *FileSpool) (ids []string) {
	tb.Helper()
	err := s.Drain(context.Background(), func(_ context.Context, m chat.Message) error {
		ids = append(ids, m.ID)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return ids
}

func TestSpool(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := openSpool(t, dir)
	for i := range 5 {
		if err := s.Append(click(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, spoolName))
	if err != nil || bytes.Contains(raw, []byte("秘密")) || s.Waiting() != int64(len(raw)) {
		t.Errorf("%d bytes, %d waiting, %v", len(raw), s.Waiting(), err)
	}
	info, err := os.Stat(filepath.Join(dir, spoolName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := OpenSpool(dir, flip, flip); err == nil {
		t.Error("a second process could open it")
	}
	// The third message cannot be handed on: the next drain goes on there.
	away := errors.New("database is away")
	var ids []string
	err = s.Drain(context.Background(), func(_ context.Context, m chat.Message) error {
		if m.ID == "2" {
			return away
		}
		ids = append(ids, m.ID)
		return nil
	})
	if !errors.Is(err, away) || strings.Join(ids, "") != "01" {
		t.Errorf("%v, %v", ids, err)
	}
	if err := s.Append(click("5")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(drain(t, s), ""); got != "2345" || s.Waiting() != 0 {
		t.Errorf("%s, %d waiting", got, s.Waiting())
	}
	if info, err := os.Stat(filepath.Join(dir, spoolName)); err != nil || info.Size() != 0 {
		t.Errorf("not emptied: %v, %v", info.Size(), err)
	}
	if got := drain(t, s); got != nil {
		t.Errorf("again: %v", got)
	}
}

func TestSpoolAfterACrash(t *testing.T) {
	whole := func(dir string) []byte {
		s := openSpool(t, dir)
		for _, id := range []string{"a", "b", "c"} {
			if err := s.Append(click(id)); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		raw, err := os.ReadFile(filepath.Join(dir, spoolName))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	raw := whole(t.TempDir())
	record := len(raw) / 3
	for end := range len(raw) + 1 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, spoolName), raw[:end], 0o600); err != nil {
			t.Fatal(err)
		}
		s := openSpool(t, dir)
		if err := s.Append(click("z")); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(drain(t, s), ""), "abc"[:end/record]+"z"; got != want {
			t.Fatalf("cut at %d of %d: %s, want %s", end, len(raw), got, want)
		}
		s.Close()
		torn, err := os.ReadFile(filepath.Join(dir, spoolTorn))
		if err != nil && end%record != 0 || !bytes.Equal(torn, raw[end/record*record:end]) {
			t.Fatalf("cut at %d: %d bytes are set aside, %v", end, len(torn), err)
		}
	}
	// A damaged byte ends what can be trusted; nothing of it is thrown away.
	raw[record+20] ^= 1
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, spoolName), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(drain(t, openSpool(t, dir)), ""); got != "a" {
		t.Errorf("damaged: %s", got)
	}
	if torn, err := os.ReadFile(filepath.Join(dir, spoolTorn)); err != nil || len(torn) != 2*record {
		t.Errorf("%d bytes are set aside, %v", len(torn), err)
	}
}

func TestSpoolWithAnotherKey(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenSpool(dir, flip, func([]byte) ([]byte, error) { return nil, errors.New("sealed with another key") })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Append(click("a")); err != nil {
		t.Fatal(err)
	}
	err = s.Drain(context.Background(), func(context.Context, chat.Message) error { t.Error("handed on"); return nil })
	if err == nil || !strings.Contains(err.Error(), spoolTorn) || s.Waiting() != 0 {
		t.Errorf("%v, %d waiting", err, s.Waiting())
	}
	if err := s.Drain(context.Background(), nil); err != nil {
		t.Errorf("the next drain: %v", err)
	}
}

// A disk that fails must not be acknowledged, nor may later appends hide behind
// half a record.
func TestSpoolOnABadDisk(t *testing.T) {
	dir := t.TempDir()
	s := openSpool(t, dir)
	if err := s.Append(click("a")); err != nil {
		t.Fatal(err)
	}
	s.f.Close()
	for range 2 {
		if err := s.Append(click("b")); err == nil {
			t.Error("acknowledged")
		}
	}
	if s.broken == nil {
		t.Error("still in use")
	}
	if err := s.Drain(context.Background(), nil); err == nil {
		t.Error("drained")
	}
	if got := strings.Join(drain(t, openSpool(t, dir)), ""); got != "a" {
		t.Errorf("afterwards: %s", got)
	}
	if _, err := OpenSpool(filepath.Join(dir, spoolName), flip, flip); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func TestSpoolWhileDraining(t *testing.T) {
	s := openSpool(t, t.TempDir())
	seen := make(map[string]bool)
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for i := range 20 {
				if err := s.Append(click(fmt.Sprintf("%d/%d", w, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	appended := make(chan struct{})
	go func() { wait.Wait(); close(appended) }()
	for more := true; more; {
		select {
		case <-appended:
			more = false
		default:
		}
		for _, id := range drain(t, s) {
			if seen[id] {
				t.Errorf("%s came twice", id)
			}
			seen[id] = true
		}
	}
	if len(seen) != 80 {
		t.Errorf("%d of 80 came", len(seen))
	}
}

// TestSpoolKilled kills a process with SIGKILL in the middle of its appends,
// and one in the middle of a drain: whatever was acknowledged is there.
func TestSpoolKilled(t *testing.T) {
	dir := t.TempDir()
	if mode := os.Getenv("SPOOL_CHILD"); mode != "" {
		spoolChild(t, mode, os.Getenv("SPOOL_DIR"))
		return
	}
	var acked []string
	for i := range 3 {
		acked = append(acked, killChild(t, fmt.Sprintf("append%d", i), dir, 30)...)
	}
	if got := killChild(t, "drain", dir, 10); strings.Join(got, " ") != strings.Join(acked[:10], " ") {
		t.Errorf("drained before the kill: %v", got)
	}
	found := map[string]bool{}
	order := drain(t, openSpool(t, dir))
	for _, id := range order {
		found[id] = true
	}
	for _, id := range acked {
		if !found[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	if len(found) != len(order) {
		t.Error("the file holds a message twice")
	}
}

// killChild runs this test in a process of its own, reads n lines of it and
// kills it. It returns every line that came.
func killChild(t *testing.T, mode, dir string, n int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSpoolKilled$")
	cmd.Env = append(os.Environ(), "SPOOL_CHILD="+mode, "SPOOL_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for s := bufio.NewScanner(out); s.Scan(); {
		if id, ok := strings.CutPrefix(s.Text(), "id "); ok {
			lines = append(lines, id)
		}
		if len(lines) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(lines) < n {
		t.Fatalf("%s ended by itself after %d lines", mode, len(lines))
	}
	return lines
}

func spoolChild(t *testing.T, mode, dir string) {
	s := openSpool(t, dir)
	if mode == "drain" {
		n := 0
		_ = s.Drain(context.Background(), func(_ context.Context, m chat.Message) error {
			if n++; n > 10 {
				select {} // waits for the kill in the middle of a message
			}
			fmt.Println("id", m.ID)
			return nil
		})
		return
	}
	for i := 0; ; i++ {
		m := click(fmt.Sprintf("%s-%d", mode, i))
		if err := s.Append(m); err != nil {
			t.Fatal(err)
		}
		fmt.Println("id", m.ID)
	}
}
