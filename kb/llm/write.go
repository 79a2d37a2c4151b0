package llm

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"frontline/kb"
)

var (
	//go:embed prompts/rewrite.1.txt
	rewritePrompt string
	//go:embed prompts/draft.1.txt
	draftPrompt string
)

const (
	rewriteRunes = 60
	fromBoth     = 0.6 // share of a completed question that the two texts must hold
	draftSimilar = 10
	draftAnswer  = 400
	draftTitle   = 60
	fromSource   = 0.5 // share of a draft that its material must hold
)

// Rewrite completes a question that leans on the one before; "" when the model
// says that there is nothing to complete. What comes back is made of the words
// of both.
func (c *Client) Rewrite(ctx context.Context, person, before, question string) (string, error) {
	object, err := c.object(ctx, kb.Prompt{Name: "rewrite/1", Person: person, System: rewritePrompt, Data: "前一个问题：" + clip(before, entryRunes) + "\n追问：" + clip(question, entryRunes), MaxTokens: 100, JSON: true})
	if err != nil {
		return "", err
	}
	whole := textOf(object, "question")
	if whole == "" {
		return "", nil
	}
	both := before + "\n" + question
	if n := utf8.RuneCountInString(whole); n < 2 || n > rewriteRunes || strings.ContainsAny(whole, "<>[]{}|`\n") || !heldBy(whole, both) || shareHeld(whole, both) < fromBoth {
		return "", errAnswer("not made of the two questions")
	}
	if shareHeld(question, whole) == 0 {
		return "", errAnswer("the new question is not in it")
	}
	return whole, nil
}

// Draft makes an entry of what solved something: question, similar questions
// and answer. An answer of "" means that the material has none.
func (c *Client) Draft(ctx context.Context, person string, from kb.Drafting) (e kb.Entry, err error) {
	material := materialOf(from)
	object, err := c.object(ctx, kb.Prompt{Name: "draft/1", Person: person, System: draftPrompt, Data: material, MaxTokens: 900, JSON: true})
	if err != nil {
		return e, err
	}
	e.Question, e.Answer = textOf(object, "question"), textOf(object, "answer")
	if e.Answer == "" {
		return kb.Entry{}, nil
	}
	for _, part := range []struct {
		text string
		most int
	}{{e.Question, draftTitle}, {e.Answer, draftAnswer}} {
		if n := utf8.RuneCountInString(part.text); n < 2 || n > part.most || strings.ContainsAny(part.text, "<{}`*") {
			return kb.Entry{}, errAnswer("no plain text")
		}
		if !heldBy(part.text, material) || turned(part.text, material) || shareHeld(part.text, material) < fromSource {
			return kb.Entry{}, errAnswer("not what the material says")
		}
	}
	var similar []string
	if json.Unmarshal(object["similar"], &similar) == nil {
		for _, s := range similar {
			// Wordings are people's own or none.
			if s = strings.TrimSpace(s); len(e.Similar) < draftSimilar && s != e.Question && utf8.RuneCountInString(s) >= 2 && strings.Contains(material, s) && !strings.ContainsAny(s, "*\n") {
				e.Similar = append(e.Similar, s)
			}
		}
	}
	return e, nil
}

func materialOf(d kb.Drafting) string {
	var b strings.Builder
	for _, s := range d.Asked {
		b.WriteString("问法：" + clip(s, 100) + "\n")
	}
	if d.Cause != "" {
		b.WriteString("原因：" + clip(d.Cause, entryRunes) + "\n")
	}
	if d.Method != "" {
		b.WriteString("办法：" + clip(d.Method, 2*entryRunes) + "\n")
	}
	for _, s := range d.Notes {
		b.WriteString("记录：" + clip(s, entryRunes/2) + "\n")
	}
	return b.String()
}
