package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

// shelf is a world whose replica keeps knowledge. The test reads its database
// beside it.
type shelf struct {
	*world
	r      *replica
	store  *store.Store
	kills  int // how often the program is killed in each part
	rows   int // of the large files
	killed int
	calls  int // kills inside a system call
	amid   int // kills while something was on its way
}

func newShelf(t *testing.T, dbURL string) *shelf {
	s := &shelf{world: newWorld(t, dbURL, 1), kills: 1, rows: 600}
	if v := os.Getenv("FRONTLINE_KNOWLEDGE_KILLS"); v != "" {
		var err error
		if s.kills, err = strconv.Atoi(v); err != nil {
			t.Fatalf("FRONTLINE_KNOWLEDGE_KILLS: %v", err)
		}
		s.rows = 3000
	}
	s.r = s.replicas[0]
	s.r.env = []string{"FRONTLINE_API_TOKEN=" + apiToken}
	s.store = storetest.Open(t, dbURL, store.Options{})
	s.r.start()
	s.up(s.r)
	return s
}

// config writes the file that the next start reads.
func (s *shelf) config(text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.r.dir, "frontline.yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// again kills the program and starts it.
func (s *shelf) again() {
	s.t.Helper()
	s.r.kill()
	s.killed++
	s.r.start()
	s.up(s.r)
}

// during runs one request and kills the program while it is on its way, or
// right after it: at a moment within most, or, when calls names system calls,
// inside the one that is the nth from now on.
func (s *shelf) during(most time.Duration, calls string, nth int, request func()) {
	s.t.Helper()
	if calls != "" {
		defer s.dieInside(calls, nth)()
	}
	done := make(chan struct{})
	go func() { request(); close(done) }()
	if calls != "" {
		select {
		case err := <-s.r.dead:
			s.r.dead <- err // for the kill that follows
			s.calls++
		case <-time.After(most + time.Second):
		}
	} else {
		time.Sleep(time.Duration(s.random(int(most))))
	}
	select {
	case <-done:
	default:
		s.amid++
	}
	s.again()
	<-done
}

// dieInside has the running program die inside its nth call from now on; the
// function that it returns takes the tracer away.
func (s *shelf) dieInside(calls string, nth int) func() {
	s.t.Helper()
	pid := s.r.cmd.Process.Pid
	cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-p", strconv.Itoa(pid), "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", calls, nth))
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.until("every thread is traced", 10*time.Second, func() bool {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		traced := len(tasks) > 0
		for _, f := range tasks {
			b, err := os.ReadFile(f)
			traced = traced && (err != nil || !strings.Contains(string(b), "TracerPid:\t0\n"))
		}
		return traced || len(tasks) == 0 // dead already
	})
	return func() {
		_ = cmd.Process.Kill() // it ends by itself with what it traces
		_ = cmd.Wait()
	}
}

// keeper is somebody at the console.
type keeper struct {
	s       *shelf
	id      string
	session string
	csrf    string
}

var keeperClient = &http.Client{Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// keeper makes a curator with a session.
func (s *shelf) keeper(id string) *keeper {
	s.t.Helper()
	if err := s.store.InTx(s.t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.MeetMember(id, id, ""), tx.SetRoles("test", id, chat.RoleSet{chat.Reporter, chat.Curator}))
	}); err != nil {
		s.t.Fatal(err)
	}
	session, err := s.store.NewSession(s.t.Context(), id, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	return &keeper{s: s, id: id, session: session.ID}
}

var formToken = regexp.MustCompile(`name="csrf" content="([^"]+)"`)

// do sends a request as the keeper's browser would. An error tells that the
// program did not answer.
func (k *keeper) do(method, path, kind string, body io.Reader) (status int, where, page string, err error) {
	req, err := http.NewRequest(method, "http://"+k.s.r.addr+path, body)
	if err != nil {
		return 0, "", "", err
	}
	req.AddCookie(&http.Cookie{Name: "frontline", Value: k.session})
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := keeperClient.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if m := formToken.FindSubmatch(b); m != nil {
		k.csrf = string(m[1])
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(b), err
}

// open reads a page, which must be there.
func (k *keeper) open(path string) string {
	k.s.t.Helper()
	code, _, page, err := k.do("GET", path, "", nil)
	if err != nil || code != http.StatusOK {
		k.s.t.Fatalf("GET %s: %d %v %.300s", path, code, err, page)
	}
	return page
}

func (k *keeper) post(path string, form url.Values) (int, string, error) {
	form.Set("csrf", k.csrf)
	code, where, page, err := k.do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	return code, where + page, err
}

// upload leads to the page of what the file would do.
func (k *keeper) upload(name string, content []byte) (where string, err error) {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	w, err := m.CreateFormFile("file", name)
	if err == nil {
		_, err = w.Write(content)
	}
	if err = errors.Join(err, m.WriteField("csrf", k.csrf), m.Close()); err != nil {
		return "", err
	}
	code, where, page, err := k.do("POST", "/kb/import", m.FormDataContentType(), &body)
	if err == nil && code != http.StatusSeeOther {
		err = fmt.Errorf("upload: %d %.500s", code, page)
	}
	return where, err
}

// entries are all entries that the database has, by question.
func (s *shelf) entries() map[string]kb.Entry {
	s.t.Helper()
	out := map[string]kb.Entry{}
	for after := int64(0); ; {
		page, err := s.store.ListEntries(s.t.Context(), after, 1000)
		if err != nil {
			s.t.Fatal(err)
		}
		if len(page) == 0 {
			return out
		}
		for _, e := range page {
			if _, twice := out[e.Question]; twice {
				s.t.Errorf("%q is there twice", e.Question)
			}
			out[e.Question], after = e, e.Number
		}
	}
}

// versions checks that an entry has every version up to its own, whole, and
// that the newest is what the entry is.
func (s *shelf) versions(e kb.Entry) []store.Revision {
	s.t.Helper()
	list, err := s.store.ListRevisions(s.t.Context(), e.Number, 10_000)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(list) != e.Version {
		s.t.Errorf("K%d is version %d and has %d kept", e.Number, e.Version, len(list))
		return list
	}
	for i, r := range list {
		if r.Version != e.Version-i {
			s.t.Errorf("K%d: version %d stands where %d should", e.Number, r.Version, e.Version-i)
		}
	}
	if !kb.SameWords(list[0].Entry, e) || list[0].Entry.State != e.State {
		s.t.Errorf("K%d is %+v, its newest version is %+v", e.Number, e, list[0].Entry)
	}
	return list
}

// answers waits until the running program answers a question with a text, or
// with nothing sure when want is "".
func (s *shelf) answers(question, want string) {
	s.t.Helper()
	var found struct {
		Band string
		Hits []struct{ Question, Answer string }
	}
	s.until(fmt.Sprintf("%q is answered %q", question, want), 20*time.Second, func() bool {
		if s.r.api(context.Background(), "kb/search?explain=0&q="+url.QueryEscape(question), &found) != nil {
			return false
		}
		same := len(found.Hits) > 0 && found.Hits[0].Question == question
		return same && found.Hits[0].Answer == want || want == "" && !same
	})
}

// checkAudit checks the chain of the log.
func (s *shelf) checkAudit() {
	s.t.Helper()
	if _, faults, err := s.store.VerifyAudit(s.t.Context()); err != nil || len(faults) > 0 {
		s.t.Errorf("the audit log: %v %v", faults, err)
	}
}

// onEach runs the test beside each database; FRONTLINE_KNOWLEDGE_KILLS says how long.
func onEach(t *testing.T, run func(t *testing.T, s *shelf)) {
	strace(t)
	storetest.EachURL(t, func(t *testing.T, dbURL string) { run(t, newShelf(t, dbURL)) })
}
