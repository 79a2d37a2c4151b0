package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// Worker takes messages from the inbox and turns each into one commit.
type Worker struct {
	Store   *store.Store
	Router  *Router
	Desk    *Desk
	Log     *slog.Logger
	Hands   int // turns at a time; default 16
	Observe func(command string, took time.Duration, err error)
}

const (
	turnTime  = 20 * time.Second       // a turn that takes longer is tried again
	firstSign = 900 * time.Millisecond // after this the asker hears that we work on it
)

// backoff is when a failed turn is tried again, by attempt.
var backoff = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute}

// Run works until ctx ends, then finishes the turns in hand.
func (w *Worker) Run(ctx context.Context) error {
	hands := w.Hands
	if hands == 0 {
		hands = 16
	}
	free := make(chan struct{}, hands)
	var busy sync.WaitGroup
	defer busy.Wait()
	for ctx.Err() == nil {
		turns, err := w.Store.ClaimTurns(ctx, hands-len(free))
		if err != nil && ctx.Err() == nil {
			w.Log.Error("claim turns", "err", err)
		}
		for _, t := range turns {
			free <- struct{}{}
			busy.Go(func() {
				defer func() { <-free; w.Store.WakeTurns() }()
				w.turn(t)
			})
		}
		if len(turns) == 0 {
			if err := w.Store.WaitTurns(ctx); err != nil {
				return nil
			}
		}
	}
	return nil
}

// patience is how long a turn may take before it is taken for hung, by
// attempt: a database that is slow gets longer each time.
var patience = []time.Duration{4 * time.Second, 10 * time.Second, turnTime + time.Second}

var errHung = errors.New("the turn hangs")

// patience is longer from the start where the outside world is asked.
func (w *Worker) patience(t store.Turn) time.Duration {
	if len(t.Msg.Media) > 0 || w.Desk.Model != nil {
		return turnTime + time.Second
	}
	return patience[min(t.Attempt-1, len(patience)-1)]
}

// turn handles one message; it is not cut short by a stop of the process,
// only by its own time. One that hangs is left to itself and put back: its
// claim is gone, so it cannot write any more.
func (w *Worker) turn(t store.Turn) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), turnTime)
	log := w.Log.With("message_id", t.Msg.ID, "attempt", t.Attempt)
	type end struct {
		command string
		err     error
	}
	ended := make(chan end, 1)
	go func() {
		defer cancel()
		stop := w.signOfLife(t, log)
		defer stop()
		command, err := w.handle(ctx, t, log)
		ended <- end{command, err}
	}()
	watchdog := time.NewTimer(w.patience(t))
	defer watchdog.Stop()
	var e end
	select {
	case e = <-ended:
	case <-watchdog.C:
		e.err = errHung
	}
	if w.Observe != nil {
		w.Observe(e.command, time.Since(began), e.err)
	}
	switch {
	case e.err == nil:
		log.Debug("turn done", "command", e.command)
	case errors.Is(e.err, store.ErrFenced):
		log.Warn("turn taken over", "command", e.command)
	default:
		w.failed(t, e.command, e.err, log)
	}
}

// signOfLife tells the asker that work goes on, when it takes long. The smart
// bot's callback says so itself; over its long connection nobody else does.
func (w *Worker) signOfLife(t store.Turn, log *slog.Logger) (stop func()) {
	if t.Msg.Via == chat.Bot && !t.Msg.Live() || !speaks(t.Msg.Kind) {
		return func() {}
	}
	timer := time.AfterFunc(firstSign, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err := w.Store.InTx(ctx, func(tx *store.Tx) error {
			return tx.Enqueue(chat.Outgoing{Key: t.Msg.ID + "/life", To: t.Msg.From, ReplyTo: liveReplyTo(t.Msg), Asked: true, Body: chat.Body{Text: "收到，正在处理…"}, Progress: true, AtMostOnce: true})
		})
		if err != nil {
			log.Warn("sign of life", "err", err)
		}
	})
	return func() { timer.Stop() }
}

// liveReplyTo is the message that a sign of life answers, so that the words
// after it replace it.
func liveReplyTo(m chat.Message) string {
	if m.Live() && m.Kind != chat.KindClick {
		return m.ID
	}
	return ""
}

// speaks tells whether somebody waits for an answer to this kind of message.
func speaks(k chat.MessageKind) bool {
	switch k {
	case chat.KindText, chat.KindMedia, chat.KindLocation, chat.KindLink, chat.KindClick, chat.KindMenu:
		return true
	}
	return false
}

// handle runs the command and commits. The returned name is for logs.
func (w *Worker) handle(ctx context.Context, t store.Turn, log *slog.Logger) (name string, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic in turn", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	conv, err := w.Store.Conversation(ctx, t.Thread())
	if err != nil {
		return "", err
	}
	actor, err := w.Desk.actor(ctx, t.Msg)
	if err != nil {
		return "", err
	}
	if !speaks(t.Msg.Kind) {
		return w.event(ctx, t, actor)
	}
	w.Desk.fetchMedia(ctx, &t.Msg, log)
	text := w.text(t.Msg, conv)
	d := w.Router.Route(text.said, conv)
	name = d.Command.Name
	r := Request{Msg: t.Msg, Actor: actor, Text: text.said, Args: d.Args, Step: d.Step, Draft: conv.Draft, Open: conv.Command + "/" + conv.Step, Now: w.Store.Now(), Log: log}
	if conv.Topic != nil {
		if err := json.Unmarshal(conv.Topic, &r.Topic); err != nil {
			log.Warn("topic unreadable", "err", err)
		}
	}
	res, err := w.run(ctx, d, text, r)
	if err == nil {
		err = w.commit(ctx, t, actor, conv, d, res)
	}
	// A refusal may also come out of the writes, which are then taken back.
	if refusal := (chat.Refusal{}); errors.As(err, &refusal) {
		res = say(refusal.Text)
		res.Next = keep(conv)
		d.Closes = ""
		err = w.commit(ctx, t, actor, conv, d, res)
	}
	return name, err
}

// keep leaves an open conversation as it is: a refusal changes nothing.
func keep(conv store.Conversation) *Step {
	if conv.Command == "" {
		return nil
	}
	return &Step{Name: conv.Step, Draft: conv.Draft, Life: -1}
}

func (w *Worker) run(ctx context.Context, d Decision, text spoken, r Request) (Result, error) {
	switch {
	case text.stale:
		return Result{}, refuse("这张卡片已经过期了，请按最新的一条来。")
	case r.Actor.Disabled:
		return Result{}, refuse("你的账号已停用，请联系管理员。")
	case !Allowed(d.Command, r.Actor):
		res := w.Desk.notUnderstood()
		res.Write = func(tx *store.Tx, _ *Result) error {
			return tx.Audit(r.Actor.ID, "command.refused", d.Command.Name, nil)
		}
		return res, nil
	case text.said == "" && len(r.Msg.Media) == 0 && r.Msg.Quote == nil:
		return Result{}, refuse("没有收到内容。直接说问题就行，发「帮助」看我能做什么。")
	}
	return d.Command.Run(ctx, r)
}

// commit writes everything of the turn at once.
func (w *Worker) commit(ctx context.Context, t store.Turn, actor chat.User, conv store.Conversation, d Decision, res Result) error {
	o := store.Outcome{Command: d.Command.Name, Decision: mask.Text(d.Why)}
	return w.Store.FinishTurn(ctx, t, o, func(tx *store.Tx) error {
		out := res // a repeated transaction starts from the same result
		out.Say = append([]chat.Outgoing(nil), res.Say...)
		if err := w.bookkeeping(tx, t, actor); err != nil {
			return err
		}
		if res.Write != nil {
			if err := res.Write(tx, &out); err != nil {
				return err
			}
		}
		if d.Closes != "" {
			out.Say = append([]chat.Outgoing{{Body: chat.Body{Text: "（刚才没填完的「" + w.Router.title(d.Closes) + "」先放下了。）"}}}, out.Say...)
		}
		settled, err := w.settle(tx, t.Msg)
		if err != nil {
			return err
		}
		for _, say := range append(settled, out.Say...) {
			if err := tx.Enqueue(say); err != nil {
				return err
			}
		}
		next, err := conversation(tx.Now(), conv, d, out)
		if err != nil {
			return err
		}
		return tx.SaveConversation(t.Thread(), next)
	})
}

// settle rewrites the card that was clicked, so that nobody presses it twice:
// its buttons become what was chosen. Where it cannot be rewritten nothing is
// said instead; the answer itself follows anyway.
func (w *Worker) settle(tx *store.Tx, m chat.Message) ([]chat.Outgoing, error) {
	switch {
	case m.Click == nil || m.Click.TaskID == "":
		return nil, nil
	case m.Live() && w.Desk.Alerts != nil: // the smart bot has no text in the place of buttons, only whole cards
		u, err := w.Desk.Alerts.Pressed(tx, m)
		if u == nil || err != nil {
			return nil, err
		}
		return []chat.Outgoing{*u}, nil
	case m.Via != chat.App:
		return nil, nil
	}
	var words []string
	for _, w := range strings.Fields(spokenClick(*m.Click).said) {
		if !strings.HasPrefix(w, "@") { // a reference, not a word
			words = append(words, w)
		}
	}
	word := chat.Cut(chat.Plain(strings.Join(words, " ")), 10)
	return []chat.Outgoing{{Key: m.ID + "/settle", To: m.From, AtMostOnce: true,
		Body: chat.Body{Update: &chat.CardUpdate{TaskID: m.Click.TaskID, Done: "已选：" + word}}}}, nil
}

// bookkeeping is what every turn writes besides its own matter.
func (w *Worker) bookkeeping(tx *store.Tx, t store.Turn, actor chat.User) error {
	if err := tx.MeetMember(actor.ID, actor.Name, actor.Department); err != nil {
		return err
	}
	m := t.Msg
	if m.Click != nil && m.Click.ResponseCode != "" {
		if err := tx.KeepCode(m.Click.TaskID, m.Sender, m.Click.ResponseCode); err != nil {
			return err
		}
	}
	if text, found := mask.Scrub(m.Text); found {
		m.Text = text // a password is not kept, not even sealed
		return tx.ReplaceMessage(t, m)
	}
	return nil
}

// conversation is what the thread has open after the turn.
func conversation(now time.Time, old store.Conversation, d Decision, res Result) (store.Conversation, error) {
	c := store.Conversation{List: old.List, ListEnd: old.ListEnd, Topic: old.Topic, TopicEnd: old.TopicEnd}
	if res.List != nil {
		c.List, c.ListEnd = res.List, now.Add(listLife)
	}
	var err error
	if res.Topic != nil {
		c.TopicEnd = now.Add(topicLife)
		if c.Topic, err = json.Marshal(res.Topic); err != nil {
			return c, err
		}
	}
	if s := res.Next; s != nil {
		c.Command, c.Step, c.Expires = d.Command.Name, s.Name, now.Add(s.Life)
		if s.Command != "" {
			c.Command = s.Command
		}
		if s.Life < 0 {
			c.Command, c.Expires = old.Command, old.Expires
		}
		c.Draft, err = json.Marshal(s.Draft)
	}
	return c, err
}

// failed puts the turn back, or ends it with an apology when it was the last try.
func (w *Worker) failed(t store.Turn, command string, cause error, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if !t.Last && !errors.Is(cause, chat.ErrGiveUp) {
		wait := backoff[min(t.Attempt-1, len(backoff)-1)]
		if errors.Is(cause, errHung) {
			wait = 0 // it has waited long enough
		}
		log.Warn("turn failed, will be tried again", "command", command, "err", cause, "wait", wait.String())
		if err := w.Store.RetryTurn(ctx, t, w.Store.Now().Add(wait), cause); err != nil && !errors.Is(err, store.ErrFenced) {
			log.Error("put the turn back", "err", err)
		}
		return
	}
	log.Error("turn gave up", "command", command, "err", cause)
	err := w.Store.FinishTurn(ctx, t, store.Outcome{Command: command, Decision: "失败", Dead: cause}, func(tx *store.Tx) error {
		if !speaks(t.Msg.Kind) {
			return nil
		}
		return tx.Enqueue(chat.Outgoing{Key: t.Msg.ID + "/sorry", Body: chat.Body{Text: "抱歉，这条消息我没能处理（编号 " + t.Msg.ID[:6] + "），已记下来让同事看。急的话请直接回「转人工」。"}})
	})
	if err != nil && !errors.Is(err, store.ErrFenced) {
		log.Error("bury the turn", "err", err)
	}
}
