package bot

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxParts bounds what one message becomes: nobody reads 40 KB on a phone.
const maxParts = 20

// cutNote ends a text that was too long even in maxParts pieces.
const cutNote = "\n……（内容太长，后面的部分已略去）"

// partMark stands before each of several pieces, because nothing promises that
// a phone shows them in order.
const partMark = "(%d/%d)\n"

// Split cuts text into pieces of at most n bytes, whole characters each, and
// numbers them when there are several. Bytes that are no UTF-8 become U+FFFD,
// as they would on the way.
func Split(text string, n int) []string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= n {
		return []string{text}
	}
	room := n - len(fmt.Sprintf(partMark, maxParts, maxParts))
	list := pieces(text, room)
	if len(list) > maxParts {
		list = list[:maxParts]
		last := &list[maxParts-1]
		if most := room - len(cutNote); len(*last) > most {
			*last = (*last)[:splitAt(*last, most)]
		}
		*last += cutNote
	}
	switch len(list) {
	case 0: // line ends and spaces only; the platform refuses that, and says so
		return []string{""}
	case 1:
		return list
	}
	for i := range list {
		list[i] = fmt.Sprintf(partMark, i+1, len(list)) + list[i]
	}
	return list
}

// pieces cuts valid UTF-8 at paragraphs where it can, else at lines, else after
// a sentence, else between characters. Only line ends and spaces at the cuts get lost.
func pieces(text string, n int) []string {
	var list []string
	add := func(s string) {
		if s = strings.TrimRight(s, "\n "); s != "" {
			list = append(list, s)
		}
	}
	for len(text) > n {
		at := splitAt(text, n)
		add(text[:at])
		text = strings.TrimLeft(text[at:], "\n")
	}
	add(text)
	return list
}

// splitAt finds the last good place at or before n bytes, but not so early
// that the piece would be mostly empty.
func splitAt(s string, n int) int {
	for _, sep := range []string{"\n\n", "\n", "。", "；", "，", " "} {
		if i := strings.LastIndex(s[:n], sep); i > n/2 {
			return i + len(sep)
		}
	}
	at := n
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return at
}
