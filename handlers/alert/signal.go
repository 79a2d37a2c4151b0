// Package alert takes in what other systems report, groups it, and decides
// when which chat hears of it.
package alert

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"frontline/store"
)

// State is what a sender says of an alert.
type State int

const (
	Firing State = iota
	Resolved
	Update // something about an alert that stays as it is
)

// Severities, the gravest first. P1 to P4 of tickets are the first four.
const (
	Critical = "critical"
	Major    = "major"
	Warning  = "warning"
	Info     = "info"
	None     = "none"
)

// Signal is one alert as a sender reported it.
type Signal struct {
	ID                       string // what the sender calls it; "" where only labels tell it apart
	Name, Title, Text, Value string
	Severity                 string // "": the sender did not say
	State                    State
	Labels, Annotations      map[string]string
	Links                    []store.AlertLink
	Started, Ended           time.Time
	NoData                   bool
}

// Delivery is what one request of a sender holds.
type Delivery struct {
	Signals   []Signal
	NotListed int // what the sender left out of a long list
}

// Input is one request of a sender, decoded as far as every kind has it.
type Input struct {
	Body    []byte     // JSON; of a form or a query: nil
	Form    url.Values // fields of a form or a query
	Query   url.Values
	Header  http.Header
	Zone    *time.Location // of times that name none
	Now     time.Time
	Mapping *Mapping // of kind generic
}

// errShape is a request that is well-formed but not what its kind sends: it is
// kept as a dead letter.
var errShape = errors.New("not what this kind of sender sends")

// severities are the words senders use.
var severities = map[string]string{
	"critical": Critical, "crit": Critical, "fatal": Critical, "error": Critical, "disaster": Critical, "emergency": Critical, "page": Critical, "serious": Critical, "p1": Critical, "紧急": Critical, "严重": Critical, "致命": Critical,
	"major": Major, "high": Major, "p2": Major, "重要": Major, "高": Major,
	"warning": Warning, "warn": Warning, "average": Warning, "medium": Warning, "minor": Warning, "p3": Warning, "警告": Warning, "中": Warning,
	"info": Info, "information": Info, "notice": Info, "remind": Info, "low": Info, "p4": Info, "提示": Info, "低": Info,
	"none": None, "ok": None,
}

// severityOf reads a sender's word; "" for one that is not known.
func severityOf(word string) string { return severities[strings.ToLower(strings.TrimSpace(word))] }

var severityRank = map[string]int{Critical: 1, Major: 2, Warning: 3, Info: 4, None: 5}

// Graver tells whether a is graver than b; nothing is less grave than "".
func Graver(a, b string) bool {
	return b == "" || severityRank[a] != 0 && severityRank[a] < severityRank[b]
}

// Priority is the ticket priority of a severity.
func Priority(severity string) string {
	if n := severityRank[severity]; n >= 1 && n <= 4 {
		return "P" + string(rune('0'+n))
	}
	return "P4"
}

var severityTitle = map[string]string{Critical: "紧急", Major: "重要", Warning: "警告", Info: "提示", None: "无"}

// Title is a severity in Chinese.
func Title(severity string) string { return severityTitle[severity] }
