package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"

	"frontline/kb"
)

// What a search found, in words.

// verdict is what the base would say to a question.
type verdict struct {
	Band      string // answer, clarify, refuse
	Text      string
	Threshold float64
	Hits      []kb.Hit
}

// shownFrom is the score from which a further hit is shown.
const shownFrom = 0.02

func (v *visit) verdictOf(r kb.Result) *verdict {
	out := &verdict{Band: r.Band.String(), Threshold: r.Threshold, Hits: r.Hits}
	for i, h := range r.Hits {
		if i > 0 && h.Score < shownFrom {
			out.Hits = r.Hits[:i] // what nobody would mean says nothing
			break
		}
	}
	switch {
	case r.Reason == "chat":
		out.Text = v.t("是闲聊，不找知识")
	case r.Reason == "empty":
		out.Text = v.t("没有可以找的字")
	case r.Reason == "negative":
		out.Text = v.t("被反例排除，会说没有可靠的答案")
	case r.Band == kb.Answer:
		out.Text = v.t("会直接回答 K%d（%s，达到 %s）", r.Hits[0].Entry.Number, percent(r.Hits[0].Score), percent(r.Threshold))
	case r.Reason == "ambiguous":
		out.Text = v.t("几条的问题一模一样，会让对方选")
	case r.Band == kb.Clarify:
		out.Text = v.t("会给出前 %d 条让对方选（最高 %s，不到 %s）", min(3, len(r.Hits)), percent(r.Hits[0].Score), percent(r.Threshold))
	default:
		out.Text = v.t("会说没有可靠的答案，并记下这个问题")
	}
	return out
}

func percent(p float64) string { return strconv.Itoa(int(math.Round(100*p))) + " %" }

// Percent is a probability, for people.
func (s shell) Percent(p float64) string { return percent(p) }

// Score is a bar with the mark from which the base answers.
func (s shell) Score(score, threshold float64) template.HTML {
	at := func(p float64) string { return strconv.FormatFloat(100*min(1, max(0, p)), 'f', 1, 64) + "%" }
	return template.HTML(fmt.Sprintf(`<svg class="sc" width="100%%" height="12" aria-hidden="true"><rect class="bg" y="2" width="100%%" height="8" rx="4"/><rect class="fg" y="2" width="%s" height="8" rx="4"/><rect class="tick" x="%s" width="2" height="12"/></svg>`, at(score), at(min(threshold, 0.995))))
}

// EntryState is the state of an entry: a shape and a word.
func (s shell) EntryState(state string) template.HTML {
	look := map[string]string{kb.Published: "done", kb.Review: "wait", kb.Draft: "doing", kb.Retired: "off"}[state]
	return template.HTML(`<span class="st ` + look + `">` + template.HTMLEscapeString(s.T(kb.StateTitle(state))) + `</span>`)
}

// StateWord is a state's name.
func (shell) StateWord(state string) string { return kb.StateTitle(state) }

// Read tells how words of the question were read.
func (s shell) Read(list []kb.Synonym) string {
	var parts []string
	for _, x := range list {
		if x.To != "" {
			parts = append(parts, x.From+" → "+x.To)
		}
	}
	return strings.Join(parts, s.T("，"))
}

// formField is one field of the form of an entry, for the blocks that draw it.
type formField struct {
	shell
	Page                                 entryPage
	Name, Title, Hint, Value, Type, List string
	Rows, Max                            int
}

// Area is a field of several lines.
func (s shell) Area(p entryPage, name, title, hint, value string, rows, most int) formField {
	return formField{shell: s, Page: p, Name: name, Title: title, Hint: hint, Value: value, Rows: rows, Max: most}
}

// Line is a field of one line.
func (s shell) Line(p entryPage, name, title, hint, value string) formField {
	return formField{shell: s, Page: p, Name: name, Title: title, Hint: hint, Value: value}
}

// Named is a field of one line with a kind, or with a list to choose from.
func (s shell) Named(p entryPage, name, title, value, kind, list string) formField {
	return formField{shell: s, Page: p, Name: name, Title: title, Value: value, Type: kind, List: list}
}
