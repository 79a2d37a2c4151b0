package alert

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// say tells every group chat of a group: in a message of its own, or, when a
// chat hears too much already, in its next digest.
func (d *Desk) say(tx *store.Tx, g *store.AlertGroup, kind saying, v view) error {
	m, err := d.message(tx, g, kind, v)
	if err != nil {
		return err
	}
	first := kind == news && g.Told.IsZero() && g.Firing > 0 && g.ClaimedBy == ""
	var alone, folded []string
	for i, r := range g.Receivers {
		to := place(r)
		fold, err := d.overflows(tx, to, m.urgent)
		if err != nil {
			return err
		}
		if fold {
			folded = append(folded, r)
			if err := d.fold(tx, r, g, v); err != nil {
				return err
			}
			continue
		}
		alone = append(alone, r)
		out := chat.Outgoing{Key: fmt.Sprintf("A%d/%d/%s", g.Number, g.Version, r), To: to, Body: chat.Body{Markdown: m.text}, Mention: m.mention, Urgent: m.urgent}
		if to.Kind == chat.Mailbox {
			letter, err := d.mail(g, kind, v, m.text)
			if err != nil {
				return err
			}
			out.Body, out.Mention = chat.Body{Mail: letter}, nil
		}
		if err := tx.Enqueue(out); err != nil {
			return err
		}
		if first && to.Kind == chat.Robot {
			if err := d.offer(tx, g, r, i); err != nil {
				return err
			}
		}
	}
	for _, e := range []struct {
		kind string
		to   []string
	}{{"told", alone}, {"folded", folded}} {
		if len(e.to) > 0 {
			if err := d.event(tx, g, e.kind, sayingTitle[kind]+" → "+strings.Join(e.to, "、")); err != nil {
				return err
			}
		}
	}
	if len(g.Receivers) == 0 {
		return d.event(tx, g, "untold", "没有配置接收群")
	}
	return nil
}

// What a robot may be used for in a minute before things are put together: of
// its 18, 14 are for ordinary words, and the digests need some of them.
const (
	ordinaryAlone = 12
	urgentAlone   = 16
)

// overflows tells whether a chat hears so much that this has to wait for the digest.
func (d *Desk) overflows(tx *store.Tx, to chat.Address, urgent bool) (bool, error) {
	used, err := tx.WaitingFor(to, tx.Now().Add(-time.Minute))
	if err != nil {
		return false, err
	}
	s, err := tx.FindStorm(to.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	if urgent {
		return used >= urgentAlone, nil
	}
	return used >= ordinaryAlone || s.Waiting > 0, nil
}
