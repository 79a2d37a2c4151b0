package handlers

import (
	"context"
	"slices"
	"strconv"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// GapJSON is a gap of the knowledge base as subscribers read it.
type GapJSON struct {
	ID       string  `json:"id"`
	Question string  `json:"question"` // masked
	People   int     `json:"people"`   // who asked it, when it was opened
	Asked    int     `json:"asked"`
	Opened   *string `json:"opened_at"`
	Closed   *string `json:"closed_at"`
}

// GapEvent is what subscribers hear of a gap.
type GapEvent struct {
	Gap   GapJSON `json:"gap"`
	By    string  `json:"by"`              // userid; empty: the desk itself
	Why   string  `json:"why,omitempty"`   // of gap.closed: learned, ignored, gone
	Entry int64   `json:"entry,omitempty"` // number of the entry that answers it
}

func (d *Desk) emitGap(tx *store.Tx, event, by string, g store.OpenGap) error {
	id := strconv.FormatInt(g.ID, 10)
	return tx.Emit(d.Subscribers, event, "gap/"+id, func() any {
		return GapEvent{GapJSON{id, g.Question, g.People, g.Asked, JSONTime(g.Opened), JSONTime(g.Closed)}, by, g.Why, g.Entry}
	})
}

// settle says what became of questions that had no answer, and closes the gaps
// that they were.
func (d *Desk) settle(tx *store.Tx, by string, messages []string, outcome string, entry int64) error {
	if err := tx.SettleQuestions(messages, outcome); err != nil {
		return err
	}
	return d.closeGaps(tx, by, messages, outcome, entry)
}

func (d *Desk) closeGaps(tx *store.Tx, by string, messages []string, why string, entry int64) error {
	closed, err := tx.CloseGaps(messages, why, entry)
	if err != nil {
		return err
	}
	for _, g := range closed {
		if err := d.emitGap(tx, chat.GapClosed, by, g); err != nil {
			return err
		}
	}
	return nil
}

// gapLook is how often gaps are looked at for the subscribers.
const gapLook = 10 * time.Minute

// gapGone is why a gap is closed whose questions are no gap any more:
// they are older than a gap may be, or were answered in another way.
const gapGone = "gone"

// TellGaps tells the subscribers of gaps that so many people asked about since
// the last look, and of those that are none any more. Without subscribers
// nothing is looked at.
func (d *Desk) TellGaps(ctx context.Context) error {
	if len(d.Subscribers.Wanting(chat.GapOpened))+len(d.Subscribers.Wanting(chat.GapClosed)) == 0 {
		return nil
	}
	gaps, err := d.Gaps(ctx)
	if err != nil {
		return err
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		open, err := tx.OpenGaps()
		if err != nil {
			return err
		}
		for _, g := range gaps {
			before := len(open)
			open = slices.DeleteFunc(open, func(o store.OpenGap) bool { return slices.Contains(g.Messages, o.Lead) })
			if len(open) < before || g.People < GapPeople {
				continue
			}
			o := store.OpenGap{Lead: g.Lead.Message, Question: g.Lead.Text, People: g.People, Asked: g.Count}
			fresh, err := tx.OpenGap(&o)
			if err != nil {
				return err
			}
			if fresh {
				if err := d.emitGap(tx, chat.GapOpened, "", o); err != nil {
					return err
				}
			}
		}
		for _, o := range open {
			if err := d.closeGaps(tx, "", []string{o.Lead}, gapGone, 0); err != nil {
				return err
			}
		}
		return nil
	})
}
