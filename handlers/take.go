package handlers

import (
	"context"
	"regexp"
	"slices"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// lastTold is how long 我来 refers to what was told here.
const lastTold = 30 * time.Minute

var toldNumber = regexp.MustCompile(`\b([TA])([0-9]{1,15})\b`)

// toldHere is what the words of a chat may refer to, the newest first: the quoted
// message, or else what was told lately here or by the robot in the support group.
func (d *Desk) toldHere(ctx context.Context, r Request) ([]string, error) {
	if q := r.Msg.Quote; q != nil {
		return []string{q.Text}, nil
	}
	places := []chat.Address{r.Msg.From, person(r.Actor.ID)}
	if r.Msg.From.Kind == chat.Group {
		places = []chat.Address{r.Msg.From}
	}
	robots, err := d.robots(ctx, r.Msg.From)
	if err != nil {
		return nil, err
	}
	var lines []store.Line
	for _, p := range append(places, robots...) {
		l, err := d.Store.SaidTo(ctx, p, r.Now.Add(-lastTold), 20)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l...)
	}
	slices.SortStableFunc(lines, func(a, b store.Line) int { return b.At.Compare(a.At) })
	told := make([]string, len(lines))
	for i, l := range lines {
		told[i] = bodyText(l.Body)
	}
	return told, nil
}

// robots are those whose words people here may mean: of this group chat, and of
// the support group.
func (d *Desk) robots(ctx context.Context, from chat.Address) ([]chat.Address, error) {
	out, err := d.robotsIn(ctx, from)
	if support := (chat.Address{Kind: chat.Robot, ID: d.Announce}); d.Announce != "" && !slices.Contains(out, support) {
		out = append(out, support)
	}
	return out, err
}

// robotsIn are the robots of a group chat, by name.
func (d *Desk) robotsIn(ctx context.Context, from chat.Address) ([]chat.Address, error) {
	if from.Kind != chat.Group {
		return nil, nil
	}
	all, err := d.GroupChats(ctx)
	var out []chat.Address
	for _, g := range all {
		if g.ChatID == from.ID {
			out = append(out, chat.Address{Kind: chat.Robot, ID: g.Name})
		}
	}
	return out, err
}

// takeLast is 我来: the ticket or alert of the quoted message, else the one that
// was told here last.
func (d *Desk) takeLast(ctx context.Context, r Request) (Result, error) {
	told, err := d.toldHere(ctx, r)
	if err != nil {
		return Result{}, err
	}
	for _, text := range told {
		for _, m := range toldNumber.FindAllStringSubmatch(text, -1) {
			res, ok, err := d.take(ctx, r, m[1], m[1]+m[2])
			if ok || err != nil {
				return res, err
			}
		}
	}
	return Result{}, refuse("没看到刚才有等人接的单或告警。发「待接」看清单，或「接 1042」。")
}

// take claims what a number names, if it waits for somebody.
func (d *Desk) take(ctx context.Context, r Request, letter, number string) (Result, bool, error) {
	word := "接"
	if letter == "A" {
		word = "认领"
		n, _ := numberOf(number, "A")
		g, err := d.Store.FindAlertGroup(ctx, n)
		if err != nil || g.State != store.GroupOpen || g.Firing <= 0 || g.ClaimedBy != "" && g.ClaimedBy != r.Actor.ID {
			return Result{}, false, nil // gone, over, or somebody's
		}
	} else {
		n, _ := numberOf(number, "T")
		t, err := d.Store.FindTicket(ctx, n)
		if err != nil || !t.State.Open() || t.State == store.TicketInProgress || t.Assignee != "" && t.Assignee != r.Actor.ID {
			return Result{}, false, nil // gone, over, or somebody's
		}
	}
	i := slices.IndexFunc(d.Commands, func(c *Command) bool { return slices.Contains(c.Words, word) && Allowed(c, r.Actor) })
	if i < 0 {
		return Result{}, false, nil
	}
	r.Args = number
	res, err := d.Commands[i].Run(ctx, r)
	return res, true, err
}
