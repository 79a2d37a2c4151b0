package handlers

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"frontline/bot/chat"
	"frontline/store"
)

// Decision says which command gets a message and why; it is kept with the row.
type Decision struct {
	Command *Command
	Args    string
	Step    string
	Why     string
	Closes  string // the conversation that a command word ended
}

// Router chooses the command of a message: the number of the last list, then
// a command word, then the open conversation, then rules; what is left is a
// question or a report, which the ask command finds out.
type Router struct {
	Commands []*Command
	Names    []string // what the bot is called, for @name
	byWord   []wordCommand
	byName   map[string]*Command
}

type wordCommand struct {
	word string
	cmd  *Command
}

// NewRouter indexes the words, longest first, so that 我的工单 wins over 我的.
func NewRouter(commands []*Command, names []string) *Router {
	r := &Router{Commands: commands, Names: names, byName: map[string]*Command{}}
	for _, c := range commands {
		r.byName[c.Name] = c
		for _, w := range c.Words {
			r.byWord = append(r.byWord, wordCommand{strings.ToLower(w), c})
		}
	}
	sortByLength(r.byWord)
	return r
}

func sortByLength(words []wordCommand) {
	for i := 1; i < len(words); i++ {
		for j := i; j > 0 && len(words[j].word) > len(words[j-1].word); j-- {
			words[j], words[j-1] = words[j-1], words[j]
		}
	}
}

// Clean is a text as it is routed: without the leading @name, invisible
// characters and outer white space; full-width digits and letters narrowed.
func (r *Router) Clean(text string) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case c == '\u3000':
			return ' '
		case unicode.In(c, unicode.Cf, unicode.Cc, unicode.Co) || c == utf8.RuneError:
			return -1
		}
		return c
	}, text)
	text = strings.TrimSpace(text)
	for strings.HasPrefix(text, "@") || strings.HasPrefix(text, "＠") {
		rest := strings.TrimPrefix(strings.TrimPrefix(text, "@"), "＠")
		cut := ""
		for _, n := range r.Names {
			if strings.HasPrefix(rest, n) && len(n) > len(cut) {
				cut = n
			}
		}
		if cut == "" { // whatever the bot is called there: up to the first white space
			i := strings.IndexFunc(rest, unicode.IsSpace)
			if i < 0 {
				return ""
			}
			cut = rest[:i]
		}
		text = strings.TrimSpace(rest[len(cut):])
	}
	return text
}

// Route decides. The text is clean; conv is what the thread has open.
func (r *Router) Route(text string, conv store.Conversation) Decision {
	if item, ok := listItem(text, conv); ok {
		d := r.route(item, conv)
		d.Why = fmt.Sprintf("第 %s 项：%s", text, d.Why)
		return d
	}
	return r.route(text, conv)
}

func (r *Router) route(text string, conv store.Conversation) Decision {
	if c := r.byName[conv.Command]; c != nil && slices.Contains(c.Answers, text) {
		return Decision{Command: c, Args: text, Step: conv.Step, Why: "进行中的会话 " + c.Name + "/" + conv.Step}
	}
	if c, args, ok := r.word(text, conv); ok {
		d := Decision{Command: c, Args: args, Why: "指令词 " + c.Words[0]}
		if conv.Command != "" && conv.Command != c.Name && conv.Step != stepAfter && c.Name != "cancel" {
			d.Closes = conv.Command
		}
		return d
	}
	if c := r.byName[conv.Command]; c != nil {
		return Decision{Command: c, Args: text, Step: conv.Step, Why: "进行中的会话 " + c.Name + "/" + conv.Step}
	}
	if ticketNumber.MatchString(text) {
		return Decision{Command: r.byName["show"], Args: text, Why: "单号"}
	}
	return Decision{Command: r.byName["ask"], Args: text, Why: "提问"}
}

var ticketNumber = regexp.MustCompile(`^[TtＴ#＃]?\s*[0-9]{1,15}$`)

// listItem replaces a number of the last list by what it stands for: bare, or
// after 催 and 撤 (and 接, which comes with its command).
func listItem(text string, conv store.Conversation) (string, bool) {
	if n, err := strconv.Atoi(narrow(text)); err == nil {
		if n == 0 && len(conv.List) > 0 {
			return zeroItem, true
		}
		if n >= 1 && n <= len(conv.List) {
			return conv.List[n-1], true
		}
		return "", false
	}
	if items, ok := claimedItems(text, conv); ok {
		return items, true
	}
	if rest, ok := strings.CutPrefix(text, "草稿"); ok {
		n, err := strconv.Atoi(narrow(strings.TrimSpace(rest)))
		if err == nil && n >= 1 && n <= len(conv.List) {
			if ref, ok := strings.CutPrefix(conv.List[n-1], "缺口 "); ok {
				return "草稿 " + ref, true
			}
		}
		return "", false
	}
	for _, w := range []string{"催", "撤"} {
		if rest, ok := strings.CutPrefix(text, w); ok {
			n, err := strconv.Atoi(narrow(strings.TrimSpace(rest)))
			if err != nil || n < 1 || n > len(conv.List) {
				return "", false
			}
			if m := ticketInItem.FindString(conv.List[n-1]); m != "" {
				return w + " " + m, true
			}
		}
	}
	return "", false
}

// claimedItems reads 接1 接3: numbers without a letter are items while the list
// is long enough.
func claimedItems(text string, conv store.Conversation) (string, bool) {
	rest, ok := strings.CutPrefix(text, "接")
	if !ok || !saidNumbers.MatchString(rest) {
		return "", false
	}
	out, changed := []string{"接"}, false
	for _, n := range numberWords.FindAllString(narrow(rest), -1) {
		if i, err := strconv.Atoi(n); err == nil && i >= 1 && i <= len(conv.List) {
			if m := ticketInItem.FindString(conv.List[i-1]); m != "" {
				n, changed = m, true
			}
		}
		out = append(out, n)
	}
	return strings.Join(out, " "), changed
}

var numberWords = regexp.MustCompile(`[TtＴ#＃]?[0-9]{1,15}`)

var ticketInItem = regexp.MustCompile(`T[0-9]+`)

// zeroItem is what 0 says: none of these.
const zeroItem = "都不是"

// narrow turns full-width digits into ASCII ones.
func narrow(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '０' && c <= '９' {
			return c - '０' + '0'
		}
		return c
	}, s)
}

// word finds the command whose word begins the text, and what follows it.
func (r *Router) word(text string, conv store.Conversation) (*Command, string, bool) {
	low := strings.ToLower(text)
	if len(low) != len(text) {
		low = text // lower case changed the length: offsets would not fit
	}
	for _, w := range r.byWord {
		if !strings.HasPrefix(low, w.word) {
			continue
		}
		rest := text[len(w.word):]
		if follows(w.cmd.Takes, rest, conv.Command == "") {
			return w.cmd, strings.TrimLeft(rest, " \t\n:：,，。.-—"), true
		}
	}
	return nil, "", false
}

// follows tells whether rest may stand behind a command word.
func follows(t Takes, rest string, idle bool) bool {
	first, _ := utf8.DecodeRuneInString(rest)
	apart := unicode.IsSpace(first) || unicode.IsPunct(first) || unicode.IsSymbol(first)
	switch trimmed := strings.TrimSpace(rest); {
	case trimmed == "" || strings.Trim(trimmed, "。.!！~～") == "":
		return true
	case strings.HasPrefix(trimmed, "@"): // a button's reference to its message
		return true
	case t == TakesNumber:
		return saidNumber.MatchString(trimmed)
	case t == TakesText:
		return apart
	case t == TakesLoose:
		return apart || idle
	case t == TakesTicket:
		return leadingNumber.MatchString(trimmed)
	case t == TakesTarget:
		return apart || leadingNumber.MatchString(trimmed)
	case t == TakesNumbers:
		return saidNumbers.MatchString(trimmed)
	}
	return false
}

var (
	leadingNumber = regexp.MustCompile(`^[TtKkAaRrSs#＃]?\s*[0-9０-９]{1,15}(?:[^0-9０-９.．%％万亿元点号年月日]|$)`)
	saidNumbers   = regexp.MustCompile(`^(?:[接Tt#＃,，、和\s]*[0-9０-９]{1,15})+\s*$`)
)

var saidNumber = regexp.MustCompile(`^[TtKk#＃]*\s*[0-9０-９]{1,15}$`)

// Allowed compares roles. Who may not run a command hears the same as for a
// word that does not exist.
func Allowed(c *Command, u chat.User) bool { return !u.Disabled && u.Roles.Has(c.Roles...) }

// title is the word by which people know a command.
func (r *Router) title(name string) string {
	if c := r.byName[name]; c != nil && len(c.Words) > 0 {
		return c.Words[0]
	}
	return name
}
