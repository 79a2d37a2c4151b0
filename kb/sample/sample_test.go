package sample

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"frontline/kb"
)

func TestEntries(t *testing.T) {
	rows, warnings, err := kb.ReadFile("sample.jsonl", bytes.NewReader(file))
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	for _, r := range rows {
		e := r.Entry
		switch {
		case r.Err != nil:
			t.Error(r.Err)
		case e.ShortTitle == "" || e.Category == "" || e.Group == "" || e.Owner == "" || !strings.HasPrefix(e.ReviewAt, "2026-"):
			t.Errorf("K%d is not complete", e.Number)
		case len(e.Similar) < 2 || len(e.Similar) > 6:
			t.Errorf("K%d has %d similar questions", e.Number, len(e.Similar))
		}
		for _, word := range []string{"保证", "稳赚", "包赚", "承诺", "绝对", "零风险"} {
			if strings.Contains(e.Answer+e.AnswerText, word) {
				t.Errorf("K%d promises: %s", e.Number, word)
			}
		}
	}
	if n := len(Entries(time.Now())); n != len(rows) || n < 60 || n > 80 {
		t.Errorf("%d of %d entries", n, len(rows))
	}
}
