package config

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// longestEmbeddingWait keeps a question from waiting longer for its embedding
// than it may take altogether.
const longestEmbeddingWait = 3 * time.Second

func (c *Config) checkLLM(f *Faults) {
	l := c.LLM
	webAddress(f, "llm.base_url", l.BaseURL)
	if l.BaseURL != "" && l.Model == "" {
		f.add("llm.model: must be set with llm.base_url")
	}
	oneOf(f, "llm.answers", l.Answers, "words", "choose", "word")
	if d, err := time.ParseDuration(l.EmbeddingWait); err != nil || d <= 0 || d > longestEmbeddingWait {
		f.add("llm.embedding_wait: must be a time up to 3s, such as 400ms")
	}
	for _, n := range []struct {
		name  string
		value int
	}{{"daily_calls", l.DailyCalls}, {"daily_tokens", l.DailyTokens}, {"daily_person_tokens", l.DailyPersonTokens}} {
		if n.value < 0 {
			f.add("llm.%s: must not be below 0; 0 is no bound", n.name)
		}
	}
	for _, n := range []struct{ name, value string }{{"daily_cost", l.DailyCost}, {"prompt_price", l.PromptPrice}, {"completion_price", l.CompletionPrice}, {"embedding_price", l.EmbeddingPrice}} {
		if _, err := money(n.value); err != nil {
			f.add("llm.%s: must be a number such as 0.8, not below 0", n.name)
		}
	}
	if cost, err := money(l.DailyCost); err == nil && cost > 0 && !l.priced() {
		f.add("llm.daily_cost: needs llm.prompt_price and llm.completion_price, or llm.embedding_price")
	}
}

// llmWarnings names what is set and does nothing without something else.
func (c *Config) llmWarnings() (out []string) {
	if c.LLM.BaseURL != "" {
		return nil
	}
	if c.LLM.EmbeddingModel != "" {
		out = append(out, "llm.embedding_model: has no effect without llm.base_url")
	}
	if c.LLM.Answers != "words" {
		out = append(out, "llm.answers: has no effect without llm.base_url")
	}
	return out
}

func (l LLM) priced() bool {
	for _, v := range []string{l.PromptPrice, l.CompletionPrice, l.EmbeddingPrice} {
		if p, err := money(v); err == nil && p > 0 {
			return true
		}
	}
	return false
}

// money reads an amount; check has refused what is none.
func money(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err == nil && (v < 0 || v > 1e9 || math.IsNaN(v)) {
		err = strconv.ErrRange
	}
	return v, err
}

// Prices are those of a million tokens, and what a day may cost.
func (l LLM) Prices() (prompt, completion, embedding, day float64) {
	for at, text := range map[*float64]string{&prompt: l.PromptPrice, &completion: l.CompletionPrice, &embedding: l.EmbeddingPrice, &day: l.DailyCost} {
		*at, _ = money(text)
	}
	return prompt, completion, embedding, day
}

// Wait is how long a question waits for its embedding.
func (l LLM) Wait() time.Duration {
	d, _ := time.ParseDuration(l.EmbeddingWait)
	return d
}
