package handlers

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/kb"
)

// A short question may lean on the one before: 那境外呢. It is completed, by the
// model or by putting both together, and how it was read is shown.

var (
	leaningHead = regexp.MustCompile(`^(?:那么?|要是|如果|假如|若是|换成|换作|至于|还有)[，,\s]*`)
	leaningTail = regexp.MustCompile(`(?:的话)?(?:呢|怎么办|咋办)?[？?。！!～~\s]*$`)
	leaningOnly = regexp.MustCompile(`(?:的话|呢)[？?。！!～~\s]*$`)
	settledWord = regexp.MustCompile(`^那?么?(?:好|行|算了|没事|ok|OK|谢|知道|明白|先这样|不用|对)`)
	wholeAsked  = regexp.MustCompile(`怎么|如何|咋|什么|多久|几点|哪里|在哪|能不能|可不可以|为何|多少|条件|流程|步骤`)
)

// leaningRunes bounds a question that leans on another.
const leaningRunes = 14

// leans returns what is new in a question that leans on the one before: 境外.
func leans(question string) (core string, ok bool) {
	question = strings.TrimSpace(question)
	if utf8.RuneCountInString(question) > leaningRunes || settledWord.MatchString(question) {
		return "", false
	}
	head := leaningHead.MatchString(question)
	if !head && (!leaningOnly.MatchString(question) || wholeAsked.MatchString(question)) {
		return "", false
	}
	core = leaningTail.ReplaceAllString(leaningHead.ReplaceAllString(question, ""), "")
	core = strings.Trim(core, " ，,。.？?！!")
	return core, core != ""
}

// complete completes a question that leans on the one before, where that finds
// more than the question alone.
func (d *Desk) complete(ctx, think context.Context, r Request, a asked) (asked, error) {
	core, ok := leans(a.text)
	if !ok || r.Topic.Question == "" || a.found.Band == kb.Answer {
		return a, nil
	}
	whole, byModel := d.rewritten(think, r, a.text)
	if !byModel {
		whole = chat.Cut(strings.TrimRight(r.Topic.Question, " ，,。.？?！!呢"), 200) + "，" + core
	}
	if whole == "" {
		return a, nil
	}
	found, err := d.search(ctx, r, whole)
	if err != nil {
		return a, err
	}
	b := asked{text: whole, note: readNote(whole), found: found}
	if !byModel {
		b = d.besides(b, r.Topic.Entry, core)
	}
	if b.found.Band < a.found.Band {
		return a, nil
	}
	return b, nil
}

// rewritten is the whole question in the model's words; "" and ok say that there
// is nothing to complete, not ok that the model had no say.
func (d *Desk) rewritten(think context.Context, r Request, question string) (whole string, ok bool) {
	if d.Model == nil {
		return "", false
	}
	short, stop := context.WithTimeout(think, modelTime)
	defer stop()
	whole, err := d.Model.Rewrite(short, r.Actor.ID, r.Topic.Question, question)
	if err != nil {
		r.Log.Debug("the model completed nothing", "err", err)
		return "", false
	}
	return whole, true
}

// noteStill says that the entry just shown is the one again.
const noteStill = "，还是这一条，看里面说到的"

// besides looks at what was found for two questions put together. The first of
// them weighs more than what is new, so the entry that was just shown is no
// answer again unless it speaks of what is new; and nothing is sure.
func (d *Desk) besides(b asked, shown int64, core string) asked {
	if len(b.found.Hits) == 0 || shown == 0 {
		return b.notSure()
	}
	first := b.found.Hits[0].Entry
	if first.Number == shown && d.Knowledge.Mentions(first, core) {
		b.note += noteStill
		b.found.Hits = b.found.Hits[:1]
		return b.notSure()
	}
	b.found.Hits = slices.DeleteFunc(slices.Clone(b.found.Hits), func(h kb.Hit) bool {
		return h.Entry.Number == shown || !d.Knowledge.Mentions(h.Entry, core)
	})
	if len(b.found.Hits) == 0 {
		b.found.Band = kb.Refuse
	}
	return b.notSure()
}

// notSure takes an answer for a candidate.
func (b asked) notSure() asked {
	if b.found.Band == kb.Answer {
		b.found.Band = kb.Clarify
	}
	return b
}
