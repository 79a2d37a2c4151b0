// Package sample is the knowledge that a demonstration starts with: what a
// securities house's front line asks. All of it is fictitious; rules of the
// exchanges are given as a colleague would know them and are no advice.
package sample

import (
	"bytes"
	_ "embed"
	"time"

	"frontline/kb"
)

//go:embed sample.jsonl
var file []byte

// written is the day as of which the review dates of the file were given.
var written = time.Date(2026, 6, 10, 0, 0, 0, 0, time.UTC)

// Entries returns the sample knowledge, its review dates as far from now as they
// were from the day of writing. A test holds that every row is valid.
func Entries(now time.Time) []kb.Entry {
	days := int(now.Sub(written).Hours() / 24)
	rows, _, err := kb.ReadFile("sample.jsonl", bytes.NewReader(file))
	if err != nil {
		return nil
	}
	out := make([]kb.Entry, 0, len(rows))
	for _, r := range rows {
		if r.Err == nil {
			if d, err := time.Parse(time.DateOnly, r.Entry.ReviewAt); err == nil {
				r.Entry.ReviewAt = d.AddDate(0, 0, days).Format(time.DateOnly)
			}
			out = append(out, r.Entry)
		}
	}
	return out
}
