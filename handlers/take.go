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

// takeLast is 我来: the ticket or alert of the quoted message, else the one that
// was told here last: to this chat, or by the robot in the support group.
func (d *Desk) takeLast(ctx context.Context, r Request) (Result, error) {
	var told []string
	if q := r.Msg.Quote; q != nil {
		told = append(told, q.Text)
	} else {
		places := []chat.Address{r.Msg.From, person(r.Actor.ID)}
		if r.Msg.From.Kind == chat.Group {
			places = []chat.Address{r.Msg.From}
		}
		if d.Announce != "" {
			places = append(places, chat.Address{Kind: chat.Robot, ID: d.Announce})
		}
		var lines []store.Line
		for _, p := range places {
			l, err := d.Store.SaidTo(ctx, p, r.Now.Add(-lastTold), 20)
			if err != nil {
				return Result{}, err
			}
			lines = append(lines, l...)
		}
		slices.SortStableFunc(lines, func(a, b store.Line) int { return b.At.Compare(a.At) })
		for _, l := range lines {
			told = append(told, bodyText(l.Body))
		}
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
