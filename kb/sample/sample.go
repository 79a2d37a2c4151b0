// Package sample is the knowledge that a demonstration starts with. All of it
// is fictitious.
package sample

import "frontline/kb"

// Entries returns the sample knowledge.
func Entries() []kb.Entry { return nil }
