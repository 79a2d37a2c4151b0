package kb

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
)

// spellings find the items that have a wording, by its hash: a map of the texts
// would take more room than the texts. With a seed of its own for each process, two
// wordings of a base of a million have one hash once in 30 million processes.
type spellings struct {
	hash []uint64 // ascending
	item []int32  // ascending where the hash is the same
}

type spelling struct {
	hash uint64
	item int32
}

var spellingSeed = maphash.MakeSeed()

// appendSpelling notes that an item has a wording; none is no wording.
func appendSpelling(list []spelling, text string, item int32) []spelling {
	if text == "" {
		return list
	}
	return append(list, spelling{maphash.String(spellingSeed, text), item})
}

func compareSpellings(a, b spelling) int {
	return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.item, b.item))
}

// sortedSpellings makes the lists, each item once for a wording.
func sortedSpellings(list []spelling) spellings {
	slices.SortFunc(list, compareSpellings)
	list = slices.Compact(list)
	s := spellings{make([]uint64, len(list)), make([]int32, len(list))}
	for i, x := range list {
		s.hash[i], s.item[i] = x.hash, x.item
	}
	return s
}

// moved is a copy in which items stand elsewhere, in the same order, or are gone
// (-1), and new ones have come.
func (s *spellings) moved(to []int32, fresh []spelling) spellings {
	slices.SortFunc(fresh, compareSpellings)
	fresh = slices.Compact(fresh)
	n := len(s.hash) + len(fresh)
	out := spellings{make([]uint64, 0, n), make([]int32, 0, n)}
	for i, h := range s.hash {
		at := to[s.item[i]]
		if at < 0 {
			continue
		}
		for len(fresh) > 0 && compareSpellings(fresh[0], spelling{h, at}) < 0 {
			out.hash, out.item = append(out.hash, fresh[0].hash), append(out.item, fresh[0].item)
			fresh = fresh[1:]
		}
		out.hash, out.item = append(out.hash, h), append(out.item, at)
	}
	for _, x := range fresh {
		out.hash, out.item = append(out.hash, x.hash), append(out.item, x.item)
	}
	return out
}

// of returns the items that have a wording, ascending.
func (s *spellings) of(text string) []int32 {
	if text == "" {
		return nil
	}
	h := maphash.String(spellingSeed, text)
	from, _ := slices.BinarySearch(s.hash, h)
	end := from
	for end < len(s.hash) && s.hash[end] == h {
		end++
	}
	return s.item[from:end]
}

// shared goes through the wordings that several items have; which says what of a
// question the wordings are.
func (s *spellings) shared(items []*item, which func(q *question) string) iter.Seq2[string, []int32] {
	return func(yield func(string, []int32) bool) {
		for from := 0; from < len(s.hash); {
			end := from + 1
			for end < len(s.hash) && s.hash[end] == s.hash[from] {
				end++
			}
			if end > from+1 && !yield(items[s.item[from]].spelt(s.hash[from], which), s.item[from:end]) {
				return
			}
			from = end
		}
	}
}

func (it *item) spelt(hash uint64, which func(q *question) string) string {
	for i := range it.questions {
		if text := which(&it.questions[i]); text != "" && maphash.String(spellingSeed, text) == hash {
			return text
		}
	}
	return ""
}
