package kb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// SynonymSource is a Source that also has the house's own groups of words.
// Synonyms returns them when there is a newer edition than the one seen; else
// the same edition and nothing. It is asked as often as for changes.
type SynonymSource interface {
	Synonyms(ctx context.Context, seen int64) (groups [][]string, edition int64, err error)
}

// Bounds of the house's own groups.
const (
	MaxSynonymGroups = 1000
	maxSynonymWords  = 20
	minSynonymRunes  = 2 // a single character stands in too many words
	maxSynonymRunes  = 20
)

// ReadSynonyms takes the words of a group out of a line: they stand apart by
// spaces, commas or signs of equality. The first is how the others are read.
func ReadSynonyms(line string) (words []string) {
	for _, w := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" 　\t\r\n,，、;；=＝", r) }) {
		if !slices.ContainsFunc(words, func(x string) bool { return sameWord(x, w) }) {
			words = append(words, w)
		}
	}
	return words
}

func sameWord(a, b string) bool { return string(normalize(a)) == string(normalize(b)) }

// CheckSynonyms tells what is wrong with a group beside the others, "" nothing.
func CheckSynonyms(others [][]string, words []string) string {
	switch {
	case len(words) < 2:
		return "一组至少两个词"
	case len(words) > maxSynonymWords:
		return fmt.Sprintf("一组最多 %d 个词", maxSynonymWords)
	case len(others) >= MaxSynonymGroups:
		return fmt.Sprintf("最多 %d 组", MaxSynonymGroups)
	}
	for _, w := range words {
		if n := utf8.RuneCountInString(w); n < minSynonymRunes || n > maxSynonymRunes {
			return fmt.Sprintf("「%s」要有 %d 到 %d 个字", w, minSynonymRunes, maxSynonymRunes)
		}
		if bare(normalize(w)) == "" {
			return fmt.Sprintf("「%s」里没有可以比较的字", w)
		}
		for _, g := range others {
			if slices.ContainsFunc(g, func(x string) bool { return sameWord(x, w) }) {
				return fmt.Sprintf("「%s」已经在「%s」那一组里", w, g[0])
			}
		}
	}
	return ""
}

// readSynonyms takes over the source's groups when there are newer ones, and
// tells whether there were. Who calls it holds mu.
func (e *Engine) readSynonyms(ctx context.Context, src Source) (bool, error) {
	from, ok := src.(SynonymSource)
	if !ok {
		return false, nil
	}
	groups, edition, err := from.Synonyms(ctx, e.edition)
	if err != nil {
		return false, fmt.Errorf("synonyms: %w", err)
	}
	if edition == e.edition {
		return false, nil
	}
	e.edition, e.spell = edition, spellerFor(append(groups, e.opt.Synonyms...))
	return true, nil
}

// Reread counts the questions of the base, and of some others, that would be
// read otherwise with these groups as the house's own.
func (e *Engine) Reread(ctx context.Context, groups [][]string, others []string) (base, more int, err error) {
	ix := e.live.Load()
	if ix == nil {
		return 0, 0, ErrNotReady
	}
	now, then := ix.spell, spellerFor(append(slices.Clip(groups), e.opt.Synonyms...))
	otherwise := func(text string) bool {
		plain := normalize(text)
		return string(now.copyOf(plain, nil)) != string(then.copyOf(plain, nil))
	}
	for n, it := range ix.items {
		if n%1000 == 0 && ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		for i := range it.questions {
			if otherwise(it.questions[i].text) {
				base++
			}
		}
	}
	for _, text := range others {
		if otherwise(text) {
			more++
		}
	}
	return base, more, nil
}

// trialSynonyms bounds the base that TrialSynonyms makes anew while somebody waits.
const trialSynonyms = 4000

// TrialSynonyms makes an index with these groups as the house's own, and
// changes nothing; nil for a base that is too large to be made anew meanwhile.
func (e *Engine) TrialSynonyms(ctx context.Context, groups [][]string) (*Trial, error) {
	if !e.Ready() {
		return nil, ErrNotReady
	}
	e.mu.Lock()
	list, told := e.list(), e.told
	e.mu.Unlock()
	if asksOf(list) > trialSynonyms {
		return nil, nil
	}
	ix, err := e.build(ctx, list, spellerFor(append(slices.Clip(groups), e.opt.Synonyms...)), told, true)
	return &Trial{ix}, err
}
