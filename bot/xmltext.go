package bot

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file is about the characters of XML; xmlscan.go is about its elements.

// validXMLChars checks UTF-8 and the characters of https://www.w3.org/TR/xml/#charsets.
func validXMLChars(s string) bool {
	for i := 0; i < len(s); {
		if i+8 <= len(s) && plainASCII(s[i:i+8]) {
			i += 8
			continue
		}
		c := s[i]
		if c < utf8.RuneSelf {
			if c < 0x20 && c != '\n' && c != '\t' && c != '\r' {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
			return false
		}
		i += size
	}
	return true
}

// plainASCII tells, for eight bytes at once, whether all are in 0x20..0x7F: the
// subtraction borrows below 0x20, and the high bit is set above 0x7F.
func plainASCII(s string) bool {
	_ = s[7]
	v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return ((v-0x2020202020202020)|v)&0x8080808080808080 == 0
}

func isXMLSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func blank(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isXMLSpace(s[i]) {
			return false
		}
	}
	return true
}

// lineEnds makes every line end \n: https://www.w3.org/TR/xml/#sec-line-ends.
func lineEnds(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// entities resolves the five standard entities and numeric references. There
// are no others, since there is no DOCTYPE that could declare them.
func entities(s string) (string, bool) {
	at := strings.IndexByte(s, '&')
	if at < 0 {
		return s, true
	}
	var b strings.Builder
	b.Grow(len(s))
	for at >= 0 {
		b.WriteString(s[:at])
		s = s[at+1:]
		end := strings.IndexByte(s, ';')
		if end < 0 {
			return "", false
		}
		r, ok := entity(s[:end])
		if !ok {
			return "", false
		}
		b.WriteRune(r)
		s = s[end+1:]
		at = strings.IndexByte(s, '&')
	}
	b.WriteString(s)
	return b.String(), true
}

func entity(name string) (rune, bool) {
	switch name {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	if !ok || digits == "" || digits[0] == '+' || len(digits) > 8 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, false
	}
	r := rune(n)
	return r, (r >= 0x20 || r == '\n' || r == '\t' || r == '\r') && r != 0xFFFE && r != 0xFFFF
}
