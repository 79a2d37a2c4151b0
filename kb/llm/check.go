package llm

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// What a model writes is compared with what it was given, sign by sign: no
// second model judges the first.

var (
	latinRuns = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9.,:%/_+-]*`)
	// Numbers in words, where they count something.
	countWords = regexp.MustCompile(`[零〇一二两三四五六七八九十百千万亿半]+(?:多|几)?(?:个|位|名|天|日|周|月|年|时|小时|分钟|分|秒|次|笔|倍|成|元|块|份|股|手|只|条|张|岁|档|级|点|折|期|家)`)
	// Words that say whether something may, can or must be, with what turns them.
	modalWords = regexp.MustCompile(`(不|没有|没|无法|无|未|非|勿|禁止|不得|不予|不再)?(能|可以|可|支持|允许|需要|需|必须|得|会|要|收|能够)(\p{Han})`)
)

func narrowed(s string) string { return strings.ToLower(width.Narrow.String(s)) }

// heldBy says whether every number, code, Latin word and counted number of a
// text stands in the source.
func heldBy(text, source string) bool {
	text, source = narrowed(text), narrowed(source)
	for _, run := range latinRuns.FindAllString(text, -1) {
		if run = strings.TrimRight(run, ".,:/_+-"); !standsAlone(source, run) {
			return false
		}
	}
	for _, n := range countWords.FindAllString(text, -1) {
		if !strings.Contains(source, n) {
			return false
		}
	}
	return true
}

// standsAlone says whether a run stands in the source and is not part of a
// longer one: 5 is not in 15, nor T+1 in T+10.
func standsAlone(source, run string) bool {
	for from := 0; ; {
		i := strings.Index(source[from:], run)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(run)
		before := i > 0 && (alnum(source[i-1]) && alnum(run[0]) || source[i-1] == '.' && i > 1 && digit(source[i-2]) && digit(run[0]))
		after := end < len(source) && (alnum(source[end]) && alnum(run[len(run)-1]) || source[end] == '.' && end+1 < len(source) && digit(source[end+1]) && digit(run[len(run)-1]))
		if !before && !after {
			return true
		}
		from = i + 1
	}
}

func digit(b byte) bool { return '0' <= b && b <= '9' }
func alnum(b byte) bool { return digit(b) || 'a' <= b && b <= 'z' }

// turned says whether a text has a 能, 需要 and the like about something of
// which the source has only the opposite.
func turned(text, source string) bool {
	type said struct{ yes, no bool }
	source2 := map[string]said{}
	for _, m := range modalWords.FindAllStringSubmatch(source, -1) {
		s := source2[m[2]+m[3]]
		s.yes, s.no = s.yes || m[1] == "", s.no || m[1] != ""
		source2[m[2]+m[3]] = s
	}
	for _, m := range modalWords.FindAllStringSubmatch(text, -1) {
		s, ok := source2[m[2]+m[3]]
		if ok && (m[1] == "" && !s.yes || m[1] != "" && !s.no) {
			return true
		}
	}
	return negationMoved(text, source) || negationMoved(source, text)
}

const negations = "不无未没非勿"

// negationMoved says whether two characters stand side by side in a and nowhere
// so in b, where a negation stands between them.
func negationMoved(a, b string) bool {
	inB := []rune(b)
	for i := 0; i+2 < len(inB); i++ {
		if !strings.ContainsRune(negations, inB[i+1]) || !unicode.Is(unicode.Han, inB[i]) || !unicode.Is(unicode.Han, inB[i+2]) {
			continue
		}
		if pair := string([]rune{inB[i], inB[i+2]}); strings.Contains(a, pair) && !strings.Contains(b, pair) && !strings.Contains(a, string(inB[i:i+3])) {
			return true
		}
	}
	return false
}

// shareHeld is the share of a text's neighbouring characters that stand so in
// the source; 0 for a text without any.
func shareHeld(text, source string) float64 {
	source = narrowed(source)
	pairs, held := 0, 0
	var last rune
	for _, r := range narrowed(text) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			last = 0
			continue
		}
		if last != 0 {
			pairs++
			if strings.Contains(source, string([]rune{last, r})) {
				held++
			}
		}
		last = r
	}
	if pairs == 0 {
		return 0
	}
	return float64(held) / float64(pairs)
}
