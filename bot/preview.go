package bot

import (
	"encoding/json"
	"unicode/utf8"

	"frontline/bot/chat"
)

// Place is one of the places that the same words can go to.
type Place string

const (
	PlaceApp   Place = "app"   // a member, by the self-built app
	PlaceChat  Place = "chat"  // a group that the app made
	PlaceRobot Place = "robot" // a group robot
	PlaceBot   Place = "bot"   // the smart bot's answer
)

// Preview is what one place would show of a message.
type Preview struct {
	Place Place
	Parts []PreviewPart
}

// PreviewPart is one message of it.
type PreviewPart struct {
	Kind   string // text, markdown, template_card
	Text   string
	Card   json.RawMessage
	Meters []PreviewMeter
}

// PreviewMeter is one field against what the place takes.
type PreviewMeter struct {
	Field       string
	Used, Limit int
	Bytes       bool // else characters
}

// Previews shows a body as every place would, by the code that sends it.
func Previews(b chat.Body) ([]Preview, error) {
	kind, contents, err := appContents(b)
	if err != nil {
		return nil, err
	}
	app := Preview{Place: PlaceApp}
	for _, c := range contents {
		raw, err := marshalJSON(c)
		if err != nil {
			return nil, err
		}
		app.Parts = append(app.Parts, previewPart(b, kind, raw, AppCards, appText))
	}
	out := []Preview{app}
	words := chat.Outgoing{To: chat.Address{Kind: chat.Person, ID: "preview"}, Body: b}
	for _, p := range []struct {
		place  Place
		render func(chat.Outgoing) ([]chat.Part, error)
		cards  Dialect
		limit  map[string]int
	}{{PlaceChat, renderChat, Dialect{}, map[string]int{"text": appText, "markdown": appText}}, {PlaceRobot, renderRobot, RobotCards, map[string]int{"text": robotText, "markdown": robotMarkdown}},
		{PlaceBot, renderResponse, BotCards, map[string]int{"text": botMarkdown, "markdown": botMarkdown}}} {
		parts, err := p.render(words)
		if err != nil {
			return nil, err
		}
		shown := Preview{Place: p.place}
		for _, x := range parts {
			var m map[string]json.RawMessage
			var kind string
			if err := json.Unmarshal(x.Body, &m); err != nil {
				return nil, err
			}
			if err := json.Unmarshal(m["msgtype"], &kind); err != nil {
				return nil, err
			}
			shown.Parts = append(shown.Parts, previewPart(b, kind, m[kind], p.cards, p.limit[kind]))
		}
		out = append(out, shown)
	}
	return out, nil
}

func previewPart(b chat.Body, kind string, raw json.RawMessage, d Dialect, limit int) PreviewPart {
	if kind == "template_card" {
		return PreviewPart{Kind: kind, Card: raw, Meters: cardMeters(*b.Card, d)}
	}
	var text struct{ Content string }
	json.Unmarshal(raw, &text) // we wrote it
	return PreviewPart{Kind: kind, Text: text.Content, Meters: []PreviewMeter{{Field: kind + ".content", Used: len(text.Content), Limit: limit, Bytes: true}}}
}

// cardMeters measures a card as it was written, before it is cut.
func cardMeters(c chat.Card, d Dialect) (out []PreviewMeter) {
	add := func(field, text string, limit int) {
		if n := utf8.RuneCountInString(text); n > 0 {
			out = append(out, PreviewMeter{Field: field, Used: n, Limit: limit})
		}
	}
	add("source.desc", c.Source, d.source)
	add("main_title.title", c.Title, d.title)
	add("main_title.desc", c.Desc, d.desc)
	add("sub_title_text", c.Text, d.text)
	for _, r := range c.Rows {
		add("horizontal_content_list.value", r.Value, d.rowValue)
	}
	for _, b := range c.Buttons {
		add("button_list.text", b.Text, cardButtonText)
	}
	return out
}
