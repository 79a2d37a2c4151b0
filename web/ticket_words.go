package web

import (
	"hash/fnv"
	"html/template"
	"strconv"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// What tickets look like, in words and marks; templates call them as $.ClassTag
// and so on.

var priorityTitles = map[string]string{"P1": "紧急", "P2": "高", "P3": "中", "P4": "低"}

// Priorities are the four, most urgent first.
func (shell) Priorities() []string { return priorities }

// Priority is a priority in words.
func (s shell) Priority(p string) string {
	if title := priorityTitles[p]; title != "" {
		return p + " " + s.T(title)
	}
	return p
}

// PriorityMark is a priority as bars and a word.
func (s shell) PriorityMark(p string) template.HTML {
	title := priorityTitles[p]
	if title == "" {
		return ""
	}
	return template.HTML(`<span class="prw"><span class="pr p` + p[1:] + `" aria-hidden="true"><i></i><i></i><i></i></span>` + template.HTMLEscapeString(s.T(title)) + `</span>`)
}

var classLooks = map[string]string{"data": "v", "program": "b", "consult": "t"}

// Class is a class of the house: translated when it is one of ours.
func (s shell) Class(title string) string { return s.v.class(title) }

func (v *visit) class(title string) string {
	if _, known := english[title]; known {
		return v.t(title)
	}
	return title
}

// ClassTag is a class as a coloured word.
func (s shell) ClassTag(class string) template.HTML {
	title := s.v.s.opt.Desk.Rules.ClassTitle(class)
	return template.HTML(`<span class="tag ` + classLooks[class] + `">` + template.HTMLEscapeString(s.Class(title)) + `</span>`)
}

var stateLooks = map[store.TicketState]string{store.TicketNew: "new", store.TicketReopened: "new", store.TicketAssigned: "doing", store.TicketInProgress: "doing", store.TicketWaiting: "wait", store.TicketResolved: "done", store.TicketClosed: "done"}

// TicketState is a ticket's state as a dot and a word.
func (s shell) TicketState(t store.Ticket) template.HTML {
	title := t.State.Title()
	if t.State == store.TicketWaiting && t.WaitFor != "reporter" {
		title = "已挂起"
	}
	return template.HTML(`<span class="st ` + stateLooks[t.State] + `">` + template.HTMLEscapeString(s.T(title)) + `</span>`)
}

// Source says by which door a ticket came.
func (s shell) Source(t store.Ticket) template.HTML {
	word, picture := "控制台", "layout-dashboard"
	switch {
	case t.Place.Kind == chat.Group || t.Place.Kind == chat.Robot:
		word, picture = "群内 @", "at-sign"
	case t.Place.Via == chat.Form:
		word, picture = "手机表单", "smartphone"
	case t.Place.Kind == chat.Person:
		word, picture = "单聊", "messages-square"
	}
	return template.HTML(` · `) + s.v.s.icon(picture) + template.HTML(" "+template.HTMLEscapeString(s.T(word)))
}

// Many is a count that ends somewhere.
func (s shell) Many(n int64) string {
	if n >= store.CountMost {
		return strconv.Itoa(store.CountMost-1) + "+"
	}
	return strconv.FormatInt(n, 10)
}

// bar is a share of 100 as a thin bar; no inline style is needed for it.
func bar(percent int, look string) template.HTML {
	return template.HTML(`<svg class="bar" width="100%" height="4" aria-hidden="true"><rect class="` + template.HTMLEscapeString(look) + `" width="` + strconv.Itoa(max(0, min(100, percent))) + `%" height="4" rx="2"/></svg>`)
}

// tint gives everybody one of five colours, always the same.
func tint(id string) string {
	h := fnv.New32a()
	h.Write([]byte(id))
	return []string{"", "v", "t", "w", "g"}[h.Sum32()%5]
}

// People is how many people a ticket is about.
func (r ticketRow) People() int { return r.Joined + 1 }

// Open tells whether somebody still has to do something.
func (r ticketRow) Open() bool { return r.State.Open() }

// IsPlain tells whether nothing is chosen.
func (f ticketFilter) IsPlain() bool { return f.plain() }

// Clocks are both deadlines of a ticket as a list.
func (shell) Clocks(lines ...clockLine) []clockLine { return lines }

// ClassName is a class in words.
func (s shell) ClassName(class string) string {
	return s.Class(s.v.s.opt.Desk.Rules.ClassTitle(class))
}

// Clock is the time of a day.
func (s shell) Clock(t time.Time) string { return t.In(s.v.s.opt.Now().Location()).Format("15:04") }

// Words are an entry's answer as plain text for a reply.
func (shell) Words(e kb.Entry) string {
	if e.AnswerText != "" {
		return e.AnswerText
	}
	return e.Answer
}

// Five are the stars of a rating.
func (shell) Five() []int { return []int{1, 2, 3, 4, 5} }
