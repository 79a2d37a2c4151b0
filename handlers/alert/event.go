package alert

import (
	"fmt"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// GroupJSON is a group of alerts as subscribers read it. Titles and labels were
// masked when they came in.
type GroupJSON struct {
	Number   int64             `json:"number"` // 311 of A311
	Route    string            `json:"route"`
	Source   string            `json:"source"`
	Title    string            `json:"title"`
	Labels   map[string]string `json:"labels"` // what it was put together by
	Severity string            `json:"severity"`
	State    string            `json:"state"`  // open, closed
	Firing   int               `json:"firing"` // alerts of it that fire now
	Opened   *string           `json:"opened_at"`
	Closed   *string           `json:"closed_at"`
	Claimed  string            `json:"claimed_by"`
	Since    *string           `json:"claimed_at"`
	Ticket   int64             `json:"ticket,omitempty"`
	Outcome  string            `json:"outcome,omitempty"` // false_alarm
	Solution string            `json:"solution,omitempty"`
}

// SilenceJSON is a silence as subscribers read it.
type SilenceJSON struct {
	Matchers []store.Matcher `json:"matchers"`
	Starts   *string         `json:"starts_at"`
	Ends     *string         `json:"ends_at"`
	Reason   string          `json:"reason"`
}

// GroupEvent is what subscribers hear of alerts. A silence that was not made from a
// group has no alert.
type GroupEvent struct {
	Alert   *GroupJSON   `json:"alert"`
	By      string       `json:"by"`   // userid; empty: the desk itself, by its rules
	Text    string       `json:"text"` // what was said, who was told
	Silence *SilenceJSON `json:"silence,omitempty"`
}

func groupJSON(g *store.AlertGroup) *GroupJSON {
	if g == nil {
		return nil
	}
	out := &GroupJSON{Number: g.Number, Route: g.Route, Source: g.Source, Title: g.Title, Labels: g.Labels, Severity: g.Severity, State: g.State, Firing: g.Firing, Opened: jsonTime(g.Opened), Closed: jsonTime(g.Closed),
		Claimed: g.ClaimedBy, Since: jsonTime(g.Claimed), Ticket: g.Ticket, Solution: g.Solution}
	if out.Labels == nil {
		out.Labels = map[string]string{}
	}
	if g.Outcome == "false" {
		out.Outcome = "false_alarm"
	}
	return out
}

func jsonTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) // as exact as what is stored
	return &s
}

// emit tells the subscribers what happened to a group, or to a silence.
func (d *Desk) emit(tx *store.Tx, event string, g *store.AlertGroup, by, text string, s *store.AlertSilence) error {
	about := "silence"
	if g != nil {
		about = fmt.Sprintf("A%d", g.Number)
	}
	return tx.Emit(d.Subscribers, event, about, func() any {
		e := GroupEvent{Alert: groupJSON(g), By: by, Text: text}
		if s != nil {
			e.Silence = &SilenceJSON{Matchers: s.Matchers, Starts: jsonTime(s.Starts), Ends: jsonTime(s.Ends), Reason: s.Reason}
		}
		return e
	})
}

// doneEvents are the events of what people do, by the kind of the timeline.
var doneEvents = map[string]string{"claimed": chat.AlertClaimed, "unclaimed": chat.AlertReleased, "false": chat.AlertFalse, "ticket": chat.AlertTicketed}
