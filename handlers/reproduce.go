package handlers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"frontline/handlers/construct"
	"frontline/handlers/construct/gen"
	"frontline/store"
)

func seedOf(text string) uint64 {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0 // a new one
	}
	return n
}

// reproduce is 复现 1042: a twin of the ticket's customer, made from shapes. The
// same ticket always gives the same people, another one gives others, and
// nothing leads back: the seed is a keyed hash.
func (d *Desk) reproduce(ctx context.Context, r Request) (Result, error) {
	if d.Construct == nil {
		return Result{}, errOff
	}
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("复现 1042")
	}
	t, err := d.Store.FindTicket(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return Result{}, unknownTicket(n)
	}
	if err != nil {
		return Result{}, err
	}
	entries, err := d.Store.ListTicketEntries(ctx, t.ID, 200)
	if err != nil {
		return Result{}, err
	}
	words := []string{t.Title}
	for _, e := range entries {
		if e.Kind != "event" {
			words = append(words, e.Text)
		}
	}
	text := strings.Join(words, "\n")
	rec := d.Construct.Suits(text, r.Actor)
	var s construct.Sentence
	if rest != "" {
		if s = d.Construct.Read(rest, r.Actor); s.Recipe != nil {
			rec = s.Recipe
		}
	}
	if rec == nil {
		return Result{}, refuse(fmt.Sprintf("看不出 T%d 用哪个配方。说「复现 %d 配方名」，或发「造数」看有哪些。", n, n))
	}
	identity := ""
	if t.Identity.Mask != "" && len(rec.Facts) > 0 {
		clear, err := d.Store.Reveal(ctx, r.Actor.ID, n, "复现：只取证件号的形状")
		if err != nil {
			return Result{}, err
		}
		identity = clear.Identity.Value
	}
	g := dataDraft{Mark: r.Msg.ID[:12], Recipe: rec.Name, Params: map[string]any{}, Count: 1, Ticket: n, Facts: d.Construct.Facts(rec, text, identity),
		Seed: strconv.FormatUint(gen.SeedOf(d.Store.Blind("construct", fmt.Sprintf("T%d", n)))>>11, 10)}
	if s.Recipe == nil {
		s = d.Construct.Fill(rec, rest)
	}
	for k, v := range s.Params {
		g.Params[k] = v
	}
	if rec.Param("ticket") != nil {
		g.Params["ticket"] = n
	}
	old, err := d.Store.ListRuns(ctx, store.RunQuery{Ticket: n, Recipe: rec.Name, States: []string{store.RunDone, store.RunFailed, store.RunPartly, store.RunAttention, store.RunRunning, store.RunQueued, store.RunWaiting}, N: 1})
	if err != nil {
		return Result{}, err
	}
	if len(old) > 0 {
		return Result{}, refuse(fmt.Sprintf("T%d 已有 R%d（%s）。它是同样的人，先「清理 R%d」再复现，或「造数 R%d」看结果。", n, old[0].Number, construct.StateTitle(old[0].State), old[0].Number, old[0].Number))
	}
	return d.plan(ctx, r, g, s.Unknown)
}
