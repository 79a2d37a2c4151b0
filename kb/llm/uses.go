package llm

import (
	"context"
	_ "embed"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"frontline/kb"
)

// Prompts are texts of their own, each with a version: a change gets a new
// file, so that figures of one version stay figures of one text.
var (
	//go:embed prompts/intent.1.txt
	intentPrompt string
	//go:embed prompts/fields.1.txt
	fieldsPrompt string
)

// Fields are what a report's text says, as far as the model found it and the
// text bears it out; what is unknown is empty.
type Fields struct {
	AppVersion string // 9.2.1, as it stands in the text
	System     string // 安卓, iOS, 鸿蒙, 电脑端, 网页, 柜台, 手机端
	Symptom    string
	Urgency    string // urgent or calm
	Class      string // data, program, consult, other
}

// ExtractFields reads the facts out of a report whose personal data the caller
// has masked; person is whose budget it takes.
func (c *Client) ExtractFields(ctx context.Context, person, text string) (Fields, error) {
	object, err := c.object(ctx, kb.Prompt{Name: "fields/1", Person: person, System: fieldsPrompt, Data: text, MaxTokens: 300, JSON: true})
	if err != nil {
		return Fields{}, err
	}
	return checkFields(text, object), nil
}

// Intent says what a message is (report, question, chat, other) and how sure
// the model says it is, 0 to 1.
func (c *Client) Intent(ctx context.Context, person, text string) (string, float64, error) {
	object, err := c.object(ctx, kb.Prompt{Name: "intent/1", Person: person, System: intentPrompt, Data: text, MaxTokens: 60, JSON: true})
	if err != nil {
		return "", 0, err
	}
	intent := textOf(object, "intent")
	var confidence float64
	if json.Unmarshal(object["confidence"], &confidence) != nil || confidence < 0 || confidence > 1 {
		return "", 0, errAnswer("confidence out of bounds")
	}
	switch intent {
	case "report", "question", "chat", "other":
		return intent, confidence, nil
	}
	return "", 0, errAnswer("unknown intent")
}

// object asks for a JSON object. Models put code fences or words around it;
// these are taken off, anything else is no answer.
func (c *Client) object(ctx context.Context, p kb.Prompt) (map[string]json.RawMessage, error) {
	answer, err := c.Complete(ctx, p)
	if err != nil {
		return nil, err
	}
	from, to := strings.IndexByte(answer, '{'), strings.LastIndexByte(answer, '}')
	var object map[string]json.RawMessage
	if from < 0 || to < from || json.Unmarshal([]byte(answer[from:to+1]), &object) != nil {
		return nil, errAnswer("no JSON object")
	}
	return object, nil
}

func textOf(object map[string]json.RawMessage, key string) string {
	var s string
	if json.Unmarshal(object[key], &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// checkFields keeps of the model's words what the text bears out.
func checkFields(text string, object map[string]json.RawMessage) Fields {
	var f Fields
	if v := textOf(object, "app_version"); versionForm.MatchString(v) && standsIn(text, v) {
		f.AppVersion = v
	}
	if v := textOf(object, "system"); evidence[v] != nil && evidence[v].MatchString(text) {
		f.System = v
	}
	if v := textOf(object, "symptom"); derives(v, text) {
		f.Symptom = v
	}
	switch v := textOf(object, "urgency"); {
	case v == "urgent" && urgentWords.MatchString(text), v == "calm" && calmWords.MatchString(text):
		f.Urgency = v
	}
	switch v := textOf(object, "class"); v {
	case "data", "program", "consult", "other":
		f.Class = v
	}
	return f
}

var (
	versionForm = regexp.MustCompile(`^\d{1,3}(\.\d{1,5}){1,3}$`)
	urgentWords = regexp.MustCompile(`急|马上|尽快|立刻|赶紧|催|等着|交易不了|无法交易|不能交易|下不了单|多个客户|很多客户|多位客户|都不行|全部|大量|投诉`)
	calmWords   = regexp.MustCompile(`不急|不着急|有空|方便的时候|慢慢`)
	evidence    = map[string]*regexp.Regexp{
		"安卓":  regexp.MustCompile(`(?i)安卓|android|华为|小米|荣耀|oppo|vivo`),
		"iOS": regexp.MustCompile(`(?i)ios|iphone|ipad|苹果`),
		"鸿蒙":  regexp.MustCompile(`(?i)鸿蒙|harmony`),
		"电脑端": regexp.MustCompile(`(?i)电脑|pc|桌面|windows|mac`),
		"网页":  regexp.MustCompile(`(?i)网页|网厅|浏览器|网上`),
		"柜台":  regexp.MustCompile(`柜台|柜面|临柜`),
		"手机端": regexp.MustCompile(`(?i)手机|app`),
	}
)

// standsIn says whether a number stands in the text by itself.
func standsIn(text, number string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], number)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(number)
		if (i == 0 || !partOfNumber(text[i-1])) && (end == len(text) || !partOfNumber(text[end]) || text[end] == '.' && (end+1 == len(text) || !partOfNumber(text[end+1]))) {
			return true
		}
		from = i + 1
	}
}

func partOfNumber(b byte) bool { return '0' <= b && b <= '9' || b == '.' }

const (
	maxSymptom  = 200
	fromTheText = 0.6 // share of a symptom's pairs of characters that the text must hold
)

// derives says whether a symptom is made of the text: most of its neighbouring
// characters stand so in the text. A model that follows instructions in the
// text, or dreams, writes something else.
func derives(symptom, text string) bool {
	n := utf8.RuneCountInString(symptom)
	if n < 2 || n > maxSymptom || strings.ContainsAny(symptom, "<>[]{}\n") || strings.Contains(symptom, "://") {
		return false
	}
	return shareHeld(symptom, text) >= fromTheText
}
