package handlers

import (
	"context"
	"errors"
	"fmt"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// What a solved ticket teaches may be known already: then the ticket goes to the entry,
// with its words as one more way to ask.

const (
	evidenceDays = 30
	evidenceMost = 2000 // questions that are looked through
	absorbLeast  = 0.3  // probability from which an entry is offered for a ticket
)

// evidence says how often something like a text was asked lately, "" never.
func (d *Desk) evidence(ctx context.Context, text string) (string, error) {
	asked, err := d.Store.AskedSince(ctx, d.Store.Now().AddDate(0, 0, -evidenceDays), evidenceMost)
	if err != nil {
		return "", err
	}
	own, err := d.ownSynonyms(ctx)
	if err != nil {
		return "", err
	}
	texts, people := make([]string, len(asked)), map[string]bool{}
	for i := range asked {
		texts[i] = asked[i].Text
	}
	alike := kb.Alike(text, texts, own)
	for _, i := range alike {
		people[asked[i].Asker] = true
	}
	if len(alike) == 0 {
		return "", nil
	}
	return fmt.Sprintf("最近 %d 天有 %d 人问过 %d 次相近的。", evidenceDays, len(people), len(alike)), nil
}

// keeping asks whether what was done for a ticket is to be kept, and lists the ways.
func (d *Desk) keeping(ctx context.Context, number int64) (words string, list []string, err error) {
	t, err := d.Store.FindTicket(ctx, number)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil, unknownTicket(number)
	}
	if err != nil {
		return "", nil, err
	}
	found, err := d.Knowledge.Search(ctx, kb.Query{Text: t.Title, N: 1, Now: d.Store.Now()})
	if err != nil {
		return "", nil, fmt.Errorf("search the knowledge: %w", err)
	}
	if words, err = d.evidence(ctx, t.Title); err != nil {
		return "", nil, err
	}
	words += "这次的办法要留下吗？\n1  沉淀为知识"
	list = []string{fmt.Sprintf("沉淀 T%d", number)}
	if found.Band > kb.Refuse && found.Hits[0].Score >= absorbLeast {
		e := found.Hits[0].Entry
		list = append(list, fmt.Sprintf("并入 T%d K%d", number, e.Number))
		words += fmt.Sprintf("\n2  已有 K%d %s（像，%.0f %%）", e.Number, chat.Plain(chat.Cut(e.Question, 30)), 100*found.Hits[0].Score)
	}
	list = append(list, fmt.Sprintf("不必 T%d", number))
	return words + fmt.Sprintf("\n%d  不必", len(list)), list, nil
}

// absorb is 并入 T1042 K311: the entry answers what the ticket was about.
func (d *Desk) absorb(_ context.Context, r Request) (Result, error) {
	n, rest, ok := ticketAndRest(r.Args)
	number, named := numberOf(rest, "K")
	if !ok || !named {
		return Result{}, which("并入 T1042 K12")
	}
	return Result{List: []string{}, Write: func(tx *store.Tx, out *Result) error {
		t, err := tx.FindTicket(n)
		if errors.Is(err, store.ErrNotFound) {
			return unknownTicket(n)
		}
		if err != nil {
			return err
		}
		if t.State != store.TicketResolved && t.State != store.TicketClosed {
			return refuse(fmt.Sprintf("%s %s，解决以后再说。", no(&t), t.State.Title()))
		}
		e, added, err := d.AddWordings(tx, r.Actor, number, []string{t.Title}, nil, false)
		if err != nil {
			return err
		}
		if err := tx.LinkTicket(store.Link{Ticket: t.Number, Kind: store.NumberEntry, Number: number}); err != nil {
			return err
		}
		t.Outcome = "knowledge"
		if err := d.change(tx, r.Actor, &t, t.State, fmt.Sprintf("并入知识 K%d", number)); err != nil {
			return err
		}
		words := fmt.Sprintf("好，%s 归到 K%d %s。", no(&t), number, chat.Plain(e.Question))
		switch {
		case added > 0 && (d.SecondPerson || !Curates(r.Actor)):
			words += "它的说法作为一种问法，等知识管理员复核。"
		case added > 0:
			words += "它的说法也加成了一种问法。"
		}
		out.Say = append(out.Say, say(words).Say...)
		return nil
	}}, nil
}
