package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"frontline/bot/chat"
)

// DelivererOptions are what the outbox loop needs.
type DelivererOptions struct {
	Outbox Outbox
	Client *Client
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
	said    map[string]time.Time // place and text, for the platform's duplicate check
	trouble map[string]time.Time
}

// NewDeliverer makes the loop; Run runs it.
func NewDeliverer(opt DelivererOptions) *Deliverer {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Hands == 0 {
		opt.Hands = 16
	}
	return &Deliverer{opt: opt, limit: &limiter{box: opt.Outbox, now: opt.Now, places: map[string]*place{}},
		said: map[string]time.Time{}, trouble: map[string]time.Time{}}
}

// Run delivers until ctx ends, then finishes the sends in hand.
func (d *Deliverer) Run(ctx context.Context) error {
	free := make(chan struct{}, d.opt.Hands)
	var busy sync.WaitGroup
	defer busy.Wait()
	for ctx.Err() == nil {
		list, err := d.opt.Outbox.Claim(ctx, d.opt.Hands-len(free))
		if err != nil && ctx.Err() == nil {
			d.opt.Log.Error("claim deliveries", "err", err)
		}
		for _, x := range list {
			free <- struct{}{}
			busy.Go(func() {
				defer func() { <-free }()
				d.deliver(x)
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

// deliverTime bounds one delivery with all its parts.
const deliverTime = 2 * time.Minute

func (d *Deliverer) deliver(x chat.Delivery) {
	ctx, cancel := context.WithTimeout(context.Background(), deliverTime)
	defer cancel()
	log := d.opt.Log.With("delivery_id", x.ID, "attempt", x.Attempt+1, "place", string(x.To.Kind))
	if err := d.try(ctx, x, log); err != nil {
		// The outbox itself failed: its row is claimed again by the next epoch
		// or stays as it is; nothing is lost.
		log.Error("record a delivery", "err", err)
	}
}

// try makes one attempt. The returned error is the outbox's, not the send's.
func (d *Deliverer) try(ctx context.Context, x chat.Delivery, log *slog.Logger) error {
	if x.Unknown && d.mayHaveArrived(x) {
		return d.opt.Outbox.Never(ctx, x, errors.New("没有收到企业微信的回应，可能已送达；为避免重复不再发送"))
	}
	way, replyURL, err := d.way(ctx, x)
	if err != nil {
		return d.failed(ctx, x, err, log)
	}
	if wait, err := d.limit.wait(ctx, x.To, x.Urgent, max(1, len(x.Parts)-x.Sent)); err != nil || wait > 0 {
		if err != nil {
			return err
		}
		return d.opt.Outbox.Again(ctx, x, d.opt.Now().Add(wait), x.Unknown, nil)
	}
	code := ""
	if x.Parts == nil || way.fresh {
		if x.Parts, code, err = d.parts(ctx, x, way.road); err != nil {
			return d.failed(ctx, x, err, log)
		}
	}
	if err := d.opt.Outbox.Freeze(ctx, x, x.Parts); err != nil {
		return err
	}
	x.Attempt++
	return d.send(ctx, x, replyURL, code, log)
}

func (d *Deliverer) send(ctx context.Context, x chat.Delivery, replyURL, code string, log *slog.Logger) error {
	for x.Sent < len(x.Parts) {
		if replyURL != "" { // one use: spent before the call, so that a crash cannot use it twice
			if err := d.opt.Outbox.SpendReplyURL(ctx, x.ReplyTo); err != nil {
				return err
			}
		}
		receipt, err := d.opt.Client.Send(ctx, x.Outgoing, x.Parts[x.Sent], replyURL)
		if code != "" {
			if err := d.opt.Outbox.SpendCard(ctx, code); err != nil {
				return err
			}
		}
		if err != nil {
			return d.failed(ctx, x, err, log)
		}
		if err := d.opt.Outbox.Sent(ctx, x, receipt); err != nil {
			return err
		}
		x.Sent++
	}
	d.limit.trim(x.To)
	return nil
}

// mayHaveArrived: after an attempt without an answer a repeat is safe only
// where the platform recognises it, or where a second copy is better than none.
func (d *Deliverer) mayHaveArrived(x chat.Delivery) bool {
	if len(x.Parts) > 0 && x.Parts[0].API == "message/send" {
		return d.opt.Now().Sub(x.Since) > duplicateWindow*time.Second*9/10
	}
	return x.AtMostOnce
}

type wayOut struct {
	road  road
	fresh bool // bytes of another road do not fit
}

// way chooses the road to a place. The smart bot can speak only in answer to
// somebody: by the answer address of that message, once, within an hour; a
// person can also be reached through the app.
func (d *Deliverer) way(ctx context.Context, x chat.Delivery) (wayOut, string, error) {
	to := x.To
	switch {
	case to.Kind == chat.Robot:
		return wayOut{road: roadRobot}, "", nil
	case to.Via != chat.Bot && to.Kind == chat.Group:
		return wayOut{road: roadChat}, "", nil
	case to.Via != chat.Bot:
		return wayOut{road: roadApp}, "", nil
	}
	url := ""
	if x.ReplyTo != "" {
		var err error
		if url, err = d.opt.Outbox.ReplyURL(ctx, x.ReplyTo); err != nil {
			return wayOut{}, "", err
		}
	}
	was := ""
	if len(x.Parts) > 0 {
		was = x.Parts[0].API
	}
	switch {
	case url != "":
		return wayOut{road: roadResponse, fresh: was != "" && was != "response"}, url, nil
	case to.Kind == chat.Person && d.opt.Client.HasApp():
		return wayOut{road: roadApp, fresh: was != "" && was != "message/send"}, "", nil
	}
	return wayOut{}, "", fmt.Errorf("%w: 智能机器人的回复时限已过，没有别的路能到这里", ErrRejected)
}

// parts renders x. An update of a card needs an unused response code; without
// one it is said as a new message.
func (d *Deliverer) parts(ctx context.Context, x chat.Delivery, r road) ([]chat.Part, string, error) {
	u := x.Body.Update
	if u == nil {
		list, err := d.render(ctx, x.Outgoing, r)
		return list, "", err
	}
	if r == roadApp {
		code, err := d.opt.Outbox.Card(ctx, u.TaskID, x.To.ID)
		if err != nil {
			return nil, "", err
		}
		if code != "" {
			p, err := d.renderUpdate(x.Outgoing, code)
			return p, code, err
		}
	}
	out := x.Outgoing
	out.Body = chat.Body{Text: u.Text}
	if u.Card != nil && u.Text == "" {
		out.Body = chat.Body{Card: u.Card}
	}
	if out.Body == (chat.Body{}) {
		return nil, "", fmt.Errorf("%w: 卡片已不能更新，也没有要另说的话", ErrRejected)
	}
	list, err := d.render(ctx, out, r)
	return list, "", err
}

// renderUpdate rewrites a card in place.
// https://developer.work.weixin.qq.com/document/path/94888
func (d *Deliverer) renderUpdate(out chat.Outgoing, code string) ([]chat.Part, error) {
	u := out.Body.Update
	body := map[string]any{"userids": []string{out.To.ID}, "agentid": d.opt.Client.opt.AgentID, "response_code": code}
	if u.Card == nil {
		body["button"] = map[string]string{"replace_name": cut(u.Done, cardButtonText+6)}
		return parts("message/update_template_card", []map[string]any{body})
	}
	card, err := CardUpdateJSON(*u, AppCards)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRejected, err)
	}
	body["template_card"] = rawJSON(card)
	return parts("message/update_template_card", []map[string]any{body})
}
