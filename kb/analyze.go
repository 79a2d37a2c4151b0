package kb

// token is one thing that is compared: a Han character, a pair of neighbours
// or a whole Latin or digit run, of the text or of its normalised copy. It is
// packed into a number, so that analysing a question makes no garbage.
type token uint64

const (
	copyBit token = 1 << 62
	wordBit token = 1 << 63
	runBits       = 21
)

func (t token) ofCopy() bool { return t&copyBit != 0 }
func (t token) isWord() bool { return t&wordBit != 0 }
func (t token) isPair() bool { return !t.isWord() && (t&^copyBit)>>runBits != 0 }

// text is the token as written; a word is only known by its hash.
func (t token) text() string {
	if t.isWord() {
		return ""
	}
	t &^= copyBit
	if first := rune(t >> runBits); first != 0 {
		return string([]rune{first, rune(t & (1<<runBits - 1))})
	}
	return string(rune(t))
}

// wordToken hashes a run by FNV-1a (www.isthe.com/chongo/tech/comp/fnv).
func wordToken(run []rune) token {
	h := uint64(14695981039346656037)
	for _, r := range run {
		h = (h ^ uint64(r)) * 1099511628211
	}
	return token(h)&^copyBit | wordBit
}

// appendTokens appends the tokens of a normalised text. Pairs do not reach
// over punctuation. A run of digits with points inside (9.2.1) is one word.
func appendTokens(out []token, text []rune, mark token) []token {
	for i := 0; i < len(text); {
		switch kindOf(text[i]) {
		case han:
			out = append(out, token(text[i])|mark)
			if i+1 < len(text) && kindOf(text[i+1]) == han {
				out = append(out, token(text[i])<<runBits|token(text[i+1])|mark)
			}
			i++
		case word:
			end := wordEnd(text, i)
			out = append(out, wordToken(text[i:end])|mark)
			i = end
		default:
			i++
		}
	}
	return out
}

func wordEnd(text []rune, i int) int {
	for i < len(text) {
		inside := text[i] == '.' && isDigit(text[i-1]) && i+1 < len(text) && isDigit(text[i+1])
		if kindOf(text[i]) != word && !inside {
			break
		}
		i++
	}
	return i
}

// reading is an analysed text.
type reading struct {
	plain, copied []rune
	tokens        []token
}

// read analyses a text: its own tokens, then those of its copy.
func (s *speller) read(text string) reading {
	r := reading{plain: normalize(text)}
	r.copied = s.copyOf(r.plain, nil)
	r.tokens = make([]token, 0, 3*(len(r.plain)+len(r.copied))/2+2)
	r.tokens = appendTokens(r.tokens, r.plain, 0)
	r.tokens = appendTokens(r.tokens, r.copied, copyBit)
	return r
}
