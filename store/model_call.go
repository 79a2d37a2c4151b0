package store

import (
	"context"
	"errors"
	"time"

	"frontline/kb"
)

type modelCallRow struct {
	ID               int64 `gorm:"primaryKey;autoIncrement:false"`
	At               int64 `gorm:"autoCreateTime:false"`
	Purpose          string
	Version          string
	Model            string
	Person           string
	PromptTokens     int64
	CompletionTokens int64
	Cost             int64
	Outcome          string
	Took             int64
}

func (modelCallRow) TableName() string { return "model_call" }

func (r modelCallRow) call() kb.ModelCall {
	return kb.ModelCall{ID: r.ID, At: fromMillis(r.At), Purpose: r.Purpose, Version: r.Version, Model: r.Model, Person: r.Person,
		PromptTokens: r.PromptTokens, CompletionTokens: r.CompletionTokens, Cost: r.Cost, Outcome: r.Outcome, Took: time.Duration(r.Took) * time.Millisecond}
}

// BeginModelCall keeps a call that is about to be made, with what it may cost,
// and returns its id: whatever happens then, it counts. kb.ErrBudget when a
// limit of the day would not bear it; that is kept too, as an outcome. One call
// after the other looks at the budget, of all replicas.
func (s *Store) BeginModelCall(ctx context.Context, c kb.ModelCall, most kb.ModelLimits) (int64, error) {
	r := modelCallRow{Purpose: clip(c.Purpose, 32), Version: clip(c.Version, 16), Model: clip(c.Model, 128), Person: s.seal.blind("member", c.Person),
		PromptTokens: c.PromptTokens, CompletionTokens: c.CompletionTokens, Cost: c.Cost, Outcome: clip(c.Outcome, 32), Took: c.Took.Milliseconds()}
	var over error
	err := s.InTx(ctx, func(tx *Tx) error {
		over = nil
		r.ID, r.At = tx.s.ids.next(tx.now), millis(tx.now)
		if c.Outcome == "" && most != (kb.ModelLimits{}) {
			if err := tx.db.Exec("UPDATE counter SET next=next+1 WHERE kind='model'").Error; err != nil {
				return err
			}
			if over = tx.overBudget(r, most); over != nil && !errors.Is(over, kb.ErrBudget) {
				return over
			}
		}
		row := r
		if over != nil {
			row.Outcome, row.PromptTokens, row.CompletionTokens, row.Cost = "budget", 0, 0, 0
		}
		return tx.db.Create(&row).Error
	})
	if err == nil {
		err = over
	}
	return r.ID, err
}

// overBudget compares what the day has spent, and this call, with the limits.
func (tx *Tx) overBudget(r modelCallRow, most kb.ModelLimits) error {
	y, m, d := tx.now.Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, tx.now.Location()).UnixMilli()
	const spent = "SELECT COUNT(*) AS calls, COALESCE(SUM(prompt_tokens+completion_tokens),0) AS tokens, COALESCE(SUM(cost),0) AS cost FROM model_call WHERE outcome NOT IN ('budget','breaker') AND at >= ?"
	var house, own struct{ Calls, Tokens, Cost int64 }
	if err := tx.db.Raw(spent, day).Scan(&house).Error; err != nil {
		return err
	}
	if r.Person != "" && most.PersonTokens > 0 {
		if err := tx.db.Raw(spent+" AND person = ?", day, r.Person).Scan(&own).Error; err != nil {
			return err
		}
	}
	tokens := r.PromptTokens + r.CompletionTokens
	beyond := func(limit, n int64) bool { return limit > 0 && n > limit }
	if beyond(most.Calls, house.Calls+1) || beyond(most.Tokens, house.Tokens+tokens) || beyond(most.Cost, house.Cost+r.Cost) ||
		r.Person != "" && beyond(most.PersonTokens, own.Tokens+tokens) {
		return kb.ErrBudget
	}
	return nil
}

// EndModelCall records how a call ended and what it truly used.
func (s *Store) EndModelCall(ctx context.Context, c kb.ModelCall) error {
	return s.InTx(ctx, func(tx *Tx) error {
		return tx.db.Exec("UPDATE model_call SET prompt_tokens=?, completion_tokens=?, cost=?, outcome=?, took=? WHERE id=?",
			c.PromptTokens, c.CompletionTokens, c.Cost, clip(c.Outcome, 32), c.Took.Milliseconds(), c.ID).Error
	})
}

// ModelUse sums the calls from one time to another by what they were for and
// how they ended, in the order of purposes and outcomes.
func (s *Store) ModelUse(ctx context.Context, from, to time.Time) (out []kb.ModelUse, err error) {
	var rows []struct {
		Purpose, Version, Model, Outcome                    string
		Calls, PromptTokens, CompletionTokens, Cost, TookMs int64
	}
	err = s.read.WithContext(ctx).Raw(`SELECT purpose, version, model, outcome, COUNT(*) AS calls, SUM(prompt_tokens) AS prompt_tokens, SUM(completion_tokens) AS completion_tokens, SUM(cost) AS cost, SUM(took) AS took_ms
		FROM model_call WHERE at >= ? AND at < ? GROUP BY purpose, version, model, outcome ORDER BY purpose, version, model, outcome`, from.UnixMilli(), to.UnixMilli()).Scan(&rows).Error
	for _, r := range rows {
		out = append(out, kb.ModelUse{Purpose: r.Purpose, Version: r.Version, Model: r.Model, Outcome: r.Outcome, Calls: r.Calls,
			PromptTokens: r.PromptTokens, CompletionTokens: r.CompletionTokens, Cost: r.Cost, Took: time.Duration(r.TookMs) * time.Millisecond})
	}
	return out, err
}

// ListModelCalls returns the newest calls. Person is the keyed hash.
func (s *Store) ListModelCalls(ctx context.Context, n int) ([]kb.ModelCall, error) {
	var rows []modelCallRow
	err := s.read.WithContext(ctx).Order("id DESC").Limit(n).Find(&rows).Error
	out := make([]kb.ModelCall, len(rows))
	for i, r := range rows {
		out[i] = r.call()
	}
	return out, err
}
