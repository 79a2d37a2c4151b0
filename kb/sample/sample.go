// Package sample is the knowledge that a demonstration starts with: what a
// securities house's front line asks. All of it is fictitious; rules of the
// exchanges are given as a colleague would know them and are no advice.
package sample

import (
	"bytes"
	_ "embed"

	"frontline/kb"
)

//go:embed sample.jsonl
var file []byte

// Entries returns the sample knowledge. A test holds that every row is valid.
func Entries() []kb.Entry {
	rows, _, err := kb.ReadFile("sample.jsonl", bytes.NewReader(file))
	if err != nil {
		return nil
	}
	out := make([]kb.Entry, 0, len(rows))
	for _, r := range rows {
		if r.Err == nil {
			out = append(out, r.Entry)
		}
	}
	return out
}
