package chat

import "strings"

// plainer turns the characters with which a text could format, link or
// mention in the platform's dialects into their full-width look-alikes.
var plainer = strings.NewReplacer("<", "＜", ">", "＞", "[", "［", "]", "］", "`", "｀", "@", "＠", "\r", "", "\x00", "")

// Plain makes foreign text (what people, alerts or other systems wrote) safe
// to stand inside words of ours: it cannot mention anybody, link anywhere,
// colour anything or begin a heading or a quote. Asterisks stay: masks are made of them.
func Plain(text string) string {
	text = plainer.Replace(text)
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if t := strings.TrimLeft(l, " \t"); strings.HasPrefix(t, "#") {
			lines[i] = "＃" + t[1:]
		}
	}
	return strings.Join(lines, "\n")
}

// PlainMarkdown is Plain for words that go out as Markdown, where the asterisks
// of a mask would be read as marks.
func PlainMarkdown(text string) string { return strings.ReplaceAll(Plain(text), "*", "＊") }

// Cut shortens text to n runes, with an ellipsis as the last one.
func Cut(text string, n int) string {
	r := []rune(text)
	if len(r) <= n {
		return text
	}
	return string(r[:max(0, n-1)]) + "…"
}
