package kb

// Mentions tells whether an entry speaks of something: whether its questions,
// its answer, steps or exceptions have a third of the pairs of characters, as
// the base reads them: 人在国外 is in 境外号码收不到.
func (e *Engine) Mentions(x Entry, words string) bool {
	ix := e.live.Load()
	if ix == nil {
		return false
	}
	read := func(text string) string { return bare(ix.spell.copyOf(normalize(text), nil)) }
	want := []rune(read(words))
	if len(want) == 0 {
		return false
	}
	text := read(x.Question + "\n" + x.Answer + "\n" + x.Steps + "\n" + x.Exceptions)
	for _, s := range x.Similar {
		text += "\n" + read(s)
	}
	have := map[[2]rune]bool{}
	var last rune
	for _, r := range text {
		have[[2]rune{last, r}] = true
		have[[2]rune{0, r}] = true
		last = r
	}
	if len(want) == 1 {
		return have[[2]rune{0, want[0]}]
	}
	held := 0
	for i := range want[1:] {
		if have[[2]rune{want[i], want[i+1]}] {
			held++
		}
	}
	return 3*held >= len(want)-1
}
