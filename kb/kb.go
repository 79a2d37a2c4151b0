// Package kb finds the answer to a question in a curated knowledge base, or
// says honestly that it has none. It needs no server and no model.
package kb

import (
	"context"
	"time"
)

// Entry is a question with its answer and similar questions.
type Entry struct {
	Number     int64    `json:"number,omitempty"`
	Question   string   `json:"question"`
	Similar    []string `json:"similar,omitempty"`
	Negative   []string `json:"negative,omitempty"`
	ShortTitle string   `json:"short_title,omitempty"`
	Answer     string   `json:"answer"`
	AnswerText string   `json:"answer_text,omitempty"`
	Steps      string   `json:"steps,omitempty"`
	Exceptions string   `json:"exceptions,omitempty"`
	State      string   `json:"state,omitempty"`
	Group      string   `json:"group,omitempty"`
	Category   string   `json:"category,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Owner      string   `json:"owner,omitempty"`
	ValidUntil string   `json:"valid_until,omitempty"`
	ReviewAt   string   `json:"review_at,omitempty"`
	Version    int      `json:"-"`
	Changed    int64    `json:"-"`
}

// Source gives the entries changed after a change number, in that order.
type Source interface {
	Changed(ctx context.Context, after int64, n int) ([]Entry, error)
}

// Query is one question.
type Query struct {
	Text string
	N    int
	Now  time.Time
}

// Band says how sure a result is.
type Band int

const (
	Refuse Band = iota
	Clarify
	Answer
)

// Hit is one find.
type Hit struct {
	Entry   Entry
	Score   float64
	Matched string
}

// Result is what a search found.
type Result struct {
	Band Band
	Hits []Hit
}
