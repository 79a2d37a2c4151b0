package handlers

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/kb"
)

// In a group an answer is short: what everybody reads over is the beginning of
// the customer's words, and the rest is behind a link, for who signs in.

// groupAnswer is how much of an answer a group sees, in characters: what fits on
// a card, so that no client folds it up.
const groupAnswer = shortAnswer

// groupLink is where the whole of an entry is for readers of a group; "" when
// the asker is alone with the desk, or pages have no address.
func (d *Desk) groupLink(m chat.Message, number int64) string {
	if d.PublicURL == "" || m.From.Kind != chat.Group {
		return ""
	}
	return fmt.Sprintf("%s/m/help/%d", d.PublicURL, number)
}

// groupBody is an answer as a group sees it, and whether something is left out.
// Staff's own steps are never in it, exceptions are told of at least.
func groupBody(e kb.Entry, words string) (text string, short bool) {
	if words == "" {
		words = e.Answer
	}
	text = shortened(words, groupAnswer)
	short = text != strings.TrimSpace(words)
	var more []string
	if e.Steps != "" {
		more = append(more, "内部步骤")
	}
	switch left := groupAnswer - utf8.RuneCountInString(text); {
	case e.Exceptions == "":
	case !short && utf8.RuneCountInString(e.Exceptions) <= left:
		text += "\n例外：" + e.Exceptions
	default:
		more = append(more, "例外")
	}
	if len(more) > 0 {
		text += "\n（还有" + strings.Join(more, "、") + "，见全文）"
	}
	return text, short || len(more) > 0
}

// shortened is the beginning of a text of at most n characters, up to the end of
// a line, else of a sentence, else of a part of one; marks that were open are
// closed.
func shortened(text string, n int) string {
	text = strings.TrimSpace(text)
	r := []rune(text)
	if len(r) <= n {
		return text
	}
	head := string(r[:n-2]) // two for the ellipsis
	// A boundary that leaves less than a third says too little.
	for _, marks := range []string{"\n", "。！？!?", "；;", "，,、 "} {
		if at := strings.LastIndexAny(head, marks); at >= len(head)/3 {
			_, size := utf8.DecodeRuneInString(head[at:])
			head = strings.TrimRight(head[:at+size], "\n，,、；; ")
			break
		}
	}
	if open := strings.LastIndexByte(head, '['); open >= 0 && !strings.Contains(head[open:], ")") { // half a link
		head = head[:open]
	}
	head = strings.TrimRight(head, "* \n") + "……"
	if strings.Count(head, "**")%2 == 1 {
		head += "**"
	}
	return head
}
