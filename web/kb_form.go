package web

import (
	"errors"
	"net/http"
	"strings"

	"frontline/bot/chat"
	"frontline/kb"
)

// entryForm is an entry as somebody typed it: lists have one value a line.
type entryForm struct {
	Question, Similar, Negative, ShortTitle, Answer, AnswerText, Steps, Exceptions string
	Group, Category, Tags, Owner, ValidUntil, ReviewAt                             string
	Version                                                                        int64 // of the entry that was looked at
	Change                                                                         int64 // of the change that waited, 0 for none
}

func formOf(e kb.Entry) entryForm {
	return entryForm{Question: e.Question, Similar: strings.Join(e.Similar, "\n"), Negative: strings.Join(e.Negative, "\n"), ShortTitle: e.ShortTitle, Answer: e.Answer, AnswerText: e.AnswerText, Steps: e.Steps, Exceptions: e.Exceptions,
		Group: e.Group, Category: e.Category, Tags: strings.Join(e.Tags, "，"), Owner: e.Owner, ValidUntil: e.ValidUntil, ReviewAt: e.ReviewAt, Version: int64(e.Version)}
}

func readEntry(r *http.Request) entryForm {
	field := func(name string) string { return strings.ReplaceAll(r.PostFormValue(name), "\r\n", "\n") }
	return entryForm{Question: field("question"), Similar: field("similar"), Negative: field("negative"), ShortTitle: field("short_title"), Answer: field("answer"), AnswerText: field("answer_text"), Steps: field("steps"), Exceptions: field("exceptions"),
		Group: field("group"), Category: field("category"), Tags: field("tags"), Owner: field("owner"), ValidUntil: field("valid_until"), ReviewAt: field("review_at"), Version: number(field("version")), Change: number(field("change"))}
}

// entry is the form as an entry; a question on several lines is one line.
func (f entryForm) entry(number int64) kb.Entry {
	lines := func(text string) []string { return strings.Split(text, "\n") }
	return kb.Clean(kb.Entry{Number: number, Question: strings.Join(strings.Fields(f.Question), " "), Similar: lines(f.Similar), Negative: lines(f.Negative), ShortTitle: f.ShortTitle, Answer: f.Answer, AnswerText: f.AnswerText, Steps: f.Steps, Exceptions: f.Exceptions,
		Group: f.Group, Category: f.Category, Tags: []string{f.Tags}, Owner: f.Owner, ValidUntil: f.ValidUntil, ReviewAt: f.ReviewAt})
}

// faultsIn puts what is wrong with an entry to the fields of its form; nil when
// the error is about something else.
func faultsIn(err error) map[string]string {
	var all kb.Faults
	if !errors.As(err, &all) {
		return nil
	}
	out := map[string]string{}
	for _, f := range all {
		out[f.Column] = f.Text
	}
	return out
}

// changedIn are the fields in which what the store has by now differs from
// what was typed, with what it has.
func changedIn(now kb.Entry, typed kb.Entry) map[string]string {
	out := map[string]string{}
	stored := formOf(now).byField()
	for _, d := range kb.Diff(now, typed) {
		out[d.Key] = chat.Cut(stored[d.Key], 400)
	}
	return out
}

func (f entryForm) byField() map[string]string {
	return map[string]string{"question": f.Question, "similar": f.Similar, "negative": f.Negative, "short_title": f.ShortTitle, "answer": f.Answer, "answer_text": f.AnswerText, "steps": f.Steps, "exceptions": f.Exceptions,
		"group": f.Group, "category": f.Category, "tags": f.Tags, "owner": f.Owner, "valid_until": f.ValidUntil, "review_at": f.ReviewAt}
}
