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
	Timeout        time.Duration  // of one call; 4 s when zero
	BatchTimeout   time.Duration  // of a call that embeds many texts, for which nobody waits; 30 s when zero
	Limits         kb.ModelLimits // of a day; they need a Ledger
	Prices         Prices
	Ledger         Ledger // nil: nothing is logged and no budget holds
	JSONMode       bool   // the endpoint understands response_format json_object
	Now            func() time.Time
	Log            *slog.Logger
	// Observe, when set, is told of each call once it has ended; Outcome is ok,
	// budget, breaker, deadline, canceled, status_429, network or answer.
	Observe func(c kb.ModelCall)
}

const (
	defaultTimeout = 4 * time.Second
	defaultBatch   = 30 * time.Second
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
	// Two models fail each for itself.
	guard, embedGuard *guard
}

// New returns a client, or nil when BaseURL is empty.
func New(opt Options) *Client {
	if opt.BaseURL == "" {
		return nil
	}
	if opt.Timeout <= 0 {
		opt.Timeout = defaultTimeout
	}
	if opt.BatchTimeout <= 0 {
		opt.BatchTimeout = defaultBatch
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{opt: opt, guard: &guard{}, embedGuard: &guard{}}
	c.chat, c.vectors = connect(opt, maxBody, c.guard), connect(opt, maxEmbedBody, c.embedGuard)
	return c
}

// connect makes a client of the endpoint with bounds of its own: the library's
// default has no time-out and reads answers of any size. Redirects are not
// followed, so that the key goes nowhere else.
func connect(opt Options, most int64, g *guard) *openai.Client {
	cfg := openai.DefaultConfig(opt.APIKey)
	cfg.BaseURL = strings.TrimRight(opt.BaseURL, "/")
	cfg.HTTPClient = &http.Client{
		Timeout:       max(opt.Timeout, opt.BatchTimeout), // each call has a deadline of its own
		Transport:     &bounded{http.DefaultTransport.(*http.Transport).Clone(), most, func(d time.Duration) { g.rest(opt.Now(), d) }},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return openai.NewClientWithConfig(cfg)
}

// Complete implements kb.Completer. It never tries twice: a person is waiting,
// and there is an answer without a model.
func (c *Client) Complete(ctx context.Context, p kb.Prompt) (answer string, err error) {
	if p.MaxTokens == 0 {
		p.MaxTokens = defaultTokens
	}
	data := fence(p.Data)
	k := kb.ModelCall{Model: c.opt.Model, Person: p.Person, PromptTokens: atMost(p.System, data), CompletionTokens: int64(p.MaxTokens)}
	k.Purpose, k.Version, _ = strings.Cut(p.Name, "/")
	err = c.call(ctx, c.guard, k, c.opt.Timeout, func(ctx context.Context) (used usage, err error) {
		answer, used, err = c.complete(ctx, p, data)
		return used, err
	})
	return answer, err
}

func (c *Client) complete(ctx context.Context, p kb.Prompt, data string) (string, usage, error) {
	req := openai.ChatCompletionRequest{
		//lint:ignore SA1019 the newer field is unknown to most OpenAI-compatible servers
		Model: c.opt.Model, MaxTokens: p.MaxTokens, Temperature: 0.01, // zero would be left out and mean the default
		Messages: []openai.ChatCompletionMessage{
			{Role: openai.ChatMessageRoleSystem, Content: p.System},
			{Role: openai.ChatMessageRoleUser, Content: data},
		},
	}
	if p.JSON && c.opt.JSONMode {
		req.ResponseFormat = &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONObject}
	}
	res, err := c.chat.CreateChatCompletion(ctx, req)
	if err != nil {
		return "", usage{}, err
	}
	used := usage{int64(res.Usage.PromptTokens), int64(res.Usage.CompletionTokens)}
	if len(res.Choices) == 0 {
		return "", used, errAnswer("no choices")
	}
	m := res.Choices[0].Message
	switch {
	case m.Refusal != "" || res.Choices[0].FinishReason == openai.FinishReasonContentFilter:
		return "", used, errAnswer("refused")
	case strings.TrimSpace(m.Content) == "":
		return "", used, errAnswer("empty")
	case len(m.Content) > maxAnswer:
		return "", used, errAnswer("too long")
	}
	return m.Content, used, nil
}

// purposeEmbed is what the log calls an embedding.
const purposeEmbed = "embed"

// Embed implements kb.Embedder.
func (c *Client) Embed(ctx context.Context, person string, texts []string) ([][]float32, error) {
	if c.opt.EmbeddingModel == "" {
		return nil, errors.New("no embedding model is set")
	}
	out := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		batch := texts[:min(embedBatch, len(texts))]
		texts = texts[len(batch):]
		k := kb.ModelCall{Purpose: purposeEmbed, Model: c.opt.EmbeddingModel, Person: person, PromptTokens: atMost(batch...)}
		most := c.opt.Timeout
		if len(batch) > 1 {
			most = c.opt.BatchTimeout
		}
		err := c.call(ctx, c.embedGuard, k, most, func(ctx context.Context) (usage, error) {
			res, err := c.vectors.CreateEmbeddings(ctx, openai.EmbeddingRequestStrings{Input: batch, Model: openai.EmbeddingModel(c.opt.EmbeddingModel)})
			if err != nil {
				return usage{}, err
			}
			vectors, err := inOrder(res.Data, len(batch))
			out = append(out, vectors...)
			return usage{prompt: int64(res.Usage.PromptTokens)}, err
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

// call runs one request under the deadline, the budget and the breaker, and
// keeps it in the log however it ends.
func (c *Client) call(ctx context.Context, g *guard, k kb.ModelCall, most time.Duration, do func(context.Context) (usage, error)) error {
	k.At = c.opt.Now()
	k.Cost = c.opt.Prices.costs(k.Purpose, usage{k.PromptTokens, k.CompletionTokens})
	err := c.begin(ctx, g, &k)
	if err == nil {
		bounded, cancel := context.WithTimeout(ctx, most)
		used, failed := do(bounded)
		err = plain(bounded, failed)
		cancel()
		k.Took = c.opt.Now().Sub(k.At)
		g.leave(c.opt.Now(), err)
		c.end(ctx, &k, used, err)
	} else {
		k.Outcome = outcome(err)
		c.leftOut(ctx, k)
	}
	if c.opt.Observe != nil {
		c.opt.Observe(k)
	}
	if err != nil {
		c.opt.Log.Debug("model gave no answer", "component", "llm", "prompt", k.Purpose, "outcome", k.Outcome)
		return fmt.Errorf("model, %s: %w", k.Purpose, err)
	}
	return nil
}
