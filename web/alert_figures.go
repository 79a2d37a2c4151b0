package web

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// alertNarrow is what the list of alerts has for the lists behind figures; it has
// no fields of its own on the page, only a line that says what it is.
type alertNarrow struct {
	From, To string // days on which they began, both with them
	Rule     string // the whole title
	Source   string
	Kind     string // one of store.AlertKinds
	By       string // userid of who claimed them
}

func readAlertNarrow(q url.Values) (n alertNarrow) {
	text := func(name string, most int) string { return chat.Cut(strings.TrimSpace(q.Get(name)), most) }
	n.Rule, n.Source, n.By = text("rule", 400), text("source", 64), text("by", 64)
	if k := q.Get("kind"); slices.Contains(store.AlertKinds, k) {
		n.Kind = k
	}
	for name, to := range map[string]*string{"from": &n.From, "to": &n.To} {
		if _, err := time.Parse(time.DateOnly, q.Get(name)); err == nil {
			*to = q.Get(name)
		}
	}
	return n
}

func (n alertNarrow) narrow(q *store.AlertGroupQuery, zone *time.Location) {
	q.Title, q.Kind = n.Rule, n.Kind
	if n.Source != "" {
		q.Source = n.Source
	}
	if n.By != "" {
		q.ClaimedBy = n.By
	}
	if d, err := time.ParseInLocation(time.DateOnly, n.From, zone); err == nil {
		q.Since = d
	}
	if d, err := time.ParseInLocation(time.DateOnly, n.To, zone); err == nil {
		q.Until = d.AddDate(0, 0, 1)
	}
}

// Hidden are the names and values that a form has to keep.
func (n alertNarrow) Hidden() (out [][2]string) {
	for _, p := range [][2]string{{"from", n.From}, {"to", n.To}, {"rule", n.Rule}, {"source", n.Source}, {"kind", n.Kind}, {"by", n.By}} {
		if p[1] != "" {
			out = append(out, p)
		}
	}
	return out
}

// Any tells that the list is narrowed down.
func (n alertNarrow) Any() bool { return n != (alertNarrow{}) }

// Older is the address of the next page.
func (p alertsPage) Older() template.URL {
	q := url.Values{"state": {p.State}, "before": {strconv.FormatInt(p.Next, 10)}}
	for _, x := range append(p.Narrow.Hidden(), [2]string{"severity", p.Severity}, [2]string{"q", p.Text}) {
		if x[1] != "" {
			q.Set(x[0], x[1])
		}
	}
	if p.Mine {
		q.Set("mine", "1")
	}
	return template.URL("/alerts?" + q.Encode())
}
