// Package handlers decides what the desk does with a message: which command
// gets it, what it answers, what it writes.
package handlers

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// Command is one thing people can ask the desk to do. Help, routing and the
// table of rights are all made from it.
type Command struct {
	Name    string   // stable key, kept in conversations
	Words   []string // what people type; the first is shown
	Takes   Takes    // what may follow the word
	Answers []string // words of other commands that this one's open conversation takes for an answer
	Usage   string   // as shown in help: 报障 …
	Summary string
	Roles   []chat.Role // any of; none means everybody
	Hidden  bool        // not in help
	Run     func(ctx context.Context, r Request) (Result, error)
}

// Takes says what may follow a command word, so that a sentence that merely
// begins with it is left alone: 取消自动委托怎么弄 is a question.
type Takes int

const (
	TakesNothing Takes = iota // 取消
	TakesNumber               // 查 12, 查T12; alone it asks which
	TakesText                 // 转人工 客户的回购没到账
	TakesLoose                // 报障客户登录不了: no space needed
	TakesTicket               // 转 1042 李工 原因: a number, then anything
	TakesNumbers              // 接1 接3, 接 T12、T13
	TakesTarget               // 静默A311 30分, 静默 30分: a number, or anything that stands apart
)

// Request is one message for one command.
type Request struct {
	Msg   chat.Message
	Actor chat.User
	Text  string          // what was said, without @name
	Args  string          // Text without the command word
	Step  string          // which step of an open conversation this answers, "" for a fresh command
	Draft json.RawMessage // what that conversation has gathered
	Open  string          // the conversation that was open, as command/step
	Topic Topic           // the last question and answer of this thread
	Now   time.Time
	Log   *slog.Logger
}

// Result is what a turn comes to. Say, Next, List and Write commit together
// with the end of the turn.
type Result struct {
	Say   []chat.Outgoing
	Next  *Step    // nil ends the conversation
	List  []string // what "1", "2" … mean from now on; nil keeps the list as it is
	Topic *Topic   // what "没解决" refers to from now on; nil keeps it
	// Write is every write of this turn: quick, no network. It may queue words
	// that need what it wrote, such as a new number.
	Write func(tx *store.Tx, out *Result) error
}

// Step is an open conversation: the next message of the thread goes to the
// command with this step and draft.
type Step struct {
	Command string // which command goes on; "" for the one that ran
	Name    string
	Draft   any
	Life    time.Duration
}

// listLife is how long the last numbered list is valid.
const listLife = 10 * time.Minute

// topicLife is how long "没解决" refers to the last answer.
const topicLife = 10 * time.Minute

// Topic is the last question of a thread and what became of it.
type Topic struct {
	Message  string  `json:"message"` // the message that asked
	Question string  `json:"question"`
	Entry    int64   `json:"entry,omitempty"` // the entry shown
	Title    string  `json:"title,omitempty"`
	Others   []int64 `json:"others,omitempty"` // further candidates, best first
}

// say makes the result of one line of text.
func say(text string) Result {
	return Result{Say: []chat.Outgoing{{Body: chat.Body{Text: text}}}}
}

// refuse is an answer that changes nothing.
func refuse(text string) error { return chat.Refusal{Text: text} }
