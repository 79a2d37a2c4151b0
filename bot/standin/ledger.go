package standin

import (
	"maps"
	"time"
)

// LedgerEntry is one call of the platform's API, for tests that compare sets of
// what was received with what should have been.
type LedgerEntry struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	API     string    `json:"api"`
	AgentID int       `json:"agent_id,omitempty"`
	Target  string    `json:"target,omitempty"` // touser, "robot:NAME", "chat:ID", "bot:ID user"
	MsgType string    `json:"msgtype,omitempty"`
	MsgID   string    `json:"msgid,omitempty"`
	Text    string    `json:"text,omitempty"` // content of a message, or the title of a card
	Body    string    `json:"body,omitempty"` // as received, at most 8 KiB
	Status  int       `json:"status"`         // HTTP; 0 when the connection was cut
	Errcode int       `json:"errcode"`
	Fault   string    `json:"fault,omitempty"`

	Delivered []string `json:"delivered,omitempty"` // members or group that now see it
	Dropped   []string `json:"dropped,omitempty"`   // members beyond the frequency: lost silently
	Invalid   []string `json:"invalid,omitempty"`   // members that cannot be reached
	Duplicate bool     `json:"duplicate,omitempty"` // swallowed by the duplicate check
}

// LedgerPage is a part of the ledger. Next is what to pass as after.
type LedgerPage struct {
	Entries []LedgerEntry `json:"entries"`
	Next    int64         `json:"next"`
}

// Counters count since the start; nothing in them is ever forgotten.
type Counters struct {
	Calls          map[string]int64 `json:"calls"`           // API → calls
	Errors         map[string]int64 `json:"errors"`          // "API errcode" → refused calls
	Faults         int64            `json:"faults"`          // calls hit by a fault
	DroppedSilent  int64            `json:"dropped_silent"`  // person-times beyond a member's frequency
	Duplicates     int64            `json:"duplicates"`      // messages swallowed by the duplicate check
	Cut            int64            `json:"cut"`             // texts cut silently
	Callbacks      int64            `json:"callbacks"`       // messages and events sent to a callback URL
	CallbackTries  int64            `json:"callback_tries"`  // POSTs made for them
	CallbackLost   int64            `json:"callback_lost"`   // given up after the last try
	CallbackPolls  int64            `json:"callback_polls"`  // stream polls
	StreamsExpired int64            `json:"streams_expired"` // six minutes without finish
	RepliesRefused int64            `json:"replies_refused"` // passive replies that could not be used
	NotPassed      int64            `json:"not_passed"`      // messages to a bot with three exchanges in flight
	LiveConnects   int64            `json:"live_connects"`   // long connections that subscribed
	LiveKicked     int64            `json:"live_kicked"`     // long connections thrown out by a newer one
}

func newCounters() Counters {
	return Counters{Calls: map[string]int64{}, Errors: map[string]int64{}}
}

func (c *Counters) call(api string, e LedgerEntry) {
	c.Calls[api]++
	if e.Errcode != 0 {
		c.Errors[api+" "+itoa(e.Errcode)]++
	}
	if e.Fault != "" {
		c.Faults++
	}
	c.DroppedSilent += int64(len(e.Dropped))
	if e.Duplicate {
		c.Duplicates++
	}
}

type ledgerLog struct{ kept ring[LedgerEntry] }

func (l *ledgerLog) init(max int) { l.kept.max = max }

func (l *ledgerLog) add(seq int64, e LedgerEntry) {
	e.Seq = seq
	l.kept.add(e, 256+len(e.Body)+len(e.Text))
}

// Ledger lists the calls of one API (empty: of all) after a sequence number.
func (s *Server) Ledger(api string, after int64) LedgerPage {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := LedgerPage{Entries: []LedgerEntry{}, Next: after}
	for _, e := range s.ledger.kept.list() {
		if e.Seq > after && (api == "" || e.API == api) {
			page.Entries = append(page.Entries, e)
			page.Next = e.Seq
		}
	}
	return page
}

// Counters returns a copy of the counters.
func (s *Server) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counters
	c.Calls, c.Errors = maps.Clone(c.Calls), maps.Clone(c.Errors)
	return c
}
