package main

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
)

// smallFile is how many rows a file of the command has after the first.
const smallFile = 500

func rowQuestion(tag string, n int) string { return "怎么查 " + tag + " " + word(n) + " 的流水" }
func rowAnswer(tag string, n int) string   { return tag + "：在「" + word(n) + "」页看。" }

// knowledgeFile is a file whose questions are told by asked and answers by tag:
// n rows from a number on.
func knowledgeFile(asked, tag string, from, n int) []byte {
	var b strings.Builder
	b.WriteString("标准问题,答案,内部步骤\n")
	for i := from; i < from+n; i++ {
		fmt.Fprintf(&b, "%s,%s,%s\n", rowQuestion(asked, i), rowAnswer(tag, i), "看 "+tag+" 的手册")
	}
	return []byte(b.String())
}

// TestKnowledgeKills imports files of knowledge into the real program, through
// its page and through the command, takes imports back, and publishes changes
// of an entry, while the program is killed: at any moment, and inside the
// system calls of its database. What is there afterwards is the whole or
// nothing of it, and what answers is what is stored.
func TestKnowledgeKills(t *testing.T) {
	onEach(t, func(t *testing.T, s *shelf) {
		n := s.kills
		s.killCommand(n)
		s.killImport(n)
		s.killPublish(n)
		s.checkAudit()
		if !t.Failed() {
			t.Logf("%d kills of the program, %d with a request on its way, %d inside a system call: all or nothing each time; seed %d", s.killed, s.amid, s.calls, s.seed)
		}
	})
}

// killCommand kills "frontline kb import" beside the running program. The
// command is one transaction.
func (s *shelf) killCommand(n int) {
	t := s.t
	bin, _ := buildOnce()
	run := func(tag string, rows int, kill time.Duration) time.Duration {
		file := filepath.Join(s.r.dir, tag+".csv")
		if err := os.WriteFile(file, knowledgeFile(tag, tag, 0, rows), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(bin, "kb", "import", file)
		cmd.Dir, cmd.Env = s.r.dir, s.r.environment()
		out := &strings.Builder{}
		cmd.Stdout, cmd.Stderr = out, out
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if kill > 0 {
			time.Sleep(kill)
			_ = cmd.Process.Signal(syscall.SIGKILL)
		}
		if err := cmd.Wait(); err != nil && kill == 0 {
			t.Fatalf("kb import: %v %s", err, out)
		}
		return time.Since(began)
	}
	first := run("cwhole", s.rows, 0)
	whole := run("csmall", smallFile, 0)
	killed := 0
	for i := range n {
		tag := "c" + word(i)
		run(tag, smallFile, whole/5+time.Duration(s.random(int(whole))))
		there := 0
		for q := range s.entries() {
			if strings.Contains(q, " "+tag+" ") {
				there++
			}
		}
		switch there {
		case 0:
			killed++
			run(tag, smallFile, 0)
			s.answers(rowQuestion(tag, 7), rowAnswer(tag, 7))
		case smallFile:
		default:
			t.Fatalf("%d of %d rows of the command are there", there, smallFile)
		}
		run(tag, smallFile, 0) // nothing changes
	}
	all := s.entries()
	if want := s.rows + smallFile*(n+1); len(all) != want {
		t.Errorf("%d entries, want %d", len(all), want)
	}
	for _, e := range all {
		if e.Version != 1 {
			t.Fatalf("K%d is version %d", e.Number, e.Version)
		}
	}
	t.Logf("kb import of %d rows takes %s; %d of %d kills left nothing of it, the others all", s.rows, first.Round(time.Millisecond), killed, n)
}

// killImport goes through the page: upload, look, import, take back, with kills
// in all of them. Half of the file changes entries that are there.
func (s *shelf) killImport(n int) {
	t := s.t
	k := s.keeper("alice")
	k.open("/kb/import")
	before := s.entries()
	const asked, tag = "cwhole", "page"
	content := knowledgeFile(asked, tag, s.rows/2, s.rows)

	var where string
	s.during(400*time.Millisecond, "", 0, func() { where, _ = k.upload("知识.csv", content) })
	if !maps.EqualFunc(before, s.entries(), func(a, b kb.Entry) bool { return a.Version == b.Version }) {
		t.Error("a file that was only looked at changed something")
	}
	if where == "" { // as somebody would do who was not answered
		var err error
		if where, err = k.upload("知识.csv", content); err != nil {
			t.Fatal(err)
		}
	}
	if page := k.open(where); !strings.Contains(page, fmt.Sprintf("<dt>新增</dt><dd>%d</dd>", s.rows/2)) || !strings.Contains(page, fmt.Sprintf("<dt>修改</dt><dd>%d</dd>", s.rows/2)) {
		t.Errorf("the preview is %.2000s", page)
	}
	id, err := strconv.ParseInt(strings.TrimPrefix(where, "/kb/import?id="), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"id": {fmt.Sprint(id)}, "do": {"apply"}, "mode": {"merge"}}
	s.begin(k, form, store.ImportPending, id)
	s.killWhile(n, id, store.ImportRunning)
	im := s.ended(id, store.ImportDone)
	if im.Created != s.rows/2 || im.Changed != s.rows/2 || im.Same+im.Skipped+im.Bad != 0 {
		t.Errorf("the import says %+v", im)
	}
	s.checkImported(before, asked, tag)
	for _, i := range []int{s.rows / 2, s.rows, 2 * s.rows / 3} {
		s.answers(rowQuestion(asked, i), rowAnswer(tag, i))
	}

	// The same file once more: nothing to do, and nothing done.
	after := s.entries()
	if where, err = k.upload("知识.csv", content); err != nil {
		t.Fatal(err)
	}
	again, err := strconv.ParseInt(strings.TrimPrefix(where, "/kb/import?id="), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	s.begin(k, url.Values{"id": {fmt.Sprint(again)}, "do": {"apply"}, "mode": {"merge"}}, store.ImportPending, again)
	if im := s.ended(again, store.ImportDone); im.Same != s.rows || im.Created+im.Changed+im.Skipped != 0 {
		t.Errorf("the same file once more: %+v", im)
	}
	if !maps.EqualFunc(after, s.entries(), func(a, b kb.Entry) bool { return a.Version == b.Version }) {
		t.Error("the same file once more changed something")
	}

	s.begin(k, url.Values{"id": {fmt.Sprint(id)}, "do": {"undo"}}, store.ImportDone, id)
	s.killWhile(n, id, store.ImportUndoing)
	if im := s.ended(id, store.ImportUndone); im.Kept != 0 {
		t.Errorf("%d rows were not taken back", im.Kept)
	}
	s.checkTakenBack(before, asked, tag)
	s.answers(rowQuestion(asked, s.rows/2), rowAnswer(asked, s.rows/2))
	s.answers(rowQuestion(asked, s.rows+1), "")
}

// begin presses the button of an import with a kill amid it, and once more when
// it did not count.
func (s *shelf) begin(k *keeper, form url.Values, from string, id int64) {
	s.t.Helper()
	s.during(40*time.Millisecond, "", 0, func() { _, _, _ = k.post("/kb/import/act", form) })
	im, err := s.store.FindImport(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	if im.State != from {
		return
	}
	if code, page, err := k.post("/kb/import/act", form); err != nil || code != http.StatusSeeOther {
		s.t.Fatalf("%s: %d %v %.500s", form.Get("do"), code, err, page)
	}
}

// killWhile kills the program n times at moments in which it is at an import,
// and as often inside a write of its database.
func (s *shelf) killWhile(n int, id int64, state string) {
	s.t.Helper()
	for i := range 2 * n {
		at := s.progress(id)
		if at.State != state {
			return
		}
		if i%2 == 0 {
			s.until("the import goes on", 30*time.Second, func() bool { now := s.progress(id); return now.Pos > at.Pos || now.State != state })
			time.Sleep(time.Duration(s.random(60)) * time.Millisecond)
		} else {
			untrace := s.dieInside(s.writes(), 1+s.random(100))
			for dead, left := false, time.Now().Add(20*time.Second); !dead && time.Now().Before(left) && s.progress(id).State == state; {
				select {
				case err := <-s.r.dead:
					s.r.dead <- err
					s.calls++
					dead = true
				case <-time.After(20 * time.Millisecond):
				}
			}
			untrace()
		}
		s.r.kill()
		s.consistent(id)
		s.again()
	}
}

// writes is the system call with which the program speaks to its database.
func (s *shelf) writes() string {
	if strings.HasPrefix(s.dbURL, "sqlite:") {
		return []string{"pwrite64", "fsync,fdatasync"}[s.random(2)]
	}
	return "write"
}

func (s *shelf) progress(id int64) store.Import {
	s.t.Helper()
	im, err := s.store.FindImport(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return im
}

// consistent compares how far an import says it is with what it did, while
// nobody works on it.
func (s *shelf) consistent(id int64) {
	s.t.Helper()
	im := s.progress(id)
	list, err := s.store.ListImported(s.t.Context(), id, 0, 10_000)
	if err != nil {
		s.t.Fatal(err)
	}
	if im.Created+im.Changed != len(list) || im.State == store.ImportRunning && im.Pos != len(list) {
		s.t.Fatalf("the import says %+v, and has %d rows noted", im, len(list))
	}
	byNumber := map[int64]kb.Entry{}
	for _, e := range s.entries() {
		byNumber[e.Number] = e
	}
	for _, x := range list {
		want := x.After
		if im.State == store.ImportUndoing && x.Entry <= int64(im.Pos) || im.State == store.ImportUndone {
			want++
		}
		if got := byNumber[x.Entry].Version; got != want {
			s.t.Fatalf("K%d is version %d where the import, %s at %d, should have left %d", x.Entry, got, im.State, im.Pos, want)
		}
	}
}

func (s *shelf) ended(id int64, state string) store.Import {
	s.t.Helper()
	s.until("the import is "+state, 2*time.Minute, func() bool { return s.progress(id).State == state })
	return s.progress(id)
}

// checkImported: every row of the file is there once, with its words, and
// nothing else changed.
func (s *shelf) checkImported(before map[string]kb.Entry, asked, tag string) {
	s.t.Helper()
	now := s.entries()
	for i := s.rows / 2; i < s.rows/2+s.rows; i++ {
		q := rowQuestion(asked, i)
		e, want := now[q], 1+before[q].Version
		if e.Answer != rowAnswer(tag, i) || e.Steps != "看 "+tag+" 的手册" || e.State != kb.Published || e.Version != want {
			s.t.Fatalf("row %d is %+v", i, e)
		}
		if i%37 == 0 {
			s.versions(e)
		}
		delete(now, q)
	}
	for q, e := range now {
		if e.Version != before[q].Version {
			s.t.Fatalf("%q is in no file, and is %+v now", q, e)
		}
	}
}

// checkTakenBack: what was there is as it was, what was new answers no more.
func (s *shelf) checkTakenBack(before map[string]kb.Entry, asked, tag string) {
	s.t.Helper()
	now := s.entries()
	for i := s.rows / 2; i < s.rows/2+s.rows; i++ {
		q := rowQuestion(asked, i)
		e, was := now[q], before[q]
		if old := was.Number != 0; old && !kb.SameWords(e, was) || !old && e.State != kb.Retired || e.Version != was.Version+2 {
			s.t.Fatalf("row %d is %+v, was %+v", i, e, was)
		}
		if i%37 == 0 {
			s.versions(e)
		}
	}
}
