package bot

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Split cuts text into pieces of at most n bytes, at paragraphs where it can,
// else at lines, else between characters; several pieces are numbered, because
// nothing promises that a phone shows them in order.
func Split(text string, n int) []string {
	if len(text) <= n {
		return []string{text}
	}
	const mark = len("(99/99)\n")
	var parts []string
	for rest := text; rest != ""; {
		if len(rest) <= n-mark {
			parts = append(parts, rest)
			break
		}
		at := splitAt(rest, n-mark)
		parts = append(parts, strings.TrimRight(rest[:at], "\n "))
		rest = strings.TrimLeft(rest[at:], "\n")
	}
	for i := range parts {
		parts[i] = fmt.Sprintf("(%d/%d)\n%s", i+1, len(parts), parts[i])
	}
	return parts
}

// splitAt finds the last good place at or before n bytes, but not so early
// that the piece would be mostly empty.
func splitAt(s string, n int) int {
	for _, sep := range []string{"\n\n", "\n", "。", "；", "，", " "} {
		if i := strings.LastIndex(s[:n], sep); i > n/2 {
			return i + len(sep)
		}
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}
