package handlers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/kb"
)

// The model's part in answers: it may choose among what the base found, or put
// that into words. Whatever it does is checked, and when it does nothing in
// time the base answers alone.

// Values of Desk.Answers.
const (
	AnswersChoose = "choose"
	AnswersWord   = "word"
)

const (
	// modelTurn bounds all that a turn asks of the model.
	modelTurn = 6 * time.Second
	// chooseFrom and wordFrom bound the entries that the model sees.
	chooseFrom = 5
	wordFrom   = 3
)

// modelEntries are the first entries found, without what must not be sent.
func modelEntries(hits []kb.Hit, n int) []kb.Entry {
	out := make([]kb.Entry, 0, n)
	for _, h := range hits[:min(n, len(hits))] {
		e := h.Entry
		for _, text := range []*string{&e.Question, &e.Answer, &e.AnswerText, &e.Exceptions} {
			*text = Hidden(*text)
		}
		out = append(out, e)
	}
	return out
}

// chosen asks the model which candidate is meant, -1 for none; ok is false when
// it has no say.
func (d *Desk) chosen(think context.Context, r Request, a asked) (n int, ok bool) {
	if d.Model == nil || d.Answers != AnswersChoose {
		return 0, false
	}
	short, stop := context.WithTimeout(think, modelTime)
	defer stop()
	n, err := d.Model.Choose(short, r.Actor.ID, a.text, modelEntries(a.found.Hits, chooseFrom))
	if err != nil {
		r.Log.Debug("the model chose nothing", "err", err)
		return 0, false
	}
	return n, true
}

// worded is an answer in the model's words; not ok when it has no say, fails,
// abstains, or says what a house must not.
func (d *Desk) worded(think context.Context, r Request, a asked) (w wording, ok bool) {
	if d.Model == nil || d.Answers != AnswersWord {
		return w, false
	}
	short, stop := context.WithTimeout(think, modelTime)
	defer stop()
	entries := modelEntries(a.found.Hits, wordFrom)
	sentences, err := d.Model.Word(short, r.Actor.ID, a.text, entries)
	if err != nil {
		r.Log.Debug("the model gave no words", "err", err)
		return w, false
	}
	if len(sentences) == 0 {
		return w, false
	}
	var text strings.Builder
	used := make([]bool, len(entries))
	for _, s := range sentences {
		text.WriteString(s.Text)
		for _, n := range s.From {
			fmt.Fprintf(&text, "〔K%d〕", entries[n].Number)
			used[n] = true
		}
	}
	for n := range entries {
		if used[n] {
			w.from = append(w.from, a.found.Hits[n].Entry) // the likeliest first
		}
	}
	w.text = text.String()
	if promises.MatchString(w.text) || advising.MatchString(w.text) || mask.Text(w.text) != w.text || chat.Cut(w.text, wordedRunes) != w.text {
		r.Log.Debug("the model's words are not said", "outcome", "guard")
		return w, false
	}
	w.by = fmt.Sprintf("措辞由大模型按上面的条目组织，原文回「看 K%d」。", w.from[0].Number)
	return w, true
}

// wordedRunes bounds a worded answer with its sources.
const wordedRunes = 600
