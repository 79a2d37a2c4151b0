package web

import (
	"encoding/json"
	"html/template"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"frontline/bot/chat"
)

// chatText shows a message's text: bold, quotes and colours of the platform's
// Markdown, everything else literal.
func chatText(e SimEntry) template.HTML {
	text := template.HTMLEscapeString(e.Text)
	if e.MsgType == "text" {
		return template.HTML(strings.ReplaceAll(text, "\n", "<br>"))
	}
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		quote := strings.HasPrefix(line, "&gt; ") || line == "&gt;"
		line = strings.TrimPrefix(strings.TrimPrefix(line, "&gt; "), "&gt;")
		parts := strings.Split(line, "**")
		for j := 1; j < len(parts)-1; j += 2 {
			parts[j] = "<b>" + parts[j] + "</b>"
		}
		line = strings.Join(parts, "")
		for _, c := range []string{"info", "comment", "warning"} {
			line = strings.ReplaceAll(line, "&lt;font color=&#34;"+c+"&#34;&gt;", `<span class="f-`+c+`">`)
		}
		line = strings.ReplaceAll(line, "&lt;/font&gt;", "</span>")
		switch {
		case quote:
			b.WriteString(`<span class="q">` + line + `</span>`)
		case i > 0:
			b.WriteString("<br>" + line)
		default:
			b.WriteString(line)
		}
	}
	return template.HTML(b.String())
}

// Keys and strings of an escaped JSON text, for their colours.
var (
	jsonKey  = regexp.MustCompile(`(?m)^(\s*)(&#34;[^\n]*?&#34;)(: )`)
	jsonText = regexp.MustCompile(`(?m)(^\s*|</b>: )(&#34;.*?&#34;)(,?)$`)
)

// stepJSON is a payload, indented and coloured; other text stays as it is.
func stepJSON(text string) template.HTML {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return template.HTML(template.HTMLEscapeString(chat.Cut(text, 4000)))
	}
	out := template.HTMLEscapeString(indent(json.RawMessage(text)))
	out = jsonKey.ReplaceAllString(out, "$1<b>$2</b>$3")
	return template.HTML(jsonText.ReplaceAllString(out, "$1<i>$2</i>$3"))
}

// housekeeping steps are the desk's reading of the directory: not part of any
// conversation.
func (t SimTrace) housekeeping() bool {
	return strings.HasPrefix(t.Name, "department/") || strings.HasPrefix(t.Name, "user/simplelist")
}

// Wrong counts what a step should not have: a failure, a field too long, a remark.
func (t SimTrace) Wrong() int {
	n := len(t.Notes)
	if !t.OK() {
		n++
	}
	for _, m := range t.Meters {
		if m.Over() {
			n++
		}
	}
	return n
}

// Wrong counts the remarks on all steps that are shown.
func (p simulatorPage) Wrong() (n int) {
	for _, t := range p.Steps {
		n += t.Wrong()
	}
	return n
}

// Slowest is the scale of the times, in milliseconds.
func (p simulatorPage) Slowest() float64 {
	slowest := 1.0
	for _, t := range p.Steps {
		slowest = max(slowest, t.LatencyMS)
	}
	return slowest
}

// LastCard is the newest step that sent a card, with its place among the steps.
func (p simulatorPage) LastCard() *cardStep {
	for i, t := range slices.Backward(p.Steps) {
		if strings.Contains(t.Request, `"template_card"`) {
			return &cardStep{i + 1, t}
		}
	}
	return nil
}

type cardStep struct {
	N int
	SimTrace
}

// Card is the card alone, without the envelope of the message.
func (c cardStep) Card() string {
	var m struct {
		Card json.RawMessage `json:"template_card"`
	}
	if json.Unmarshal([]byte(c.Request), &m) != nil || m.Card == nil {
		return c.Request
	}
	return string(m.Card)
}

// Summary says in one line what distinguishes a step.
func (t SimTrace) Summary() string {
	var parts []string
	if t.User != "" {
		parts = append(parts, t.User)
	}
	if t.Request != "" {
		parts = append(parts, strconv.Itoa(len(t.Request))+" B")
	}
	if t.MsgID != "" {
		parts = append(parts, "MsgId "+chat.Cut(t.MsgID, 20))
	}
	return strings.Join(parts, " · ")
}

// PlaceTitle says what kind of conversation it is.
func (s shell) PlaceTitle(place string) string {
	kind, id, _ := strings.Cut(place, ":")
	return map[string]string{"app": s.T("自建应用") + " · AgentId ", "bot": s.T("智能机器人") + " · ", "group": s.T("群聊") + " · "}[kind] + id
}

// Hidden tells whether WeChat's plugin shows a note instead of the message.
func (p simulatorPage) Hidden(e SimEntry) bool {
	return p.Plugin && strings.HasPrefix(e.MsgType, "markdown")
}
