package web

import (
	"strconv"
	"strings"
	"time"

	"frontline/kb"
)

// ModelState is how the language model is set and does, as its page shows it.
type ModelState struct {
	Model, EmbeddingModel string
	Answers               string // words, choose, word
	RestsUntil            time.Time
	EmbeddingRest         time.Time // zero: calls are made
	Limits                kb.ModelLimits
	Vectors               kb.VectorState
}

// modelCallsShown bounds the newest calls of the page.
const modelCallsShown = 50

type modelPage struct {
	State  *ModelState
	Today  modelSum
	Month  modelSum
	Rows   []modelRow // of the month
	Newest []kb.ModelCall
}

// modelSum is what a time came to. LeftOut were not made.
type modelSum struct {
	Calls, Good, LeftOut, Tokens, Cost int64
}

// modelRow is one purpose with how its calls ended.
type modelRow struct {
	kb.ModelUse
	Good, LeftOut, Failed int64
	Mean                  time.Duration
}

// model shows what the model was asked for, what it used and how it is.
func (s *Server) model(v *visit) (err error) {
	ctx, now := v.r.Context(), s.opt.Now()
	p := modelPage{}
	if s.opt.Model != nil {
		p.State = s.opt.Model()
	}
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	today, err := s.opt.Store.ModelUse(ctx, day, day.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	month, err := s.opt.Store.ModelUse(ctx, day.AddDate(0, 0, 1-day.Day()), day.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	p.Today, p.Month, p.Rows = sumModelUse(today), sumModelUse(month), modelRows(month)
	if p.Newest, err = s.opt.Store.ListModelCalls(ctx, modelCallsShown); err != nil {
		return err
	}
	return v.show("model", p)
}

// leftOutCall tells that a call was not made.
func leftOutCall(outcome string) bool { return outcome == "budget" || outcome == "breaker" }

func sumModelUse(list []kb.ModelUse) (sum modelSum) {
	for _, u := range list {
		sum.Tokens += u.PromptTokens + u.CompletionTokens
		sum.Cost += u.Cost
		switch {
		case leftOutCall(u.Outcome):
			sum.LeftOut += u.Calls
		case u.Outcome == "ok":
			sum.Good += u.Calls
			sum.Calls += u.Calls
		default:
			sum.Calls += u.Calls
		}
	}
	return sum
}

// modelRows puts the outcomes of one purpose, prompt and model together.
func modelRows(list []kb.ModelUse) (rows []modelRow) {
	for _, u := range list {
		last := len(rows) - 1
		if last < 0 || rows[last].Purpose != u.Purpose || rows[last].Version != u.Version || rows[last].Model != u.Model {
			rows = append(rows, modelRow{ModelUse: kb.ModelUse{Purpose: u.Purpose, Version: u.Version, Model: u.Model}})
			last++
		}
		r := &rows[last]
		r.PromptTokens += u.PromptTokens
		r.CompletionTokens += u.CompletionTokens
		r.Cost += u.Cost
		if leftOutCall(u.Outcome) {
			r.LeftOut += u.Calls
			continue
		}
		r.Calls += u.Calls
		r.Took += u.Took
		if u.Outcome == "ok" {
			r.Good += u.Calls
		} else {
			r.Failed += u.Calls
		}
		r.Mean = r.Took / time.Duration(r.Calls)
	}
	return rows
}

var modelPurposes = map[string]string{"intent": "判断意图", "fields": "提取字段", "choose": "挑选条目", "word": "组织回答", "rewrite": "补全追问", "draft": "起草知识", "embed": "向量"}

// Purpose is what a call was for, in words.
func (s shell) Purpose(name string) string {
	if title, ok := modelPurposes[name]; ok {
		return s.T(title)
	}
	return name
}

var modelOutcomes = map[string]string{"ok": "正常", "": "进行中", "budget": "超预算，没调用", "breaker": "歇着，没调用", "deadline": "超时", "canceled": "没等", "network": "连不上", "answer": "答得不能用"}

// CallOutcome is how a call ended, in words.
func (s shell) CallOutcome(name string) string {
	if title, ok := modelOutcomes[name]; ok {
		return s.T(title)
	}
	if code, ok := strings.CutPrefix(name, "status_"); ok {
		return s.T("应答 %s", code)
	}
	return name
}

// Money is an amount in millionths.
func (shell) Money(n int64) string {
	digits := 2
	if n > 0 && n < 1_000_000 {
		digits = 4
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', digits, 64)
}
