package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm/clause"

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
// limit of the day would not bear it; that is kept too, as an outcome. A call
// that has an outcome already was not made and costs nothing.
func (s *Store) BeginModelCall(ctx context.Context, c kb.ModelCall, most kb.ModelLimits) (int64, error) {
	r := modelCallRow{Purpose: clip(c.Purpose, 32), Version: clip(c.Version, 16), Model: clip(c.Model, 128), Person: s.seal.blind("member", c.Person),
		PromptTokens: c.PromptTokens, CompletionTokens: c.CompletionTokens, Cost: c.Cost, Outcome: clip(c.Outcome, 32), Took: c.Took.Milliseconds()}
	over := false
	err := s.InTx(ctx, func(tx *Tx) (err error) {
		r.ID, r.At, over = tx.s.ids.next(tx.now), millis(tx.now), false
		row := r
		if c.Outcome == "" {
			if over, err = tx.reserve(row, most); err != nil {
				return err
			}
		}
		if over {
			row.Outcome, row.PromptTokens, row.CompletionTokens, row.Cost = "budget", 0, 0, 0
		}
		return tx.db.Create(&row).Error
	})
	if err == nil && over {
		err = kb.ErrBudget
	}
	return r.ID, err
}

// reserve takes a call out of the day's budgets, or tells that one is spent. The
// house's row is the lock: one call after the other, of all replicas.
func (tx *Tx) reserve(r modelCallRow, most kb.ModelLimits) (over bool, err error) {
	took, err := tx.spend(r, "", most.Calls, most.Tokens, most.Cost)
	if err != nil || !took {
		return true, err
	}
	if r.Person == "" {
		return false, nil
	}
	if took, err = tx.spend(r, r.Person, 0, most.PersonTokens, 0); err != nil || took {
		return false, err
	}
	return true, tx.giveBack(r, "", 1, r.PromptTokens+r.CompletionTokens, r.Cost)
}

// unbounded is a limit that nothing reaches.
const unbounded = int64(1) << 60

// spend adds a call to a day's row unless that goes beyond a limit; 0 is none.
func (tx *Tx) spend(r modelCallRow, person string, calls, tokens, cost int64) (bool, error) {
	day := tx.dayOfCall(r)
	for _, limit := range []*int64{&calls, &tokens, &cost} {
		if *limit <= 0 {
			*limit = unbounded
		}
	}
	const add = "UPDATE model_spent SET calls=calls+1, tokens=tokens+?, cost=cost+? WHERE day_key=? AND person=? AND calls+1<=? AND tokens+?<=? AND cost+?<=?"
	n := r.PromptTokens + r.CompletionTokens
	for range 2 {
		u := tx.db.Exec(add, n, r.Cost, day, person, calls, n, tokens, r.Cost, cost)
		if u.Error != nil || u.RowsAffected == 1 {
			return u.Error == nil, u.Error
		}
		// The day's first call makes the row.
		row := modelSpentRow{ID: tx.s.ids.next(tx.now), DayKey: day, Person: person}
		c := tx.db.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if c.Error != nil {
			return false, c.Error
		}
		if c.RowsAffected == 0 {
			break // it was there: the limit is reached
		}
	}
	return false, nil
}

func (tx *Tx) giveBack(r modelCallRow, person string, calls, tokens, cost int64) error {
	return tx.db.Exec("UPDATE model_spent SET calls=calls-?, tokens=tokens-?, cost=cost-? WHERE day_key=? AND person=?", calls, tokens, cost, tx.dayOfCall(r), person).Error
}

// dayOfCall is the day of a call as a number, 20260302, by the clock's own zone.
func (tx *Tx) dayOfCall(r modelCallRow) int64 {
	y, m, d := fromMillis(r.At).In(tx.now.Location()).Date()
	return int64(y*10000 + int(m)*100 + d)
}

type modelSpentRow struct {
	ID     int64 `gorm:"primaryKey;autoIncrement:false"`
	DayKey int64
	Person string
	Calls  int64
	Tokens int64
	Cost   int64
}

func (modelSpentRow) TableName() string { return "model_spent" }

// EndModelCall records how a call ended and what it truly used; what was
// reserved beyond that goes back into the day's budgets.
func (s *Store) EndModelCall(ctx context.Context, c kb.ModelCall) error {
	return s.InTx(ctx, func(tx *Tx) error {
		var r modelCallRow
		if err := tx.db.First(&r, "id = ?", c.ID).Error; err != nil {
			return fmt.Errorf("call of a model %d: %w", c.ID, err)
		}
		tokens, cost := r.PromptTokens+r.CompletionTokens-c.PromptTokens-c.CompletionTokens, r.Cost-c.Cost
		people := []string{""}
		if r.Person != "" {
			people = append(people, r.Person)
		}
		for _, p := range people {
			if err := tx.giveBack(r, p, 0, tokens, cost); err != nil {
				return err
			}
		}
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
