package handlers

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"frontline/bot/chat"
	"frontline/store"
)

// HandlerLoad is what one handler had in a period: so that leaders see who has
// too much, and nothing else. It is never put in an order of merit.
type HandlerLoad struct {
	ID, Name string
	store.TicketFigures
	Alerts int64 // groups of alerts claimed
}

// Loads are the handlers of the tickets and alerts of an analysis of everything,
// by name. Only leaders may see it; who asks looks at that with SeesLoads.
func (d *Desk) Loads(ctx context.Context, a Analysis) ([]HandlerLoad, error) {
	rows, err := d.Store.SplitTickets(ctx, store.ByHandler, a.From, a.To)
	if err != nil {
		return nil, err
	}
	claims := maps.Clone(a.Alerts.claimed)
	var out []HandlerLoad
	var ids []string
	for _, r := range rows {
		if r.A == "" || r.Reported+claims[r.A] == 0 {
			continue // nobody's tickets are the queue's load
		}
		out = append(out, HandlerLoad{ID: r.A, TicketFigures: r.TicketFigures, Alerts: claims[r.A]})
		ids = append(ids, r.A)
		delete(claims, r.A)
	}
	for id, n := range claims {
		out = append(out, HandlerLoad{ID: id, Alerts: n})
		ids = append(ids, id)
	}
	known, err := d.Store.FindMembers(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Name = out[i].ID
		if u, ok := known[out[i].ID]; ok {
			out[i].Name = u.Show()
		}
	}
	slices.SortFunc(out, func(x, y HandlerLoad) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
	return out, nil
}

// SeesLoads tells whether somebody may see what single people had to do.
func SeesLoads(u chat.User) bool { return u.Roles.Has(chat.Leader) }
