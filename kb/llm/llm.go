// Package llm is the only user of a language model's endpoint. It proposes;
// code checks what it says, and people confirm what changes anything.
package llm

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"frontline/kb"
)

// Options of a Client. An empty BaseURL means that there is no model.
type Options struct {
	BaseURL        string
	APIKey         string
	Model          string
	EmbeddingModel string
	Timeout        time.Duration // of one call; 4 s when zero
	DailyBudget    int           // calls a day; 10 000 when zero, below zero: no bound
	Now            func() time.Time
	Log            *slog.Logger
	Observe        func(prompt, outcome string, d time.Duration)
}

// Fields are what a report's text says, as far as the model found it.
type Fields struct {
	AppVersion string `json:"app_version"`
	System     string `json:"system"` // android, ios, harmony, windows, mac, web
	Symptom    string `json:"symptom"`
	Urgency    string `json:"urgency"` // critical, major, warning, info
	Class      string `json:"class"`   // data, program, consultation, other
}

// Client is a kb.Completer and a kb.Embedder.
type Client struct{ opt Options }

// New returns a client, or nil when BaseURL is empty.
func New(opt Options) *Client {
	if opt.BaseURL == "" {
		return nil
	}
	return &Client{opt: opt}
}

// Complete implements kb.Completer.
func (c *Client) Complete(ctx context.Context, p kb.Prompt) (string, error) {
	return "", errors.New("not yet")
}

// Embed implements kb.Embedder.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return nil, errors.New("not yet")
}

// ExtractFields reads the facts out of a report whose personal data the caller
// has masked.
func (c *Client) ExtractFields(ctx context.Context, text string) (Fields, error) {
	return Fields{}, errors.New("not yet")
}

// Intent says what a message is (report, question, chat, other) and how sure
// the model is of it.
func (c *Client) Intent(ctx context.Context, text string) (string, float64, error) {
	return "", 0, errors.New("not yet")
}
