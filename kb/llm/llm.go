// Package llm is the only user of a language model's endpoint. It proposes;
// code checks what it says, and people confirm what changes anything. The
// texts given to it have personal data masked by the caller. Nothing the model
// says is ever run as a command.
package llm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"frontline/kb"
)

// Options of a Client. An empty BaseURL means that there is no model.
type Options struct {
	BaseURL        string
	APIKey         string
	Model          string
	EmbeddingModel string
	Timeout        time.Duration // of one call; 4 s when zero
	DailyBudget    int           // calls a day; 10,000 when zero, no bound below zero
	JSONMode       bool          // the endpoint understands response_format json_object
	Now            func() time.Time
	Log            *slog.Logger
	// Observe, when set, is told of each call: the prompt's name, how it ended
	// (ok, budget, breaker, deadline, canceled, status_429, network, answer) and
	// how long it took.
	Observe func(prompt, outcome string, d time.Duration)
}

const (
	defaultTimeout = 4 * time.Second
	defaultBudget  = 10_000
	defaultTokens  = 300
	embedBatch     = 64
	maxAnswer      = 16 << 10 // bytes of a completion
	maxBody        = 512 << 10
	maxEmbedBody   = 16 << 20
)

// Client is a kb.Completer and a kb.Embedder.
type Client struct {
	opt     Options
	chat    *openai.Client
	vectors *openai.Client
	guard   *guard
}

// New returns a client, or nil when BaseURL is empty.
func New(opt Options) *Client {
	if opt.BaseURL == "" {
		return nil
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.DailyBudget == 0 {
		opt.DailyBudget = defaultBudget
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{opt: opt, chat: connect(opt, maxBody), vectors: connect(opt, maxEmbedBody), guard: &guard{budget: opt.DailyBudget}}
}

// connect makes a client of the endpoint with bounds of its own: the library's
// default has no time-out and reads answers of any size. Redirects are not
// followed, so that the key goes nowhere else.
func connect(opt Options, most int64) *openai.Client {
	cfg := openai.DefaultConfig(opt.APIKey)
	cfg.BaseURL = strings.TrimRight(opt.BaseURL, "/")
	cfg.HTTPClient = &http.Client{
		Timeout:       opt.Timeout,
		Transport:     &bounded{http.DefaultTransport.(*http.Transport).Clone(), most},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return openai.NewClientWithConfig(cfg)
}

// Complete implements kb.Completer. It never tries twice: a person is waiting,
// and there is an answer without a model.
func (c *Client) Complete(ctx context.Context, p kb.Prompt) (answer string, err error) {
	err = c.call(ctx, p.Name, func(ctx context.Context) error {
		answer, err = c.complete(ctx, p)
		return err
	})
	return answer, err
}

func (c *Client) complete(ctx context.Context, p kb.Prompt) (string, error) {
	tokens := p.MaxTokens
	if tokens == 0 {
		tokens = defaultTokens
	}
	req := openai.ChatCompletionRequest{
		//lint:ignore SA1019 the newer field is unknown to most OpenAI-compatible servers
		Model: c.opt.Model, MaxTokens: tokens, Temperature: 0.01, // zero would be left out and mean the default
		Messages: []openai.ChatCompletionMessage{
			{Role: openai.ChatMessageRoleSystem, Content: p.System},
			{Role: openai.ChatMessageRoleUser, Content: fence(p.Data)},
		},
	}
	if p.JSON && c.opt.JSONMode {
		req.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONObject}
	}
	res, err := c.chat.CreateChatCompletion(ctx, req)
	if err != nil {
		return "", err
	}
	if len(res.Choices) == 0 {
		return "", errAnswer("no choices")
	}
	m := res.Choices[0].Message
	switch {
	case m.Refusal != "" || res.Choices[0].FinishReason == openai.FinishReasonContentFilter:
		return "", errAnswer("refused")
	case strings.TrimSpace(m.Content) == "":
		return "", errAnswer("empty")
	case len(m.Content) > maxAnswer:
		return "", errAnswer("too long")
	}
	return m.Content, nil
}

// Embed implements kb.Embedder.
func (c *Client) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if c.opt.EmbeddingModel == "" {
		return nil, errors.New("no embedding model is set")
	}
	out := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		batch := texts[:min(embedBatch, len(texts))]
		texts = texts[len(batch):]
		err := c.call(ctx, "embed", func(ctx context.Context) error {
			res, err := c.vectors.CreateEmbeddings(ctx, openai.EmbeddingRequestStrings{Input: batch, Model: openai.EmbeddingModel(c.opt.EmbeddingModel)})
			if err != nil {
				return err
			}
			vectors, err := inOrder(res.Data, len(batch))
			out = append(out, vectors...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// inOrder puts the vectors of a batch in the order of its texts and checks
// that there is one each, all of one length.
func inOrder(data []openai.Embedding, n int) ([][]float32, error) {
	out := make([][]float32, n)
	for _, d := range data {
		if d.Index < 0 || d.Index >= n || out[d.Index] != nil || len(d.Embedding) == 0 || len(d.Embedding) != len(data[0].Embedding) {
			return nil, errAnswer("vectors do not fit")
		}
		out[d.Index] = d.Embedding
	}
	if len(data) != n {
		return nil, errAnswer("vectors are missing")
	}
	return out, nil
}

// call runs one request under the deadline, the budget and the breaker.
func (c *Client) call(ctx context.Context, name string, do func(context.Context) error) error {
	start := c.opt.Now()
	err := c.guard.enter(start)
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, c.opt.Timeout)
		err = plain(bounded, do(bounded))
		cancel()
		c.guard.leave(c.opt.Now(), err)
	}
	if c.opt.Observe != nil {
		c.opt.Observe(name, outcome(err), c.opt.Now().Sub(start))
	}
	if err != nil {
		c.opt.Log.Debug("model gave no answer", "component", "llm", "prompt", name, "outcome", outcome(err))
		return fmt.Errorf("model, %s: %w", name, err)
	}
	return nil
}
