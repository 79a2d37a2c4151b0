package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"frontline/bot/chat"
)

// Roads of the long connection.
const (
	roadReply road = "reply" // answers a message, a first entry or a click, under its req_id
	roadPush  road = "push"  // aibot_send_msg: answers nobody
)

func overLink(r road) bool { return r == roadReply || r == roadPush }

// appAfter is how long the connection may be down before words for a person
// leave by the app, if there is one. A group has no other road, so its words wait.
const appAfter = 30 * time.Second

// wayToBot chooses the road to a place of the smart bot: the answer address of
// a callback over HTTP, once, within an hour; the long connection; for a
// person also the app.
func (d *Deliverer) wayToBot(ctx context.Context, x chat.Delivery) (way, error) {
	to, address := x.To, ""
	if x.ReplyTo != "" {
		var err error
		if address, err = d.opt.Outbox.ReplyURL(ctx, x.ReplyTo); err != nil {
			return way{}, err
		}
	}
	live, isLive := parseLiveReply(address)
	app := to.Kind == chat.Person && d.opt.Client.HasApp()
	switch {
	case address != "" && !isLive && x.Body.File == nil:
		return way{roadResponse, address, counted(to, roadResponse)}, nil
	case d.opt.Link == nil:
	default:
		wait := d.linkWait(x, app)
		if wait == nil && isLive && d.answers(live, x.Outgoing) {
			return way{roadReply, address, to}, nil
		}
		if wait == nil {
			return way{road: roadPush, line: to}, nil
		}
		if !app || !errors.Is(wait, errUseApp) {
			return way{}, wait
		}
	}
	if app {
		return way{road: roadApp, line: counted(to, roadApp)}, nil
	}
	return way{}, fmt.Errorf("%w: 智能机器人的回复时限已过，没有别的路能到这里", ErrRejected)
}

var errUseApp = errors.New("the long connection has been down for long")

// linkWait is nil when the long connection stands. Else it says how long words
// wait before they look again, which counts as no failure.
func (d *Deliverer) linkWait(x chat.Delivery, app bool) error {
	s := d.opt.Link.State()
	if s.Up {
		return nil
	}
	now := d.opt.Now()
	down := now.Sub(s.Since)
	switch {
	case app && down > appAfter:
		return errUseApp
	case now.Sub(x.Since) > keepWords:
		return &CallError{API: cmdSend, Err: errLinkDown}
	}
	return errWait{min(max(down/4, time.Second), 15*time.Second)}
}

// answers tells whether words can go as the answer to what they answer.
func (d *Deliverer) answers(r liveReply, out chat.Outgoing) bool {
	b := out.Body
	switch r.cmd {
	case cmdUpdate:
		return b.Update != nil && b.Update.TaskID == r.task && liveUpdate(out) != nil
	case cmdWelcome:
		return b.File == nil && b.Update == nil
	case cmdRespond:
		if b.Card != nil {
			return d.isOpen(out.ReplyTo) // a stream that was begun has to end
		}
		text := streamText(b)
		return text != "" && len(text) <= streamLimit
	}
	return false
}

// answerParts are the calls of words that go as an answer.
func (d *Deliverer) answerParts(ctx context.Context, a *attempt) ([]chat.Part, error) {
	r, _ := parseLiveReply(a.replyURL)
	body := a.Body
	switch r.cmd {
	case cmdUpdate:
		return parts(cmdUpdate, []map[string]any{liveUpdate(a.Outgoing)})
	case cmdWelcome:
		ride := newRide(chat.Message{Kind: chat.KindEnter}, "")
		ride.take(a.Outgoing)
		reply, err := ride.welcome([]chat.Outgoing{a.Outgoing})
		return []chat.Part{{API: cmdWelcome, Body: reply}}, err
	}
	text := noColour(streamText(body))
	if body.Card != nil {
		text = literal(body.Card.Title)
	}
	first, err := part(cmdRespond, streamReply{MsgType: "stream", Stream: &streamState{ID: a.ReplyTo, Finish: !a.Progress, Content: text}})
	if err != nil || body.Card == nil {
		return []chat.Part{first}, err
	}
	rest, err := d.pushParts(ctx, a.Outgoing)
	return append([]chat.Part{first}, rest...), err
}

// liveUpdate rewrites the clicked card, or is nil when the platform could not
// show the new one. In a group it is rewritten for all, unless members are named.
func liveUpdate(out chat.Outgoing) map[string]any {
	card, err := CardUpdateJSON(*out.Body.Update, BotCards)
	if err != nil {
		return nil
	}
	body := map[string]any{"response_type": "update_template_card", "template_card": rawJSON(card)}
	if users := out.Body.Update.Users; len(users) > 0 {
		body["userids"] = users
	} else if out.To.Kind == chat.Person {
		body["userids"] = []string{out.To.ID}
	}
	return body
}

// pushParts are the calls of words that answer nobody.
func (d *Deliverer) pushParts(ctx context.Context, out chat.Outgoing) ([]chat.Part, error) {
	send := func(kind string, contents ...any) ([]chat.Part, error) {
		chatType := 1
		if out.To.Kind == chat.Group {
			chatType = 2
		}
		var bodies []map[string]any
		for _, c := range contents {
			bodies = append(bodies, map[string]any{"chatid": out.To.ID, "chat_type": chatType, "msgtype": kind, kind: c})
		}
		return parts(cmdSend, bodies)
	}
	b := out.Body
	if u := b.Update; u != nil { // the click it answers is over
		b = chat.Body{Text: u.Text}
		if u.Text == "" && u.Card != nil {
			b.Text = bodyText(chat.Body{Card: u.Card})
		}
		if b.Text == "" {
			return nil, fmt.Errorf("%w: 卡片已不能更新，也没有要另说的话", ErrRejected)
		}
	}
	switch {
	case b.File != nil:
		id, kind, err := d.pushFile(ctx, *b.File)
		if err != nil {
			return nil, err
		}
		return send(kind, map[string]string{"media_id": id})
	case b.Card != nil:
		if card, err := CardJSON(*b.Card, BotCards); err == nil {
			return send("template_card", json.RawMessage(card))
		}
	}
	var contents []any
	for _, s := range Split(noColour(streamText(b)), botMarkdown) {
		contents = append(contents, map[string]string{"content": s})
	}
	return send("markdown", contents...)
}

func (d *Deliverer) pushFile(ctx context.Context, f chat.File) (id, kind string, err error) {
	files := d.opt.Client.opt.Files
	if files == nil {
		return "", "", fmt.Errorf("%w: no file store", ErrRejected)
	}
	content, err := files.Get(ctx, f.Path)
	if err != nil {
		return "", "", fmt.Errorf("%w: read the file: %w", ErrRejected, err)
	}
	id, err = d.opt.Link.Upload(ctx, f, content)
	return id, f.Kind, notSent(err)
}

// replied keeps the book of answers: the last one spends the right to answer,
// a sign of life leaves a stream open that the words after it have to end.
func (d *Deliverer) replied(ctx context.Context, a *attempt, p chat.Part, err error) {
	if p.API == cmdRespond && a.Progress && err == nil {
		d.mu.Lock()
		maps.DeleteFunc(d.open, func(_ string, at time.Time) bool { return d.opt.Now().Sub(at) > 10*time.Minute })
		d.open[a.ReplyTo] = d.opt.Now()
		d.mu.Unlock()
		return
	}
	if p.API == cmdSend || err != nil && Classify(err) != ClassSpent {
		return
	}
	d.mu.Lock()
	delete(d.open, a.ReplyTo)
	d.mu.Unlock()
	d.last(ctx, a, func(ctx context.Context) error { return d.opt.Outbox.SpendReplyURL(ctx, a.ReplyTo) })
}

// goesOn tells whether the next call only refreshes a stream: that is no new
// message, and does not count against the conversation's limit.
func (d *Deliverer) goesOn(a *attempt) bool {
	return a.road == roadReply && d.isOpen(a.ReplyTo) && (a.Sent >= len(a.Parts) || a.Parts[a.Sent].API == cmdRespond)
}

func (d *Deliverer) isOpen(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, open := d.open[id]
	return open
}
