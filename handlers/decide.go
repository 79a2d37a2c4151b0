package handlers

import (
	"context"

	"frontline/kb"
)

// decided is what comes of a question, in chat as on a page.
type decided struct {
	asked
	band kb.Band // Answer and Clarify have hits
	one  bool    // the first hit is shown as the answer, else the asker chooses
	w    wording
}

// decide makes an answer of what the base found: of what it is sure of, in the
// model's words if these hold; else the model chooses if it may, else the asker
// does. It waits for nothing where there is no model.
func (d *Desk) decide(think context.Context, r Request, a asked) decided {
	switch {
	case a.found.Band == kb.Answer:
		if w, ok := d.worded(think, r, a); ok && w.from[0].Number == a.found.Hits[0].Entry.Number {
			return decided{asked: a, band: kb.Answer, one: true, w: w}
		}
		return decided{asked: a, band: kb.Answer, one: true}
	case a.found.Band == kb.Refuse || len(a.found.Hits) == 0:
		return decided{asked: a, band: kb.Refuse}
	}
	if w, ok := d.worded(think, r, a); ok {
		w.lead = leadMaybe
		return decided{asked: a.first(w.from[0].Number), band: kb.Clarify, one: true, w: w}
	}
	switch n, ok := d.chosen(think, r, a); {
	case ok && n < 0:
		return decided{asked: a, band: kb.Refuse}
	case ok:
		return decided{asked: a.first(a.found.Hits[n].Entry.Number), band: kb.Clarify, one: true, w: wording{lead: leadMaybe, by: "从几个候选里挑的，不对就回「换个答案」。"}}
	}
	if len(a.found.Hits) == 1 {
		return decided{asked: a, band: kb.Clarify, one: true, w: wording{lead: leadMaybe}}
	}
	return decided{asked: a, band: kb.Clarify}
}
