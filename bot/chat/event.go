package chat

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Event is something that happened, for a program that subscribed to it. Data is
// frozen when it happens.
type Event struct {
	Type string          `json:"type"` // ticket.created …
	At   time.Time       `json:"timestamp"`
	Data json.RawMessage `json:"data"`
}

// Events that subscribers can choose; docs/api.md shows the body of each.
const (
	TicketCreated   = "ticket.created"
	TicketChanged   = "ticket.changed"
	TicketResolved  = "ticket.resolved"
	TicketCommented = "ticket.commented"

	AlertOpened     = "alert.opened"
	AlertReopened   = "alert.reopened" // soon after it was over
	AlertRaised     = "alert.severity_raised"
	AlertClaimed    = "alert.claimed"
	AlertReleased   = "alert.released"
	AlertSilenced   = "alert.silenced"
	AlertUnsilenced = "alert.unsilenced"
	AlertEscalated  = "alert.escalated"
	AlertCommented  = "alert.commented"
	AlertFalse      = "alert.false_alarm"
	AlertTicketed   = "alert.ticketed"
	AlertResolved   = "alert.resolved"

	EntryPublished  = "entry.published"
	EntryRolledBack = "entry.rolled_back"
	EntryRetired    = "entry.retired"
	GapOpened       = "gap.opened"
	GapClosed       = "gap.closed"

	RunStarted  = "run.started"
	RunFinished = "run.finished"
	RunFailed   = "run.failed"
	RunUndone   = "run.undone"
	RunRejected = "run.rejected"
)

// HookTest is what the console sends to try a subscriber; nobody chooses it.
const HookTest = "webhook.test"

// EventTypes is the one list of what can be chosen.
var EventTypes = []string{
	TicketCreated, TicketChanged, TicketResolved, TicketCommented,
	AlertOpened, AlertReopened, AlertRaised, AlertClaimed, AlertReleased, AlertSilenced, AlertUnsilenced, AlertEscalated, AlertCommented, AlertFalse, AlertTicketed, AlertResolved,
	EntryPublished, EntryRolledBack, EntryRetired, GapOpened, GapClosed,
	RunStarted, RunFinished, RunFailed, RunUndone, RunRejected,
}

// Subscriber is a program that hears of events: of those it names, alert.* being
// all that begin so; of all when it names none.
type Subscriber struct {
	Name   string
	Events []string
}

// Choosable tells whether a subscriber may name text: an event, or all of a kind.
func Choosable(text string) bool {
	return slices.ContainsFunc(EventTypes, func(e string) bool { return names(text, e) })
}

func names(text, event string) bool {
	kind, all := strings.CutSuffix(text, "*")
	return text == event || all && strings.HasSuffix(kind, ".") && strings.HasPrefix(event, kind)
}

// Subscribers are all of them.
type Subscribers []Subscriber

// Wanting are those that want an event.
func (s Subscribers) Wanting(event string) (out Subscribers) {
	for _, x := range s {
		if len(x.Events) == 0 || slices.ContainsFunc(x.Events, func(text string) bool { return names(text, event) }) {
			out = append(out, x)
		}
	}
	return out
}
