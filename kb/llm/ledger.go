package llm

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"frontline/kb"
)

// Ledger keeps every call before it is made and once it has ended, and holds
// the day's budgets: a restart or a second replica does not forget them.
// *store.Store is one.
type Ledger interface {
	BeginModelCall(ctx context.Context, c kb.ModelCall, most kb.ModelLimits) (id int64, err error)
	EndModelCall(ctx context.Context, c kb.ModelCall) error
}

// Prices are for a million tokens, in any one currency.
type Prices struct{ Prompt, Completion, Embedding float64 }

// usage is what a call used.
type usage struct{ prompt, completion int64 }

// costs is the price of what was used, in millionths of the currency: a price
// for a million tokens is the price of one in millionths.
func (p Prices) costs(purpose string, u usage) int64 {
	if purpose == purposeEmbed {
		return int64(p.Embedding * float64(u.prompt))
	}
	return int64(p.Prompt*float64(u.prompt) + p.Completion*float64(u.completion))
}

// atMost is what a text may have in tokens: no tokenizer in use makes more of
// a Chinese text than two for each character.
func atMost(texts ...string) (n int64) {
	for _, t := range texts {
		n += 2 * int64(utf8.RuneCountInString(t))
	}
	return n
}

// ledgerTime bounds the end of a call's row, whose caller may be gone.
const ledgerTime = 3 * time.Second

// begin asks breaker and budget, and keeps the call.
func (c *Client) begin(ctx context.Context, g *guard, k *kb.ModelCall) error {
	if err := g.enter(k.At); err != nil {
		k.Outcome = outcome(err)
		return err
	}
	if c.opt.Ledger == nil {
		return nil
	}
	id, err := c.opt.Ledger.BeginModelCall(ctx, *k, c.opt.Limits)
	k.ID = id
	return err
}

// end keeps how a call came out. What it used is the endpoint's own word; where
// there is none, an answer counts as estimated, and so does what was sent to an
// endpoint that then did not answer.
func (c *Client) end(ctx context.Context, k *kb.ModelCall, used usage, err error) {
	k.Outcome = outcome(err)
	switch {
	case used.prompt+used.completion > 0:
		k.PromptTokens, k.CompletionTokens = used.prompt, used.completion
	case err == nil: // estimated
	case strings.HasPrefix(k.Outcome, "status_"):
		k.PromptTokens, k.CompletionTokens = 0, 0
	default:
		k.CompletionTokens = 0
	}
	k.Cost = c.opt.Prices.costs(k.Purpose, usage{k.PromptTokens, k.CompletionTokens})
	if c.opt.Ledger == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ledgerTime)
	defer cancel()
	if err := c.opt.Ledger.EndModelCall(ctx, *k); err != nil {
		c.opt.Log.Warn("the end of a model's call is not logged", "component", "llm", "prompt", k.Purpose, "err", err)
	}
}

// leftOut keeps a call that the breaker did not let through.
func (c *Client) leftOut(ctx context.Context, k kb.ModelCall) {
	if c.opt.Ledger == nil || k.ID != 0 || k.Outcome != "breaker" {
		return // the budget has kept it already
	}
	k.PromptTokens, k.CompletionTokens, k.Cost = 0, 0, 0
	if _, err := c.opt.Ledger.BeginModelCall(ctx, k, kb.ModelLimits{}); err != nil && ctx.Err() == nil {
		c.opt.Log.Warn("a model's call is not logged", "component", "llm", "prompt", k.Purpose, "err", err)
	}
}

// State is how the endpoint is, as this process sees it.
type State struct {
	Model, EmbeddingModel     string
	RestsUntil, EmbeddingRest time.Time // zero: calls are made
}

// State tells which models are asked and whether they are left alone.
func (c *Client) State() State {
	now := c.opt.Now()
	return State{c.opt.Model, c.opt.EmbeddingModel, c.guard.restsUntil(now), c.embedGuard.restsUntil(now)}
}
