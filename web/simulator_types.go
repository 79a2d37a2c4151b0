package web

import (
	"context"
	"time"
)

// Platform is the stand-in behind the simulator. The page declares what it
// needs; package cli fits the stand-in to it.
type Platform interface {
	State(ctx context.Context, user string) (SimState, error)
	// Feed returns the newest entries of a member's single chats, or of a group.
	Feed(ctx context.Context, user, group string) (entries []SimEntry, seq int64, err error)
	Say(ctx context.Context, say SimSay) (notes []string, err error)
	Act(ctx context.Context, act SimAct) error
	// Traces returns the newest steps of the round trip, oldest first.
	Traces(ctx context.Context, n int) (steps []SimTrace, seq int64, err error)
	// Redeliver sends the callback of an entry again, at once and in parallel.
	Redeliver(ctx context.Context, callback string, times int) (statuses []int, err error)
	Fault(ctx context.Context, f SimFault) error
	ClearFaults(ctx context.Context) error
	Inject(ctx context.Context, place, user, kind, text string) (status int, err error)
	Clear(ctx context.Context) error
}

// SimState is the company as the simulator shows it.
type SimState struct {
	People []SimPerson `json:"people"`
	Chats  []SimChat   `json:"chats"`
	Apps   []struct {
		AgentID int    `json:"agent_id"`
		Name    string `json:"name"`
		Place   string `json:"place"`
		Menu    []struct {
			Name string `json:"name"`
			Key  string `json:"key"`
		} `json:"menu"`
	} `json:"apps"`
	Bots []struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Place string `json:"place"`
	} `json:"bots"`
	Robots []struct {
		Name   string `json:"name"`
		ChatID string `json:"chat_id"`
		Used   int    `json:"used"`
		Limit  int    `json:"limit"`
	} `json:"robots"`
}

// SimPerson is somebody whom a visitor can play.
type SimPerson struct {
	UserID   string `json:"userid"`
	Name     string `json:"name"`
	Position string `json:"position"`
}

// SimChat is one conversation of the played person.
type SimChat struct {
	Place string    `json:"place"`
	Name  string    `json:"name"`
	At    time.Time `json:"at"`
	Last  string    `json:"last"`
}

// SimEntry is one message as a member's client shows it.
type SimEntry struct {
	ID    int64     `json:"id"`
	Seq   int64     `json:"seq"`
	At    time.Time `json:"at"`
	Place string    `json:"place"`
	User  string    `json:"user"`
	From  struct {
		Kind, ID, Name string
	} `json:"from"`
	MsgType string `json:"msgtype"`
	Text    string `json:"text"`
	Cut     bool   `json:"cut"`
	Quote   *struct {
		Text string `json:"text"`
	} `json:"quote"`
	Media *struct {
		Kind, Name, URL string
		Size            int
	} `json:"media"`
	Card   *SimCard `json:"card"`
	Stream *struct {
		Finished bool `json:"finished"`
		Polls    int  `json:"polls"`
	} `json:"stream"`
	Recalled bool     `json:"recalled"`
	Notes    []string `json:"notes"`
	Callback string   `json:"callback"`
}

// SimCard is a template card as it stands now.
type SimCard struct {
	Type     string      `json:"type"`
	TaskID   string      `json:"task_id"`
	Source   string      `json:"source"`
	Title    string      `json:"title"`
	Desc     string      `json:"desc"`
	SubTitle string      `json:"sub_title"`
	Quote    string      `json:"quote"`
	Replaced string      `json:"replaced"`
	Active   bool        `json:"active"`
	Rows     []simRow    `json:"rows"`
	Jumps    []simJump   `json:"jumps"`
	Buttons  []simButton `json:"buttons"`
	Selects  []struct {
		QuestionKey string `json:"question_key"`
		Title       string `json:"title"`
		Multiple    bool   `json:"multiple"`
		Options     []struct {
			ID, Text string
		} `json:"options"`
	} `json:"selects"`
	Submit *simButton  `json:"submit"`
	Menu   []simButton `json:"menu"` // the ⋯ of the card
}

type simRow struct{ Key, Value string }
type simJump struct{ Title, URL string }
type simButton struct {
	Text   string `json:"text"`
	Key    string `json:"key"`
	Style  int    `json:"style"`
	Active bool   `json:"active"`
}

// SimTrace is one step of the round trip.
type SimTrace struct {
	Seq       int64      `json:"seq"`
	At        time.Time  `json:"at"`
	Kind      string     `json:"kind"`
	Name      string     `json:"name"`
	Try       int        `json:"try"`
	User      string     `json:"user"`
	MsgID     string     `json:"msgid"`
	Request   string     `json:"request"`
	Raw       string     `json:"request_raw"`
	Status    int        `json:"status"`
	Errcode   *int       `json:"errcode"`
	Response  string     `json:"response"`
	LatencyMS float64    `json:"latency_ms"`
	Err       string     `json:"error"`
	Fault     string     `json:"fault"`
	Meters    []SimMeter `json:"meters"`
	Notes     []string   `json:"notes"`
}

// SimMeter is one field against what the platform takes.
type SimMeter struct {
	Field string `json:"field"`
	Used  int    `json:"used"`
	Limit int    `json:"limit"`
	Unit  string `json:"unit"`
	Hard  bool   `json:"hard"`
}

// Over tells whether the field is longer than the platform takes or shows.
func (m SimMeter) Over() bool { return m.Used > m.Limit }

// OK tells whether the step went well.
func (t SimTrace) OK() bool {
	return t.Err == "" && (t.Status == 0 || t.Status == 200) && (t.Errcode == nil || *t.Errcode == 0)
}

// SimSay, SimAct and SimFault are what a visitor does.
type SimSay struct {
	User, Place, Text string
	Mention           bool
	Quote             int64
	FileKind, Name    string
	Data              []byte
}

type SimAct struct {
	Do, User, Place, TaskID, Key string
	Entry                        int64
	Selected                     map[string][]string
}

type SimFault struct {
	API     string
	Errcode int
	Count   int
	DelayMS int
	Drop    string
}
