package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// urls runs a test with the URL of each database.
func urls(t *testing.T, fn func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, storetest.SQLite(t)) })
	t.Run("mysql", func(t *testing.T) { fn(t, storetest.MySQL(t)) })
}

func works(t *testing.T, url string) {
	t.Helper()
	s := storetest.Open(t, url, store.Options{Serve: true})
	defer s.Close()
	if err := s.TakeAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !accept(t, s, message("zhou", fmt.Sprint(time.Now().UnixNano()), "中文 😀 会存下来")) {
		t.Error("not fresh")
	}
	turn := claim(t, s, 1)[0]
	if turn.Msg.Text != "中文 😀 会存下来" {
		t.Errorf("read back %q", turn.Msg.Text)
	}
	finish(t, s, turn)
	if n := s.Count("SELECT version FROM schema_state"); n != int64(store.Migrations()) {
		t.Errorf("version %d", n)
	}
}

func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	urls(t, func(t *testing.T, url string) { works(t, url); works(t, url) })
}

func otherProcess(t testing.TB, url, does string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "FRONTLINE_TEST_CHILD_URL="+url, "FRONTLINE_TEST_CHILD_DOES="+does)
	return c
}

func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	urls(t, func(t *testing.T, url string) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if out, err := otherProcess(t, url, "open").CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
		wg.Wait()
		works(t, url)
	})
}

// A process that is killed in the middle leaves what the next one completes.
func TestMigrateAfterAKill(t *testing.T) {
	t.Parallel()
	for m := range store.Migrations() {
		for _, step := range []int{0, 1, store.Steps(m) - 1} {
			t.Run(fmt.Sprintf("%d.%d", m+1, step+1), func(t *testing.T) {
				url := storetest.SQLite(t)
				if err := store.MigrateUntil(url, m, step); err != nil {
					t.Fatal(err)
				}
				works(t, url)
			})
		}
	}
	t.Run("mysql", func(t *testing.T) {
		url := storetest.MySQL(t)
		if err := store.MigrateUntil(url, store.Migrations()-1, store.Steps(store.Migrations()-1)-1); err != nil {
			t.Fatal(err)
		}
		works(t, url)
	})
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	urls(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, store.Options{})
		if err := s.Exec("UPDATE schema_state SET version=version+1"); err != nil {
			t.Fatal(err)
		}
		s.Close()
		// The next version says that this one may still work on its database.
		next := storetest.Open(t, url, store.Options{})
		if err := next.Exec("UPDATE schema_state SET oldest=version"); err != nil {
			t.Fatal(err)
		}
		next.Close()
		if s, err := store.Open(context.Background(), store.Options{URL: url, Key: storetest.Key}); !errors.Is(err, store.ErrNewerSchema) {
			t.Errorf("a newer schema: %v", err)
			s.Close()
		}
	})
}

func TestBadURLs(t *testing.T) {
	for _, x := range []struct{ url, says string }{
		{"", "must begin with"}, {"postgres://x", "must begin with"}, {"sqlite:", "file name"}, {"mysql://root:geheim@127.0.0.1:3306", "mysql://user:pass@host"},
		{"mysql://root:geheim@127.0.0.1:1/name", "reach the database"}, {"sqlite:/proc/no/such/place/x.db", "folder"},
	} {
		_, err := store.Open(context.Background(), store.Options{URL: x.url, Key: storetest.Key})
		if err == nil || !strings.Contains(err.Error(), x.says) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", x.url, err)
		}
	}
}

func TestFileThatIsNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "frontline.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + path, Key: storetest.Key}); err == nil {
		t.Error("opened")
	}
}

// Another process writes to the same file: an import goes through while this
// one works, and a long write of the other only makes this one wait.
func TestTwoProcessesOnSQLite(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	s := lead(t, storetest.Open(t, url, store.Options{Serve: true}))
	other := otherProcess(t, url, "import")
	ended := make(chan error, 1)
	go func() {
		out, err := other.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		ended <- err
	}()
	n := 0
	for done := false; !done; n++ {
		accept(t, s, message("zhou", fmt.Sprint(n), "x"))
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
	}
	if all, err := s.ListEntries(context.Background(), 0, 100); err != nil || len(all) != 30 {
		t.Errorf("%d entries, %v", len(all), err)
	}
	hold := otherProcess(t, url, "hold")
	out, err := hold.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	accept(t, s, message("zhou", "while the other holds the file", "x"))
	if took := time.Since(began); took < 300*time.Millisecond || took > 4*time.Second {
		t.Errorf("waited %s", took)
	}
	if err := hold.Wait(); err != nil {
		t.Error(err)
	}
	if out, err := otherProcess(t, url, "lead").CombinedOutput(); err == nil || !strings.Contains(string(out), store.ErrServed.Error()) {
		t.Errorf("a second server in another process: %v: %s", err, out)
	}
}
