package kb

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalize brings spellings of one text together: full and half width
// (NFKC), case, traditional and simplified characters. The original stays with
// the entry; this is only for comparing.
func normalize(s string) []rune {
	if !norm.NFKC.IsNormalString(s) {
		s = norm.NFKC.String(s)
	}
	out := make([]rune, 0, len(s)/2)
	for _, r := range s {
		if unicode.Is(unicode.Cf, r) {
			continue // zero width characters hide in copied text
		}
		if r < 0x80 {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
		} else if simple, ok := simplified[r]; ok {
			r = simple
		} else {
			r = unicode.ToLower(r)
		}
		out = append(out, r)
	}
	return out
}

// runeKind parts a text into runs of one kind.
type runeKind byte

const (
	other runeKind = iota // punctuation, space, symbols
	han
	word // letters and digits of other scripts
)

func kindOf(r rune) runeKind {
	switch {
	case r < 0x80:
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' {
			return word
		}
		return other
	case 0x4e00 <= r && r <= 0x9fff || unicode.Is(unicode.Han, r):
		return han
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return word
	}
	return other
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// bare is a normalised text without anything but characters, letters and
// digits: equal for questions that differ in punctuation and spaces only.
func bare(text []rune) string {
	var b strings.Builder
	b.Grow(len(text) * 3)
	for _, r := range text {
		if kindOf(r) != other {
			b.WriteRune(r)
		}
	}
	return b.String()
}
