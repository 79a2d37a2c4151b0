package handlers

import (
	"math"
	"regexp"
	"strings"
	"unicode"
)

// The gist of a report: what it is about, without how people put it. It
// compares short reports with each other (is this the same problem?) and sorts
// them into classes.

var (
	politeWords  = regexp.MustCompile(`麻烦|请问|帮忙|帮我|看下|看看|看一下|谁能|老师|你好|您好|谢谢|急+|客户反映|客户反馈|有个?客户|客户|用户|今天|刚才|刚刚|现在|一直|总是|又|的时候|安卓|android|ios|iphone|苹果|鸿蒙|手机端?|电脑端?|版本|[0-9]+(?:\.[0-9]+)+|\*+[0-9]*`)
	brokenMark   = "\u2047" // stands for whatever words say that something is broken
	markedBroken = regexp.MustCompile(brokenWords.String() + `|点不了|点不动|转不了|转不出|不能用|用不成|有问题|出错|报错误|不对|加载不出来?|进不了|打开不了`)
)

// gist is the set of word pairs of a text, lower-cased, with everything that
// says that it is broken as one mark. Latin words and numbers count whole.
func gist(text string) map[string]bool {
	text = strings.ToLower(narrow(text))
	text = markedBroken.ReplaceAllString(text, " "+brokenMark+" ")
	text = politeWords.ReplaceAllString(text, " ")
	out := map[string]bool{}
	var han, word []rune
	flush := func() {
		switch {
		case len(han) == 1:
			out[string(han)] = true
		case len(han) > 1:
			for i := range han[1:] {
				out[string(han[i:i+2])] = true
			}
		}
		if len(word) > 1 {
			out[string(word)] = true
		}
		han, word = han[:0], word[:0]
	}
	for _, c := range text {
		switch {
		case unicode.Is(unicode.Han, c):
			if len(word) > 0 {
				flush()
			}
			han = append(han, c)
		case c == []rune(brokenMark)[0]:
			flush()
			out[brokenMark] = true
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			if len(han) > 0 {
				flush()
			}
			word = append(word, c)
		default:
			flush()
		}
	}
	flush()
	return out
}

// rareness weighs terms by how few of the texts have them: ln(1 + N/n), 0.3 for
// the mark of brokenness, which nearly every report has.
type rareness struct {
	texts int
	in    map[string]int
}

func (r *rareness) add(g map[string]bool) {
	if r.in == nil {
		r.in = map[string]int{}
	}
	r.texts++
	for t := range g {
		r.in[t]++
	}
}

func (r *rareness) of(term string) float64 {
	if term == brokenMark {
		return 0.3
	}
	return math.Log(1 + float64(r.texts+1)/float64(r.in[term]+1))
}

// alike is the cosine of two gists, 0 to 1.
func (r *rareness) alike(a, b map[string]bool) float64 {
	both, na, nb := 0.0, 0.0, 0.0
	for t := range a {
		w := r.of(t)
		na += w * w
		if b[t] {
			both += w * w
		}
	}
	for t := range b {
		w := r.of(t)
		nb += w * w
	}
	if both == 0 {
		return 0
	}
	return both / math.Sqrt(na*nb)
}
