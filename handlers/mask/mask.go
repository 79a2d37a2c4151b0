// Package mask finds what identifies a customer in a text, so that it can be
// hidden wherever people read it and sealed wherever it is kept.
package mask

import (
	"strings"
	"unicode/utf8"
)

// Kind says what a find is.
type Kind string

const (
	Identity Kind = "identity" // resident identity number, GB 11643: 18 characters, or the old 15
	Phone    Kind = "phone"    // mainland mobile number
	Card     Kind = "card"     // bank card, Luhn-checked
	Customer Kind = "customer" // customer or fund account number, known by the word before it
	Secret   Kind = "secret"   // a password or one-time code: never kept, not even sealed
)

// Find is one thing found: the bytes text[From:To].
type Find struct {
	Kind     Kind
	From, To int
	Value    string // normal form: digits only, X in upper case
	Slip     bool   // typed wrong: to be hidden, but no number that can be used
}

// Mask is the find as people may see it: identity 4+4, phone 3+4, card and
// customer number the last 4; a secret not at all.
func (f Find) Mask() string { return Of(f.Kind, f.Value) }

// Of masks a value in its normal form.
func Of(k Kind, v string) string {
	switch n := utf8.RuneCountInString(v); {
	case k == Secret:
		return "〔已删除〕"
	case v == "":
		return ""
	case k == Identity && n >= 15:
		return v[:4] + strings.Repeat("*", n-8) + v[n-4:]
	case k == Phone && n == 11:
		return v[:3] + "****" + v[7:]
	case n <= 4:
		return "****"
	default:
		return "****" + v[len(v)-4:]
	}
}

// Text hides everything that identifies a customer.
func Text(text string) string {
	masked, _ := Replace(text)
	return masked
}

// Replace hides everything found and returns the finds too.
func Replace(text string) (string, []Find) {
	finds := All(text)
	if len(finds) == 0 {
		return text, nil
	}
	var b strings.Builder
	at := 0
	for _, f := range finds {
		b.WriteString(text[at:f.From])
		b.WriteString(f.Mask())
		at = f.To
	}
	b.WriteString(text[at:])
	return b.String(), finds
}

// Scrub removes secrets only; everything else stays as written.
func Scrub(text string) (string, bool) {
	var b strings.Builder
	at := 0
	for _, f := range secrets(text) {
		b.WriteString(text[at:f.From])
		b.WriteString(f.Mask())
		at = f.To
	}
	if at == 0 {
		return text, false
	}
	b.WriteString(text[at:])
	return b.String(), true
}

// First returns the first find of a kind that can be used.
func First(finds []Find, k Kind) (Find, bool) {
	for _, f := range finds {
		if f.Kind == k && !f.Slip {
			return f, true
		}
	}
	return Find{}, false
}
