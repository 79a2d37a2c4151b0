package kb

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of an entry. The short title is what the platform shows of a card's
// option; an answer is sent in one message or a few.
const (
	maxQuestion   = 200 // characters
	maxShortTitle = 17  // characters
	maxAnswer     = 20_000
	maxSimilar    = 500
	maxName       = 64
	maxTags       = 20
)

// Fault is one thing that is wrong with an entry.
type Fault struct {
	Column string // key of the column
	Text   string // in Chinese, for people
}

// Faults are all things wrong with an entry.
type Faults []Fault

func (f Faults) Error() string {
	parts := make([]string, len(f))
	for i, x := range f {
		parts[i] = fmt.Sprintf("「%s」%s", titleOf(x.Column), x.Text)
	}
	return strings.Join(parts, "；")
}

func titleOf(key string) string {
	for _, c := range columns {
		if c.key == key {
			return c.title
		}
	}
	return key
}

// Validate names everything that is wrong with an entry, in Chinese, as
// Faults; nil when nothing is. It takes the entry as Clean leaves it.
func Validate(e Entry) error {
	var f Faults
	for i := range columns {
		f = checkColumn(f, &columns[i], &e)
	}
	if strings.TrimSpace(e.Question) == "" {
		f = append(f, Fault{"question", "不能为空"})
	}
	if strings.TrimSpace(e.Answer) == "" {
		f = append(f, Fault{"answer", "不能为空"})
	}
	if e.Number < 0 {
		f = append(f, Fault{"number", "不能是负数"})
	}
	if _, known := stateNames[e.State]; !known || e.State != stateNames[e.State] {
		f = append(f, Fault{"state", fmt.Sprintf("只能是 draft、review、published 或 retired，现为「%s」", clipped(e.State))})
	}
	if len(f) == 0 {
		return nil
	}
	return f
}

// checkColumn checks what holds for each value of a column.
func checkColumn(f Faults, c *column, e *Entry) Faults {
	values := c.get(e)
	if most := mostOf(c.key); c.list && len(values) > most {
		f = append(f, Fault{c.key, fmt.Sprintf("有 %d 条，最多 %d 条", len(values), most)})
	}
	for _, v := range values {
		if text := faultOf(c, v); text != "" {
			return append(f, Fault{c.key, text})
		}
	}
	return f
}

func mostOf(key string) int {
	if key == "tags" {
		return maxTags
	}
	return maxSimilar
}

func faultOf(c *column, v string) string {
	n := utf8.RuneCountInString(v)
	switch {
	case !utf8.ValidString(v):
		return "含有无法识别的字符"
	case strings.ContainsFunc(v, forbidden):
		return "含有控制字符"
	case !c.long && strings.Contains(v, "\n"):
		return "不能换行"
	case c.list && strings.TrimSpace(v) == "":
		return "有空的一条"
	}
	switch c.key {
	case "question", "similar", "negative":
		if n > maxQuestion {
			return fmt.Sprintf("有 %d 个字，最多 %d 个字：%s", n, maxQuestion, clipped(v))
		}
	case "short_title":
		if n > maxShortTitle {
			return fmt.Sprintf("有 %d 个字，最多 %d 个字", n, maxShortTitle)
		}
	case "answer", "answer_text", "steps", "exceptions":
		if len(v) > maxAnswer {
			return fmt.Sprintf("有 %d 字节，最多 %d 字节", len(v), maxAnswer)
		}
	case "valid_until", "review_at":
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return fmt.Sprintf("日期应写成 2026-06-30，现为「%s」", clipped(v))
		}
	case "group", "category", "owner", "tags":
		if n > maxName {
			return fmt.Sprintf("有 %d 个字，最多 %d 个字", n, maxName)
		}
		if c.key == "tags" && strings.ContainsAny(v, tagMarks) {
			return "标签里不能有逗号、顿号或分号"
		}
	}
	return ""
}

// forbidden are control characters, which no cell, card or page shows. Line
// breaks and tabs are text.
func forbidden(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || r == 0xfffe || r == 0xffff)
}

// tagMarks part tags that people write in one line.
const tagMarks = ",，、;；"

// Clean brings an entry into the form in which it is kept: line breaks as \n,
// no space around a text or a list's value, no empty values, no nil against
// empty lists. What WriteFile writes of a clean entry ReadFile reads back
// unchanged, so entries are cleaned wherever they come in.
func Clean(e Entry) Entry {
	for _, text := range []*string{&e.Question, &e.ShortTitle, &e.Answer, &e.AnswerText, &e.Steps, &e.Exceptions, &e.State, &e.Group, &e.Category, &e.Owner, &e.ValidUntil, &e.ReviewAt} {
		*text = cleanText(*text)
	}
	e.Similar, e.Negative, e.Tags = cleanList(e.Similar, ""), cleanList(e.Negative, ""), cleanList(e.Tags, tagMarks)
	return e
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\ufeff", "")

func cleanText(text string) string { return strings.TrimSpace(lineBreaks.Replace(text)) }

// cleanList trims the values of a list, parts them at the marks and drops what
// is empty or there twice.
func cleanList(list []string, marks string) []string {
	var out []string
	seen := make(map[string]bool, len(list))
	for _, v := range list {
		for _, part := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(marks, r) }) {
			if part = cleanText(part); part != "" && !seen[part] {
				seen[part] = true
				out = append(out, part)
			}
		}
	}
	return out
}
