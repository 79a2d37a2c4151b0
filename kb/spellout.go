package kb

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// People type yzzz or yinzhengzhuanzhang for 银证转账: initials, whole syllables, or
// both mixed. Such a run of letters, when the base does not know it as a word, is
// read as the characters that the base's own questions make most likely (a noisy
// channel, Shannon 1948: the likelihood of the characters against that of letters
// that mean something else). Each reading has its probability, and so keeps the
// promise: what may be read in two ways is offered, not answered.

// Set by hand.
const (
	leastLetters  = 2
	mostLetters   = 60
	syllableMost  = 6 // zhuang
	beamWidth     = 200
	beamSame      = 4        // of them that end in one character
	spellingsMost = 20       // readings that are weighed
	saysMost      = 2000     // entries looked through for three characters; commoner ones are taken for said
	readingsMost  = 3        // readings that are looked up
	readingFloor  = 0.1      // a reading that is less likely is none
	unlinked      = 0.05     // probability of two characters side by side that never are in the base
	strangeLetter = 1.0 / 26 // probability of a letter that spells nothing
	exactOdds     = 20       // how much likelier a reading is that makes a question of the base
)

// wording is a text that a question may be meant as, with the probability of it.
type wording struct {
	text []rune
	p    float64
	read []Synonym // which letters were read as what
}

// wordings are what a question with letters may be meant as, the likeliest first,
// without the one that takes them as they stand.
func (ix *index) wordings(a *asked) []wording {
	text := a.reading.plain
	out := []wording{{p: 1}}
	from := 0
	for i := 0; i < len(text); {
		end := ix.lettersEnd(text, i)
		if end == i {
			i++
			continue
		}
		out = extend(out, text[from:i], ix.readings(text, i, end), text[i:end])
		i, from = end, end
	}
	if from == 0 {
		return nil
	}
	for k := range out {
		out[k].text = append(slices.Clip(out[k].text), text[from:]...)
	}
	out = slices.DeleteFunc(out, func(w wording) bool { return len(w.read) == 0 || w.p < readingFloor })
	return out[:min(readingsMost, len(out))]
}

// extend puts what stands before the letters and each way to read them behind each of
// the wordings.
func extend(list []wording, before []rune, readings []spelt, as []rune) []wording {
	var out []wording
	rest := 1.0
	for _, r := range readings {
		rest -= r.p
	}
	for _, w := range list {
		head := append(slices.Clip(w.text), before...)
		out = append(out, wording{append(slices.Clip(head), as...), w.p * rest, w.read})
		for _, r := range readings {
			out = append(out, wording{append(slices.Clip(head), r.text...), w.p * r.p, append(slices.Clip(w.read), Synonym{string(as), string(r.text)})})
		}
	}
	slices.SortStableFunc(out, func(a, b wording) int { return cmp.Compare(b.p, a.p) })
	return out[:min(readingsMost+1, len(out))]
}

// lettersEnd is where letters end that begin at i and may spell characters: words
// apart by one space or apostrophe that neither the base nor its synonyms know.
func (ix *index) lettersEnd(text []rune, i int) int {
	if i > 0 && kindOf(text[i-1]) == word {
		return i
	}
	end := i
	for at := i; ; at++ {
		next := ix.strangeWord(text, at)
		if next == at {
			break
		}
		at, end = next, next
		if at+1 >= len(text) || text[at] != ' ' && text[at] != '\'' {
			break
		}
	}
	if n := len(letters(text[i:end])); n < leastLetters || n > mostLetters {
		return i
	}
	return end
}

// strangeWord is the end of the word at i if it is of letters only and unknown.
func (ix *index) strangeWord(text []rune, i int) int {
	if i >= len(text) || kindOf(text[i]) != word {
		return i
	}
	end := wordEnd(text, i)
	for _, r := range text[i:end] {
		if r < 'a' || r > 'z' {
			return i
		}
	}
	t := wordToken(text[i:end])
	if _, known := ix.vocab.ids[t]; known || ix.spell.match(text, i) != nil || ix.answered(t|copyBit) {
		return i
	}
	return end
}

// answered tells whether an answer has a token of a copy.
func (ix *index) answered(t token) bool {
	h := t.hash()
	if ix.spread[h&spreadMask] == 0 {
		return false
	}
	return slices.ContainsFunc(ix.items, func(it *item) bool {
		_, has := slices.BinarySearch(it.answer, h)
		return has
	})
}

func letters(text []rune) string {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		if 'a' <= r && r <= 'z' {
			out = append(out, byte(r))
		}
	}
	return string(out)
}

// spelt is a way to read letters, with its probability.
type spelt struct {
	text []rune
	p    float64
}

// trace is a way to read letters up to some place. It ends in a character, or in a
// word that is left as it stands.
type trace struct {
	logp float64
	last rune   // 0 after a word
	word []rune // that is left
	from *trace
}

func (p *trace) text() (out []rune, read bool) {
	if p.from == nil {
		return nil, false
	}
	out, read = p.from.text()
	if p.last == 0 {
		return append(append(append(out, ' '), p.word...), ' '), read
	}
	return append(out, p.last), true
}

// readings reads the letters of a part of a text as characters, the likeliest first.
func (ix *index) readings(text []rune, from, end int) []spelt {
	s, all := ix.speech(), letters(text[from:end])
	ends := make([][]*trace, len(all)+1)
	ends[0] = []*trace{{last: hanBefore(text, from)}}
	words := wordsIn(text[from:end])
	for i := range all {
		open := prune(ends[i])
		if len(open) == 0 {
			continue
		}
		for n := 1; n <= syllableMost && i+n <= len(all); n++ {
			if chars := s.sounds[all[i:i+n]]; len(chars) > 0 {
				ends[i+n] = s.follow(ends[i+n], open, chars)
			}
		}
		if w := words[i]; len(w) > 0 {
			ends[i+len(w)] = append(ends[i+len(w)], &trace{open[0].logp + float64(len(w))*math.Log(strangeLetter), 0, w, open[0]})
		}
		ends[i] = nil
	}
	after := rune(0)
	if end < len(text) && kindOf(text[end]) == han {
		after = text[end]
	}
	last := ends[len(all)]
	for _, p := range last {
		if p.last != 0 && !s.links(p.last, after) {
			p.logp += s.apart(p.last, after)
		}
	}
	return ix.weighed(prune(last), float64(len(all))*math.Log(strangeLetter))
}

// weighed gives the readings their probabilities, beside that of the letters as typed.
func (ix *index) weighed(list []*trace, asTyped float64) (out []spelt) {
	seen := map[string]bool{}
	for _, p := range list[:min(spellingsMost, len(list))] {
		read, any := p.text()
		if any && !seen[string(read)] {
			seen[string(read)] = true
			out = append(out, spelt{read, math.Exp(p.logp - asTyped + ix.heard(read))})
		}
	}
	total := 1.0
	for _, r := range out {
		total += r.p
	}
	for i := range out {
		out[i].p /= total
	}
	slices.SortStableFunc(out, func(a, b spelt) int { return cmp.Compare(b.p, a.p) })
	out = out[:min(readingsMost, len(out))]
	return slices.DeleteFunc(out, func(r spelt) bool { return r.p < readingFloor })
}

// heard is what a reading loses, as a logarithm, by characters that no question of the
// base has side by side though it has each two of them.
func (ix *index) heard(text []rune) (loss float64) {
	for i := 0; i+2 < len(text); i++ {
		if kindOf(text[i]) == han && kindOf(text[i+1]) == han && kindOf(text[i+2]) == han && !ix.says(text[i:i+3]) {
			loss += math.Log(unlinked)
		}
	}
	return loss
}

// says tells whether a question of the base has these three characters side by side.
func (ix *index) says(three []rune) bool {
	first, ok := ix.vocab.ids[token(three[0])<<runBits|token(three[1])]
	second, also := ix.vocab.ids[token(three[1])<<runBits|token(three[2])]
	if !ok || !also {
		return false
	}
	if ix.holds[first] > ix.holds[second] {
		first, second = second, first
	}
	looked := 0
	for it := range ix.having(first) {
		if looked++; looked > saysMost {
			return true
		}
		if _, has := slices.BinarySearch(it.weights.id, second); has {
			for i := range it.questions {
				if strings.Contains(it.questions[i].bare, string(three)) {
					return true
				}
			}
		}
	}
	return false
}

func hanBefore(text []rune, i int) rune {
	if i > 0 && kindOf(text[i-1]) == han {
		return text[i-1]
	}
	return 0
}

// wordsIn gives the words by the place of their first letter, blanks not counted.
func wordsIn(text []rune) map[int][]rune {
	out := map[int][]rune{}
	at := 0
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && kindOf(text[end]) == word {
			end++
		}
		out[at] = text[i:end]
		at += end - i
		i = end + 1
	}
	return out
}

func (s *spoken) links(a, b rune) bool {
	return slices.ContainsFunc(s.next[a], func(f follower) bool { return f.r == b })
}

// apart is what two characters that never stand side by side lose by it, as a
// logarithm: a word must end and another begin. 0 is none.
func (s *spoken) apart(a, b rune) float64 {
	loss := s.ends[a] + s.begins[b]
	if a != 0 && b != 0 {
		loss += math.Log(unlinked)
	}
	return loss
}

// follow appends the ways on from these by one of the characters.
func (s *spoken) follow(out []*trace, open []*trace, chars []rune) []*trace {
	for k, p := range open {
		for _, f := range s.next[p.last] {
			if _, ok := slices.BinarySearch(chars, f.r); ok {
				out = append(out, &trace{logp: p.logp + math.Log(f.p), last: f.r, from: p})
			}
		}
		if k > 0 {
			continue // only the likeliest goes on by what never follows it
		}
		for _, r := range chars {
			out = append(out, &trace{logp: p.logp + s.apart(p.last, r) + math.Log(s.held[r]/s.asked), last: r, from: p})
		}
	}
	return out
}

// prune keeps the likeliest, few of them with one end, best first.
func prune(list []*trace) []*trace {
	slices.SortStableFunc(list, func(a, b *trace) int { return cmp.Compare(b.logp, a.logp) })
	ends := map[rune]int{}
	list = slices.DeleteFunc(list, func(p *trace) bool {
		ends[p.last]++
		return ends[p.last] > beamSame
	})
	return list[:min(beamWidth, len(list))]
}

// spellOut looks up what the letters of a question may spell, and joins what is found
// with what was found for the question as typed: an entry's probability is the sum
// over the wordings.
func (ix *index) spellOut(s *scratch, a *asked, q Query, typed Result) Result {
	list := ix.wordings(a)
	if len(list) == 0 {
		return typed
	}
	out := Result{Threshold: typed.Threshold, Reason: typed.Reason}
	found := make([]Result, len(list))
	rest, total := 1.0, 0.0
	for i, w := range list {
		rest -= w.p
		found[i] = ix.search(s, ix.ask(string(w.text)), q)
		if found[i].Reason == "exact" { // letters misread hardly make a question of the base
			list[i].p *= exactOdds
		}
		total += list[i].p
	}
	total += rest
	out.add(typed, rest/total, nil)
	bands, best := map[int64]Result{}, map[int64]float64{} // that the entry is first in
	reads := map[int64]string{}                            // how the question was read, likeliest, where the entry is first
	for i, w := range list {
		out.add(found[i], w.p/total, w.read)
		if len(found[i].Hits) > 0 {
			n := found[i].Hits[0].Entry.Number
			if found[i].Band > bands[n].Band {
				bands[n] = found[i]
			}
			if p := found[i].Hits[0].Score * w.p; p > best[n] {
				best[n], reads[n] = p, strings.Join(strings.Fields(string(w.text)), " ")
			}
		}
	}
	if len(out.Hits) == 0 {
		return typed
	}
	slices.SortStableFunc(out.Hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	out.Hits = out.Hits[:min(q.N, len(out.Hits))]
	number := out.Hits[0].Entry.Number
	first := bands[number]
	if len(typed.Hits) == 0 || typed.Hits[0].Entry.Number != number || typed.Hits[0].Score*rest < best[number] {
		out.Read = reads[number]
	}
	switch {
	case first.Band == Answer && out.Hits[0].Score >= out.Threshold:
		out.Band, out.Reason = Answer, first.Reason
	case (first.Band > Refuse || typed.Band > Refuse) && out.Hits[0].Score >= clarifyScore:
		out.Band, out.Reason = Clarify, "unsure"
	}
	return out
}

// add joins the hits of one wording, of probability p, with the others.
func (r *Result) add(of Result, p float64, read []Synonym) {
	for _, h := range of.Hits {
		h.Score *= p
		h.Explanation.Synonyms = append(slices.Clip(read), h.Explanation.Synonyms...)
		at := slices.IndexFunc(r.Hits, func(x Hit) bool { return x.Entry.Number == h.Entry.Number })
		if at < 0 {
			r.Hits = append(r.Hits, h)
			continue
		}
		sum := r.Hits[at].Score + h.Score
		if h.Score > r.Hits[at].Score {
			r.Hits[at] = h
		}
		r.Hits[at].Score = sum
	}
}
