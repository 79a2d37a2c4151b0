// Package kb finds the answer to a question in a curated knowledge base, or
// says honestly that it has none. It needs no server and no model, and imports
// nothing of ours: the store is a Source, a language model is a Completer.
package kb

import (
	"context"
	"slices"
	"time"
)

// States of an entry. An empty state counts as published, so that a file with
// nothing but questions and answers can be used as it is.
const (
	Draft     = "draft"
	Review    = "review" // a draft that waits for a second person
	Published = "published"
	Retired   = "retired"
)

// StateTitle is a state in words.
func StateTitle(state string) string {
	return map[string]string{"": "已发布", Draft: "草稿", Review: "待复核", Published: "已发布", Retired: "已停用"}[state]
}

// Entry is a question with its answer and similar questions. Dates are
// YYYY-MM-DD, empty for none; an entry is used up to and including ValidUntil.
type Entry struct {
	Number     int64    `json:"number,omitempty"`
	Question   string   `json:"question"`
	Similar    []string `json:"similar,omitempty"`
	Negative   []string `json:"negative,omitempty"` // questions that must not find this entry
	ShortTitle string   `json:"short_title,omitempty"`
	Answer     string   `json:"answer"`
	AnswerText string   `json:"answer_text,omitempty"` // the answer for places without Markdown
	Steps      string   `json:"steps,omitempty"`       // for staff only, not for customers
	Exceptions string   `json:"exceptions,omitempty"`
	State      string   `json:"state,omitempty"`
	Group      string   `json:"group,omitempty"`
	Category   string   `json:"category,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Owner      string   `json:"owner,omitempty"`
	ValidUntil string   `json:"valid_until,omitempty"`
	ReviewAt   string   `json:"review_at,omitempty"`
	Version    int      `json:"-"`
	Changed    int64    `json:"-"` // the store's change number: later changes have greater ones
	Editor     string   `json:"-"` // who wrote the present words
	Learned    []string `json:"-"` // questions that people said it answers; the index's own
}

// asks are all questions that an entry has, the standard question first.
func (e *Entry) asks() []string {
	return slices.Concat([]string{e.Question}, e.Similar, e.Learned)
}

// Live says whether the entry may be shown as an answer at all.
func (e Entry) Live() bool { return e.State == "" || e.State == Published }

// Source gives up to n entries changed after a change number, in the order of
// changes. A deleted entry comes once more with a state that is not Live.
type Source interface {
	Changed(ctx context.Context, after int64, n int) ([]Entry, error)
}

// Query is one question.
type Query struct {
	Text string
	N    int       // hits wanted; zero means five
	Now  time.Time // entries out of date on this day are left out; zero leaves none out
	// Vectors lets the embedding model help where words are not sure, when there
	// is one: somebody waits for this answer. Person is whose budget it takes.
	Vectors bool
	Person  string
}

// Band says how sure a result is.
type Band int

const (
	Refuse  Band = iota // nothing fits, or it is no question: say so
	Clarify             // one of the first three hits may be meant: ask which
	Answer              // the first hit is the answer
)

// String returns the name used in logs, metrics and the store.
func (b Band) String() string {
	switch b {
	case Answer:
		return "answer"
	case Clarify:
		return "clarify"
	}
	return "refuse"
}

// Hit is one find.
type Hit struct {
	Entry       Entry
	Score       float64 // 0 to 1: how likely this is what was asked, by the words; comparable between queries
	Matched     string  // the entry's question that fits best
	Explanation Explanation
}

// Explanation says why an entry was found.
type Explanation struct {
	Field    string    // "question", "similar", "learned" or "short_title": where Matched stands
	Exact    bool      // Matched is the question asked, apart from spelling and politeness
	Terms    []Term    // what both have in common, heaviest first
	Missing  []string  // terms of the question that this entry has nowhere
	Synonyms []Synonym // words of the question read as others
	Signals  Signals
}

// Term is a matched part of the question with its share of the score.
type Term struct {
	Text   string  `json:"text"`
	Weight float64 `json:"weight"`
}

// Synonym is a word of the question that was read as another; To is empty for
// a word that carries no topic.
type Synonym struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Signals are the figures behind a score, for the page that shows them.
type Signals struct {
	Weight   float64 // score of the trained index
	Cosine   float64 // likeness to the best question, 0 to 1
	Coverage float64 // share of the question's weight that the entry's questions hold
	Answer   float64 // share of it that the answer's text holds
	Margin   float64 // distance to the next entry; of the first hit only
	Vector   float64 // likeness by vectors, -1 to 1; 0 where they were not asked
}

// Result is what a search found. Hits are best first and are there in every
// band, so that a refusal can be looked into; in Clarify the first three are
// the ones to offer.
type Result struct {
	Band      Band
	Hits      []Hit
	Threshold float64 // the score from which this base answers
	Read      string  // the question as its letters were read, where the first hit was found so; else ""
	Reason    string  // "exact", "confident", "unsure", "likeness", "ambiguous", "unknown", "chat", "empty", "negative"
}

// Prompt is one request to a language model. User text goes into Data, never
// into System: the completer fences it.
type Prompt struct {
	Name      string // name and version, for counting: "intent/1"
	Person    string // userid that it is asked for, "" for the house: whose budget it takes
	System    string
	Data      string
	MaxTokens int
	JSON      bool // the answer is to be one JSON object
}

// Completer is a language model. Callers must have an answer for when it fails
// or is off, and check everything it says.
type Completer interface {
	Complete(ctx context.Context, p Prompt) (string, error)
}

// Embedder turns texts into vectors of equal length; person is as in Prompt.
type Embedder interface {
	Embed(ctx context.Context, person string, texts []string) ([][]float32, error)
}
