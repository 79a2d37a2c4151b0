package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"frontline/bot/chat"
)

// DelivererOptions are what the outbox loop needs.
type DelivererOptions struct {
	Outbox Outbox
	Client *Client
	Link   *Link   // the smart bot's long connection; nil: there is none
	Hooks  *Hooks  // nil: there are no subscribers
	Mail   *Mailer // nil: there is no mail server
	Log    *slog.Logger
	Now    func() time.Time
	Hands  int // sends at a time; default 16
	// Trouble hears of a place that needs an operator, at most once an hour for each.
	Trouble func(to chat.Address, err error)
}

// Deliverer takes words from the outbox and brings them to their places: in
// order for each place, within its limits, again when that can help.
type Deliverer struct {
	opt     DelivererOptions
	limit   *limiter
	mu      sync.Mutex
	said    map[sameWords]time.Time // for the platform's duplicate check
	swept   time.Time
	trouble map[string]time.Time    // when it was last told
	refused map[chat.Address]string // the robot key with which a place was put on hold
	open    map[string]time.Time    // messages whose answer, a stream, was begun and not ended
}

// NewDeliverer makes the loop; Run runs it.
func NewDeliverer(opt DelivererOptions) *Deliverer {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Hands == 0 {
		opt.Hands = 16
	}
	return &Deliverer{opt: opt, limit: &limiter{recent: opt.Outbox.Recent, now: opt.Now, places: map[chat.Address]*place{}, link: opt.Link != nil},
		said: map[sameWords]time.Time{}, trouble: map[string]time.Time{}, refused: map[chat.Address]string{}, open: map[string]time.Time{}}
}

// Run delivers until ctx ends, then finishes the calls in hand.
func (d *Deliverer) Run(ctx context.Context) error {
	free := make(chan struct{}, d.opt.Hands)
	var busy sync.WaitGroup
	defer busy.Wait()
	failing := false
	for ctx.Err() == nil {
		list, err := d.opt.Outbox.Claim(ctx, d.opt.Hands-len(free))
		if err != nil {
			if !failing && ctx.Err() == nil {
				d.opt.Log.Error("claim deliveries", "err", err)
			}
			list = nil // a claim that may not have been made is no right to send
		}
		failing = err != nil
		for _, x := range list {
			free <- struct{}{}
			busy.Go(func() {
				defer func() { <-free }()
				d.deliver(ctx, x)
			})
		}
		if len(list) == 0 {
			if err := d.opt.Outbox.Wait(ctx); err != nil {
				return nil
			}
		}
	}
	return nil
}

// attempt is one try to deliver. Its way may change: a spent answer address,
// a spent card.
type attempt struct {
	chat.Delivery
	way
	log     *slog.Logger
	renewed bool   // new bytes were made once already in this attempt
	robot   string // the robot's key when the attempt began
	free    bool   // the next call uses no room: it goes on with a stream that was begun
}

// way is how an attempt goes.
type way struct {
	road     road
	replyURL string       // of roadResponse and roadReply
	line     chat.Address // whose limits it uses
}

// deliver makes one attempt and records what became of it.
func (d *Deliverer) deliver(ctx context.Context, x chat.Delivery) {
	a := &attempt{Delivery: x, log: d.opt.Log.With("delivery_id", x.ID, "attempt", x.Attempt+1, "place", string(x.To.Kind))}
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("panic in a delivery", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			d.never(ctx, a, errors.New("内部错误"))
		}
	}()
	err := d.begin(ctx, a)
	if err == nil {
		err = d.send(ctx, a)
	}
	if err != nil {
		d.failed(ctx, a, err)
	}
}

// errWait is no failure: the place has no room yet.
type errWait struct{ wait time.Duration }

func (e errWait) Error() string { return "has to wait for " + e.wait.String() }

// begin brings an attempt to where its bytes are frozen.
func (d *Deliverer) begin(ctx context.Context, a *attempt) error {
	var err error
	a.way, err = d.wayTo(ctx, a.Delivery)
	if a.Unknown && (errors.Is(err, ErrRejected) || err == nil && !d.repeatable(a)) {
		return errUnknown
	}
	if err != nil {
		return err
	}
	if a.road == roadRobot {
		if err := d.sameRobot(ctx, a); err != nil {
			return err
		}
	}
	// Look for room first, so that nothing is uploaded in vain.
	if err := d.room(ctx, a); err != nil {
		return err
	}
	d.landed(a, false)
	if a.Parts == nil || !fits(a.Parts[0], a.road) {
		return d.renew(ctx, a)
	}
	return d.freeze(ctx, a)
}

// sameRobot ends the wait for an operator once the group has another robot.
func (d *Deliverer) sameRobot(ctx context.Context, a *attempt) (err error) {
	if a.robot, err = d.opt.Client.robotKey(ctx, a.To.ID); err != nil {
		return err
	}
	d.mu.Lock()
	key, held := d.refused[a.line]
	changed := held && key != a.robot
	if changed {
		delete(d.refused, a.line)
	}
	d.mu.Unlock()
	if changed {
		d.limit.release(a.line)
	}
	return nil
}

// room waits for nobody: it takes a place or says how long there is none.
func (d *Deliverer) room(ctx context.Context, a *attempt) error {
	if a.free = d.goesOn(a); a.free {
		return nil
	}
	wait, err := d.limit.take(ctx, a.line, a.Urgent)
	if err == nil && wait > 0 {
		return errWait{wait}
	}
	return err
}

// landed ends what room began.
func (d *Deliverer) landed(a *attempt, made bool) {
	if !a.free {
		d.limit.landed(a.line, made)
	}
}

// renew makes the bytes of an attempt and freezes them.
func (d *Deliverer) renew(ctx context.Context, a *attempt) error {
	list, err := d.written(ctx, a)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("%w: there is nothing to say", ErrRejected)
	}
	for i := range list {
		list[i].At = d.opt.Now()
	}
	a.Parts, a.Sent = list, 0
	return d.freeze(ctx, a)
}

func (d *Deliverer) freeze(ctx context.Context, a *attempt) error {
	if err := d.opt.Outbox.Freeze(context.WithoutCancel(ctx), a.Delivery, a.Parts); err != nil {
		return err
	}
	a.Attempt++
	return nil
}

// send makes the calls that are left, one after the other.
func (d *Deliverer) send(ctx context.Context, a *attempt) error {
	for a.Sent < len(a.Parts) {
		if ctx.Err() != nil {
			return errWait{} // stopping: the rest is for the next process
		}
		if err := d.room(ctx, a); err != nil {
			return err
		}
		receipt, err := d.call(ctx, a)
		class := Classify(err)
		if err != nil && class == ClassSpent && a.Unknown && a.road == roadReply && a.AtMostOnce {
			return errUnknown // refused now, for whatever reason: the earlier call may have arrived
		}
		if err != nil && class == ClassSpent && a.Unknown && a.road != roadReply {
			receipt, err = chat.Receipt{Road: string(a.road)}, nil // the earlier call did arrive: it spent the code
		}
		switch {
		case a.road == roadReply:
			d.replied(ctx, a, a.Parts[a.Sent], err)
		case a.replyURL != "" && (err == nil || class == ClassSpent):
			d.last(ctx, a, func(ctx context.Context) error { return d.opt.Outbox.SpendReplyURL(ctx, a.ReplyTo) })
		}
		if err != nil && (class == ClassMedia || class == ClassSpent) && !a.renewed {
			a.log.Info("made anew", "err", err)
			if err := d.again(ctx, a); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if d.last(ctx, a, func(ctx context.Context) error { return d.opt.Outbox.Sent(ctx, a.Delivery, receipt) }) != nil {
			return nil // it is another replica's now
		}
		a.Sent++
		a.Unknown = false
	}
	return nil
}

// call makes the next call; it is finished even when the process stops.
func (d *Deliverer) call(ctx context.Context, a *attempt) (chat.Receipt, error) {
	defer d.landed(a, true)
	if a.road == roadHook {
		status, err := d.opt.Hooks.Post(context.WithoutCancel(ctx), a.To.ID, hookID(a.Key), a.Parts[a.Sent].Body)
		return chat.Receipt{Road: string(roadHook), Status: status}, err
	}
	if a.road == roadMail {
		return chat.Receipt{Road: string(roadMail)}, d.opt.Mail.Post(context.WithoutCancel(ctx), a.To.ID, a.Parts[a.Sent].Body)
	}
	if overLink(a.road) {
		return chat.Receipt{Road: string(a.road)}, d.opt.Link.Send(context.WithoutCancel(ctx), a.Parts[a.Sent], a.replyURL)
	}
	return d.opt.Client.Send(context.WithoutCancel(ctx), a.Outgoing, a.Parts[a.Sent], a.replyURL)
}

// again makes other bytes in the same attempt, because the frozen ones can
// never succeed: a new upload, a new message in place of a card or an answer.
func (d *Deliverer) again(ctx context.Context, a *attempt) error {
	var err error
	a.renewed, a.Unknown = true, false // that call was refused
	if a.way, err = d.wayTo(ctx, a.Delivery); err != nil {
		return err
	}
	return d.renew(ctx, a)
}

// errUnknown ends what may have arrived and must not be said twice.
var errUnknown = fmt.Errorf("%w: 没有收到企业微信的回应，可能已送达；为避免重复不再发送", ErrRejected)

// repeatable tells, after a call without an answer, whether a repeat can do no
// harm, or less harm than silence.
func (d *Deliverer) repeatable(a *attempt) bool {
	if len(a.Parts) == 0 {
		return true // nothing was sent yet
	}
	p := a.Parts[0]
	switch {
	case !fits(p, a.road):
		return !a.AtMostOnce
	case p.API == "message/send":
		made := p.At
		if made.IsZero() {
			made = a.Since
		}
		return d.opt.Now().Sub(made) < duplicateShortest-time.Minute // the platform recognises it
	case p.API == apiHook:
		return true // the subscriber knows a repeat by its id
	case p.API == apiMail:
		return true // twice is better than never, and both have the same Message-ID
	case p.API == "response", p.API == apiUpdate:
		return true // good for one use: the platform refuses a second one
	case a.road == roadReply && len(a.Parts) == 1:
		return true // says the same in the same place
	}
	return !a.AtMostOnce
}

// fits tells whether frozen bytes are for a road.
func fits(p chat.Part, r road) bool {
	switch p.API {
	case "message/send", apiUpdate:
		return r == roadApp
	case "response":
		return r == roadResponse
	case apiHook:
		return r == roadHook
	case apiMail:
		return r == roadMail
	case cmdRespond, cmdWelcome, cmdUpdate:
		return r == roadReply
	case cmdSend:
		return r == roadPush
	}
	return r == roadRobot || r == roadChat
}

// wayTo chooses the road to a place.
func (d *Deliverer) wayTo(ctx context.Context, x chat.Delivery) (way, error) {
	to, r := x.To, roadApp
	switch {
	case to.Kind == chat.Hook:
		return way{road: roadHook, line: to}, nil
	case to.Kind == chat.Mailbox:
		return way{road: roadMail, line: to}, nil
	case to.Kind == chat.Robot:
		r = roadRobot
	case to.Via == chat.Bot:
		return d.wayToBot(ctx, x)
	case to.Kind == chat.Group:
		r = roadChat
	}
	return way{road: r, line: counted(to, r)}, nil
}

// written are the calls for the way that was chosen.
func (d *Deliverer) written(ctx context.Context, a *attempt) ([]chat.Part, error) {
	switch a.road {
	case roadReply:
		return d.answerParts(ctx, a)
	case roadPush:
		return d.pushParts(ctx, a.Outgoing)
	}
	return d.parts(ctx, a.Outgoing, a.road)
}

const apiUpdate = "message/update_template_card"

// parts renders out. An update of a card needs an unused response code;
// without one it is said as a new message.
func (d *Deliverer) parts(ctx context.Context, out chat.Outgoing, r road) ([]chat.Part, error) {
	u := out.Body.Update
	if e := out.Body.Event; e != nil {
		return hookParts(out.Key, *e)
	}
	if m := out.Body.Mail; m != nil {
		return mailParts(out.Key, *m, d.opt.Now())
	}
	if u == nil {
		return d.render(ctx, out, r)
	}
	if body := d.updateBody(out); body != nil && r == roadApp {
		code, err := d.opt.Outbox.Card(ctx, u.TaskID, out.To.ID)
		if err != nil {
			return nil, err
		}
		if code != "" {
			// Spent before the bytes are frozen, so that no other update takes it.
			if err := d.opt.Outbox.SpendCard(ctx, code); err != nil {
				return nil, err
			}
			body["response_code"] = code
			return parts(apiUpdate, []map[string]any{body})
		}
	}
	out.Body = chat.Body{Text: u.Text}
	if u.Text == "" && u.Card != nil {
		out.Body.Text = bodyText(chat.Body{Card: u.Card}) // as words: its task id was used already
	}
	if out.Body.Text == "" {
		return nil, fmt.Errorf("%w: 卡片已不能更新，也没有要另说的话", ErrRejected)
	}
	return d.render(ctx, out, r)
}

// updateBody rewrites a card in place, or is nil when the platform could not
// show the new one.
// https://developer.work.weixin.qq.com/document/path/94888
func (d *Deliverer) updateBody(out chat.Outgoing) map[string]any {
	u := out.Body.Update
	if !safeUserID(out.To.ID) {
		return nil
	}
	body := map[string]any{"userids": []string{out.To.ID}, "agentid": d.opt.Client.opt.AgentID}
	if u.Card != nil {
		if card, err := CardUpdateJSON(*u, AppCards); err == nil {
			body["template_card"] = rawJSON(card)
			return body
		}
	}
	if u.Done == "" {
		return nil
	}
	body["button"] = map[string]string{"replace_name": cut(u.Done, cardButtonText+6)}
	return body
}
