package handlers

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/kb"
)

// wording is how an answer is shown. The zero value is an entry that the base
// is sure of, in its own words.
type wording struct {
	lead string     // 你可能想问：it is not sure
	text string     // a model's words in the place of the answer's
	from []kb.Entry // what these rest on, the main one first
	by   string     // what the model did, for the reader
	link string     // where the whole is, when many read it: the answer is short then
}

// shortAnswer is what still fits on one card (sub_title_text, 160 characters).
const shortAnswer = 160

const feedbackWords = "有用回「有用」，没用回「没用」，要人处理回「转人工」。"

// answerWords are an entry as the answer to a message.
func answerWords(m chat.Message, e kb.Entry, note string, w wording) []chat.Outgoing {
	ref := " @" + m.ID
	card := &chat.Card{
		TaskID: taskID(fmt.Sprintf("k%d", e.Number), m), Source: "知识库",
		Buttons: []chat.Button{{Text: "有用", Key: "有用" + ref, Style: 1}, {Text: "没用", Key: "没用" + ref}, {Text: "转人工", Key: "转人工" + ref}},
	}
	above := ""
	if note != "" {
		above = note + "\n"
	}
	source := sourceLine(e)
	if plain := e.AnswerText; plain != "" && e.Steps == "" && e.Exceptions == "" && w.text == "" && w.by == "" && utf8.RuneCountInString(plain) <= shortAnswer {
		card.Title, card.Text, card.Desc = w.lead+e.Question, plain, note
		card.Rows = []chat.Row{{Key: "来源", Value: source}}
		card.Twin = fmt.Sprintf("%s%s【%s】\n%s\n依据 %s\n%s", above, w.lead, e.Question, plain, source, feedbackWords)
		return []chat.Outgoing{{Body: chat.Body{Card: card}}}
	}
	for _, x := range w.from[min(1, len(w.from)):] {
		source += fmt.Sprintf("；K%d %s", x.Number, chat.Plain(chat.Cut(x.Question, 30)))
	}
	card.Title, card.Desc = "这条回答解决问题了吗？", source
	card.Twin = feedbackWords
	body, short := answerBody(e, w.text), false
	if w.link != "" {
		body, short = groupBody(e, w.text)
	}
	text := fmt.Sprintf("%s%s**%s**\n%s\n> 依据 %s", above, w.lead, e.Question, body, source)
	if short {
		text += "\n> [查看全文](" + w.link + ")"
	}
	if w.by != "" {
		text += "\n> " + w.by
	}
	return []chat.Outgoing{{Body: chat.Body{Markdown: text}}, {Body: chat.Body{Card: card}}}
}

// answerBody is an answer, in other words if there are any; what staff must do
// and what is excepted are always the entry's own.
func answerBody(e kb.Entry, words string) string {
	var b strings.Builder
	if words == "" {
		words = e.Answer
	}
	b.WriteString(words)
	if e.Steps != "" {
		b.WriteString("\n你这边：" + e.Steps)
	}
	if e.Exceptions != "" {
		b.WriteString("\n例外：" + e.Exceptions)
	}
	return b.String()
}

func sourceLine(e kb.Entry) string {
	line := fmt.Sprintf("K%d 第 %d 版", e.Number, max(1, e.Version))
	if e.ReviewAt != "" {
		line += " · 下次复核 " + e.ReviewAt
	}
	if e.Group != "" {
		line += " · " + e.Group
	}
	return line
}
