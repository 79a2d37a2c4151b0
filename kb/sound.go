package kb

import (
	"math"
	"slices"

	"github.com/mozillazg/go-pinyin"
)

// soundsMost is how many readings of a character count: the dictionary has the
// commonest first, and the fourth of a common character is a place's or a poem's.
const soundsMost = 3

var soundArgs = pinyin.Args{Style: pinyin.Normal, Heteronym: true}

// soundsOf are the syllables that a character is read as, without tones and with v
// for ü, as keyboards have it; none for what is no Han character.
func soundsOf(r rune) []string {
	if kindOf(r) != han {
		return nil
	}
	var out []string
	for _, s := range pinyin.SinglePinyin(r, soundArgs) {
		s = typedAs(s)
		if s != "" && !slices.Contains(out, s) && len(out) < soundsMost {
			out = append(out, s)
		}
	}
	return out
}

func typedAs(syllable string) string {
	out := make([]byte, 0, len(syllable))
	for _, r := range syllable {
		switch {
		case r == 'ü':
			out = append(out, 'v')
		case 'a' <= r && r <= 'z':
			out = append(out, byte(r))
		}
	}
	return string(out)
}

// spoken is the language of a base's questions, as it is spoken: how often a
// character stands in them, what follows it, and how all are read. It is the model
// by which letters are read as characters (Shannon's bigrams, as in any input method).
type spoken struct {
	asked  float64
	held   map[rune]float64
	next   map[rune][]follower
	sounds map[string][]rune // by syllable, and by its beginning (z and zh), ascending
	begins map[rune]float64  // logarithm of the share of a character that may begin a word
	ends   map[rune]float64  // and may end one
}

type follower struct {
	r rune
	p float64 // of the questions with the character before it
}

// speech is made when letters first ask for it: most bases never need it.
func (ix *index) speech() *spoken {
	ix.spokenOnce.Do(func() { ix.spokenBy = newSpoken(ix) })
	return ix.spokenBy
}

func newSpoken(ix *index) *spoken {
	s := &spoken{asked: float64(max(1, ix.asked)), held: map[rune]float64{}, next: map[rune][]follower{}, sounds: map[string][]rune{},
		begins: map[rune]float64{}, ends: map[rune]float64{}}
	for id, t := range ix.vocab.tokens {
		n := float64(ix.held[id])
		if n == 0 || t.isWord() || t.ofCopy() {
			continue
		}
		if t.isPair() {
			first := rune(t >> runBits)
			s.next[first] = append(s.next[first], follower{rune(t & (1<<runBits - 1)), n})
			continue
		}
		r := rune(t)
		s.held[r] = n
		var parts []string
		for _, sound := range soundsOf(r) {
			for _, part := range []string{sound, initialOf(sound), sound[:1]} {
				if !slices.Contains(parts, part) {
					parts = append(parts, part)
				}
			}
		}
		for _, part := range parts {
			s.sounds[part] = append(s.sounds[part], r)
		}
	}
	s.bound()
	for _, list := range s.sounds {
		slices.Sort(list)
	}
	return s
}

// bound tells by how much one neighbour has a character to itself: 么 hardly begins a
// word where nearly all of it follows 怎.
func (s *spoken) bound() {
	before := map[rune]float64{} // of a character, the commonest before it
	for first, list := range s.next {
		after := 0.0
		for i := range list {
			list[i].p /= max(s.held[first], list[i].p)
			after = max(after, list[i].p)
			before[list[i].r] = max(before[list[i].r], list[i].p*s.held[first])
		}
		s.ends[first] = freely(after)
	}
	for r, n := range before {
		s.begins[r] = freely(n / max(s.held[r], n))
	}
	for _, r := range enclitics {
		s.begins[r] += math.Log(unlinked * unlinked)
	}
}

// enclitics lean on the word before them and begin none.
const enclitics = "么吗呢吧呀啊啦嘛的了着们"

func freely(share float64) float64 { return math.Log(1 - (1-unlinked)*share) }

// initialOf is the consonant that a syllable begins with.
func initialOf(syllable string) string {
	if len(syllable) > 2 && syllable[1] == 'h' {
		return syllable[:2]
	}
	return syllable[:1]
}
