package kb

import (
	"errors"
	"time"
)

// ErrBudget is returned when a day's budget of model calls is spent.
var ErrBudget = errors.New("the day's budget of model calls is spent")

// ModelCall is one call of a model's endpoint as the log has it. It holds no
// text of what was asked or answered.
type ModelCall struct {
	ID               int64
	At               time.Time
	Purpose          string // intent, fields, choose, word, rewrite, draft, embed
	Version          string // of the prompt
	Model            string
	Person           string // userid that it was made for, "" for the house; the log keeps a keyed hash
	PromptTokens     int64
	CompletionTokens int64
	Cost             int64  // millionths of the currency that the prices are in
	Outcome          string // ok, budget, breaker, deadline, canceled, network, answer, status_429 …; "" while it runs
	Took             time.Duration
}

// ModelLimits bound a day; 0 is no bound. The day is the clock's own.
type ModelLimits struct {
	Calls        int64 // of the house
	Tokens       int64 // of the house, prompt and completion
	Cost         int64 // of the house, as in ModelCall
	PersonTokens int64 // of each person
}

// ModelUse is what calls of one kind came to.
type ModelUse struct {
	Purpose, Version, Model, Outcome string
	Calls                            int64
	PromptTokens, CompletionTokens   int64
	Cost                             int64
	Took                             time.Duration // all together
}
