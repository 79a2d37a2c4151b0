package llm

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"frontline/kb"
)

var (
	//go:embed prompts/choose.1.txt
	choosePrompt string
	//go:embed prompts/word.1.txt
	wordPrompt string
)

const (
	entryRunes    = 420 // of an entry that are shown to the model
	maxSentences  = 6
	sentenceRunes = 120
	answerRunes   = 400
	fromTheEntry  = 0.6 // share of a sentence's pairs of characters that its entries must hold
)

// Choose tells which of the entries a question asks for, by its place from 0,
// or -1 for none of them.
func (c *Client) Choose(ctx context.Context, person, question string, entries []kb.Entry) (int, error) {
	object, err := c.object(ctx, kb.Prompt{Name: "choose/1", Person: person, System: choosePrompt, Data: listOf(question, entries), MaxTokens: 30, JSON: true})
	if err != nil {
		return -1, err
	}
	var choice int
	if json.Unmarshal(object["choice"], &choice) != nil || choice < 0 || choice > len(entries) {
		return -1, errAnswer("no such candidate")
	}
	return choice - 1, nil
}

// Word puts an answer into words, only from the entries. No sentences and no
// error mean that the model says they do not answer the question. Every
// sentence has passed the checks of checkSentence.
func (c *Client) Word(ctx context.Context, person, question string, entries []kb.Entry) ([]kb.Sentence, error) {
	object, err := c.object(ctx, kb.Prompt{Name: "word/1", Person: person, System: wordPrompt, Data: listOf(question, entries), MaxTokens: 500, JSON: true})
	if err != nil {
		return nil, err
	}
	var list []struct {
		Text string `json:"text"`
		From []int  `json:"from"`
	}
	if object["sentences"] == nil || json.Unmarshal(object["sentences"], &list) != nil {
		return nil, errAnswer("no sentences")
	}
	if len(list) > maxSentences {
		return nil, errAnswer("too many sentences")
	}
	var out []kb.Sentence
	length := 0
	for _, x := range list {
		s := kb.Sentence{Text: strings.TrimSpace(x.Text)}
		for _, n := range x.From {
			if n < 1 || n > len(entries) {
				return nil, errAnswer("a source that was not given")
			}
			if !slices.Contains(s.From, n-1) {
				s.From = append(s.From, n-1)
			}
		}
		if err := checkSentence(s, entries); err != nil {
			return nil, err
		}
		if length += utf8.RuneCountInString(s.Text); length > answerRunes {
			return nil, errAnswer("too long")
		}
		out = append(out, s)
	}
	return out, nil
}

// checkSentence refuses a sentence that its entries do not bear out.
func checkSentence(s kb.Sentence, entries []kb.Entry) error {
	var source strings.Builder
	for _, n := range s.From {
		source.WriteString(textOfEntry(entries[n]) + "\n")
	}
	switch n := utf8.RuneCountInString(s.Text); {
	case len(s.From) == 0:
		return errAnswer("a sentence without a source")
	case n < 2 || n > sentenceRunes || strings.ContainsAny(s.Text, "<[]{}|`*#\n"):
		return errAnswer("no plain sentence")
	case !heldBy(s.Text, source.String()):
		return errAnswer("a number or name that the source has not")
	case turned(s.Text, source.String()):
		return errAnswer("the source says the opposite")
	case shareHeld(s.Text, source.String()) < fromTheEntry:
		return errAnswer("not what the source says")
	}
	return nil
}

// textOfEntry is what of an entry may be said to a customer.
func textOfEntry(e kb.Entry) string {
	return e.Question + "\n" + e.Answer + "\n" + e.AnswerText + "\n" + e.Exceptions
}

// listOf writes a question and its candidates for the model.
func listOf(question string, entries []kb.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "提问：%s\n", clip(strings.Join(strings.Fields(question), " "), entryRunes)) // on one line: it cannot look like a candidate
	for i, e := range entries {
		fmt.Fprintf(&b, "\n第 %d 条\n问：%s\n答：%s\n", i+1, clip(e.Question, entryRunes), clip(e.Answer, entryRunes))
		if e.Exceptions != "" {
			fmt.Fprintf(&b, "例外：%s\n", clip(e.Exceptions, entryRunes/2))
		}
	}
	return b.String()
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
