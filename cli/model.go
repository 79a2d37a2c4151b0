package cli

import (
	"context"
	"time"

	"frontline/config"
	"frontline/handlers"
	"frontline/kb"
	"frontline/kb/llm"
	"frontline/web"
)

// openModel connects to the language model; nil when none is set.
func (e *engine) openModel() *llm.Client {
	l := e.cfg.LLM
	prompt, completion, embedding, _ := l.Prices()
	return llm.New(llm.Options{BaseURL: l.BaseURL, APIKey: string(l.APIKey), Model: l.Model, EmbeddingModel: l.EmbeddingModel, Limits: modelLimits(e.cfg), Ledger: e.store,
		Prices: llm.Prices{Prompt: prompt, Completion: completion, Embedding: embedding}, Now: e.now, Log: e.log.With("component", "llm"), Observe: e.meters.sawModel})
}

// vectorPoll is how often vectors that another replica made are looked for.
const vectorPoll = time.Second

// openVectors lets the base be found by vectors too.
func (e *engine) openVectors() {
	l := e.cfg.LLM
	if e.model != nil && l.EmbeddingModel != "" {
		e.vectors = kb.NewVectors(e.know, kb.VectorOptions{Model: l.EmbeddingModel, Embedder: e.model, Wait: l.Wait(), Hide: handlers.Hidden, Log: e.log.With("component", "kb")})
	}
}

func modelLimits(cfg *config.Config) kb.ModelLimits {
	l := cfg.LLM
	_, _, _, day := l.Prices()
	return kb.ModelLimits{Calls: int64(l.DailyCalls), Tokens: int64(l.DailyTokens), PersonTokens: int64(l.DailyPersonTokens), Cost: int64(day * 1e6)}
}

// modelState is what the page of the model shows.
func (e *engine) modelState() *web.ModelState {
	s := e.model.State()
	state := &web.ModelState{Model: s.Model, EmbeddingModel: s.EmbeddingModel, Answers: e.cfg.LLM.Answers, RestsUntil: s.RestsUntil, EmbeddingRest: s.EmbeddingRest,
		Limits: modelLimits(e.cfg)}
	if e.vectors != nil {
		state.Vectors = e.vectors.State()
	}
	return state
}

// model fits the language model to what the desk asks of one.
type model struct{ *llm.Client }

func (m model) ExtractFields(ctx context.Context, person, text string) (handlers.ModelFields, error) {
	f, err := m.Client.ExtractFields(ctx, person, text)
	return handlers.ModelFields{AppVersion: f.AppVersion, System: f.System, Symptom: f.Symptom, Urgency: f.Urgency}, err
}
