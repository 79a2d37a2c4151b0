package handlers

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"

	"frontline/bot/chat"
	"frontline/store"
)

// spoken is what a message says, once buttons and quotes are read as words.
type spoken struct {
	said  string
	mark  string
	stale bool // a button of a card whose conversation is over
}

// A button's key is the words it stands for. Where they only make sense within
// one conversation, the key carries that conversation's mark before them.
const markSign = "::"

var markedKey = regexp.MustCompile(`^([0-9A-Za-z_-]{12})::(.*)$`)

// SubmitKey is the key of a submit button that stands for nothing itself: the
// ticked options are the words.
const SubmitKey = "submit"

// ButtonKey makes the key of a button that is valid only while the
// conversation with this mark is open; an empty mark is always valid.
func ButtonKey(mark, words string) string {
	if mark == "" {
		return words
	}
	return mark + markSign + words
}

func (w *Worker) text(m chat.Message, conv store.Conversation) spoken {
	if m.Kind == chat.KindClick && m.Click != nil {
		s := spokenClick(*m.Click)
		s.stale = s.mark != "" && s.mark != markOf(conv)
		return s
	}
	return spoken{said: w.Router.Clean(m.Text)}
}

func spokenClick(c chat.Click) spoken {
	s := spoken{said: c.Key}
	if k := markedKey.FindStringSubmatch(c.Key); k != nil {
		s.mark, s.said = k[1], k[2]
	}
	if s.said == SubmitKey {
		s.said = ""
	}
	s.said = strings.TrimSpace(s.said + " " + chosen(c.Selected))
	return s
}

// chosen is what was ticked, as words, in a fixed order.
func chosen(selected map[string][]string) string {
	keys := make([]string, 0, len(selected))
	for k := range selected {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var words []string
	for _, k := range keys {
		words = append(words, selected[k]...)
	}
	return strings.Join(words, " ")
}

// markOf is the mark of the conversation that is open, "" for none.
func markOf(conv store.Conversation) string {
	var d struct{ Mark string }
	if conv.Draft == nil || json.Unmarshal(conv.Draft, &d) != nil {
		return ""
	}
	return d.Mark
}
