package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"frontline/kb"
	"frontline/store"
)

// killPublish changes an entry again and again, by one person who writes and
// another who publishes, and kills the program amid both. The entry is the old
// version or the new one, in all its fields, and so is what answers.
func (s *shelf) killPublish(n int) {
	t := s.t
	s.config("knowledge:\n  second_person: true\n")
	s.again()
	writer, publisher := s.keeper("bob"), s.keeper("carol")
	writer.open("/kb")
	publisher.open("/kb")
	const asked, which = "cwhole", 3
	question := rowQuestion(asked, which)
	number := s.entries()[question].Number
	path := fmt.Sprintf("/kb/%d", number)
	began := s.find(number)
	for i := range 2 * n {
		e := s.find(number)
		tag := "pub" + word(i)
		form := url.Values{"question": {question}, "answer": {rowAnswer(tag, which)}, "steps": {"看 " + tag + " 的手册"}, "version": {fmt.Sprint(e.Version)}, "change": {"0"}, "do": {"submit"}}
		submit := func() (int, string, error) { return writer.post(path, form) }
		publish := func() (int, string, error) {
			return publisher.post(path+"/move", url.Values{"do": {"publish"}, "version": {fmt.Sprint(e.Version)}})
		}
		calls, nth := "", 0
		if i%2 == 1 {
			calls, nth = s.writes(), 1+s.random(12)
		}
		s.during(30*time.Millisecond, calls, nth, func() { _, _, _ = submit() })
		if now := s.find(number); now.Version != e.Version {
			t.Fatalf("submitting made version %d of %d", now.Version, e.Version)
		}
		if !s.waits(number, tag) {
			s.must(submit())
		}
		s.during(30*time.Millisecond, calls, nth, func() { _, _, _ = publish() })
		now := s.find(number)
		if s.waits(number, tag) {
			if now.Version != e.Version || !kb.SameWords(now, e) {
				t.Fatalf("the change waits, and the entry is %+v", now)
			}
			s.answers(question, e.Answer)
			s.must(publish())
			now = s.find(number)
		}
		if now.Version != e.Version+1 || now.Answer != rowAnswer(tag, which) || now.Steps != "看 "+tag+" 的手册" || now.Editor != "bob" {
			t.Fatalf("published was %s, there is %+v", tag, now)
		}
		s.answers(question, now.Answer)
	}
	now := s.find(number)
	for _, r := range s.versions(now) {
		if tag, _, _ := strings.Cut(r.Entry.Answer, "："); r.Entry.Steps != "看 "+tag+" 的手册" {
			t.Errorf("version %d has words of two: %+v", r.Version, r.Entry)
		}
	}
	for action, want := range map[string]int{"entry.edit": 2 * n, "entry.change.submit": 2 * n, "entry.change.publish": now.Version - began.Version} {
		lines, err := s.store.ListAudit(t.Context(), store.AuditQuery{Action: action, Object: fmt.Sprintf("K%d", number), N: 500})
		if err != nil || len(lines) != min(want, 500) {
			t.Errorf("%d lines of %s, want %d, %v", len(lines), action, want, err)
		}
	}
}

func (s *shelf) find(number int64) kb.Entry {
	s.t.Helper()
	e, err := s.store.FindEntry(s.t.Context(), number)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// waits tells whether the change waits for the second person: all of it.
func (s *shelf) waits(number int64, tag string) bool {
	s.t.Helper()
	p, err := s.store.FindProposal(s.t.Context(), number)
	if errors.Is(err, store.ErrNotFound) {
		return false
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if p.State != kb.Review || !strings.HasPrefix(p.Entry.Answer, tag+"：") || p.Entry.Steps != "看 "+tag+" 的手册" || p.Author != "bob" {
		s.t.Fatalf("what waits is %+v", p)
	}
	return true
}

// must is for what is done again by somebody who was not answered.
func (s *shelf) must(code int, page string, err error) {
	s.t.Helper()
	if err != nil || code != http.StatusSeeOther {
		s.t.Fatalf("%d %v %.800s", code, err, page)
	}
}
