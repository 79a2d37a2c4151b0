package handlers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"frontline/bot/chat"
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

// Twin finds what a run may know of a ticket: shapes of its customer, never the
// customer. The same ticket always gives the same people, another one gives
// others, and nothing leads back: the seed is a keyed hash. Looking at the
// identity number is on record.
func (d *Desk) Twin(ctx context.Context, by chat.User, t store.Ticket, rec *construct.Recipe, text string) (facts map[string]any, seed uint64, err error) {
	identity := ""
	if t.Identity.Mask != "" && len(rec.Facts) > 0 {
		clear, err := d.Store.Reveal(ctx, by.ID, t.Number, "复现：只取证件号的形状")
		if err != nil {
			return nil, 0, err
		}
		identity = clear.Identity.Value
	}
	return d.Construct.Facts(rec, text, identity), gen.SeedOf(d.Store.Blind("construct", fmt.Sprintf("T%d", t.Number))) >> 11, nil
}

// TicketWords are a ticket's title and thread, masked, for who may see it.
func (d *Desk) TicketWords(ctx context.Context, by chat.User, n int64) (t store.Ticket, text string, err error) {
	t, err = d.Store.FindTicket(ctx, n)
	if errors.Is(err, store.ErrNotFound) || err == nil && t.Reporter != by.ID && !works(by) {
		return t, "", unknownTicket(n)
	}
	if err != nil {
		return t, "", err
	}
	entries, err := d.Store.ListTicketEntries(ctx, t.ID, 200)
	words := []string{t.Title}
	for _, e := range entries {
		if e.Kind != "event" {
			words = append(words, e.Text)
		}
	}
	return t, strings.Join(words, "\n"), err
}

// reproduce is 复现 1042: a twin of the ticket's customer, made from shapes.
func (d *Desk) reproduce(ctx context.Context, r Request) (Result, error) {
	if d.Construct == nil {
		return Result{}, errOff
	}
	n, rest, ok := ticketAndRest(r.Args)
	if !ok {
		return Result{}, which("复现 1042")
	}
	t, text, err := d.TicketWords(ctx, r.Actor, n)
	if err != nil {
		return Result{}, err
	}
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
	old, err := d.Store.ListRuns(ctx, store.RunQuery{Ticket: n, Recipe: rec.Name, States: []string{store.RunDone, store.RunFailed, store.RunPartly, store.RunAttention, store.RunRunning, store.RunQueued, store.RunWaiting}, N: 1})
	if err != nil {
		return Result{}, err
	}
	if len(old) > 0 {
		return Result{}, refuse(fmt.Sprintf("T%d 已有 R%d（%s）。它是同样的人，先「清理 R%d」再复现，或「造数 R%d」看结果。", n, old[0].Number, construct.StateTitle(old[0].State), old[0].Number, old[0].Number))
	}
	facts, seed, err := d.Twin(ctx, r.Actor, t, rec, text)
	if err != nil {
		return Result{}, err
	}
	g := dataDraft{Mark: r.Msg.ID[:12], Recipe: rec.Name, Params: map[string]any{}, Count: 1, Ticket: n, Facts: facts, Seed: strconv.FormatUint(seed, 10)}
	if s.Recipe == nil {
		s = d.Construct.Fill(rec, rest)
	}
	for k, v := range s.Params {
		g.Params[k] = v
	}
	if rec.Param("ticket") != nil {
		g.Params["ticket"] = n
	}
	return d.plan(ctx, r, g, s.Unknown)
}
